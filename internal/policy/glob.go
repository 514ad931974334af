package policy

import (
	"path"
	"strings"
)

// Match tells whether a repository path matches a pattern: "*" and "?" stay
// within a segment, "[a-z]" is a class, a segment "**" is any number of
// segments, none included. Letters match exactly. A pattern that cannot be
// read matches nothing. The time is at most the product of both lengths.
func Match(pattern, name string) bool {
	return match(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

// match remembers only the last "**": giving it one segment more is the single
// way back that is ever needed.
func match(pattern, name []string) bool {
	p, n := 0, 0
	star, from := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, from = p, n
			p++
		case p < len(pattern) && segment(pattern[p], name[n]):
			p, n = p+1, n+1
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func segment(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// plainSegments tells whether a path has no empty, "." or ".." segment, no
// backslash and no leading slash.
func plainSegments(p string) bool {
	if strings.Contains(p, `\`) {
		return false
	}
	for s := range strings.SplitSeq(p, "/") {
		if s == "" || s == "." || s == ".." {
			return false
		}
	}
	return true
}

// readablePattern tells whether every segment can be matched.
func readablePattern(pattern string) bool {
	for s := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(s, ""); err != nil {
			return false
		}
	}
	return true
}
