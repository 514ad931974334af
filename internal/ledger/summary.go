package ledger

import (
	"bytes"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
)

// PilotLinks are the documents of one pilot, as paths in the repository. An empty
// path is left out.
type PilotLinks struct {
	Pilot  string
	Plan   string
	Log    string
	Report string
}

const (
	newSummary    = "# Stage 05_03\n\n"
	pilotsHeading = "## Pilots\n\n"
	pilotsOpen    = "<!-- pilotgate:auto pilots -->"
	pilotsClose   = "<!-- /pilotgate:auto pilots -->"
)

var pilotLine = regexp.MustCompile("^- `([a-z0-9][a-z0-9-]{0,62})`: ")

// LinkPilot puts a pilot's line into the block between the pilots markers of the
// stage summary: in its place if it has one, at the end if not. All other bytes
// stay. An absent summary, or one without the block, gets it. Markers that do not
// pair are for people to mend: then the text comes back as it was, with a finding.
func LinkPilot(summaryPath string, summary []byte, links PilotLinks) ([]byte, []finding.Finding) {
	switch {
	case len(summary) > MaxLog:
		return summary, []finding.Finding{broken("SG012", "too_large", summaryPath, 0, "bytes", strconv.Itoa(len(summary)), "limit", strconv.Itoa(MaxLog))}
	case !isText(summary):
		return summary, []finding.Finding{broken("SG012", "not_text", summaryPath, 0)}
	case !form.Pilot(links.Pilot):
		return summary, []finding.Finding{broken("SG012", "pilot", summaryPath, 0)}
	}
	summary = orAbsent(summary)
	lines, open := splitLines(summary)
	eol := lineEnd(summary)
	entry := links.line(path.Dir(summaryPath)) + eol

	opened, closed := -1, -1
	for i, l := range lines {
		if !l.visible {
			continue
		}
		switch text := strings.TrimSpace(l.text); {
		case text == pilotsOpen && opened < 0:
			opened = i
		case text == pilotsClose && opened >= 0 && closed < 0:
			closed = i
		case text == pilotsOpen, text == pilotsClose:
			return summary, []finding.Finding{broken("SG012", "unpaired", summaryPath, i+1)}
		}
	}
	switch {
	case opened >= 0 && closed < 0:
		return summary, []finding.Finding{broken("SG012", "unpaired", summaryPath, opened+1)}
	case opened < 0 && open:
		return summary, []finding.Finding{broken("SG012", "unclosed", summaryPath, len(lines))}
	case opened < 0:
		var b bytes.Buffer
		b.Write(summary)
		switch {
		case len(summary) == 0:
			b.WriteString(newSummary)
		case !bytes.HasSuffix(summary, []byte("\n")):
			b.WriteString(eol + eol)
		default:
			b.WriteString(eol)
		}
		b.WriteString(strings.ReplaceAll(pilotsHeading+pilotsOpen+"\n", "\n", eol) + entry + pilotsClose + eol)
		return b.Bytes(), nil
	}
	from, to := lines[closed].start, lines[closed].start
	for _, l := range lines[opened+1 : closed] {
		if m := pilotLine.FindStringSubmatch(l.text); m != nil && m[1] == links.Pilot {
			from, to = l.start, l.end
			break
		}
	}
	return splice(summary, from, to, entry), nil
}

func (p PilotLinks) line(from string) string {
	var links []string
	for _, l := range []struct{ text, target string }{{"plan", p.Plan}, {"sign-off log", p.Log}, {"report", p.Report}} {
		if l.target != "" {
			links = append(links, "["+l.text+"]("+relativeURL(from, l.target)+")")
		}
	}
	return "- `" + p.Pilot + "`: " + strings.Join(links, " · ")
}

// relativeURL is the link from a folder of the repository to a path in it, with
// every character outside the plainest escaped: a path can end no link.
func relativeURL(from, to string) string {
	source, target := segments(from), segments(to)
	for len(source) > 0 && len(target) > 1 && source[0] == target[0] {
		source, target = source[1:], target[1:]
	}
	var out []string
	for range source {
		out = append(out, "..")
	}
	for _, s := range target {
		s = url.PathEscape(s)
		for _, c := range "$&@:=" { // PathEscape lets them be; Markdown or GitHub may not
			s = strings.ReplaceAll(s, string(c), "%"+strings.ToUpper(strconv.FormatInt(int64(c), 16)))
		}
		out = append(out, s)
	}
	return strings.Join(out, "/")
}

// segments are the names in a path; "..", "." and empty ones cannot climb out.
func segments(p string) []string {
	var out []string
	for s := range strings.SplitSeq(path.Clean("/"+p), "/") {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// splice replaces the bytes from..to of text.
func splice(text []byte, from, to int, with string) []byte {
	out := make([]byte, 0, len(text)-(to-from)+len(with))
	out = append(out, text[:from]...)
	out = append(out, with...)
	return append(out, text[to:]...)
}
