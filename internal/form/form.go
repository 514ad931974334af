// Package form says what names, digests and commits look like where people
// and machines write them: one rule for each, wherever it is read.
//
// The rules leave no room for a path, a marker or a look-alike letter of
// another alphabet. They are plain loops, because the same as expressions, with
// bounds on the length, are megabytes of program in a process that lives long.
//
// The package must not know what a name stands for.
package form

import "strings"

// Of is the rule of a text of 1 to most bytes: its first byte is one of first,
// the others are of rest. Both list ASCII characters and ranges, as "a-z0-9._";
// a hyphen that means itself stands last.
func Of(first, rest string, most int) func(string) bool {
	head, tail := setOf(first), setOf(rest)
	return func(s string) bool {
		if s == "" || len(s) > most || !head.has(s[0]) {
			return false
		}
		return tail.all(s[1:])
	}
}

// set is a set of ASCII characters.
type set [2]uint64

func setOf(list string) (s set) {
	for i := 0; i < len(list); i++ {
		from, to := list[i], list[i]
		if i+2 < len(list) && list[i+1] == '-' {
			to = list[i+2]
			i += 2
		}
		for c := int(from); c <= int(to); c++ {
			s[c/64] |= 1 << (c % 64)
		}
	}
	return s
}

func (s *set) has(c byte) bool { return c < 128 && s[c/64]&(1<<(c%64)) != 0 }

func (s *set) all(text string) bool {
	for i := range len(text) {
		if !s.has(text[i]) {
			return false
		}
	}
	return true
}

var (
	hexDigits = setOf("0-9a-f")
	alnum     = setOf("A-Za-z0-9")

	pilot        = Of("a-z0-9", "a-z0-9-", 63)
	owners       = Of("A-Za-z0-9", "A-Za-z0-9_-", 64)
	repositories = Of("A-Za-z0-9._-", "A-Za-z0-9._-", 100)
)

// Hex tells whether s is so many lower-case hexadecimal digits.
func Hex(s string, digits int) bool { return len(s) == digits && hexDigits.all(s) }

// SHA256 tells whether s is a bare SHA-256 digest: 64 lower-case hexadecimal digits.
func SHA256(s string) bool { return Hex(s, 64) }

// Digest tells whether s is "sha256:" and a bare digest.
func Digest(s string) bool {
	bare, ok := strings.CutPrefix(s, "sha256:")
	return ok && SHA256(bare)
}

// GitObject tells whether s is the full id of a git object, of either length.
func GitObject(s string) bool { return Hex(s, 40) || Hex(s, 64) }

// Pilot tells whether s may be a pilot's id: it is unique for ever and becomes
// part of paths and branch names.
func Pilot(s string) bool { return pilot(s) }

// Repository tells whether s is "owner/name" as at GitHub.
func Repository(s string) bool {
	owner, repository, ok := strings.Cut(s, "/")
	return ok && owners(owner) && repositories(repository)
}

// Login tells whether s may be an account or organisation at GitHub: at most 39
// letters and digits with single hyphens between them; accounts that a company
// manages end in "_" and a short code.
func Login(s string) bool {
	s, code, managed := strings.Cut(s, "_")
	if managed && (code == "" || len(code) > 10 || !alnum.all(code)) {
		return false
	}
	if s == "" || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") || strings.Contains(s, "--") {
		return false
	}
	bare := strings.ReplaceAll(s, "-", "")
	return len(bare) <= 39 && alnum.all(bare)
}
