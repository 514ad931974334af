package policy

import (
	"bytes"
	"path"
	"strings"
)

// Ignored tells whether a repository's root .gitignore leaves a path out. The
// last pattern that matches the path decides, but nothing below a folder that is
// left out can be taken in again; see https://git-scm.com/docs/gitignore.
func Ignored(gitignore []byte, name string) bool {
	var patterns []ignorePattern
	for raw := range bytes.Lines(gitignore) {
		if p, ok := readIgnore(string(raw)); ok {
			patterns = append(patterns, p)
		}
	}
	decided := func(name string, folder bool) bool {
		out := false
		for _, p := range patterns {
			if (folder || !p.folder) && Match(p.glob, name) {
				out = !p.taken
			}
		}
		return out
	}
	for i, c := range name {
		if c == '/' && decided(name[:i], true) {
			return true
		}
	}
	return decided(path.Clean(name), false)
}

type ignorePattern struct {
	glob   string
	folder bool // matches folders only
	taken  bool // "!": takes in again
}

func readIgnore(line string) (p ignorePattern, ok bool) {
	line = strings.TrimRight(line, " \t\r\n")
	if line == "" || line[0] == '#' {
		return p, false
	}
	line, p.taken = strings.CutPrefix(line, "!")
	line, p.folder = strings.CutSuffix(line, "/")
	line = strings.TrimPrefix(line, `\`)
	anchored := strings.Contains(line, "/")
	p.glob = strings.TrimPrefix(line, "/")
	if !anchored {
		p.glob = "**/" + p.glob
	}
	return p, p.glob != ""
}
