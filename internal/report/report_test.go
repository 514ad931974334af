package report_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	"pgregory.net/rapid"

	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/report"
)

var (
	opens  = regexp.MustCompile(`^<!-- pilotgate:auto ([a-z_]+) -->$`)
	closes = regexp.MustCompile(`^<!-- /pilotgate:auto ([a-z_]+) -->$`)
)

// apart splits a report of well-formed blocks into people's lines and the
// blocks' keys.
func apart(src string) (people, keys []string) {
	inside := false
	for line := range strings.SplitSeq(strings.ReplaceAll(src, "\r\n", "\n"), "\n") {
		if m := opens.FindStringSubmatch(line); m != nil {
			inside = true
			keys = append(keys, m[1])
		}
		if !inside {
			people = append(people, line)
		}
		if closes.MatchString(line) {
			inside = false
		}
	}
	return people, keys
}

func keysOf(in report.Input) []string {
	var out []string
	for _, b := range report.Blocks(in) {
		out = append(out, b.Key)
	}
	return out
}

func TestResultsFillTheReportThatPeopleWroteIn(t *testing.T) {
	before := string(report.Regenerate(nil, awaited()))
	assert.Contains(t, before, "The results of the training are awaited.")
	assert.NotContains(t, before, "- Decision:", "nothing to decide yet")
	written := strings.Replace(before, "_What the next pilot should know._", "Shards of 4 GB load twice as fast.", 1)
	after := string(report.Regenerate([]byte(written), evaluated("go")))
	assert.NotContains(t, after, "awaited")
	assert.Contains(t, after, "Shards of 4 GB load twice as fast.")
	assert.NotContains(t, after, "_What the next pilot should know._")
	assert.Contains(t, after, "- Decision: Go\n- Reason:\n")
	assert.Equal(t, after, string(report.Regenerate([]byte(after), evaluated("go"))))

	decided := strings.Replace(after, "- Decision: Go\n- Reason:\n", "- Decision: No-go\n- Reason: the licence has changed\n", 1)
	assert.Equal(t, decided, string(report.Regenerate([]byte(decided), evaluated("go"))), "a decision is people's")
}

func TestAChangedPartIsWrittenAgainAndARemovedOneComesBack(t *testing.T) {
	in := evaluated("go")
	whole := string(report.Regenerate(nil, in))
	start, end := strings.Index(whole, "<!-- pilotgate:auto drift -->"), strings.Index(whole, "<!-- /pilotgate:auto drift -->\n")+len("<!-- /pilotgate:auto drift -->\n")
	for name, changed := range map[string]string{
		"a figure":              strings.Replace(whole, "| 0.8998 | 0.9208 |", "| 0.8998 | 0.9508 |", 1),
		"the block":             whole[:start] + whole[end:],
		"heading and block":     strings.Replace(whole[:start], "## Drift\n\n", "", 1) + whole[end+1:],
		"the last part":         upTo(whole, "## Evidence"),
		"another line's ending": strings.Replace(whole, "<!-- pilotgate:auto drift -->\n", "<!-- pilotgate:auto drift --> \n", 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, whole, changed)
			got := string(report.Regenerate([]byte(changed), in))
			_, keys := apart(strings.ReplaceAll(got, "--> \n", "-->\n"))
			assert.Equal(t, keysOf(in), keys, "each part once, in order")
			assert.Contains(t, got, "| 0.8998 | 0.9208 |")
			if name != "the last part" && name != "another line's ending" {
				assert.Equal(t, strings.Fields(whole), strings.Fields(got))
			}
		})
	}
}

