package plan

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Raise is the plan with the next revision, and that revision: the number that
// the text gives is replaced where it stands; where it gives none the plan was
// revision 1, and 2 goes into the front matter, which is made if there is none.
// Initiator, a login, is written there too where the plan names nobody: the
// raised plan is brought by somebody else.
func Raise(p Plan, src []byte, initiator string) ([]byte, int) {
	now := 1
	var front []string
	if v, ok := p.Get(Revision); ok {
		if n, err := strconv.Atoi(v.Text); err == nil && n > 0 {
			now = n
		}
		src = replaceOnLine(src, v.At.Line, v.Text, strconv.Itoa(now+1))
	} else {
		front = append(front, "revision: 2")
	}
	if v, ok := p.Get(Initiator); (!ok || v.Text == "") && initiator != "" {
		front = append(front, fmt.Sprintf("initiator: %q", "@"+initiator))
	}
	if len(front) == 0 {
		return src, now + 1
	}
	text := strings.Join(front, "\n") + "\n"
	if first, rest, ok := bytes.Cut(src, []byte("\n")); ok && string(bytes.TrimRight(first, " \t\r")) == "---" {
		return joined(first, []byte("\n"), []byte(text), rest), now + 1
	}
	return joined([]byte("---\n"+text+"---\n\n"), src), now + 1
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// replaceOnLine replaces the last occurrence of a text on a line, from 1.
func replaceOnLine(src []byte, line int, before, after string) []byte {
	lines := bytes.SplitAfter(src, []byte("\n"))
	if line < 1 || line > len(lines) {
		return src
	}
	at := bytes.LastIndex(lines[line-1], []byte(before))
	if at < 0 {
		return src
	}
	lines[line-1] = joined(lines[line-1][:at], []byte(after), lines[line-1][at+len(before):])
	return bytes.Join(lines, nil)
}
