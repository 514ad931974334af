package evaluation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
)

// run is a result with one metric, sample by sample.
func run(metric string, values ...string) benchmark.RunnerResult {
	r := benchmark.RunnerResult{JudgeModel: "judge-70b", JudgePrompt: "judge_v2", Prompt: "digest_v3"}
	for i, v := range values {
		r.Samples = append(r.Samples, benchmark.Sample{ID: fmt.Sprintf("d-%03d", i+1), Scores: map[string]decimal.Decimal{metric: dec(v)}})
	}
	return r
}

func lengths(t *testing.T, values []string) benchmark.RunnerResult {
	r := run(benchmark.Accuracy, slices.Repeat([]string{"0.9"}, len(values))...)
	for i, v := range values {
		r.Samples[i].Length = int(number(t, v))
	}
	return r
}

func input(baseline, candidate benchmark.RunnerResult) evaluation.Input {
	baseline.Model, candidate.Model = "qwen-7b", "qwen-7b-digest-ru"
	return evaluation.Input{
		Scenario: "channel_digest_ru",
		Bands:    map[string]benchmark.Band{benchmark.Accuracy: benchmark.NewBand(benchmark.Higher, "0.90", "0.85", benchmark.Mean)},
		Limits:   evaluation.Limits{PSI: dec("0.25"), KSP: dec("0.01")},
		Baseline: evaluation.Run{Result: baseline}, Candidate: evaluation.Run{Result: candidate},
		Leakage: evaluation.Leakage{Compared: true, Of: len(baseline.Samples)},
		Prompt:  "digest_v3", Seed: evaluation.SeedOf("sha256:9f2c"),
	}
}

// pilot is a pilot's two runs of n samples over all metrics: gain is what the
// candidate adds to the scores on average, in hundredths.
func pilot(n, gain int) evaluation.Input {
	var b, c benchmark.RunnerResult
	b.JudgeModel, b.JudgePrompt, b.Prompt = "judge-70b", "judge_v2", "digest_v3"
	c = b
	for i := range n {
		id := fmt.Sprintf("d-%03d", i+1)
		before, after := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
		for k, metric := range benchmark.Metrics() {
			at := 91 + (5*i+3*k)%7 - 3
			if metric == benchmark.Latency {
				before[metric], after[metric] = decimal.NewFromInt(int64(150+11*i%40)), decimal.NewFromInt(int64(150+(11*i+7)%40))
				continue
			}
			before[metric] = decimal.New(int64(at), -2)
			after[metric] = decimal.New(int64(min(100, at+gain+(i+k)%3-1)), -2)
		}
		b.Samples = append(b.Samples, benchmark.Sample{ID: id, Scores: before, Summary: hash("b" + id), Length: 400 + 13*i%200})
		c.Samples = append(c.Samples, benchmark.Sample{ID: id, Scores: after, Summary: hash("c" + id), Length: 400 + (13*i+5)%200})
	}
	in := input(b, c)
	in.Bands = map[string]benchmark.Band{
		benchmark.Coverage: benchmark.NewBand(benchmark.Higher, "0.88", "0.80", benchmark.Mean), benchmark.Accuracy: benchmark.NewBand(benchmark.Higher, "0.90", "0.85", benchmark.Mean),
		benchmark.Coherence: benchmark.NewBand(benchmark.Higher, "0.90", "0.85", benchmark.Mean), benchmark.Informativeness: benchmark.NewBand(benchmark.Higher, "0.88", "0.82", benchmark.Mean),
		benchmark.Latency: benchmark.NewBand(benchmark.Lower, "210", "240", benchmark.P95),
	}
	in.LatencyTolerance = "+5 %"
	return in
}

func hash(s string) string { return fmt.Sprintf("%064x", evaluation.SeedOf(s)) }

func reasons(e evaluation.Evaluation, weights ...evaluation.Weight) []string {
	out := []string{}
	for _, r := range e.Reasons {
		if slices.Contains(weights, r.Weight) {
			out = append(out, strings.TrimSpace(r.Key+" "+r.Args["metric"]+r.Args["quantity"]))
		}
	}
	return out
}

