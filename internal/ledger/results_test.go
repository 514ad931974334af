package ledger_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// judged is one evaluation for all tests: what it says is package evaluation's.
var judged = sync.OnceValues(func() (evaluation.Input, evaluation.Evaluation) {
	samples := func(cents int64) (out []benchmark.Sample) {
		for i := range 6 {
			out = append(out, benchmark.Sample{ID: fmt.Sprint("d-", i), Scores: map[string]decimal.Decimal{benchmark.Coverage: decimal.New(cents+int64(i), -2)}})
		}
		return out
	}
	in := evaluation.Input{
		Scenario: "channel_digest_ru",
		Bands:    map[string]benchmark.Band{benchmark.Coverage: benchmark.NewBand(benchmark.Higher, "0.88", "0.80", benchmark.Mean)},
		Limits:   evaluation.Limits{PSI: decimal.New(25, -2), KSP: decimal.New(1, -2)},
		Baseline: evaluation.Run{Result: benchmark.RunnerResult{Samples: samples(88)}}, Candidate: evaluation.Run{Result: benchmark.RunnerResult{Samples: samples(90)}},
	}
	return in, evaluation.Judge(in)
})

// evaluated is an evaluation of a signed-off pilot, of the n-th run, with the
// sample files that it rests on.
func evaluated(t testing.TB, of ledger.Record, signoffPayload string, n int) (ledger.Record, map[string][]byte) {
	t.Helper()
	r := launch(of, signoffPayload)
	r.Kind = ledger.KindEvaluation
	r.Digest = digestOf(fmt.Sprint("evaluation ", n, " of ", of.Digest))
	r.Run.ID = int64(900 + n)
	in, e := judged()
	r.Evaluation = &e
	r.Subjects = []ledger.Subject{{Name: "model", SHA256: hexOf("model")}, {Name: "artifact", SHA256: hexOf("artifact")}}
	files := map[string][]byte{}
	for side, run := range map[string]evaluation.Run{evaluation.BaselineSide: in.Baseline, evaluation.CandidateSide: in.Candidate} {
		kept, err := evaluation.SampleFiles(fmt.Sprint(r.Run.ID), side, run.Result.Samples)
		require.NoError(t, err)
		for _, f := range kept {
			p := ledger.ResultsPath(evidence, r.Pilot) + f.Name
			files[p] = f.Bytes
			r.Subjects = append(r.Subjects, ledger.Subject{Name: side + " samples", URI: p, SHA256: hexOf(string(f.Bytes))})
		}
	}
	return r, files
}

// withEvaluation is a ledger with a sign-off, its launch and its evaluation.
func withEvaluation(t testing.TB) (before, after ledger.Ledger, keys []ledger.Key) {
	t.Helper()
	s, key := testKey(t, "2026")
	keys = []ledger.Key{key}
	signed, err := ledger.Append(empty(), signoff(1), s, keys)
	require.NoError(t, err)
	before = grown(t, s, keys, empty().With(signed), launch(signoff(1), signed.Digest))
	r, files := evaluated(t, signoff(1), signed.Digest, 1)
	a, err := ledger.AppendWithResults(before, r, files, s, keys)
	require.NoError(t, err)
	assert.Equal(t, string(before.Log), string(a.Log), "an evaluation has no row")
	return before, before.With(a), keys
}

func TestAnEvaluationIsAppendedWithItsSamples(t *testing.T) {
	before, after, keys := withEvaluation(t)
	report, fs := ledger.Verify(after, keys)
	require.Empty(t, named(fs))
	require.Len(t, report.Entries, 3)
	last := report.Entries[2].Record
	assert.Equal(t, ledger.KindEvaluation, last.Kind)
	require.NotNil(t, last.Evaluation)
	m, ok := last.Evaluation.Metric(benchmark.Coverage)
	require.True(t, ok)
	assert.Equal(t, "0.02", m.Delta)
	assert.Len(t, after.Results, 2)
	assert.Empty(t, before.Results, "the ledger that was appended to is as it was")
	assert.Empty(t, named(ledger.IsOurAppend(before, after, keys)))
}

func TestSamplesThatNoEvaluationVouchesFor(t *testing.T) {
	base, whole, keys := withEvaluation(t)
	folder := ledger.ResultsPath(evidence, signoff(1).Pilot)
	candidate := folder + "901-candidate.jsonl"
	require.Contains(t, whole.Results, candidate)
	for name, c := range map[string]struct {
		change func(results map[string][]byte)
		want   []string
	}{
		"changed": {func(m map[string][]byte) { m[candidate] = append([]byte{}, m[folder+"901-baseline.jsonl"]...) }, []string{"SG014 differs"}},
		"emptied": {func(m map[string][]byte) { m[candidate] = nil }, []string{"SG014 differs"}},
		"removed": {func(m map[string][]byte) { delete(m, candidate) }, []string{"SG014 missing"}},
		"added":   {func(m map[string][]byte) { m[folder+"902-candidate.jsonl"] = m[candidate] }, []string{"SG014 stranger"}},
		"renamed": {func(m map[string][]byte) { m[folder+"x.jsonl"] = m[candidate]; delete(m, candidate) }, []string{"SG014 missing", "SG014 stranger"}},
		"another's": {func(m map[string][]byte) {
			m[ledger.ResultsPath(evidence, "other")+"901-candidate.jsonl"] = m[candidate]
		}, []string{"SG014 stranger"}},
		"as many as read": {func(m map[string][]byte) { fill(m, folder, ledger.MaxResults+1) }, []string{"SG001 too_many_results"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := whole
			l.Results = maps.Clone(whole.Results)
			c.change(l.Results)
			_, fs := ledger.Verify(l, keys)
			assert.Equal(t, c.want, named(fs))
			assert.NotEmpty(t, ledger.IsOurAppend(whole, l, keys))
			assert.NotEmpty(t, ledger.IsOurAppend(base, l, keys))
		})
	}
	without := whole
	without.Results = maps.Clone(whole.Results)
	delete(without.Results, candidate)
	assert.Equal(t, []string{"SG011 removed", "SG014 missing"}, named(ledger.IsOurAppend(whole, without, keys)))
	without.Results[candidate] = nil
	assert.Equal(t, []string{"SG011 changed", "SG014 differs"}, named(ledger.IsOurAppend(whole, without, keys)))
	atCap := whole
	atCap.Results = maps.Clone(whole.Results)
	fill(atCap.Results, folder, ledger.MaxResults)
	_, fs := ledger.Verify(atCap, keys)
	assert.NotContains(t, named(fs), "SG001 too_many_results")
}

