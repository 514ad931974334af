package ledger_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

const runbookPath = "docs/specs/epic_05/stage_05_03_runbook.md"

func incident() ledger.Incident {
	return ledger.Incident{
		Pilot: "ru-digest-2026-01", DetectedAt: start, Alert: "PilotAccuracyLow", Severity: "critical",
		From: "qwen-7b-ru@1.0.0", To: "qwen-7b@1.2.0", Owner: "oleg-ops",
		Timeline: []ledger.Moment{{At: start, What: "alert fired"}},
	}
}

const firstEntry = `
### INC-2026-1

- **Pilot:** ` + "`ru-digest-2026-01`" + `
- **Detected:** 2026-01-14T09:12:00Z by PilotAccuracyLow
- **Severity:** critical
- **Pointer:** qwen-7b-ru&#64;&#8288;1.0.0 → qwen-7b&#64;&#8288;1.2.0
- **Timeline:**
  - 2026-01-14T09:12:00Z alert fired
- **Root cause:** TODO(@oleg-ops)
`

const appendixA = "## Appendix A · Incident Log\n"

func TestAppendIncident(t *testing.T) {
	second := strings.Replace(firstEntry, "INC-2026-1", "INC-2026-2", 1)
	old := "\n### INC-2026-1\n\nBy hand: the model was slow.\n"
	cases := []struct{ name, runbook, want, id string }{
		{"absent", "", "# Stage 05_03 · Runbook\n\n" + appendixA + firstEntry, "INC-2026-1"},
		{"without the appendix", "# Runbook\n\nCall us.\n", "# Runbook\n\nCall us.\n\n" + appendixA + firstEntry, "INC-2026-1"},
		{"without a line end", "# Runbook", "# Runbook\n\n" + appendixA + firstEntry, "INC-2026-1"},
		{"an empty appendix", appendixA, appendixA + firstEntry, "INC-2026-1"},
		{"another entry before it", appendixA + old, appendixA + old + second, "INC-2026-2"},
		{"an entry of another year", appendixA + "\n### INC-2025-7\n", appendixA + "\n### INC-2025-7\n" + firstEntry, "INC-2026-1"},
		{"a number left out", appendixA + "\n### INC-2026-1\n\n### INC-2026-3\n", appendixA + "\n### INC-2026-1\n\n### INC-2026-3\n" + strings.Replace(firstEntry, "INC-2026-1", "INC-2026-4", 1), "INC-2026-4"},
		{"a section after the appendix", appendixA + old + "\n## Appendix B\n\nx\n", appendixA + old + second + "\n## Appendix B\n\nx\n", "INC-2026-2"},
		{"the heading in other letters", "##  appendix A - incident log \n", "##  appendix A - incident log \n" + firstEntry, "INC-2026-1"},
		{"a heading without a line end", strings.TrimSuffix(appendixA, "\n"), appendixA + firstEntry, "INC-2026-1"},
		{"an appendix in fenced code", "```\n" + appendixA + "```\n", "```\n" + appendixA + "```\n\n" + appendixA + firstEntry, "INC-2026-1"},
		{"a heading in fenced code after an entry", appendixA + old + "```\n# sh\n```\n", appendixA + old + "```\n# sh\n```\n" + second, "INC-2026-2"},
		{"the same moment of another pilot", appendixA + strings.Replace(firstEntry, "ru-digest-2026-01", "ru-digest-2026-02", 1), appendixA + strings.Replace(firstEntry, "ru-digest-2026-01", "ru-digest-2026-02", 1) + second, "INC-2026-2"},
		{"windows line ends", "# Runbook\r\n", strings.ReplaceAll("# Runbook\n\n"+appendixA+firstEntry, "\n", "\r\n"), "INC-2026-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, id, fs := ledger.AppendIncident(runbookPath, []byte(c.runbook), incident())
			require.Empty(t, fs)
			assert.Equal(t, c.want, string(got))
			assert.Equal(t, c.id, id)

			again, id, fs := ledger.AppendIncident(runbookPath, got, incident())
			require.Empty(t, fs)
			assert.Equal(t, string(got), string(again), "twice equals once")
			assert.Equal(t, c.id, id)
		})
	}
}