func TestAGoodCandidateIsRecommended(t *testing.T) {
	e := evaluation.Judge(pilot(60, 2))
	assert.Equal(t, evaluation.Go, e.Recommendation)
	assert.True(t, e.Measured)
	assert.Empty(t, reasons(e, evaluation.Against, evaluation.Open))
	assert.Equal(t, []string{"shown_better coverage", "shown_better accuracy", "shown_better coherence", "shown_better informativeness", "accepted"}, reasons(e, evaluation.For))
	m, ok := e.Metric(benchmark.Coverage)
	require.True(t, ok)
	assert.Equal(t, "0.02", m.Delta)
	assert.Equal(t, evaluation.Better, m.Change)
	assert.Equal(t, "0.88", m.Pass, "with the digits that it was given with")
	assert.False(t, m.Test.Exact)
	assert.Equal(t, 60, m.N)
	latency, _ := e.Metric(benchmark.Latency)
	assert.Equal(t, benchmark.P95, latency.Statistic)
	assert.NotEqual(t, latency.Candidate.P95, latency.Candidate.Worst, "the worst sample is not the P95")
	assert.Equal(t, "+5 %", latency.Acceptance.Tolerance)
	assert.True(t, latency.Acceptance.Met)
}

func TestARegressedCandidateIsNot(t *testing.T) {
	e := evaluation.Judge(pilot(60, -3))
	assert.Equal(t, evaluation.NoGo, e.Recommendation)
	assert.Equal(t, []string{"missed_policy coverage", "missed_policy accuracy", "missed_policy coherence", "missed_policy informativeness"}, reasons(e, evaluation.Against))
	m, _ := e.Metric(benchmark.Accuracy)
	assert.Equal(t, evaluation.Acceptance{From: evaluation.FromPolicy, Bound: "0.90", Statistic: benchmark.Mean, Value: m.Candidate.Value}, m.Acceptance)
	assert.Equal(t, evaluation.Worse, m.Change)
}

// What leaves the evidence open recommends nothing, whatever the figures say.
func TestWhatLeavesTheQuestionOpen(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*evaluation.Input)
		reason   string
		measured bool
	}{
		"self-reported": {func(in *evaluation.Input) { in.SelfReported = true }, "self_reported", true},
		"the baseline's digest": {func(in *evaluation.Input) {
			in.Baseline.Model.Digest = "sha256:" + hash("m")
			in.Candidate.Model = in.Baseline.Model
		}, "same_digest", false},
		"the baseline's name":     {func(in *evaluation.Input) { in.Candidate.Result.Model = in.Baseline.Result.Model }, "same_model", false},
		"no name":                 {func(in *evaluation.Input) { in.Candidate.Result.Model = "" }, "model_unnamed", true},
		"the same summaries":      {func(in *evaluation.Input) { eachSample(in, func(b, c *benchmark.Sample) { c.Summary = b.Summary }) }, "summaries_identical", false},
		"half the same summaries": {func(in *evaluation.Input) { half(in, func(b, c *benchmark.Sample) { c.Summary = b.Summary }) }, "summaries_alike", true},
		"the same latencies": {func(in *evaluation.Input) {
			eachSample(in, func(b, c *benchmark.Sample) { c.Scores[benchmark.Latency] = b.Scores[benchmark.Latency] })
		}, "latency_identical", false},
		"another judge":         {func(in *evaluation.Input) { in.Candidate.Result.JudgeModel = "judge-8b" }, "judge_differs", true},
		"another judge prompt":  {func(in *evaluation.Input) { in.Candidate.Result.JudgePrompt = "judge_v3" }, "judge_differs", true},
		"no judge":              {func(in *evaluation.Input) { in.Candidate.Result.JudgeModel, in.Candidate.Result.JudgePrompt = "", "" }, "judge_missing_candidate", true},
		"no judge of old":       {func(in *evaluation.Input) { in.Baseline.Result.JudgeModel, in.Baseline.Result.JudgePrompt = "", "" }, "judge_missing_baseline", true},
		"another prompt":        {func(in *evaluation.Input) { in.Candidate.Result.Prompt = "digest_v4" }, "prompt_differs", true},
		"a sample left out":     {func(in *evaluation.Input) { in.Candidate.Result.Samples = in.Candidate.Result.Samples[1:] }, "unpaired", true},
		"a sample more":         {func(in *evaluation.Input) { in.Baseline.Result.Samples = in.Baseline.Result.Samples[:59] }, "unpaired", true},
		"leaked":                {func(in *evaluation.Input) { in.Leakage.Near = 2 }, "leaked", true},
		"longer summaries":      {func(in *evaluation.Input) { eachSample(in, func(_, c *benchmark.Sample) { c.Length *= 2 }) }, "drifted summary_length", true},
		"another baseline":      {func(in *evaluation.Input) { in.Recomputed = scan("0.80", 60) }, "baseline_disagrees coverage", true},
		"fewer baseline scores": {func(in *evaluation.Input) { in.Recomputed = scan("0.91", 59) }, "baseline_disagrees coverage", true},
	} {
		t.Run(name, func(t *testing.T) {
			in := pilot(60, 2)
			c.change(&in)
			e := evaluation.Judge(in)
			assert.Contains(t, reasons(e, evaluation.Open), c.reason)
			assert.Equal(t, evaluation.None, e.Recommendation)
			assert.Equal(t, c.measured, e.Measured)
			assert.Empty(t, e.Check())
		})
	}
}