// However people write in a report and take parts out of it: their lines stay,
// in their order, every generated part is there once, and a second time changes
// nothing.
func TestRegenerationKeepsWhatPeopleWrote(t *testing.T) {
	lines := rapid.SampledFrom([]string{
		"", "We read 20 summaries.", "- a list", "## Notes", "# Another", "| a | b |", "> quote", "```", "```\n<!-- pilotgate:auto drift -->\n```",
		"<!-- a remark -->", "Решение отложено", "- Decision: No-go", "text <!-- pilotgate:auto results -->", "    indented", "~~~~\n## Drift\n~~~~",
	})
	rapid.Check(t, func(t *rapid.T) {
		first, then := awaited(), awaited()
		if rapid.Bool().Draw(t, "evaluated before") {
			first = evaluated("n-too-small")
		}
		if rapid.Bool().Draw(t, "evaluated now") {
			then = evaluated("go")
		}
		first.Language, then.Language = rapid.SampledFrom([]string{"en", "ru"}).Draw(t, "language"), rapid.SampledFrom([]string{"en", "ru"}).Draw(t, "language now")
		var written []string
		inside, dropped := false, false
		for line := range strings.Lines(string(report.Regenerate(nil, first))) {
			line = strings.TrimSuffix(line, "\n")
			if opens.MatchString(line) {
				inside, dropped = true, rapid.IntRange(0, 4).Draw(t, "drop") == 0
			}
			if !inside || !dropped {
				written = append(written, line)
			}
			if closes.MatchString(line) {
				inside = false
			}
			if !inside && rapid.IntRange(0, 9).Draw(t, "write") == 0 {
				text := lines.Draw(t, "text")
				if text == "```" { // people close what they open
					text = "```\ncode\n```"
				}
				written = append(written, strings.Split(text, "\n")...)
			}
		}
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		src := strings.Join(written, end)
		got := string(report.Regenerate([]byte(src), then))
		require.Equal(t, got, string(report.Regenerate([]byte(got), then)), "twice is once")
		before, _ := apart(src)
		after, keys := apart(got)
		for _, key := range keysOf(then) {
			require.Contains(t, keys, key)
		}
		at := 0
		for _, line := range before {
			if line == "" {
				continue
			}
			i := slices.Index(after[at:], line)
			require.GreaterOrEqual(t, i, 0, "%q is gone or has moved", line)
			at += i + 1
		}
		if end == "\r\n" {
			require.NotRegexp(t, `[^\r]\n[^\n]*auto`, strings.TrimPrefix(got, upTo(got, "<!--")), "the document's line ends")
		}
	})
}

func TestDecision(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want report.Decision
	}{
		"prefilled":       {"- Decision: Go\n- Reason:\n", report.Decision{Line: 4, Text: "Go", Value: evaluation.Go, ReasonLine: 5}},
		"against":         {"- Decision: No-go\n- Reason: too slow for us,\n  and too dear\n\nMore.\n", report.Decision{Line: 4, Text: "No-go", Value: evaluation.NoGo, ReasonLine: 5, Reason: "too slow for us, and too dear"}},
		"bold":            {"* **Decision:** **no go**\n* **Reason**: x\n", report.Decision{Line: 4, Text: "**no go**", Value: evaluation.NoGo, ReasonLine: 5, Reason: "x"}},
		"Russian":         {"- Решение: `Go`\n- Причина: так надо\n", report.Decision{Line: 4, Text: "`Go`", Value: evaluation.Go, ReasonLine: 5, Reason: "так надо"}},
		"blank":           {"- Decision:\n- Reason:\n", report.Decision{Line: 4, ReasonLine: 5}},
		"unreadable":      {"- Decision: maybe\n", report.Decision{Line: 4, Text: "maybe"}},
		"twice":           {"- Decision: Go\n- Decision: No-go\n", report.Decision{Line: 4, Text: "Go", Second: 5}},
		"none":            {"We go.\n", report.Decision{}},
		"in code":         {"```\n- Decision: Go\n```\n", report.Decision{}},
		"elsewhere":       {"## Release\n- Decision: Go\n", report.Decision{}},
		"after a heading": {"### Details\n- Decision: Go\n", report.Decision{Line: 5, Text: "Go", Value: evaluation.Go}},
		"in a part of ours": {
			"<!-- pilotgate:auto decision -->\n- Decision: Go\n<!-- /pilotgate:auto decision -->\n- Decision: No-go\n",
			report.Decision{Line: 7, Text: "No-go", Value: evaluation.NoGo},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, title := range []string{"Decision", "Решение"} {
				assert.Equal(t, c.want, report.ParseDecision([]byte("# Report\n\n## "+title+"\n"+c.text)))
			}
		})
	}
	long := report.ParseDecision([]byte("## Decision\n- Decision: Go\n- Reason: " + strings.Repeat("x", 10_000) + "\n"))
	assert.Len(t, []rune(long.Reason), ledger.MaxText)
}

func TestADecisionAgainstTheRecommendation(t *testing.T) {
	d := report.Decision{Value: evaluation.Go}
	assert.False(t, d.Against(evaluation.Go))
	assert.True(t, d.Against(evaluation.NoGo))
	assert.True(t, d.Against(evaluation.None), "without a recommendation every decision needs its reason")
	assert.False(t, report.Decision{}.Against(evaluation.Go), "no decision is against nothing")
}

