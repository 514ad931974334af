package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// Suggestion is a mend as a suggested change of whole lines: on a fork, whose
// branch is not ours to write, its author applies it with one click.
type Suggestion struct {
	Path  string
	Start int // first line, from 1
	Line  int // last line
	Text  string
	Found []finding.Finding // what it mends
}

// maxSuggestions bounds one review; the check lists all replacements.
const maxSuggestions = 20

// Suggestions are the exact replacements of all checks, for a pull request from
// a fork. GitHub takes suggestions only on lines that the pull request shows as
// its own, so the others stay in the check's list.
func (v Verdict) Suggestions() []Suggestion {
	p := v.Dossier.Pull
	if p == nil || !p.Open || p.Local || !p.Head.Fork || v.MayMend() {
		return nil
	}
	byPath := map[string][]finding.Finding{}
	for _, c := range v.Checks {
		mends := v.Mends(c)
		for _, f := range c.Findings {
			if f.Mend != nil && slices.Contains(mends, *f.Mend) && !slices.ContainsFunc(byPath[f.Mend.Path], func(o finding.Finding) bool { return *o.Mend == *f.Mend }) {
				byPath[f.Mend.Path] = append(byPath[f.Mend.Path], f)
			}
		}
	}
	var out []Suggestion
	for path, found := range byPath {
		out = append(out, v.suggest(path, found)...)
	}
	slices.SortFunc(out, func(a, b Suggestion) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return a.Start - b.Start
	})
	return out[:min(len(out), maxSuggestions)]
}

// suggest makes one suggestion of the mends that share lines.
func (v Verdict) suggest(path string, found []finding.Finding) []Suggestion {
	src := v.source(path)
	slices.SortStableFunc(found, func(a, b finding.Finding) int { return a.Mend.Start - b.Mend.Start })
	var out []Suggestion
	for len(found) > 0 {
		from, to := lineBounds(src, *found[0].Mend)
		n := 1
		for n < len(found) {
			if f, t := lineBounds(src, *found[n].Mend); f < to {
				to = max(to, t)
				n++
				continue
			}
			break
		}
		s := Suggestion{Path: path, Start: 1 + bytes.Count(src[:from], []byte("\n")), Found: found[:n]}
		lines := bytes.TrimSuffix(src[from:to], []byte("\n"))
		s.Line = s.Start + bytes.Count(lines, []byte("\n"))
		var mends []finding.Mend
		for _, f := range found[:n] {
			m := *f.Mend
			m.Start, m.End = m.Start-from, m.End-from
			mends = append(mends, m)
		}
		text, made := finding.Mended(src[from:to], path, mends)
		s.Text = strings.TrimSuffix(string(text), "\n")
		if made > 0 && v.brings(path, lines) {
			out = append(out, s)
		}
		found = found[n:]
	}
	return out
}

// lineBounds are the bytes of the whole lines that a mend touches.
func lineBounds(src []byte, m finding.Mend) (from, to int) {
	from = 1 + bytes.LastIndexByte(src[:m.Start], '\n')
	to = len(src)
	if i := bytes.IndexByte(src[max(m.Start, m.End):], '\n'); i >= 0 {
		to = max(m.Start, m.End) + i + 1
	}
	return from, to
}

// brings tells whether the pull request surely shows these lines as new: the
// file is, or none of them stands in the file as it was.
func (v Verdict) brings(path string, lines []byte) bool {
	git := v.Dossier.Pull.Git
	before, ok := git.Trees[v.Dossier.MergeBase].Entries[path]
	if !ok {
		return true
	}
	blob, ok := git.Blobs[before.OID]
	if !ok || blob.Absent || blob.TooLarge {
		return false
	}
	old := map[string]bool{}
	for line := range bytes.Lines(blob.Bytes) {
		old[strings.TrimRight(string(line), "\r\n")] = true
	}
	for line := range bytes.Lines(lines) {
		if old[strings.TrimRight(string(line), "\r\n")] {
			return false
		}
	}
	return true
}

// SuggestionKey names a set of suggestions by what they would change, whatever
// the head: as long as the lines stand as they are, GitHub keeps showing them.
func SuggestionKey(all []Suggestion) string {
	h := sha256.New()
	for _, s := range all {
		fmt.Fprintf(h, "%q %d %d %q\n", s.Path, s.Start, s.Line, s.Text)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