// Copied scores pass every band, and show nothing.
func TestTheBaselineAgainIsNotTheCandidate(t *testing.T) {
	in := pilot(60, 2)
	in.Candidate.Result.Samples = in.Baseline.Result.Samples
	e := evaluation.Judge(in)
	assert.False(t, e.Measured)
	assert.Equal(t, evaluation.None, e.Recommendation)
	assert.Equal(t, []string{"scores_identical", "latency_identical", "summaries_identical", "nothing_shown"}, reasons(e, evaluation.Open))
	m, _ := e.Metric(benchmark.Coverage)
	assert.Equal(t, evaluation.Same, m.Change)

	in.Candidate.Result.Samples = slices.Clone(in.Baseline.Result.Samples[:4])
	in.Baseline.Result.Samples = in.Baseline.Result.Samples[:4]
	assert.True(t, evaluation.Judge(in).Measured, "four equal figures may be a coincidence")
}

func TestFewSamplesShowNothing(t *testing.T) {
	e := evaluation.Judge(pilot(5, 3))
	assert.Equal(t, evaluation.None, e.Recommendation)
	assert.Equal(t, []string{"nothing_could"}, reasons(e, evaluation.Open))
	m, _ := e.Metric(benchmark.Coverage)
	assert.Equal(t, evaluation.TooFew, m.Change)
	assert.Equal(t, "0.0625", m.Test.SmallestP, "2 of 2^5 patterns")
	assert.Contains(t, reasons(e, evaluation.Note), "drift_unknown")
}

func TestADifferenceThatChanceExplainsIsSaidSo(t *testing.T) {
	in := input(run(benchmark.Accuracy, "0.91", "0.92", "0.95", "0.90", "0.94", "0.93", "0.92", "0.91"), run(benchmark.Accuracy, "0.92", "0.90", "0.96", "0.89", "0.97", "0.92", "0.93", "0.92"))
	m := only(t, evaluation.Judge(in))
	assert.Equal(t, evaluation.Unclear, m.Change)
	assert.Equal(t, "0.00375", m.Delta)
	assert.Greater(t, m.Needed, 8)
	assert.Equal(t, evaluation.None, evaluation.Judge(in).Recommendation, "nothing is shown to be better")
}

func TestAcceptance(t *testing.T) {
	ninety := func(metric, at, statistic string) map[string]benchmark.Band {
		d := dec(at)
		return map[string]benchmark.Band{metric: {Pass: &d, Statistic: statistic}}
	}
	latencies := input(run(benchmark.Latency, "100", "110", "120", "130", "140"), run(benchmark.Latency, "101", "111", "121", "131", "147"))
	latencies.Bands = map[string]benchmark.Band{benchmark.Latency: benchmark.NewBand(benchmark.Lower, "210", "240", benchmark.P95)}
	for name, c := range map[string]struct {
		in      func(in *evaluation.Input)
		met     bool
		against string
	}{
		"the policy's bound":          {func(*evaluation.Input) {}, true, ""},
		"the plan's bound":            {func(in *evaluation.Input) { in.Acceptance = ninety(benchmark.Latency, "146.9", "") }, false, "missed_plan latency_seconds"},
		"the plan's, on the mean":     {func(in *evaluation.Input) { in.Acceptance = ninety(benchmark.Latency, "123", benchmark.Avg) }, true, ""},
		"a tolerance that is reached": {func(in *evaluation.Input) { in.LatencyTolerance = "+5 %" }, true, ""},
		"and one that is not":         {func(in *evaluation.Input) { in.LatencyTolerance = "≤ 4,9%" }, false, "tolerance_missed latency_seconds"},
		"in seconds":                  {func(in *evaluation.Input) { in.LatencyTolerance = "7 s" }, true, ""},
		"in fewer seconds":            {func(in *evaluation.Input) { in.LatencyTolerance = "6,5 секунд" }, false, "tolerance_missed latency_seconds"},
		"one that is no number":       {func(in *evaluation.Input) { in.LatencyTolerance = "a little" }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := latencies
			c.in(&in)
			e := evaluation.Judge(in)
			assert.Equal(t, c.met, only(t, e).Acceptance.Met)
			if c.against == "" {
				assert.Empty(t, reasons(e, evaluation.Against))
			} else {
				assert.Equal(t, []string{c.against}, reasons(e, evaluation.Against))
				assert.Equal(t, evaluation.NoGo, e.Recommendation)
			}
			assert.Equal(t, name == "one that is no number", slices.Contains(reasons(e, evaluation.Note), "tolerance_unread"))
		})
	}
}

