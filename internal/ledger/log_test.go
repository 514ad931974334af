package ledger_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

const standard = "| Date | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|\n"

// TestAppendKeepsTheFile appends one sign-off to logs as people have them. The
// rows go where "<rows>" stands; every other byte must be as it was.
func TestAppendKeepsTheFile(t *testing.T) {
	ours := "| 2026-01-15 | @irina-ml | ML Lead | Approved | "
	cases := []struct{ name, log, want, row string }{
		{name: "absent", log: "", want: "# Stage 05_03 · Sign-off log\n\n" + standard + "<rows>", row: ours},
		{name: "only a heading", log: "# Sign-offs\n", want: "# Sign-offs\n\n" + standard + "<rows>", row: ours},
		{name: "text without a line end", log: "# Sign-offs", want: "# Sign-offs\n\n" + standard + "<rows>", row: ours},
		{name: "rows by hand stay", log: standard + "| 14 Jan | Irina | Lead | yes! | by phone, <b>late</b> |\n", want: standard + "| 14 Jan | Irina | Lead | yes! | by phone, <b>late</b> |\n<rows>", row: ours},
		{name: "no line end after the table", log: strings.TrimSuffix(standard, "\n"), want: standard + "<rows>", row: ours},
		{name: "text after the table", log: standard + "\nQuestions to @irina-ml.\n", want: standard + "<rows>\nQuestions to @irina-ml.\n", row: ours},
		{name: "text right below the table", log: standard + "Questions?\n", want: standard + "<rows>Questions?\n", row: ours},
		{name: "windows line ends", log: "# Log\r\n\r\n" + strings.ReplaceAll(standard, "\n", "\r\n") + "\r\nend", want: "# Log\r\n\r\n" + strings.ReplaceAll(standard, "\n", "\r\n") + "<rows>\r\nend", row: ours},
		{name: "aligned and padded", log: "| Date       | Stakeholder |  Role | Decision | Notes |\n|:-----------|:---:|--:|----|---|\n", want: "| Date       | Stakeholder |  Role | Decision | Notes |\n|:-----------|:---:|--:|----|---|\n<rows>", row: ours},
		{name: "no outer pipes", log: "Date | Stakeholder | Role | Decision | Notes\n---|---|---|---|---\n", want: "Date | Stakeholder | Role | Decision | Notes\n---|---|---|---|---\n<rows>", row: ours},
		{
			name: "another order, case, and a column of their own",
			log:  "| **ROLE** | decision | Ticket | Notes | Stakeholder | date |\n|---|---|---|---|---|---|\n",
			want: "| **ROLE** | decision | Ticket | Notes | Stakeholder | date |\n|---|---|---|---|---|---|\n<rows>",
			row:  "| ML Lead | Approved | | pilot `ru-digest-2026-01`",
		},
		{name: "an example in a fence is not the log", log: "```\n" + standard + "```\n\n" + standard, want: "```\n" + standard + "```\n\n" + standard + "<rows>", row: ours},
		{name: "a table in a comment is not the log", log: "<!--\n" + standard + "-->\n\n" + standard, want: "<!--\n" + standard + "-->\n\n" + standard + "<rows>", row: ours},
		{name: "another table first", log: "| a | b |\n|---|---|\n| 1 | 2 |\n\n" + standard, want: "| a | b |\n|---|---|\n| 1 | 2 |\n\n" + standard + "<rows>", row: ours},
		{name: "a table that lacks a column", log: "| Date | Stakeholder | Role | Decision |\n|---|---|---|---|\n", want: "| Date | Stakeholder | Role | Decision |\n|---|---|---|---|\n\n" + standard + "<rows>", row: ours},
		{name: "a delimiter row of another length", log: "| Date | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|\n", want: "| Date | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|\n\n" + standard + "<rows>", row: ours},
		{name: "a column twice for one that lacks", log: "| Date | Date | Stakeholder | Role | Decision |\n|---|---|---|---|---|\n", want: "| Date | Date | Stakeholder | Role | Decision |\n|---|---|---|---|---|\n\n" + standard + "<rows>", row: ours},
		{name: "two columns of one name", log: "| Date | Date | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|---|\n", want: "| Date | Date | Stakeholder | Role | Decision | Notes |\n|---|---|---|---|---|---|\n\n" + standard + "<rows>", row: ours},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, key := testKey(t, "2026")
			l := empty()
			l.Log = []byte(c.log)
			l = grown(t, s, []ledger.Key{key}, l, signoff(1))

			before, after, found := strings.Cut(c.want, "<rows>")
			require.True(t, found)
			got := string(l.Log)
			require.True(t, strings.HasPrefix(got, before), "before the rows:\n%s", got)
			require.True(t, strings.HasSuffix(got, after), "after the rows:\n%s", got)
			rows := strings.TrimSuffix(strings.TrimPrefix(got, before), after)
			assert.Equal(t, 2, strings.Count(rows, "\n"))
			assert.Equal(t, strings.Count(rows, "\n"), strings.Count(rows, "digest `sha256:"))
			assert.True(t, strings.HasPrefix(rows, c.row), "rows:\n%s", rows)
			assert.Len(t, gfmRows(l.Log), len(gfmRows([]byte(c.log)))+2)
		})
	}
}

