package approval

import (
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// Command is a `/pilot ...` line in a comment.
type Command struct {
	Verb   string // recheck, confirm, override, rollback, renew
	Item   string // confirm: observability, release, rollback
	Digest string // as written, lower case
	Reason string
	By     facts.Account
	At     time.Time
	From   facts.Comment
	// Edited: the comment was changed after it was written, so the command is void.
	Edited bool
}

// Names tells whether the command names this digest by at least 12 hex digits
// and does so unedited.
func (c Command) Names(digest string) bool {
	return !c.Edited && len(c.Digest) >= 12 && strings.HasPrefix(digest, c.Digest)
}

// maxCommands caps the commands of one comment; nobody gives more by hand.
const maxCommands = 10

// Commands reads the commands out of comments: lines that start with "/pilot "
// outside quotes and code. Ours are never commands.
func Commands(comments []facts.Comment) []Command {
	var out []Command
	for _, c := range comments {
		if c.Ours || len(c.Body) > 65536 {
			continue
		}
		fence, n := "", 0
		for line := range strings.Lines(c.Body) {
			if mark := fenceMark(line); mark != "" && (fence == "" || mark == fence) {
				if fence == "" {
					fence = mark
				} else {
					fence = ""
				}
				continue
			}
			if fence != "" || !strings.HasPrefix(line, "/pilot ") {
				continue
			}
			if n++; n > maxCommands {
				break
			}
			if cmd, ok := parse(strings.Fields(line)[1:]); ok {
				cmd.By, cmd.At, cmd.From, cmd.Edited = c.Author, c.CreatedAt, c, c.Edited
				out = append(out, cmd)
			}
		}
	}
	return out
}

func fenceMark(line string) string {
	t := strings.TrimLeft(line, " ")
	for _, mark := range []string{"```", "~~~"} {
		if strings.HasPrefix(t, mark) {
			return mark
		}
	}
	return ""
}

func parse(words []string) (Command, bool) {
	if len(words) == 0 {
		return Command{}, false
	}
	cmd := Command{Verb: words[0]}
	rest := words[1:]
	switch cmd.Verb {
	case "recheck", "renew":
	case "confirm":
		if len(rest) == 0 {
			return cmd, true
		}
		cmd.Item, rest = rest[0], rest[1:]
	case "override", "rollback":
	default:
		return cmd, true // unknown: answered with what there is
	}
	if len(rest) > 0 && isHex(rest[0]) && cmd.Verb != "rollback" {
		cmd.Digest, rest = strings.ToLower(strings.TrimPrefix(rest[0], "sha256:")), rest[1:]
	}
	cmd.Reason = strings.Join(rest, " ")
	return cmd, true
}

func isHex(s string) bool {
	s = strings.ToLower(strings.TrimPrefix(s, "sha256:"))
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}

// ticked tells whether a task list line of a review body ticks this item:
// "- [x] observability", with or without words after it.
func ticked(body, item string) bool {
	for line := range strings.Lines(body) {
		l := strings.ToLower(strings.TrimSpace(line))
		rest, ok := strings.CutPrefix(l, "- [x]")
		if !ok {
			rest, ok = strings.CutPrefix(l, "* [x]")
		}
		if ok {
			first, _, _ := strings.Cut(strings.TrimSpace(strings.Trim(rest, " *`:")), " ")
			if strings.Trim(first, "*`:,.") == item {
				return true
			}
		}
	}
	return false
}
