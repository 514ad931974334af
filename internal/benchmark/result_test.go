package benchmark_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy/messagetest"
)

const goodResult = `{
  "scenario_id": "channel_digest_ru", "dataset_id": "benchmark_digest_ru_v1", "overall": "warn",
  "metrics": [
    {"name": "coverage", "value": 0.8899999999999999, "outcome": "warn"},
    {"name": "latency_seconds", "value": 175.0, "outcome": "pass"},
    {"name": "readability", "value": 3, "outcome": "pass"}
  ],
  "samples": [
    {"sample_id": "d-001", "metrics": [{"name": "coverage", "value": 0.91}, {"name": "latency_seconds", "value": 150}], "verdict": "MEETS_EXPECTATIONS", "notes": "", "summary_markdown": "abc"},
    {"sample_id": "d-002", "metrics": {"coverage": 0.87, "latency_seconds": 200, "accuracy": null}, "verdict": "MEETS_EXPECTATIONS", "summary_sha256": "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "summary_length": 812}
  ],
  "metadata": {"duration_seconds": 12.5, "model_name": "tuned-7b", "model_digest": "sha256:9f2c", "prompt_version": "v3", "judge_model": "judge-70b", "judge_prompt_version": "judge_v2"}
}`

func TestParseResultReadsWhatTheRunnerPrints(t *testing.T) {
	res, findings := ParseResult([]byte(goodResult))
	require.Empty(t, findings)
	assert.Equal(t, "channel_digest_ru", res.Scenario)
	assert.Equal(t, "benchmark_digest_ru_v1", res.Dataset)
	assert.Equal(t, Warn, res.Overall)
	assert.Equal(t, "tuned-7b", res.Model)
	assert.Equal(t, "v3", res.Prompt)
	assert.Equal(t, "12.5", res.Duration.String())
	assert.Equal(t, "sha256:9f2c", res.Digest)
	assert.Equal(t, "judge-70b", res.JudgeModel)
	assert.Equal(t, "judge_v2", res.JudgePrompt)
	assert.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", res.Samples[0].Summary, "sha256 of abc, FIPS 180-4")
	assert.Equal(t, 3, res.Samples[0].Length)
	assert.Equal(t, strings.Repeat("0f", 32), res.Samples[1].Summary)
	assert.Equal(t, 812, res.Samples[1].Length)
	require.Len(t, res.Metrics, 2, "what no band can ask for is left out")

	run := Recompute(res.Aggregates(), bands)
	assert.Equal(t, "0.89", run.Metrics[0].Value.String())
	assert.Equal(t, Pass, run.Overall, "by the means, not by the worst sample")
}