func fill(m map[string][]byte, folder string, n int) {
	for i := 0; len(m) < n; i++ {
		m[fmt.Sprint(folder, i, ".jsonl")] = nil
	}
}

func TestOneFileOfSamplesIsOneEvaluations(t *testing.T) {
	_, whole, keys := withEvaluation(t)
	s, _ := testKey(t, "2026")
	r, files := evaluated(t, signoff(1), digestOf("payload"), 2)
	_, taken, _ := withEvaluation(t)
	for p := range taken.Results {
		r.Subjects = append(r.Subjects, ledger.Subject{Name: "samples", URI: p, SHA256: hexOf(string(taken.Results[p]))})
		break
	}
	_, err := ledger.AppendWithResults(whole, r, files, s, keys)
	var broken *ledger.BrokenError
	require.ErrorAs(t, err, &broken)
	assert.Equal(t, []string{"SG014 twice"}, named(broken.Findings))

	foreign, files := evaluated(t, signoff(1), digestOf("payload"), 3)
	foreign.Pilot = "another"
	_, err = ledger.AppendWithResults(whole, foreign, files, s, keys)
	require.ErrorAs(t, err, &broken)
	assert.Contains(t, named(broken.Findings), "SG014 foreign")

	r, files = evaluated(t, signoff(1), digestOf("payload"), 1)
	_, err = ledger.AppendWithResults(whole, r, files, s, keys)
	assert.ErrorIs(t, err, ledger.ErrExists)
}

// A sign-off is no evaluation: whatever it names, it vouches for no samples.
func TestOnlyAnEvaluationVouchesForSamples(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	samples := ledger.ResultsPath(evidence, signoff(1).Pilot) + "901-candidate.jsonl"
	r := signoff(1)
	r.Subjects = append(r.Subjects, ledger.Subject{Name: "candidate samples", URI: samples, SHA256: hexOf("{}")})
	l := grown(t, s, keys, empty(), r)
	_, fs := ledger.Verify(l, keys)
	require.Empty(t, named(fs))
	l.Results = map[string][]byte{samples: []byte("{}")}
	_, fs = ledger.Verify(l, keys)
	assert.Equal(t, []string{"SG014 stranger"}, named(fs))
}

func TestAnEvaluationRecordIsWhole(t *testing.T) {
	good, _ := evaluated(t, signoff(1), digestOf("payload"), 1)
	_, err := good.Payload()
	require.NoError(t, err)
	for field, change := range map[string]func(*ledger.Record){
		"evaluation":                func(r *ledger.Record) { r.Evaluation = nil },
		"evaluation.recommendation": func(r *ledger.Record) { r.Evaluation.Recommendation = evaluation.Go },
		"rows":                      func(r *ledger.Record) { r.Rows = signoff(1).Rows },
		"run":                       func(r *ledger.Record) { r.Kind, r.Evaluation = ledger.KindWithdrawn, nil },
	} {
		t.Run(field, func(t *testing.T) {
			r := good
			e := *good.Evaluation
			r.Evaluation = &e
			change(&r)
			_, err := r.Payload()
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, field, invalid.Field)
		})
	}
	other := signoff(1)
	other.Evaluation = good.Evaluation
	_, err = other.Payload()
	assert.EqualError(t, err, "record: field evaluation is not well formed", "only an evaluation has one")

	selfReported := good
	selfReported.Run = nil
	_, err = selfReported.Payload()
	assert.NoError(t, err, "no run of ours made a self-reported result")
}

func TestIsResult(t *testing.T) {
	for p, want := range map[string]string{
		"docs/specs/epic_05/evidence/ru-1/results/901-candidate.jsonl": "ru-1",
		"docs/specs/epic_05/evidence/ru-1/results/deep/x":              "ru-1",
		"docs/specs/epic_05/evidence/ru-1/results/":                    "",
		"docs/specs/epic_05/evidence/results/signoff-9f.json":          "",
		"docs/specs/epic_05/evidence/results/results/a.jsonl":          "results",
		"docs/specs/epic_05/evidence/a/b/results/a.jsonl":              "",
		"docs/specs/epic_05/evidence/ru-1/signoff-9f.json":             "",
		"results/a.jsonl":      "",
		"ru-1/results/a.jsonl": "",
	} {
		pilot, ok := ledger.IsResult(evidence, p)
		assert.Equal(t, want != "", ok, p)
		if ok {
			assert.Equal(t, want, pilot, p)
		}
	}
	for _, pattern := range []string{evidence, "evidence", "evidence/", "{pilot}/e"} {
		p := ledger.ResultsPath(pattern, "ru-1") + "901-candidate.jsonl"
		pilot, ok := ledger.IsResult(pattern, p)
		assert.True(t, ok, p)
		assert.Equal(t, "ru-1", pilot, p)
		assert.False(t, strings.Contains(p, "//"), p)
	}
}
