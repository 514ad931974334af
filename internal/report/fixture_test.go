package report_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/report"
)

const (
	pilot      = "ru-digest-2026-01"
	folder     = "docs/specs/epic_05/evidence/ru-digest-2026-01/"
	reportPath = "docs/specs/epic_05/stage_05_03_pilot_report_ru-digest-2026-01.md"
)

func hexOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// awaited is a report right after the sign-off.
func awaited() report.Input {
	at := time.Date(2026, 1, 14, 9, 12, 0, 0, time.UTC)
	r := ledger.Record{Kind: ledger.KindSignoff, Predicate: ledger.Predicate{
		Repository: ledger.Repository{ID: 4711, Name: "acme/digests"}, Pilot: pilot, PullRequest: 42, PlanPath: "docs/specs/epic_05/pilots/" + pilot + ".md",
		Digest: "sha256:" + hexOf("subject"),
		Approvals: []ledger.Approval{
			{Login: "irina-ml", UserID: 101, Role: "ML Lead", ReviewID: 2211, SubmittedAt: at},
			{Login: "oleg-ops", UserID: 102, Role: "Operations Owner", ReviewID: 2212, SubmittedAt: at.Add(time.Hour)},
		},
		Launch: &ledger.Launch{
			Scenario: "channel_digest_ru", BaselineModel: "qwen-7b@1.0", TargetModel: "qwen-7b-digest-ru", PromptVersion: "digest_v3",
			Hyperparameters: map[string]string{"epochs": "3", "batch_size": "8", "learning_rate": "2e-5", "optimiser": "AdamW", "max_input_tokens": "4096"},
			Compute:         ledger.Compute{Hardware: "A100 80GB", Count: 2, Hours: "6"}, Seed: 42, GitCommit: hexOf("code")[:40], ConfigPath: "configs/pilot_digest_ru.yaml",
			Dataset:        ledger.Dataset{Location: "data/benchmarks/benchmark_digest_ru_v1/2025-11_samples.jsonl", SHA256: hexOf("dataset"), Records: 3000},
			Evaluation:     &ledger.Dataset{Location: "data/benchmarks/benchmark_digest_ru_v1/2025-12_samples.jsonl", SHA256: hexOf("evaluation"), Records: 300},
			RollbackTarget: "qwen-7b@0.9", Release: "v1.4.0",
		},
	}}
	scan := []benchmark.Aggregate{}
	for metric, figure := range map[string]string{benchmark.Coverage: "0.9021", benchmark.Accuracy: "0.9210", benchmark.Coherence: "0.9187", benchmark.Informativeness: "0.8954", benchmark.Latency: "171.3"} {
		scan = append(scan, benchmark.Aggregate{Metric: metric, N: 1, Sum: dec(figure), Min: dec(figure), Max: dec(figure), P95: dec(figure)})
	}
	return report.Input{
		Language: "en", Path: reportPath, Log: "docs/specs/epic_05/stage_05_03_signoff.md",
		Evidence: report.Evidence{Signoff: ledger.Entry{Path: folder + "signoff-" + hexOf("subject") + ".json", Record: r}},
		Baseline: benchmark.Recompute(scan, bands()).Metrics,
	}
}

func bands() map[string]benchmark.Band {
	return map[string]benchmark.Band{
		benchmark.Coverage: benchmark.NewBand(benchmark.Higher, "0.88", "0.80", benchmark.Mean), benchmark.Accuracy: benchmark.NewBand(benchmark.Higher, "0.90", "0.85", benchmark.Mean),
		benchmark.Coherence: benchmark.NewBand(benchmark.Higher, "0.90", "0.85", benchmark.Mean), benchmark.Informativeness: benchmark.NewBand(benchmark.Higher, "0.88", "0.82", benchmark.Mean),
		benchmark.Latency: benchmark.NewBand(benchmark.Lower, "210", "240", benchmark.P95),
	}
}

// story is a pilot's end that the examples tell.
type story struct {
	samples int
	gain    map[string]int // thousandths on a score, seconds on the latency
	change  func(*evaluation.Input)
}

var stories = map[string]story{
	"go": {samples: 300, gain: map[string]int{benchmark.Coverage: 21, benchmark.Accuracy: 8, benchmark.Informativeness: 4, benchmark.Latency: 4}},
	"no-go": {samples: 300, gain: map[string]int{benchmark.Coverage: 18, benchmark.Accuracy: -34, benchmark.Coherence: -2, benchmark.Latency: 19}, change: func(in *evaluation.Input) {
		for i := range in.Candidate.Result.Samples {
			in.Candidate.Result.Samples[i].Length = in.Candidate.Result.Samples[i].Length * 3 / 2
		}
	}},
	"never-measured": {samples: 300, change: func(in *evaluation.Input) {
		in.Candidate.Result.Samples, in.Candidate.Result.Model = in.Baseline.Result.Samples, in.Baseline.Result.Model
	}},
	"n-too-small": {samples: 5, gain: map[string]int{benchmark.Coverage: 24, benchmark.Accuracy: 9}, change: func(in *evaluation.Input) {
		in.Leakage = evaluation.Leakage{}
	}},
	"self-reported": {samples: 40, gain: map[string]int{benchmark.Coverage: 30, benchmark.Accuracy: 12}, change: func(in *evaluation.Input) {
		in.SelfReported, in.Candidate.Result.JudgeModel, in.Candidate.Result.JudgePrompt = true, "", ""
	}},
}