func TestEvidenceOfIsOfTheSignOffThatStands(t *testing.T) {
	entry := func(kind ledger.Kind, pilot, path string) ledger.Entry {
		return ledger.Entry{Path: path, Record: ledger.Record{Kind: kind, Predicate: ledger.Predicate{Pilot: pilot}}}
	}
	entries := []ledger.Entry{
		entry(ledger.KindSignoff, "a", "1"), entry(ledger.KindLaunch, "a", "2"), entry(ledger.KindEvaluation, "a", "3"),
		entry(ledger.KindSignoff, "b", "4"), entry(ledger.KindEvaluation, "a", "5"),
	}
	e, ok := report.EvidenceOf(entries, "a")
	require.True(t, ok)
	assert.Equal(t, "1 2 5", e.Signoff.Path+" "+e.Launch.Path+" "+e.Evaluation.Path, "the latest evaluation")
	e, ok = report.EvidenceOf(append(entries, entry(ledger.KindSignoff, "a", "6")), "a")
	require.True(t, ok)
	assert.Equal(t, "6", e.Signoff.Path)
	assert.Nil(t, e.Evaluation, "a renewed sign-off has no results yet")
	_, ok = report.EvidenceOf(append(entries, entry(ledger.KindWithdrawn, "a", "7")), "a")
	assert.False(t, ok)
	_, ok = report.EvidenceOf(entries, "c")
	assert.False(t, ok)
}

// What records say cannot become a row, a mention, a heading or a link.
func TestRecordsCannotWriteMarkdown(t *testing.T) {
	in := evaluated("go")
	evil := "x` | @all [a](https://e.example) <b> \n## H\n<!-- /pilotgate:auto metadata -->"
	r := &in.Signoff.Record
	launch := *r.Launch
	launch.TargetModel, launch.ConfigPath, launch.RollbackTarget, launch.Release = evil, evil, evil, evil
	r.Launch, r.PlanPath = &launch, evil
	r.Approvals = slices.Clone(r.Approvals)
	r.Approvals[0].Role, r.Approvals[0].Login = evil, evil
	e := *in.Evaluated()
	e.Candidate.Printed, e.Candidate.Name, e.Candidate.JudgeModel = evil, evil, evil
	e.Reasons = []evaluation.Reason{{Weight: evaluation.Open, Key: "judge_differs", Args: map[string]string{"baseline": evil, "candidate": evil}}, {Weight: evaluation.Open, Key: "same_model", Args: map[string]string{"model": evil}}}
	in.Evaluation.Record.Evaluation = &e
	got := report.Regenerate(nil, in)
	_, keys := apart(string(got))
	assert.Equal(t, keysOf(in), keys)
	var page bytes.Buffer
	require.NoError(t, goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe())).Convert(got, &page))
	assert.Equal(t, 13, strings.Count(page.String(), "<h2>"))
	assert.NotContains(t, page.String(), "<b>")
	assert.NotContains(t, page.String(), `href="https://e.example"`)
	assert.NotContains(t, regexp.MustCompile("(?s)<code>.*?</code>").ReplaceAllString(page.String(), ""), "@all")
	for row := range strings.SplitSeq(page.String(), "<tr>") {
		cells := strings.Count(row, "<td>") + strings.Count(row, "<th>")
		assert.Contains(t, []int{0, 2, 4, 5, 8, 9}, cells, row)
	}
}

func TestChart(t *testing.T) {
	e := judged["go"]()
	first, err := report.Chart(&e, "en")
	require.NoError(t, err)
	again, err := report.Chart(&e, "en")
	require.NoError(t, err)
	assert.Equal(t, string(first), string(again))
	assert.Less(t, len(first), 64<<10)
	assert.NotRegexp(t, `(?i)<script|href=|data:|@import|20\d\d-\d\d`, string(first), "nothing to run, load or change from day to day")
	assert.Contains(t, string(first), "fill:#FFFFFF", "a background of its own")

	many := e
	many.Metrics = nil
	for i := range 100 {
		m := e.Metrics[0]
		m.Name = fmt.Sprint("m", i)
		many.Metrics = append(many.Metrics, m)
	}
	bounded, err := report.Chart(&many, "en")
	require.NoError(t, err)
	assert.Less(t, len(bounded), 128<<10)

	none := e
	none.Metrics = nil
	_, err = report.Chart(&none, "en")
	assert.ErrorIs(t, err, report.ErrNoChart)

	evil := e
	evil.Metrics = slices.Clone(e.Metrics[:1])
	evil.Metrics[0].Name = "</text><script>"
	drawn, err := report.Chart(&evil, "en")
	require.NoError(t, err)
	assert.NotContains(t, string(drawn), "<script>")
}

