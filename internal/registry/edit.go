package registry

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// ErrForm is a file whose form leaves no place to write to without changing
// what people wrote: they have to make the change themselves.
var ErrForm = errors.New("the file's form leaves no place to write to")

// ErrTaken is a name and version that another model has already.
var ErrTaken = errors.New("another model has this name and version")

// PutEntry writes an entry into a registry's text: a new one at the end, or the
// status (and the digest, if there was none) of the one that has its name and
// version. All other bytes stay. What comes out is read again, and is ErrForm
// unless it says exactly what was asked for.
func PutEntry(path string, src []byte, e Entry) ([]byte, error) {
	before := Parse(path, src)
	if finding.Count(before.Problems, finding.Error) > 0 {
		return nil, fmt.Errorf("put %s into %s: %w", e.ID(), path, ErrForm)
	}
	want := slices.Clone(before.Entries)
	i := slices.IndexFunc(want, func(x Entry) bool { return x.ID() == e.ID() })
	var out []byte
	if i < 0 {
		want = append(want, e)
		out = appended(src, before, e)
	} else {
		was := before.Entries[i]
		if was.Digest != "" && e.Digest != "" && was.Digest != e.Digest {
			return nil, fmt.Errorf("put %s into %s: %w", e.ID(), path, ErrTaken)
		}
		t := newText(src)
		if was.Status != e.Status {
			t.replace(was.Places["status"], string(e.Status))
		}
		if was.Digest == "" && e.Digest != "" {
			t.after(was.Places["version"], was.At.Column, "digest: "+e.Digest)
		}
		want[i].Status, want[i].Digest = e.Status, cmp.Or(was.Digest, e.Digest)
		out = t.bytes()
	}
	after := Parse(path, out)
	if out == nil || len(after.Problems) != len(before.Problems) || !slices.EqualFunc(after.Entries, want, sameEntry) {
		return nil, fmt.Errorf("put %s into %s: %w", e.ID(), path, ErrForm)
	}
	return out, nil
}

func sameEntry(a, b Entry) bool {
	return a.ID() == b.ID() && a.Digest == b.Digest && a.Config == b.Config && a.Pilot == b.Pilot && a.Status == b.Status
}

// appended adds an entry below the last one, as far to the right as the others.
func appended(src []byte, r Registry, e Entry) []byte {
	indent := "  "
	var b strings.Builder
	if len(r.Entries) > 0 {
		indent = strings.Repeat(" ", max(r.Entries[0].At.Column-3, 0))
	} else if len(bytes.TrimSpace(src)) == 0 {
		b.WriteString("models:\n")
	}
	field := indent + "- "
	for _, f := range [][2]string{
		{"name", e.Name}, {"version", strconv.Quote(e.Version)}, {"digest", e.Digest}, {"config", e.Config}, {"pilot", e.Pilot}, {"status", string(e.Status)},
	} {
		if f[1] != "" {
			b.WriteString(field + f[0] + ": " + f[1] + "\n")
			field = indent + "  "
		}
	}
	return atEnd(src, b.String())
}

// atEnd adds lines at the end of a text, in the text's own line ends.
func atEnd(src []byte, lines string) []byte {
	if bytes.Contains(src, []byte("\r\n")) {
		lines = strings.ReplaceAll(lines, "\n", "\r\n")
	}
	body := bytes.TrimRight(src, " \t\r\n")
	if len(body) > 0 {
		end := "\n"
		if bytes.Contains(src, []byte("\r\n")) {
			end = "\r\n"
		}
		body = append(slices.Clone(body), end...)
	}
	return append(body, lines...)
}

// PutTarget writes what a scenario runs into a pointer's text. All other bytes
// stay; what comes out is read again, and is ErrForm unless it says exactly
// what was asked for.
func PutTarget(path string, src []byte, scenario string, target Target) ([]byte, error) {
	before := ParsePointer(path, src)
	if finding.Count(before.Problems, finding.Error) > 0 {
		return nil, fmt.Errorf("point %s in %s: %w", scenario, path, ErrForm)
	}
	var out []byte
	if was, ok := before.Targets[scenario]; ok {
		t := newText(src)
		t.replace(was.Places["model"], target.Model)
		t.replace(was.Places["version"], strconv.Quote(target.Version))
		t.replace(was.Places["digest"], target.Digest)
		switch {
		case was.Previous == target.Previous:
		case was.Previous == "":
			t.after(was.Places["digest"], 0, "previous: "+target.Previous)
		case target.Previous == "":
			t.drop(was.Places["previous"])
		default:
			t.replace(was.Places["previous"], target.Previous)
		}
		out = t.bytes()
	} else {
		lines := scenario + ":\n  model: " + target.Model + "\n  version: " + strconv.Quote(target.Version) + "\n  digest: " + target.Digest + "\n"
		if target.Previous != "" {
			lines += "  previous: " + target.Previous + "\n"
		}
		out = atEnd(src, lines)
	}
	want := maps.Clone(before.Targets)
	want[scenario] = target
	after := ParsePointer(path, out)
	if out == nil || len(after.Problems) != len(before.Problems) || !maps.EqualFunc(after.Targets, want, Target.same) {
		return nil, fmt.Errorf("point %s in %s: %w", scenario, path, ErrForm)
	}
	return out, nil
}

// text replaces values at the places where the reader found them. The first
// place that cannot be found spoils the whole.
type text struct {
	lines   []string // with their ends
	spoiled bool
}

func newText(src []byte) *text { return &text{lines: strings.SplitAfter(string(src), "\n")} }

// line is the line of a place that begins and ends on it.
func (t *text) line(at finding.Position) (int, bool) {
	if at.Line < 1 || at.Line > len(t.lines) || at.EndLine != at.Line || at.Column < 1 {
		t.spoiled = true
		return 0, false
	}
	return at.Line - 1, true
}

func (t *text) replace(at finding.Position, with string) {
	i, ok := t.line(at)
	if !ok {
		return
	}
	from, to := offset(t.lines[i], at.Column), offset(t.lines[i], at.EndColumn+1)
	if from < 0 || to < from {
		t.spoiled = true
		return
	}
	t.lines[i] = t.lines[i][:from] + with + t.lines[i][to:]
}

// after adds a line below a place's, at a column (0: that of the line's key).
func (t *text) after(at finding.Position, column int, with string) {
	i, ok := t.line(at)
	if !ok {
		return
	}
	if column == 0 {
		column = utf8.RuneCountInString(t.lines[i]) - utf8.RuneCountInString(strings.TrimLeft(t.lines[i], " ")) + 1
	}
	end := "\n"
	if strings.HasSuffix(t.lines[i], "\r\n") {
		end = "\r\n"
	}
	if !strings.HasSuffix(t.lines[i], "\n") {
		t.lines[i] += end
	}
	t.lines[i] += strings.Repeat(" ", column-1) + with + end
}

// drop removes the line of a place.
func (t *text) drop(at finding.Position) {
	if i, ok := t.line(at); ok {
		t.lines[i] = ""
	}
}

// bytes is the whole text, nil if it was spoiled.
func (t *text) bytes() []byte {
	if t.spoiled {
		return nil
	}
	return []byte(strings.Join(t.lines, ""))
}

// offset is where the column-th character (from 1) of a line begins, -1 if the
// line is shorter.
func offset(line string, column int) int {
	n := 1
	for i := range line {
		if n == column {
			return i
		}
		n++
	}
	if n == column {
		return len(line)
	}
	return -1
}