func TestUpdateIncident(t *testing.T) {
	runbook, id, fs := ledger.AppendIncident(runbookPath, []byte(appendixA), incident())
	require.Empty(t, fs)
	next := incident()
	next.Alert = "PilotLatencyHigh"
	runbook, _, fs = ledger.AppendIncident(runbookPath, runbook, next)
	require.Empty(t, fs)
	second := strings.Replace(strings.Replace(firstEntry, "INC-2026-1", "INC-2026-2", 1), "AccuracyLow", "LatencyHigh", 1)
	require.Equal(t, appendixA+firstEntry+second, string(runbook))

	now := incident()
	now.ID, now.PR, now.Deployment, now.Issue, now.Recovery = id, 77, 5, 12, "accuracy 0.91, recorded 0.91"
	now.Timeline = append(now.Timeline, ledger.Moment{At: start.Add(time.Hour), What: "pointer changed back"})
	got, fs := ledger.UpdateIncident(runbookPath, runbook, now)
	require.Empty(t, fs)
	updated := strings.Replace(firstEntry, "1.2.0\n", "1.2.0, PR #77, deployment 5\n", 1)
	updated = strings.Replace(updated, "alert fired\n", "alert fired\n  - 2026-01-14T10:12:00Z pointer changed back\n", 1)
	updated += "- **Recovery benchmark:** accuracy 0.91, recorded 0.91\n- **Issue:** #12\n"
	assert.Equal(t, appendixA+updated+second, string(got))

	again, fs := ledger.UpdateIncident(runbookPath, got, now)
	require.Empty(t, fs)
	assert.Equal(t, string(got), string(again), "twice equals once")

	t.Run("what people wrote stays", func(t *testing.T) {
		theirs := strings.Replace(string(got), "TODO(@oleg-ops)", "a bad prompt", 1)
		theirs = strings.Replace(theirs, "\n### INC-2026-2", "- **Actions:** train again\n  - and measure\n\nA paragraph.\n\n### INC-2026-2", 1)
		now.Severity = "minor"
		got, fs := ledger.UpdateIncident(runbookPath, []byte(theirs), now)
		require.Empty(t, fs)
		assert.Equal(t, strings.Replace(theirs, "critical", "minor", 1), string(got))
		entries, fs := ledger.ParseIncidents(runbookPath, got)
		require.Empty(t, fs)
		require.Len(t, entries, 2)
		assert.False(t, entries[0].OpenCause)
		assert.Equal(t, "a bad prompt", entries[0].Values["Root cause"])
		assert.True(t, entries[1].OpenCause)
		assert.Equal(t, 3, entries[0].Line)
	})
	t.Run("a root cause once given", func(t *testing.T) {
		now := now
		now.RootCause = "a prompt was changed"
		got, fs := ledger.UpdateIncident(runbookPath, got, now)
		require.Empty(t, fs)
		entries, _ := ledger.ParseIncidents(runbookPath, got)
		require.Len(t, entries, 2)
		assert.False(t, entries[0].OpenCause)
		now.RootCause = ""
		later, fs := ledger.UpdateIncident(runbookPath, got, now)
		require.Empty(t, fs)
		assert.Equal(t, string(got), string(later), "never goes back to TODO")
	})
	t.Run("an entry by hand, without fields or a line end", func(t *testing.T) {
		now := now
		now.ID = "INC-2026-1"
		theirs := appendixA + "### INC-2026-1\nSlow."
		got, fs := ledger.UpdateIncident(runbookPath, []byte(theirs), now)
		require.Empty(t, fs)
		assert.True(t, strings.HasPrefix(string(got), theirs+"\n- **Pilot:** `ru-digest-2026-01`\n"), "%s", got)
		theirs = appendixA + "### INC-2026-1\n- **Timeline:**\n  - slow"
		got, fs = ledger.UpdateIncident(runbookPath, []byte(theirs), now)
		require.Empty(t, fs)
		assert.Contains(t, string(got), "  - slow\n  - 2026-01-14T09:12:00Z alert fired\n  - 2026-01-14T10:12:00Z pointer")
	})
	t.Run("a field written twice", func(t *testing.T) {
		entries, fs := ledger.ParseIncidents(runbookPath, []byte(appendixA+"### INC-2026-1\n- **Root cause:** TODO\n- **Root cause:** none\n"))
		require.Empty(t, fs)
		assert.True(t, entries[0].OpenCause, "the first counts")
	})
	t.Run("an id nobody gave", func(t *testing.T) {
		now := now
		now.ID = "INC-2026-9"
		later, fs := ledger.UpdateIncident(runbookPath, got, now)
		assert.Equal(t, []string{"SG013 absent"}, named(fs))
		assert.Equal(t, string(got), string(later))
	})
}