func TestParseResultRefuses(t *testing.T) {
	change := func(old, with string) string {
		require.Contains(t, goodResult, old)
		return strings.Replace(goodResult, old, with, 1)
	}
	sample := func(n int) string { return fmt.Sprintf(`{"sample_id":"s%d","metrics":{"coverage":0.9}}`, n) }
	samples := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = sample(i)
		}
		return `{"scenario_id":"s","dataset_id":"d","overall":"pass","metrics":[{"name":"coverage","value":0.9,"outcome":"pass"}],"samples":[` + strings.Join(list, ",") + `]}`
	}
	_, atCap := ParseResult([]byte(samples(100_000)))
	require.Empty(t, atCap, "as many samples as allowed")
	_, atDepth := ParseResult([]byte(change(`"duration_seconds": 12.5`, `"x": `+strings.Repeat("[", 6)+strings.Repeat("]", 6))))
	require.Empty(t, atDepth, "as deep as allowed")

	_, atSize := ParseResult([]byte(goodResult + strings.Repeat(" ", MaxResultBytes-len(goodResult))))
	require.Empty(t, atSize, "as large as allowed")

	many := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ", ")
	}
	var all []finding.Finding
	for _, c := range []struct{ name, src, rule, kase string }{
		{"too large", goodResult + strings.Repeat(" ", MaxResultBytes), "RS001", "too_large"},
		{"not UTF-8", "{\"a\": \"\xff\"}", "RS001", "not_utf8"},
		{"nothing", "", "RS001", "not_json"},
		{"NaN, as Python prints it", change("0.91", "NaN"), "RS001", "not_json"},
		{"two values", goodResult + goodResult, "RS001", "not_json"},
		{"a list", "[]", "RS001", "not_an_object"},
		{"a key twice", change(`"overall": "warn"`, `"overall": "fail", "overall": "pass"`), "RS001", "duplicate_key"},
		{"too deep", change(`"duration_seconds": 12.5`, `"x": `+strings.Repeat("[", 7)+strings.Repeat("]", 7)), "RS001", "nesting"},
		{"very deep", strings.Repeat("[", 1_000_000), "RS001", "nesting"},
		{"no scenario", change(`"scenario_id"`, `"scenario"`), "RS002", "missing"},
		{"overall of another word", change(`"overall": "warn"`, `"overall": "great"`), "RS002", "outcome"},
		{"no metrics", change(`"metrics": [`, `"metrics": [], "old": [`), "RS002", "missing"},
		{"too many metrics", change(`"metrics": [`, `"metrics": [`+many(20, `{"name": "m%d", "value": 1, "outcome": "pass"}`)+", "), "RS002", "too_many"},
		{"a metric twice", change("readability", "Coverage score"), "RS002", "metric_twice"},
		{"a metric without a number", change("0.8899999999999999", `"high"`), "RS004", "metric_no_number"},
		{"no samples", change(`"samples": [`, `"samples": [], "old": [`), "RS003", "none"},
		{"too many samples", samples(100_001), "RS003", "too_many"},
		{"a sample without an id", change(`"sample_id": "d-001"`, `"sample_id": ""`), "RS003", "no_id"},
		{"an id twice", change("d-002", "d-001"), "RS003", "duplicate"},
		{"a sample's metric twice", change(`"accuracy": null`, `"Coverage": 0.5`), "RS003", "metric_twice"},
		{"a sample with too many metrics", change(`"accuracy": null`, many(20, `"m%d": 1`)), "RS003", "metrics_too_many"},
		{"a hash that is none", change(`"summary_sha256": "0f`, `"summary_sha256": "x`), "RS003", "summary_hash"},
		{"a length that is none", change(`"summary_length": 812`, `"summary_length": -1`), "RS003", "summary_length"},
		{"a sample without scores", change(`"coverage": 0.87, "latency_seconds": 200`, `"other": 1`), "RS003", "no_scores"},
		{"a score of 7.5", change("0.87,", "7.5,"), "RS004", "out_of_range"},
		{"a latency of 0.0", change(`"latency_seconds": 200`, `"latency_seconds": 0.0`), "RS004", "out_of_range"},
		{"a score as text", change("0.87,", `"0.87",`), "RS004", "no_number"},
		{"a value that is not the mean", change("0.8899999999999999", "0.95"), "RS005", "differs"},
		{"a value rounded so far that it says nothing", change("0.8899999999999999", "0.9"), "RS005", "differs"},
		{"a metric that no sample has", change(`"readability"`, `"coherence"`), "RS005", "no_evidence"},
		{"a metric that is not printed", change(`"accuracy": null`, `"accuracy": 0.9`), "RS005", "not_printed"},
		{"a metric that a sample lacks", change(`, {"name": "latency_seconds", "value": 150}`, ""), "RS005", "partial"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, findings := ParseResult([]byte(c.src))
			all = append(all, findings...)
			assert.Contains(t, cases(findings), c.rule+" "+c.kase)
			for _, f := range findings {
				assert.Equal(t, finding.Error, f.Severity)
				for _, v := range f.Args {
					assert.NotContains(t, v, "d-00", "a sample's id is not shown")
				}
			}
		})
	}
	_, more := ParseResult([]byte(tooManyDuplicates))
	messagetest.Covers(t, "../../templates/messages", "RS", append(all, more...))
}

// tooManyDuplicates has 5,000 samples of one id, the first of them out of range.
var tooManyDuplicates = `{"scenario_id":"s","dataset_id":"d","overall":"pass","metrics":[{"name":"coverage","value":0.9,"outcome":"pass"}],"samples":[` +
	strings.Repeat(`{"sample_id":"one","metrics":{"coverage":9}},`, 4_999) + `{"sample_id":"one","metrics":{"coverage":9}}]}`

func TestParseResultBoundsItsFindings(t *testing.T) {
	_, findings := ParseResult([]byte(tooManyDuplicates))
	assert.Less(t, len(findings), 30)
	last := findings[len(findings)-1]
	assert.Equal(t, "more", last.Case)
	assert.Equal(t, "4989", last.Args["n"], "4,999 duplicates, 10 told")
}

func TestAggregatesUseNearestRank(t *testing.T) {
	for n, want := range map[int]string{1: "1", 19: "19", 20: "19", 21: "20", 100: "95", 101: "96"} {
		var res RunnerResult
		for i := 1; i <= n; i++ {
			res.Samples = append(res.Samples, Sample{ID: fmt.Sprint(i), Scores: scores(t, Latency, fmt.Sprint(i))})
		}
		for _, a := range res.Aggregates() {
			if a.Metric == Latency {
				assert.Equal(t, want, a.P95.String(), "of 1 to %d", n)
			}
		}
	}
}

func cases(fs []finding.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Rule+" "+f.Case)
	}
	return out
}

func FuzzParseResult(f *testing.F) {
	for _, s := range []string{goodResult, "", "[]", `{"samples":[{}]}`, strings.Repeat("[", 100), `{"metrics":[{"name":"coverage","value":1e999}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		res, findings := ParseResult(src)
		if len(findings) == 0 && len(res.Samples) == 0 {
			t.Fatal("a result without samples has no findings")
		}
		ids := map[string]bool{}
		for _, s := range res.Samples {
			if ids[s.ID] {
				t.Fatal("a sample id came through twice")
			}
			ids[s.ID] = true
		}
		Recompute(res.Aggregates(), bands)
	})
}
