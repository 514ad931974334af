package dataset_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/finding"
)

const (
	longText = "Городской совет утвердил бюджет на следующий год и выделил средства на ремонт школ, дорог и новой библиотеки."
	abstract = "Совет утвердил бюджет города."
)

// good is a record without a flaw; change edits its fields.
func good(id string, change ...func(map[string]any)) string {
	rec := map[string]any{
		"sample_id": id, "source_text": longText + " Номер записи " + id + ".", "summary_markdown": abstract,
		"language": "ru", "channel": "city_news", "timestamp": "2026-01-14T09:12:00Z",
		"metadata": map[string]any{"posts_count": 3, "time_range_hours": 24, "llm_model": "qwen-7b", "feature_flags": map[string]any{}},
		"ground_truth": map[string]any{"llm_judge": map[string]any{
			"judge_model": "judge-1", "prompt_version": "v3", "verdict": "MEETS_EXPECTATIONS", "notes": "",
			"scores": map[string]any{
				"coverage": json.Number("0.91"), "accuracy": json.Number("0.9"),
				"coherence": json.Number("0.95"), "informativeness": json.Number("0.88"),
			},
		}},
		"latency_seconds": json.Number("3.4"),
	}
	for _, f := range change {
		f(rec)
	}
	b, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func set(key string, v any) func(map[string]any) { return func(m map[string]any) { m[key] = v } }
func drop(key string) func(map[string]any)       { return func(m map[string]any) { delete(m, key) } }

func judge(key string, v any) func(map[string]any) {
	return func(m map[string]any) {
		m["ground_truth"].(map[string]any)["llm_judge"].(map[string]any)[key] = v
	}
}

func lines(records ...string) string { return strings.Join(records, "\n") + "\n" }

func scan(t *testing.T, text string, o dataset.Options) dataset.Facts {
	t.Helper()
	f, err := dataset.Scan(strings.NewReader(text), o)
	require.NoError(t, err)
	return f
}

// counted gives the counts as "RULE/case/severity=n".
func counted(f dataset.Facts) []string {
	out := []string{}
	for _, c := range f.Counts {
		out = append(out, fmt.Sprintf("%s/%s/%s=%d", c.Rule, c.Case, c.Severity, c.N))
	}
	return out
}

func TestGoodDatasetHasNoFindings(t *testing.T) {
	f := scan(t, lines(good("a"), good("b"), good("c")), dataset.Options{Path: "d.jsonl"})
	assert.Empty(t, f.Findings)
	assert.Empty(t, f.Counts)
	assert.Equal(t, 3, f.Records)
	assert.Equal(t, map[string]int{"MEETS_EXPECTATIONS": 3}, f.ByVerdict)
	assert.Equal(t, []string{"qwen-7b"}, f.Models)
	assert.Equal(t, "0.91", f.Metrics[0].Mean)
	assert.Equal(t, "10.2", f.Metrics[4].Sum)
	assert.Equal(t, "3.4", f.Metrics[4].P95)
}

func TestCases(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty file":           {"", []string{"DS001/empty/error=1"}},
		"byte order mark":      {"\uFEFF" + lines(good("a")), []string{"DS001/bom/error=1"}},
		"gzip":                 {"\x1f\x8b\x08\x00rest\n\n\n", []string{"DS001/archive/error=1"}},
		"binary":               {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\xff\n", []string{"DS001/crlf/warning=1", "DS001/utf8/error=2", "DS002/not_object/error=1"}},
		"lfs pointer":          {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", []string{"DS001/lfs_pointer/error=1"}},
		"CRLF":                 {good("a") + "\r\n" + good("b") + "\r\n", []string{"DS001/crlf/warning=2"}},
		"NUL":                  {lines(strings.Replace(good("a"), "Городской", "Городской\x00", 1)), []string{"DS001/nul/error=1"}},
		"invalid UTF-8":        {lines(strings.Replace(good("a"), "Городской", "Городской\xff", 1)), []string{"DS001/utf8/error=1"}},
		"no final newline":     {good("a"), []string{"DS001/final_newline/warning=1"}},
		"blank line":           {good("a") + "\n\n" + good("b") + "\n", []string{"DS002/blank/error=1"}},
		"array":                {lines("[1]"), []string{"DS002/not_object/error=1"}},
		"truncated":            {lines(good("a")[:100]), []string{"DS002/truncated/error=1"}},
		"trailing":             {lines(good("a") + "{}"), []string{"DS002/trailing/error=1"}},
		"duplicate key":        {lines(strings.Replace(good("a"), `{`, `{"channel":"x",`, 1)), []string{"DS002/duplicate_key/error=1"}},
		"duplicate by escape":  {lines(strings.Replace(good("a"), `{`, `{"ch\u0061nnel":"x",`, 1)), []string{"DS002/duplicate_key/error=1"}},
		"depth bomb":           {lines(strings.Repeat(`{"a":`, 100000)), []string{"DS002/depth/error=1", "DS003/unknown/warning=1"}},
		"lone surrogate":       {lines(strings.Replace(good("a"), "Городской", `\ud800`, 1)), []string{"DS002/surrogate/error=1"}},
		"bad escape":           {lines(strings.Replace(good("a"), "Городской", `\x41`, 1)), []string{"DS002/syntax/error=1"}},
		"id is missing":        {lines(good("a", drop("sample_id"))), []string{"DS003/missing/error=1"}},
		"summary is missing":   {lines(good("a", drop("summary_markdown"))), []string{"DS003/missing/error=1"}},
		"summary_text will do": {lines(good("a", drop("summary_markdown"), set("summary_text", abstract))), []string{}},
		"id is a number":       {lines(good("a", set("sample_id", 7))), []string{"DS003/type/error=1"}},
		"id is empty":          {lines(good("", set("sample_id", ""))), []string{"DS003/empty/error=1"}},
		"unknown field":        {lines(good("a", set("note", "x"), set("more", 1))), []string{"DS003/unknown/warning=1"}},
		"latency of zero":      {lines(good("a", set("latency_seconds", 0))), []string{"DS003/range/error=1"}},
		"short source":         {lines(good("a", set("source_text", "Слишком короткий текст новости."))), []string{"DS005/source_short/error=1"}},
		"short summary":        {lines(good("a", set("summary_markdown", "Коротко"))), []string{"DS005/summary_short/error=1"}},
		"summary is longer":    {lines(good("a", set("summary_markdown", longText+longText))), []string{"DS005/summary_long/error=1"}},
		"score of 7.5":         {lines(good("a", judge("scores", map[string]any{"coverage": 7.5, "accuracy": 1, "coherence": 0, "informativeness": 1}))), []string{"DS006/range/error=1"}},
		"score is absent":      {lines(good("a", judge("scores", map[string]any{"coverage": 0.5, "accuracy": 1, "coherence": 0}))), []string{"DS006/score_missing/error=1"}},
		"verdict":              {lines(good("a", judge("verdict", "FINE"))), []string{"DS006/verdict/error=1"}},
		"no judge model":       {lines(good("a", judge("judge_model", ""))), []string{"DS006/judge_model/error=1"}},
		"no ground truth":      {lines(good("a", set("ground_truth", map[string]any{}))), []string{"DS007/scores/note=1"}},
		"no latency":           {lines(good("a", drop("latency_seconds"))), []string{"DS007/latency/note=1"}},
		"language field":       {lines(good("a", set("language", "en"))), []string{"DS010/field/error=1"}},
		"repeated id":          {lines(good("a"), good("a", set("source_text", longText))), []string{"DS030/repeated/error=1"}},
		"repeated source":      {lines(good("a", set("source_text", longText)), good("b", set("source_text", " "+strings.ReplaceAll(longText, " ", "\n ")))), []string{"DS031/repeated/warning=1"}},
		"no timestamp":         {lines(good("a", drop("timestamp"))), []string{"DS050/timestamp_missing/error=1"}},
		"null timestamp":       {lines(good("a", set("timestamp", nil))), []string{"DS050/timestamp_null/warning=1"}},
		"naive timestamp":      {lines(good("a", set("timestamp", "2026-01-14T09:12:00.123456"))), []string{"DS050/timestamp_naive/warning=1"}},
		"29 February 2025":     {lines(good("a", set("timestamp", "2025-02-29T09:12:00Z"))), []string{"DS050/timestamp_form/error=1"}},
		"null channel":         {lines(good("a", set("channel", nil))), []string{"DS050/channel_null/warning=1"}},
		"no model":             {lines(good("a", set("metadata", map[string]any{}))), []string{"DS050/model_missing/error=1"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, counted(scan(t, c.text, dataset.Options{})))
		})
	}
}

func TestReaderThatFailsIsAnError(t *testing.T) {
	broken := errors.New("connection lost")
	_, err := dataset.Scan(io.MultiReader(strings.NewReader(good("a")+"\n"), iotest.ErrReader(broken)), dataset.Options{})
	assert.ErrorIs(t, err, broken)
}

func TestFindingTellsThePlace(t *testing.T) {
	f := scan(t, lines(good("a"), `{"sample_id": 7}`), dataset.Options{Path: "d.jsonl"})
	require.NotEmpty(t, f.Findings)
	got := f.Findings[0]
	for _, f := range f.Findings {
		if f.Case == "type" {
			got = f
		}
	}
	assert.Equal(t, finding.Finding{
		Rule: "DS003", Case: "type", Severity: finding.Error,
		At:     finding.Position{Path: "d.jsonl", Line: 2, Column: 15},
		Args:   map[string]string{"pointer": "/sample_id", "want": "string"},
		Record: &finding.Record{ByteStart: 14, ByteEnd: 15, Pointer: "/sample_id", Length: 1},
	}, got)
}
