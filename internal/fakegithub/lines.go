package fakegithub

import (
	"bytes"
	"fmt"
	"strings"
)

// maxPatch is the size in bytes over which a patch is left out of a listing.
const maxPatch = 64 << 10

// patch is a unified diff of one hunk: the common start and end left out. It is
// a valid diff, though not always the shortest.
func patch(before, after []byte) (text string, added, removed int) {
	if bytes.IndexByte(before, 0) >= 0 || bytes.IndexByte(after, 0) >= 0 {
		return "", 0, 0
	}
	a, b := splitLines(before), splitLines(after)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	removed, added = len(a)-start-end, len(b)-start-end
	if len(before)+len(after) > maxPatch {
		return "", added, removed
	}
	ctx := min(3, start)
	tail := min(3, end)
	var w strings.Builder
	fmt.Fprintf(&w, "@@ -%s +%s @@", span(start-ctx, removed+ctx+tail), span(start-ctx, added+ctx+tail))
	for _, l := range a[start-ctx : start] {
		w.WriteString("\n " + l)
	}
	for _, l := range a[start : len(a)-end] {
		w.WriteString("\n-" + l)
	}
	for _, l := range b[start : len(b)-end] {
		w.WriteString("\n+" + l)
	}
	for _, l := range a[len(a)-end : len(a)-end+tail] {
		w.WriteString("\n " + l)
	}
	return w.String(), added, removed
}

func span(from, n int) string {
	if n == 0 {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, n)
}

func splitLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