func TestOpenCause(t *testing.T) {
	for line, want := range map[string]bool{
		"- **Root cause:** TODO(@oleg-ops)":      true,
		"- **Root cause:** TODO":                 true,
		"- **Root cause:**":                      true,
		"- **Root cause:**  ":                    true,
		"":                                       true,
		"- **Root cause:** the prompt":           false,
		"- **Root cause:** TODOist was down":     false,
		"<!-- \n- **Root cause:** hidden\n-->":   true,
		"```\n- **Root cause:** an example\n```": true,
	} {
		entries, fs := ledger.ParseIncidents(runbookPath, []byte(appendixA+"\n### INC-2026-1\n\n"+line+"\n"))
		require.Empty(t, fs)
		require.Len(t, entries, 1)
		assert.Equal(t, want, entries[0].OpenCause, "%q", line)
	}
}

func TestIncidentFindings(t *testing.T) {
	bad := func(spoil func(in *ledger.Incident)) ledger.Incident {
		in := incident()
		spoil(&in)
		return in
	}
	cases := []struct {
		name, runbook string
		in            ledger.Incident
		want          string
		line          int
	}{
		{"an id that is none", appendixA + "### INC-26-1\n", incident(), "SG013 malformed_id", 2},
		{"an id twice", appendixA + "### INC-2026-1\n### INC-2026-1\n", incident(), "SG013 twice", 3},
		{"two appendices", appendixA + appendixA, incident(), "SG013 second_appendix", 2},
		{"an open fence at the end", "x\n```\n", incident(), "SG013 hidden", 0},
		{"an entry that ends in an open fence", appendixA + "### INC-2026-1\n```\n", incident(), "SG013 hidden", 0},
		{"the last number there can be", appendixA + "### INC-2026-999999\n", incident(), "SG013 hidden", 0},
		{"not text", "a\x00", incident(), "SG013 not_text", 0},
		{"over the cap", strings.Repeat("x", ledger.MaxLog+1), incident(), "SG013 too_large", 0},
		{"over the cap with the entry", strings.Repeat("x", ledger.MaxLog), incident(), "SG013 hidden", 0},
		{"a pilot that is none", "", bad(func(in *ledger.Incident) { in.Pilot = "A/B" }), "SG013 field pilot", 0},
		{"an owner that is none", "", bad(func(in *ledger.Incident) { in.Owner = "oleg)" }), "SG013 field owner", 0},
		{"no time", "", bad(func(in *ledger.Incident) { in.DetectedAt = time.Time{} }), "SG013 field detected_at", 0},
		{"a time before the first year", "", bad(func(in *ledger.Incident) { in.DetectedAt = firstYear.Add(-time.Second) }), "SG013 field detected_at", 0},
		{"a time after the last year", "", bad(func(in *ledger.Incident) { in.DetectedAt = lastYear.AddDate(1, 0, 0) }), "SG013 field detected_at", 0},
		{"a pull request below zero", "", bad(func(in *ledger.Incident) { in.PR = -1 }), "SG013 field pointer", 0},
		{"an issue below zero", "", bad(func(in *ledger.Incident) { in.Issue = -1 }), "SG013 field pointer", 0},
		{"a deployment below zero", "", bad(func(in *ledger.Incident) { in.Deployment = -1 }), "SG013 field pointer", 0},
		{"too many moments", "", bad(func(in *ledger.Incident) { in.Timeline = make([]ledger.Moment, 201) }), "SG013 field timeline", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, id, fs := ledger.AppendIncident(runbookPath, []byte(c.runbook), c.in)
			require.Len(t, fs, 1)
			assert.Equal(t, c.want, strings.TrimSpace(named(fs)[0]+" "+fs[0].Args["field"]))
			assert.Equal(t, c.line, fs[0].At.Line)
			assert.Empty(t, id)
			assert.True(t, c.runbook == string(got), "unchanged")
		})
	}
}

