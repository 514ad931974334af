package rules_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/report"
	"github.com/pilotgate/pilotgate/internal/rules"
)

const reportFile = "docs/specs/epic_05/stage_05_03_pilot_report_" + sample.Pilot + ".md"

// outcomes are evaluations by what they recommend: a candidate that gained or
// lost hundredths of coverage, or whose judge nobody named.
var outcomes = sync.OnceValue(func() map[string]evaluation.Evaluation {
	out := map[string]evaluation.Evaluation{}
	for name, gain := range map[string]int{"go": 2, "no-go": -8, "none": 2} {
		in := evaluation.Input{
			Scenario: sample.Scenario, Leakage: evaluation.Leakage{Compared: true, Of: 40},
			Bands:  map[string]benchmark.Band{benchmark.Coverage: benchmark.NewBand(benchmark.Higher, "0.88", "0.80", benchmark.Mean)},
			Limits: evaluation.Limits{PSI: decimal.New(25, -2), KSP: decimal.New(1, -2)},
		}
		for i := range 40 {
			at := int64(88 + i%7)
			put := func(r *benchmark.RunnerResult, hundredths int64) {
				r.Samples = append(r.Samples, benchmark.Sample{ID: fmt.Sprint(i), Scores: map[string]decimal.Decimal{benchmark.Coverage: decimal.New(hundredths, -2)}})
			}
			put(&in.Baseline.Result, at)
			put(&in.Candidate.Result, at+int64(gain+i%3-1))
		}
		in.Baseline.Result.Model, in.Candidate.Result.Model = "qwen-7b", "qwen-7b-digest-ru"
		if name != "none" {
			in.Baseline.Result.JudgeModel, in.Candidate.Result.JudgeModel = "judge-70b", "judge-70b"
		}
		e := evaluation.Judge(in)
		if string(e.Recommendation) != name {
			panic(fmt.Sprint(name, e.Reasons))
		}
		out[name] = e
	}
	return out
})

// evaluate puts a signed evaluation of the sample's pilot into both sides, and
// the report that follows from it at head.
func (c *testCase) evaluate(t *testing.T, recommends string) {
	t.Helper()
	signer, key := sample.ServerKey()
	public, err := base64.StdEncoding.DecodeString(key.Ed25519)
	require.NoError(t, err)
	keys := []ledger.Key{{ID: key.ID, Public: public, From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}}
	l := ledger.Ledger{RepositoryID: 7, LogPath: sample.Signoff, Log: c.base[sample.Signoff], Evidence: "docs/specs/epic_05/evidence/{pilot}/", Records: map[string][]byte{}}
	for path, b := range c.base {
		if strings.HasPrefix(path, "docs/specs/epic_05/evidence/") {
			l.Records[path] = b
		}
	}
	signed, broken := ledger.Verify(l, keys)
	require.Empty(t, broken)
	require.Len(t, signed.Entries, 1, "an evaluation needs `signed: base`")
	e := outcomes()[recommends]
	r := signed.Entries[0].Record
	r.Kind, r.Rows, r.Approvals, r.Checks, r.Evaluation = ledger.KindEvaluation, nil, nil, nil, &e
	sum := sha256.Sum256([]byte(recommends))
	r.Digest = "sha256:" + hex.EncodeToString(sum[:])
	r.Run = &ledger.Run{ID: 901, Attempt: 1, WorkflowPath: ".github/workflows/pilot_finetune.yml", WorkflowBlob: headID, HeadCommit: baseID, Signoff: signed.Entries[0].Digest}
	added, err := ledger.Append(l, r, signer, keys)
	require.NoError(t, err)
	c.base[added.RecordPath], c.head[added.RecordPath] = added.Record, added.Record
	all, broken := ledger.Verify(l.With(added), keys)
	require.Empty(t, broken)
	evidence, ok := report.EvidenceOf(all.Entries, sample.Pilot)
	require.True(t, ok)
	c.head[reportFile] = report.Regenerate(nil, report.Input{Language: "en", Path: reportFile, Log: sample.Signoff, Evidence: evidence})
}

// report brings results of the sample's pilot, as a pull request does.
func (c *testCase) report(t *testing.T, patch string) {
	t.Helper()
	signed := ledger.Record{Predicate: ledger.Predicate{Pilot: sample.Pilot, Digest: "sha256:" + strings.Repeat("0", 64), Launch: &ledger.Launch{}}}
	if envelope, ok := c.base[c.record]; ok {
		var e struct{ Payload []byte }
		require.NoError(t, json.Unmarshal(envelope, &e))
		var err error
		signed, err = ledger.ParsePayload(e.Payload)
		require.NoError(t, err)
	}
	results, err := sample.Trained(signed, c.base.With(c.head)[sample.EvaluationData], 0.02)
	require.NoError(t, err)
	for name, b := range results {
		if name == rules.ManifestFile {
			b = merge(t, b, []byte(patch))
		}
		c.head[strings.TrimSuffix(reportFile, "md")+name] = b
	}
}