// A metric may have no bounds, no pairs, or one value: whatever is judged can be
// drawn.
func TestAnyEvaluationCanBeDrawn(t *testing.T) {
	figure := rapid.SampledFrom([]string{"", "0", "1", "0.5", "-3", "123456789", "0.000001"})
	rapid.Check(t, func(t *rapid.T) {
		m := judged["go"]().Metrics[rapid.IntRange(0, 4).Draw(t, "metric")]
		m.Pass, m.Warn, m.Delta, m.Low, m.High = figure.Draw(t, "pass"), figure.Draw(t, "warn"), figure.Draw(t, "delta"), figure.Draw(t, "low"), figure.Draw(t, "high")
		m.Baseline.Value, m.Candidate.Value = figure.Draw(t, "baseline"), figure.Draw(t, "candidate")
		svg, err := report.Chart(&evaluation.Evaluation{Metrics: []evaluation.Metric{m}}, "en")
		if m.Baseline.Value+m.Candidate.Value == "" {
			require.ErrorIs(t, err, report.ErrNoChart)
			return
		}
		require.NoError(t, err)
		require.NotRegexp(t, `NaN|Inf`, string(svg))
		require.Less(t, len(svg), 64<<10)
	})
}

// FuzzRegenerate: no report makes it fail, lose a part or change its mind.
func FuzzRegenerate(f *testing.F) {
	f.Add(report.Regenerate(nil, awaited()))
	f.Add([]byte("<!-- pilotgate:auto drift -->\n<!-- pilotgate:auto results -->\n<!-- /pilotgate:auto drift -->\n"))
	f.Add([]byte("# R\r\n\r\n## Decision\r\n- Decision: Go"))
	f.Add([]byte("```\n## Drift"))
	raw, err := os.ReadFile("testdata/no-go.en.md")
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte("## Решение\n\n- **Решение:** No-go\n- Причина: длинно,\n  очень\n"))
	f.Add([]byte("## Decision\n- Decision: Go\n- Decision: No-go\n~~~\n<!-- pilotgate:auto decision -->\n"))
	in := evaluated("n-too-small") // the quickest to judge
	f.Fuzz(func(t *testing.T, src []byte) {
		got := report.Regenerate(src, in)
		require.Equal(t, string(got), string(report.Regenerate(got, in)))
		for _, fault := range report.Faults(got, in, nil) {
			assert.Contains(t, []string{report.Twice, report.Unpaired}, fault.Case, "what was regenerated says what the records say")
		}
		blank := len(bytes.TrimSpace(src)) == 0                       // a file that nobody wrote anything into
		if !blank && !bytes.Contains(src, []byte("pilotgate:auto")) { // all of it is people's, and is kept, in its order
			rest := string(got)
			for line := range strings.Lines(string(src)) {
				at := strings.Index(rest, strings.TrimRight(line, "\r\n"))
				require.GreaterOrEqual(t, at, 0, "%q is lost", line)
				rest = rest[at+len(strings.TrimRight(line, "\r\n")):]
			}
		}
		if before, after := report.ParseDecision(src), report.ParseDecision(got); before.Value != "" && before.Second == 0 {
			assert.Equal(t, before.Value, after.Value, "what people decided stays decided")
			assert.Equal(t, before.Reason, after.Reason)
		}
		_ = report.Contradictions(src, in.Evaluated()) // of any text, without an end
	})
}

// FuzzTampering changes one byte of a generated part: it is found, at its line.
func FuzzTampering(f *testing.F) {
	in := evaluated("n-too-small")
	fresh := report.Regenerate(nil, in)
	f.Add(uint(bytes.Index(fresh, []byte("95% interval"))+2), byte('9'))
	f.Add(uint(bytes.Index(fresh, []byte("sha256:"))+9), byte('0'))
	f.Add(uint(bytes.Index(fresh, []byte("No recommendation"))), byte(' '))
	f.Fuzz(func(t *testing.T, at uint, with byte) {
		i := int(at % uint(len(fresh)))
		line := fresh[bytes.LastIndexByte(fresh[:i], '\n')+1:]
		open, end := bytes.LastIndex(fresh[:i], []byte("<!-- pilotgate:auto ")), bytes.LastIndex(fresh[:i], []byte("<!-- /pilotgate:auto "))
		if open <= end || bytes.HasPrefix(line, []byte("<!--")) || fresh[i] == with || with == '\r' || fresh[i] == '\n' {
			return // people's text, a marker, or a line end, which may be either
		}
		changed := bytes.Clone(fresh)
		changed[i] = with
		faults := report.Faults(changed, in, nil)
		require.NotEmpty(t, faults, "%q became %q", fresh[i], with)
		assert.Equal(t, 1+bytes.Count(fresh[:i], []byte("\n")), faults[len(faults)-1].Line)
	})
}

// upTo is the text up to a word in it.
func upTo(text, word string) string {
	out, _, _ := strings.Cut(text, word)
	return out
}