// gfmRows gives the cells of the first table with the log's columns, by an
// independent Markdown parser. Text right below a table is a row to GFM.
func gfmRows(source []byte) [][]string {
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	var rows [][]string
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		table, ok := n.(*east.Table)
		if !ok {
			continue
		}
		names := map[string]int{}
		for c := table.FirstChild().FirstChild(); c != nil; c = c.NextSibling() {
			names[strings.ToLower(cellText(c, source))]++
		}
		ours := rows == nil
		for _, name := range []string{"date", "stakeholder", "role", "decision", "notes"} {
			ours = ours && names[name] == 1
		}
		if !ours {
			continue
		}
		rows = [][]string{}
		for r := table.FirstChild().NextSibling(); r != nil; r = r.NextSibling() {
			var cells []string
			for c := r.FirstChild(); c != nil; c = c.NextSibling() {
				cells = append(cells, cellText(c, source))
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

// cellText is what a reader sees of a cell.
func cellText(n ast.Node, source []byte) string {
	var b bytes.Buffer
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			switch n := n.(type) {
			case *ast.Text:
				b.Write(n.Segment.Value(source))
			case *ast.String:
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func TestRowsReadBack(t *testing.T) {
	remarks := map[string]string{
		"plain":             "confirmed by phone",
		"pipes":             "a | b || c",
		"backslash pipe":    `a\|b\\|c`,
		"back-ticks":        "run `rm` ``twice``",
		"html":              "<img src=x onerror=alert(1)> &lt; &#124; &amp;",
		"mention":           "ask @acme/ml-leads or @dana, not a@b.example",
		"link":              "[here](https://evil.example) www.evil.example ![x](y) <https://e.example>",
		"reference":         "#12 acme/digests#3 GH-7",
		"emphasis":          "*a* _b_ ~~c~~ $d$ [^1]",
		"marker":            "<!-- /pilotgate:auto pilots -->",
		"the notes' own":    "x; prev `sha256:" + hexOf("other") + "`; note: y",
		"entity of our own": "&#64;&#8288;dana &#0; &#x40; &#99999999999;",
		"russian":           "подтверждено по телефону, задержка 3,4 с",
	}
	for name, remark := range remarks {
		t.Run(name, func(t *testing.T) {
			s, key := testKey(t, "2026")
			r := signoff(1)
			r.Rows[0].Notes.Remark = remark
			r.Approvals[0].Role = "Lead | of `" + remark + "`"
			r.Rows[0].Role = r.Approvals[0].Role
			l := grown(t, s, []ledger.Key{key}, empty(), r)

			rows := ledger.ParseLog(l.Log).Rows
			require.Len(t, rows, 2)
			require.True(t, rows[0].Ours)
			assert.Equal(t, remark, rows[0].Row.Notes.Remark)
			assert.Equal(t, r.Rows[0].Role, rows[0].Row.Role)
			assert.Equal(t, "irina-ml", rows[0].Row.Stakeholder)
			assertInert(t, l.Log, 2, "@irina-ml", "@oleg-ops")
		})
	}
}

func TestCleanMakesOneLine(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"line ends", "a\nb\r\nc\u2028d", "a b c d"},
		{"bidirectional override", "abc\u202edcba", "abc dcba"},
		{"zero width", "ad\u200bmin\u2060", "ad min"},
		{"control and NUL", "a\x00\x1b[31mb", "a [31mb"},
		{"not UTF-8", "a\xff\xfeb", "a b"},
		{"at the cap", strings.Repeat("я", ledger.MaxText), strings.Repeat("я", ledger.MaxText)},
		{"over the cap", strings.Repeat("я", ledger.MaxText+1), strings.Repeat("я", ledger.MaxText-1) + "…"},
		{"after much that is nothing", strings.Repeat(" ", 10_000) + "a", "a"},
		{"far over the cap", strings.Repeat("a", 10_000), strings.Repeat("a", ledger.MaxText-1) + "…"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, ledger.Clean(c.in))
			assert.Equal(t, c.want, ledger.Clean(c.want), "cleaning twice")
		})
	}
}

func TestParseNotesRefuses(t *testing.T) {
	n := ledger.Notes{Pilot: "ru-1", PullRequest: 42, Review: 7, Head: commitOf("h"), Digest: digestOf("d"), Prev: digestOf("p"), Remark: "a & b"}
	good := n.String()
	back, ok := ledger.ParseNotes(good)
	require.True(t, ok)
	require.Equal(t, n, back)

	for name, bad := range map[string]string{
		"empty":                  "",
		"short digest":           strings.Replace(good, digestOf("d"), "sha256:9f2c41aa", 1),
		"upper-case digest":      strings.Replace(good, digestOf("d"), strings.ToUpper(digestOf("d")), 1),
		"pilot that climbs":      strings.Replace(good, "ru-1", "../x", 1),
		"leading zero":           strings.Replace(good, "#42", "#042", 1),
		"pull request 0":         strings.Replace(good, "#42", "#0", 1),
		"note that is raw":       strings.Replace(good, "&#38;", "&", 1),
		"note that is empty":     strings.Replace(good, "a &#38; b", "", 1),
		"entity nobody wrote":    strings.Replace(good, "a &#38;", "&#97; &#38;", 1),
		"trailing text":          strings.TrimSuffix(good, "; note: a &#38; b") + "; seen",
		"two spaces":             strings.Replace(good, "; head", ";  head", 1),
		"review over 16 digits":  strings.Replace(good, "review 7", "review 77777777777777777", 1),
		"note without separator": strings.Replace(good, "; note: ", " note: ", 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, good, bad)
			_, ok := ledger.ParseNotes(bad)
			assert.False(t, ok)
		})
	}
}