// judged evaluates each story once, when it is asked for.
var judged = func() map[string]func() evaluation.Evaluation {
	out := map[string]func() evaluation.Evaluation{}
	for name, s := range stories {
		out[name] = sync.OnceValue(func() evaluation.Evaluation { return evaluation.Judge(s.input()) })
	}
	return out
}()

func (s story) input() evaluation.Input {
	var b, c benchmark.RunnerResult
	b.JudgeModel, b.JudgePrompt, b.Prompt, b.Model = "judge-70b", "judge_v2", "digest_v3", "qwen-7b"
	c = b
	c.Model = "qwen-7b-digest-ru"
	centre := map[string]int{benchmark.Coverage: 900, benchmark.Accuracy: 925, benchmark.Coherence: 919, benchmark.Informativeness: 896, benchmark.Latency: 130}
	for i := range s.samples {
		id := fmt.Sprintf("d-%04d", i+1)
		before, after := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
		for k, metric := range benchmark.Metrics() {
			spread, noise := (37*i+11*k)%61-30, (53*i+29*k)%41-20
			if metric == benchmark.Latency {
				before[metric] = decimal.New(int64(10*(centre[metric]+spread)+noise), -1)
				after[metric] = decimal.New(int64(10*(centre[metric]+spread+s.gain[metric])+2*noise-7), -1)
				continue
			}
			before[metric] = decimal.New(int64(centre[metric]+2*spread), -3)
			after[metric] = decimal.New(int64(min(1000, centre[metric]+2*spread+noise+s.gain[metric])), -3)
		}
		b.Samples = append(b.Samples, benchmark.Sample{ID: id, Scores: before, Summary: hexOf("b" + id), Length: 420 + 17*i%260})
		c.Samples = append(c.Samples, benchmark.Sample{ID: id, Scores: after, Summary: hexOf("c" + id), Length: 425 + (17*i+9)%260})
	}
	in := evaluation.Input{
		Scenario: "channel_digest_ru", Bands: bands(), LatencyTolerance: "+5 %", Limits: evaluation.Limits{PSI: dec("0.25"), KSP: dec("0.01")},
		Acceptance: map[string]benchmark.Band{}, Prompt: "digest_v3", Seed: evaluation.SeedOf("sha256:" + hexOf("subject")),
		Baseline:  evaluation.Run{Model: evaluation.Model{Name: "qwen-7b", Version: "1.0", Digest: "sha256:" + hexOf("qwen-7b@1.0")}, Result: b},
		Candidate: evaluation.Run{Model: evaluation.Model{Name: "qwen-7b-digest-ru", Digest: "sha256:" + hexOf("candidate")}, Result: c},
		Leakage:   evaluation.Leakage{Compared: true, Of: s.samples},
	}
	for metric, pass := range map[string]string{benchmark.Coverage: "0.90", benchmark.Accuracy: "0.91", benchmark.Coherence: "0.90", benchmark.Latency: "210"} {
		d := dec(pass)
		in.Acceptance[metric] = benchmark.Band{Pass: &d}
	}
	if s.change != nil {
		s.change(&in)
	}
	return in
}

// evaluated is a report with results.
func evaluated(name string) report.Input {
	in := awaited()
	launch := in.Signoff.Record
	launch.Kind = ledger.KindLaunch
	launch.Run = &ledger.Run{ID: 901, Attempt: 1, WorkflowPath: ".github/workflows/pilot_finetune.yml", WorkflowBlob: hexOf("workflow")[:40], HeadCommit: hexOf("main")[:40], Signoff: "sha256:" + hexOf("payload")}
	in.Launch = &ledger.Entry{Path: folder + "launch-" + hexOf("launch") + ".json", Record: launch}
	r := launch
	r.Kind = ledger.KindEvaluation
	e := judged[name]()
	r.Evaluation = &e
	if e.SelfReported {
		r.Run, r.PullRequest = nil, 51
	}
	for _, side := range []string{evaluation.BaselineSide, evaluation.CandidateSide} {
		r.Subjects = append(r.Subjects, ledger.Subject{Name: side + " samples", URI: folder + "results/901-" + side + ".jsonl", SHA256: hexOf(side)})
	}
	in.Evaluation = &ledger.Entry{Path: folder + "evaluation-" + hexOf("evaluation") + ".json", Record: r}
	return in
}