var (
	firstYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	lastYear  = time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC)
)

func TestIncidentsAtTheLimits(t *testing.T) {
	entries, fs := ledger.ParseIncidents(runbookPath, []byte(appendixA+firstEntry+strings.Repeat("x", ledger.MaxLog-len(appendixA+firstEntry))))
	assert.Empty(t, fs, "a runbook of exactly the cap")
	assert.Len(t, entries, 1)
	for name, to := range map[string]func(in *ledger.Incident){
		"the first moment": func(in *ledger.Incident) { in.DetectedAt = firstYear },
		"the last moment":  func(in *ledger.Incident) { in.DetectedAt = lastYear },
		"most moments":     func(in *ledger.Incident) { in.Timeline = slices.Repeat(in.Timeline, 200) },
	} {
		in := incident()
		to(&in)
		_, id, fs := ledger.AppendIncident(runbookPath, nil, in)
		assert.Empty(t, fs, name)
		assert.Equal(t, in.DetectedAt.Format("INC-2006-")+"1", id)
	}
}

// What is not known is not written.
func TestWhatIsKnownOfAnIncident(t *testing.T) {
	for name, c := range map[string]struct {
		of   func(in *ledger.Incident)
		want string
	}{
		"no timeline":   {func(in *ledger.Incident) { in.Timeline = nil }, strings.Replace(firstEntry, "- **Timeline:**\n  - 2026-01-14T09:12:00Z alert fired\n", "", 1)},
		"no pointer":    {func(in *ledger.Incident) { in.From, in.To = "", "" }, strings.Replace(firstEntry, "- **Pointer:** qwen-7b-ru&#64;&#8288;1.0.0 → qwen-7b&#64;&#8288;1.2.0\n", "", 1)},
		"where from":    {func(in *ledger.Incident) { in.To = "" }, strings.Replace(firstEntry, "→ qwen-7b&#64;&#8288;1.2.0\n", "→ \n", 1)},
		"where to":      {func(in *ledger.Incident) { in.From = "" }, strings.Replace(firstEntry, "** qwen-7b-ru&#64;&#8288;1.0.0 →", "**  →", 1)},
		"no deployment": {func(in *ledger.Incident) { in.PR = 7 }, strings.Replace(firstEntry, "1.2.0\n", "1.2.0, PR #7\n", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			in := incident()
			c.of(&in)
			got, _, fs := ledger.AppendIncident(runbookPath, []byte(appendixA), in)
			require.Empty(t, fs)
			assert.Equal(t, appendixA+c.want, string(got))
		})
	}
}

// TestUpdateLeavesTheRest writes what is new into an entry, and nothing else.
func TestUpdateLeavesTheRest(t *testing.T) {
	const moment = "  - 2026-01-14T10:12:00Z pointer changed back\n"
	later := incident()
	later.ID = "INC-2026-1"
	later.Timeline = []ledger.Moment{{At: start.Add(time.Hour), What: "pointer changed back"}}
	windows := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	timeline := "- **Timeline:**\n  - 2026-01-14T09:12:00Z alert fired\n"
	first := strings.TrimPrefix(firstEntry, "\n")
	for _, c := range []struct {
		name, entry, want string
		in                ledger.Incident
	}{
		{"nothing new, and no line end", strings.TrimSuffix(first, "\n"), strings.TrimSuffix(first, "\n"), asFirst(incident())},
		{"a last field as it is, without a line end", strings.Replace(first, "- **Root cause:** TODO(@oleg-ops)\n", "", 1) + "- **Root cause:** a prompt\n- **Impact:** none", strings.Replace(first, "- **Root cause:** TODO(@oleg-ops)\n", "", 1) + "- **Root cause:** a prompt\n- **Impact:** none", func() ledger.Incident {
			in := asFirst(incident())
			in.Impact = "none"
			return in
		}()},
		{"a moment", first, strings.Replace(first, "alert fired\n", "alert fired\n"+moment, 1), later},
		{"a moment, with windows line ends", windows(first), windows(strings.Replace(first, "alert fired\n", "alert fired\n"+moment, 1)), later},
		{"a moment, before a paragraph", strings.Replace(first, "alert fired\n", "alert fired\nBy hand.\n", 1), strings.Replace(first, "alert fired\n", "alert fired\n"+moment+"By hand.\n", 1), later},
		{"the first moment", strings.Replace(first, timeline, "", 1), strings.Replace(first, timeline, "", 1) + "- **Timeline:**\n" + moment, later},
		{"the first moment, its field there", strings.Replace(first, timeline, "- **Timeline:**\n", 1), strings.Replace(first, timeline, "- **Timeline:**\n"+moment, 1), later},
		{"an indented line before all fields", strings.Replace(first, "- **Pilot", "  by hand\n- **Pilot", 1), strings.Replace(strings.Replace(first, "- **Pilot", "  by hand\n- **Pilot", 1), "alert fired\n", "alert fired\n"+moment, 1), later},
	} {
		t.Run(c.name, func(t *testing.T) {
			heading := appendixA
			if strings.Contains(c.entry, "\r\n") {
				heading = windows(heading)
			}
			got, fs := ledger.UpdateIncident(runbookPath, []byte(heading+c.entry), c.in)
			require.Empty(t, fs)
			assert.Equal(t, heading+c.want, string(got))
		})
	}
}

