package demo

import (
	"fmt"
	"html"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// Teller prints a story as it goes: of each scene what the one before did not
// show.
type Teller struct {
	Out   io.Writer
	Color bool

	checks, comment string
	drafted         bool
	lines           map[string]string // what was printed last of a run or an issue
}

func (p *Teller) paint(code, s string) string {
	if !p.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Scene prints one step and what GitHub shows after it.
func (p *Teller) Scene(n int, title string, s Scene) {
	fmt.Fprintf(p.Out, "\n%s\n", p.paint("1;36", fmt.Sprintf("%d. %s", n, title)))
	if shown := fmt.Sprint(s.Checks); shown != p.checks {
		p.checks = shown
		for _, c := range s.Checks {
			p.check(c)
		}
	}
	if s.Comment != p.comment {
		p.comment = s.Comment
		for _, line := range excerpt(s.Comment) {
			fmt.Fprintf(p.Out, "   %s %s\n", p.paint("2", "│"), line)
		}
		if s.Report != nil && !p.drafted {
			p.drafted = true
			fmt.Fprintf(p.Out, "   %s #%d %s\n", p.paint("2", "drafted:"), s.Report.Number, s.Report.Title)
		}
	}
	for _, r := range s.Runs {
		state := r.Status
		if r.Conclusion != "" {
			state = r.Conclusion
		}
		line := fmt.Sprintf("%s, started by @%s: %s", r.Title, r.Actor, strings.ReplaceAll(state, "_", " "))
		for _, environment := range slices.Sorted(maps.Keys(r.Waiting)) {
			line += fmt.Sprintf(", %s: %s", environment, r.Waiting[environment])
		}
		p.changed("run", r.ID, line)
	}
	for _, i := range s.Issues {
		p.changed("issue", int64(i.Number), i.Title+": "+i.State)
	}
	for _, line := range s.Told {
		fmt.Fprintf(p.Out, "   %s\n", line)
	}
}

// changed prints a line about a thing if it is not what was printed last.
func (p *Teller) changed(kind string, id int64, line string) {
	key := fmt.Sprintf("%s #%d", kind, id)
	if p.lines[key] == line {
		return
	}
	if p.lines == nil {
		p.lines = map[string]string{}
	}
	p.lines[key] = line
	fmt.Fprintf(p.Out, "   %s %s\n", p.paint("2", key), line)
}

func (p *Teller) check(c fakegithub.CheckView) {
	sign, code := "✗", "31"
	switch {
	case c.Status != "completed":
		sign, code = "…", "33"
	case c.Conclusion == "success":
		sign, code = "✓", "32"
	}
	fmt.Fprintf(p.Out, "   %s %-17s %s\n", p.paint(code, sign), c.Name, c.Title)
}

var (
	hidden = regexp.MustCompile(`(?s)<!--.*?-->\n?|<details>.*?</details>\n?`)
	links  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// excerpt is a comment as a terminal can show it: no markers, no link targets,
// no folded part.
func excerpt(markdown string) []string {
	text := links.ReplaceAllString(hidden.ReplaceAllString(markdown, ""), "$1")
	text = strings.NewReplacer("**", "", "`", "", "<br>", "; ", "\u2060", "").Replace(html.UnescapeString(text))
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.TrimLeft(line, "# "), "\n")
		if line == "" || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| | ") {
			continue
		}
		if cells := strings.Split(strings.Trim(line, "| "), " | "); strings.HasPrefix(line, "|") && len(cells) > 1 {
			line = cells[0] + " " + strings.Join(cells[1:], ": ")
		}
		out = append(out, line)
	}
	return out
}
