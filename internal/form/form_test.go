package form_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/pilotgate/pilotgate/internal/form"
)

const digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// Each rule is held to an expression that says the same, on texts that nearly
// are what it wants.
func TestFormsAreTheirExpressions(t *testing.T) {
	for name, c := range map[string]struct {
		is         func(string) bool
		expression string
		near       string // what texts are made of, by spaces
		one        string
	}{
		"a SHA-256":     {form.SHA256, `[0-9a-f]{64}`, "0123456789abcdef 0123456789abcdef0123456789abcdef0123456789abcdef fedcba9876543210 A g", digits},
		"a digest":      {form.Digest, `sha256:[0-9a-f]{64}`, "sha256: sha256:0123456789abcdef0123456789abcdef 0123456789abcdef0123456789abcdef sha1: 0 F", "sha256:" + digits},
		"a git object":  {form.GitObject, `[0-9a-f]{40}|[0-9a-f]{64}`, "01234567 0123456789abcdef0123456789abcdef fedcba9876543210fedcba9876543210 z", digits[:40]},
		"a pilot":       {form.Pilot, `[a-z0-9][a-z0-9-]{0,62}`, "ru digest - 2026 _ A / . а aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ru-digest-2026-01"},
		"a login":       {form.Login, `[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}(?:_[A-Za-z0-9]{1,10})?`, "anna - B 7 _ acme @ о aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "anna-b_acme"},
		"a repository":  {form.Repository, `[A-Za-z0-9][A-Za-z0-9_-]{0,63}/[A-Za-z0-9._-]{1,100}`, "acme / - _ . pilots о aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "acme/pilots"},
		"what Of makes": {form.Of("A-Za-z0-9", "A-Za-z0-9_./+:-", 20), `[A-Za-z0-9][A-Za-z0-9_./+:-]{0,19}`, "Z 9 a : + - , ; [ ` { @ / _ . aaaaaaaa", "Z9/a:+-"},
	} {
		t.Run(name, func(t *testing.T) {
			same := regexp.MustCompile(`^(?:` + c.expression + `)$`)
			pieces := rapid.SampledFrom(append(strings.Fields(c.near), "\n", " ", "\xff"))
			assert.True(t, c.is(c.one))
			rapid.Check(t, func(t *rapid.T) {
				text := strings.Join(rapid.SliceOfN(pieces, 0, 6).Draw(t, "pieces"), "")
				if c.is(text) != same.MatchString(text) {
					t.Fatalf("%q: %v", text, c.is(text))
				}
			})
		})
	}
}

func TestPilot(t *testing.T) {
	for id, want := range map[string]bool{
		"ru-digest-2026-01": true, "a": true, "0": true, strings.Repeat("a", 63): true,
		strings.Repeat("a", 64): false, "": false, "-a": false, "A": false, "a_b": false, "../../.github/x": false,
		"а": false, "рu": false, "a\n": false, "a b": false, "a.md": false, "..": false, "_repository": false,
	} {
		assert.Equal(t, want, form.Pilot(id), "%q", id)
	}
}

func TestHexIsOfOneLength(t *testing.T) {
	assert.True(t, form.Hex("0123456789abcdef", 16))
	assert.False(t, form.Hex("0123456789abcdef", 15))
	assert.False(t, form.Hex("0123456789abcdeF", 16))
	assert.False(t, form.Hex("", 16))
}