// asFirst is an incident with the first id of its year.
func asFirst(in ledger.Incident) ledger.Incident {
	in.ID = "INC-2026-1"
	return in
}

func TestUpdateRefuses(t *testing.T) {
	news := asFirst(incident())
	news.Impact = "slow"
	nobody := news
	nobody.Owner = ""
	full := appendixA + firstEntry
	full += strings.Repeat("x", ledger.MaxLog-len(full))
	for _, c := range []struct {
		name, runbook string
		in            ledger.Incident
		want          string
		line          int
	}{
		{"an owner that is none", appendixA + firstEntry, nobody, "SG013 field", 0},
		{"a runbook that cannot be read", appendixA + firstEntry + firstEntry, news, "SG013 twice", 13},
		{"an entry that ends in an open fence", appendixA + firstEntry + "```\n", news, "SG013 hidden", 3},
		{"more than the cap", full, news, "SG013 hidden", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, fs := ledger.UpdateIncident(runbookPath, []byte(c.runbook), c.in)
			require.Equal(t, []string{c.want}, named(fs))
			assert.Equal(t, c.line, fs[0].At.Line)
			assert.True(t, c.runbook == string(got), "unchanged")
		})
	}
}

// assertIncidentInert: two headings by us and one entry, whatever the values are.
func assertIncidentInert(t testing.TB, runbook []byte) {
	t.Helper()
	counts, seen := inspect(runbook)
	assert.Equal(t, 3, counts[ast.KindHeading])
	assertPlain(t, counts)
	assert.Equal(t, []string{"(@oleg-ops"}, mention.FindAllString(seen, -1), "in %q", seen)
	assert.Empty(t, reference.FindAllString(seen, -1), "in %q", seen)
	assert.NotRegexp(t, address, seen)
}

func TestIncidentValuesAreText(t *testing.T) {
	for name, value := range map[string]string{
		"a heading": "x\n## Appendix B", "a list": "- a\n- b", "html": "<script>x</script>", "a mention": "@acme/ml-leads",
		"a link": "[a](b) https://evil.example", "a reference": "fixes #3", "an entry": "\n### INC-2026-9\n",
		"a marker": "<!-- pilotgate:auto pilots -->", "a comment": "<!--", "a fence": "```\nx", "emphasis": "**a** _b_",
	} {
		t.Run(name, func(t *testing.T) {
			in := incident()
			in.Alert, in.Severity, in.From, in.To, in.Release, in.Impact, in.Recovery, in.Actions = value, value, value, value, value, value, value, value
			in.Timeline[0].What = value
			got, _, fs := ledger.AppendIncident(runbookPath, nil, in)
			require.Empty(t, fs)
			assertIncidentInert(t, got)
			entries, fs := ledger.ParseIncidents(runbookPath, got)
			require.Empty(t, fs)
			require.Len(t, entries, 1)
			assert.Len(t, entries[0].Values, 10)
		})
	}
}
