package sentence

import (
	"net/url"
	"strings"
)

// URLPath escapes a repository path for a link's target: no parenthesis or
// space may end it.
func URLPath(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		parts[i] = strings.NewReplacer("(", "%28", ")", "%29").Replace(url.PathEscape(s))
	}
	return strings.Join(parts, "/")
}

// Relative is the link from one repository file to another.
func Relative(from, to string) string {
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	a = a[:len(a)-1]
	for len(a) > 0 && len(b) > 1 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	return strings.Repeat("../", len(a)) + URLPath(strings.Join(b, "/"))
}