// A slower candidate within the tolerance is what the plan allows.
func TestAToleratedSlowdownIsNoReason(t *testing.T) {
	in := pilot(200, 2)
	eachSample(&in, func(b, c *benchmark.Sample) {
		c.Scores[benchmark.Latency] = b.Scores[benchmark.Latency].Mul(dec("1.04"))
	})
	e := evaluation.Judge(in)
	assert.Equal(t, evaluation.Go, e.Recommendation)
	assert.Contains(t, reasons(e, evaluation.Note), "tolerated latency_seconds")
}

func TestNoEvidenceIsNeverAPass(t *testing.T) {
	in := pilot(60, 2)
	eachSample(&in, func(_, c *benchmark.Sample) { delete(c.Scores, benchmark.Coherence) })
	e := evaluation.Judge(in)
	assert.Equal(t, evaluation.NoGo, e.Recommendation)
	assert.Equal(t, []string{"candidate_no_evidence coherence"}, reasons(e, evaluation.Against))

	empty := evaluation.Judge(evaluation.Input{})
	assert.Equal(t, evaluation.NoGo, empty.Recommendation)
	assert.Equal(t, []string{"no_bands"}, reasons(empty, evaluation.Against))
	assert.Empty(t, empty.Check())
}

func eachSample(in *evaluation.Input, f func(b, c *benchmark.Sample)) {
	for i := range in.Baseline.Result.Samples {
		f(&in.Baseline.Result.Samples[i], &in.Candidate.Result.Samples[i])
	}
}

func half(in *evaluation.Input, f func(b, c *benchmark.Sample)) {
	for i := range len(in.Baseline.Result.Samples) / 2 {
		f(&in.Baseline.Result.Samples[i], &in.Candidate.Result.Samples[i])
	}
}

// scan is a scan of n coverage scores with this mean.
func scan(mean string, n int) []benchmark.Aggregate {
	return []benchmark.Aggregate{{Metric: benchmark.Coverage, N: n, Sum: dec(mean).Mul(decimal.NewFromInt(int64(n)))}}
}

// Whatever is judged can be signed, read back and said again, is the same twice,
// and is no Go where it must not be.
func TestAnyEvaluationCanBeSigned(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := drawInput(rt)
		e := evaluation.Judge(in)
		require.Empty(rt, e.Check())
		require.Equal(rt, e, evaluation.Judge(in))
		raw, err := json.Marshal(e)
		require.NoError(rt, err)
		var again evaluation.Evaluation
		require.NoError(rt, json.Unmarshal(raw, &again))
		require.Equal(rt, e, again)
		if e.Recommendation == evaluation.Go {
			require.True(rt, e.Measured && !in.SelfReported)
			for _, m := range e.Metrics {
				require.True(rt, m.Acceptance.Met && m.Change != evaluation.NotCompared)
			}
		}
	})
}

