package ledger_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

const summaryPath = "docs/specs/epic_05/stage_05_03.md"

func links(pilot string) ledger.PilotLinks {
	return ledger.PilotLinks{
		Pilot:  pilot,
		Plan:   "docs/specs/epic_05/pilots/" + pilot + ".md",
		Log:    logPath,
		Report: "docs/specs/epic_05/stage_05_03_pilot_report_" + pilot + ".md",
	}
}

func TestLinkPilot(t *testing.T) {
	const (
		opened = "<!-- pilotgate:auto pilots -->\n"
		closed = "<!-- /pilotgate:auto pilots -->\n"
		a      = "- `a`: [plan](pilots/a.md) · [sign-off log](stage_05_03_signoff.md) · [report](stage_05_03_pilot_report_a.md)\n"
		b      = "- `b`: [plan](pilots/b.md) · [sign-off log](stage_05_03_signoff.md) · [report](stage_05_03_pilot_report_b.md)\n"
	)
	cases := []struct{ name, summary, want string }{
		{"absent", "", "# Stage 05_03\n\n## Pilots\n\n" + opened + a + closed},
		{"without a block", "# Stage\n\nText.\n", "# Stage\n\nText.\n\n## Pilots\n\n" + opened + a + closed},
		{"without a line end", "Text.", "Text.\n\n## Pilots\n\n" + opened + a + closed},
		{"an empty block", "x\n" + opened + closed + "y\n", "x\n" + opened + a + closed + "y\n"},
		{"another pilot", opened + b + closed, opened + b + a + closed},
		{"there already", opened + a + b + closed, opened + a + b + closed},
		{"an older line", opened + "- `a`: [plan](old.md)\n" + b + closed, opened + a + b + closed},
		{"a pilot whose name begins alike", opened + "- `a-2`: [plan](a-2.md)\n" + closed, opened + "- `a-2`: [plan](a-2.md)\n" + a + closed},
		{"a block shown as an example", "```\n" + opened + closed + "```\n", "```\n" + opened + closed + "```\n\n## Pilots\n\n" + opened + a + closed},
		{"windows line ends", "x\r\n" + strings.ReplaceAll(opened+closed, "\n", "\r\n"), "x\r\n" + strings.ReplaceAll(opened+a+closed, "\n", "\r\n")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, fs := ledger.LinkPilot(summaryPath, []byte(c.summary), links("a"))
			require.Empty(t, fs)
			assert.Equal(t, c.want, string(got))
			again, fs := ledger.LinkPilot(summaryPath, got, links("a"))
			require.Empty(t, fs)
			assert.Equal(t, string(got), string(again), "twice equals once")
		})
	}
}

func TestLinkPilotRefuses(t *testing.T) {
	const opened, closed = "<!-- pilotgate:auto pilots -->\n", "<!-- /pilotgate:auto pilots -->\n"
	cases := []struct {
		name, summary, pilot, want string
		line                       int
	}{
		{"a block never closed", "x\n" + opened, "a", "SG012 unpaired", 2},
		{"a block never opened", closed, "a", "SG012 unpaired", 1},
		{"two blocks", opened + closed + opened + closed, "a", "SG012 unpaired", 3},
		{"a block in a block", opened + opened + closed, "a", "SG012 unpaired", 2},
		{"an open fence at the end", "```\n", "a", "SG012 unclosed", 1},
		{"a pilot id that is none", "", "../a", "SG012 pilot", 0},
		{"not text", "\xff", "a", "SG012 not_text", 0},
		{"over the cap", strings.Repeat("x", ledger.MaxLog+1), "a", "SG012 too_large", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, fs := ledger.LinkPilot(summaryPath, []byte(c.summary), links(c.pilot))
			require.Equal(t, []string{c.want}, named(fs))
			assert.Equal(t, c.line, fs[0].At.Line)
			assert.True(t, c.summary == string(got), "unchanged")
		})
	}
	_, fs := ledger.LinkPilot(summaryPath, []byte(strings.Repeat("x", ledger.MaxLog)), links("a"))
	assert.Empty(t, fs, "at the cap")
}

func TestLinkPilotEscapesPaths(t *testing.T) {
	for name, path := range map[string]string{
		"a link's end":   "docs/a) [x](https://evil.example).md",
		"html":           "docs/<img src=x>.md",
		"a table":        "docs/a|b\n| c |.md",
		"a mention":      "docs/@dana.md",
		"an address":     "https://evil.example/x",
		"another scheme": "javascript:alert(1)",
		"climbing":       "../../../../etc/passwd",
		"markers":        "<!-- /pilotgate:auto pilots -->",
		"entities":       "docs/&lpar;x&rpar;.md",
	} {
		t.Run(name, func(t *testing.T) {
			got, fs := ledger.LinkPilot("stage.md", nil, ledger.PilotLinks{Pilot: "a", Plan: path})
			require.Empty(t, fs)
			counts, seen := inspect(got)
			assert.Equal(t, 1, counts[ast.KindLink])
			assert.Equal(t, 2, counts[ast.KindHeading])
			assert.Equal(t, 1, counts[ast.KindListItem])
			assert.NotRegexp(t, mention, seen)
			assert.NotRegexp(t, address, seen)
			assert.NotContains(t, string(got), "](https:")
			assert.NotContains(t, string(got), "](javascript:")
			assert.NotContains(t, string(got), "..")
		})
	}
}
