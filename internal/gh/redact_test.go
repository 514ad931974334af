package gh

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ in, secret string }{
		{"token ghs_abcdefghijklmnop123 rejected", "abcdefghijklmnop123"},
		{"github_pat_11ABCDEFG_abcdefgh", "11ABCDEFG"},
		{"Authorization: Bearer abcdefgh.ijklmnop", "abcdefgh"},
		{"Authorization: token abcdef0123456789", "abcdef0123456789"},
		{"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjF9.c2lnbmF0dXJl", "eyJpc3MiOjF9"},
		{"Get \"https://user:hunter2000@host/x\": EOF", "hunter2000"},
		{"Get \"https://bucket/x?X-Amz-Signature=0123abcd&b=1\"", "0123abcd"},
		{"https://host/x?access_token=0123abcd", "0123abcd"},
	} {
		out := redact(c.in)
		assert.NotContains(t, out, c.secret)
		assert.Contains(t, out, "[redacted]")
	}
	plain := "GET https://api.github.com/repos/acme/pilots: 404 Not Found []"
	assert.Equal(t, plain, redact(plain))
}

func FuzzRedact(f *testing.F) {
	f.Add("token ghs_abcdefghijklmnop123 rejected")
	f.Add("https://a:b@c/?sig=x")
	f.Fuzz(func(t *testing.T, s string) {
		const secret = "ghs_" + "0123456789abcdef"
		if out := redact(s + " " + secret + " "); strings.Contains(out, "0123456789abcdef") {
			t.Fatalf("%q", out)
		}
	})
}