func drawInput(t *rapid.T) evaluation.Input {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "qwen-7b", "digest_v3"}), rapid.String())
	result := func(name string) benchmark.RunnerResult {
		r := benchmark.RunnerResult{Model: text.Draw(t, name), Prompt: text.Draw(t, name), JudgeModel: text.Draw(t, name), JudgePrompt: text.Draw(t, name)}
		for i := range rapid.IntRange(0, 30).Draw(t, name) {
			s := benchmark.Sample{ID: fmt.Sprint(i), Scores: map[string]decimal.Decimal{}, Length: rapid.IntRange(0, 900).Draw(t, name)}
			for _, m := range benchmark.Metrics() {
				switch v := rapid.IntRange(-20, 100).Draw(t, m); {
				case v > 0 && m == benchmark.Latency:
					s.Scores[m] = decimal.New(int64(v), rapid.Int32Range(-12, 40).Draw(t, m))
				case v >= 0:
					s.Scores[m] = decimal.New(int64(v), -2)
				}
			}
			r.Samples = append(r.Samples, s)
		}
		return r
	}
	in := input(result("baseline"), result("candidate"))
	in.Baseline.Result.Model, in.Candidate.Result.Model = text.Draw(t, "model"), text.Draw(t, "model")
	in.SelfReported = rapid.Bool().Draw(t, "self")
	in.LatencyTolerance = rapid.OneOf(rapid.SampledFrom([]string{"", "+5 %", "10 s"}), rapid.String()).Draw(t, "tolerance")
	in.Bands = map[string]benchmark.Band{}
	for _, m := range benchmark.Metrics() {
		if rapid.Bool().Draw(t, m) {
			in.Bands[m] = band(m, rapid.SampledFrom([]string{"0", "0.5", "0.90"}).Draw(t, m), rapid.SampledFrom([]string{benchmark.Mean, benchmark.P95, ""}).Draw(t, m))
		}
	}
	return in
}

func TestCheckRefusesWhatJudgeDoesNotWrite(t *testing.T) {
	for field, change := range map[string]func(*evaluation.Evaluation){
		"schema":                func(e *evaluation.Evaluation) { e.Schema = 2 },
		"scenario":              func(e *evaluation.Evaluation) { e.Scenario = "a\nb" },
		"baseline":              func(e *evaluation.Evaluation) { e.Baseline.Digest = "sha256:9f2c" },
		"candidate":             func(e *evaluation.Evaluation) { e.Candidate.JudgeModel = strings.Repeat("x", 501) },
		"metrics[0].candidate":  func(e *evaluation.Evaluation) { e.Metrics[0].Candidate.Value = "0.910" },
		"metrics[1].delta":      func(e *evaluation.Evaluation) { e.Metrics[1].Delta = "+0.02" },
		"metrics[2].change":     func(e *evaluation.Evaluation) { e.Metrics[2].Change = "fine" },
		"metrics[0].acceptance": func(e *evaluation.Evaluation) { e.Metrics[0].Acceptance.From = "friends" },
		"metrics[4].test":       func(e *evaluation.Evaluation) { e.Metrics[4].Test.P = "1e-3" },
		"drift[0]":              func(e *evaluation.Evaluation) { e.Drift[0].Quantity = "Coverage" },
		"limits":                func(e *evaluation.Evaluation) { e.Limits.PSI = "" },
		"leakage":               func(e *evaluation.Evaluation) { e.Leakage.Of = -1 },
		"reasons[0]":            func(e *evaluation.Evaluation) { e.Reasons[0].Key = "<b>" },
		"reasons[1]": func(e *evaluation.Evaluation) {
			e.Reasons[1].Weight = evaluation.Against
			e.Reasons[0].Weight = evaluation.Note
		},
		"recommendation": func(e *evaluation.Evaluation) { e.Measured = false },
	} {
		t.Run(field, func(t *testing.T) {
			e := evaluation.Judge(pilot(60, 2))
			require.Empty(t, e.Check())
			change(&e)
			assert.Equal(t, field, e.Check())
		})
	}
}

func TestParseTolerance(t *testing.T) {
	for text, want := range map[string]string{
		"+5 %": "0.05 0", "≤ 5%": "0.05 0", "до 7,5 процентов": "0.075 0", "at most 10 percent of the baseline's P95": "0.1 0",
		"+10 s": "0 10", "10 секунд": "0 10", "250 ms": "0 0.25", "5": "", "": "", "a little": "", "5 stars": "", "+5 % / 10 s": "0.05 0",
		strings.Repeat("5 %", 100): "",
	} {
		share, seconds, ok := evaluation.ParseTolerance(text)
		got := ""
		if ok {
			got = share.String() + " " + seconds.String()
		}
		assert.Equal(t, want, got, text)
	}
}

func BenchmarkJudge(b *testing.B) {
	in := pilot(300, 2)
	for b.Loop() {
		evaluation.Judge(in)
	}
}
