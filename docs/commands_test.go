package docs_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
)

// fence is a shell example of a document, with the indentation of its list item.
var fence = regexp.MustCompile("(?m)^( *)```sh\n((?s:.*?))^ *```$")

// script is the shell example of a document that holds word.
func script(t *testing.T, path, word string) string {
	t.Helper()
	var found []string
	for _, m := range fence.FindAllStringSubmatch(read(t, path), -1) {
		if text := strings.ReplaceAll("\n"+m[2], "\n"+m[1], "\n"); strings.Contains(text, word) {
			found = append(found, text)
		}
	}
	require.Len(t, found, 1, "%s has one shell example with %q", path, word)
	return found[0]
}

// run runs a shell example in a folder of its own.
func run(t *testing.T, dir, text string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("the example needs openssl, which is not here")
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", text)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func TestReadmeMakesAKeyAndPrintsItsPublicHalf(t *testing.T) {
	dir := t.TempDir()
	printed, err := run(t, dir, script(t, "../README.md", "openssl genpkey"))
	require.NoError(t, err, printed)
	block, _ := pem.Decode([]byte(read(t, filepath.Join(dir, "signing.pem"))))
	require.NotNil(t, block)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	private, ok := parsed.(ed25519.PrivateKey)
	require.True(t, ok)
	public, ok := private.Public().(ed25519.PublicKey)
	require.True(t, ok)
	assert.Equal(t, base64.StdEncoding.EncodeToString(public), strings.TrimSpace(printed))
}

// signed is a repository with one record, and where the record lies.
func signed(t *testing.T) (dir, record, key string) {
	t.Helper()
	_, public := sample.ServerKey()
	story := sample.Story{Records: 5, Evaluation: 2, SigningKey: public}
	files := story.Repository()
	files = files.With(story.Pilot())
	added, err := story.Signoff(files, sample.Pilot)
	require.NoError(t, err)
	dir = t.TempDir()
	for path, b := range files.With(added) {
		full := filepath.Join(dir, filepath.FromSlash(path))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o750))
		require.NoError(t, os.WriteFile(full, b, 0o600))
		if strings.Contains(path, "/evidence/") {
			record = path
		}
	}
	require.NotEmpty(t, record)
	return dir, record, public.Ed25519
}

func TestALedgersRecordIsVerifiedWithoutPilotgate(t *testing.T) {
	dir, record, key := signed(t)
	text := script(t, "ledger.md", "DSSEv1")
	text = strings.NewReplacer("RECORD.json", record, "PUBLIC-KEY", key).Replace(text)
	printed, err := run(t, dir, text)
	require.NoError(t, err, printed)
	assert.Contains(t, printed, "Signature Verified Successfully")

	t.Run("and a changed one is refused", func(t *testing.T) {
		path := filepath.Join(dir, record)
		envelope := read(t, path)
		at := strings.Index(envelope, `"payload": "`) + len(`"payload": "`) + 40
		other := byte('A')
		if envelope[at] == other {
			other = 'B'
		}
		require.NoError(t, os.WriteFile(path, []byte(envelope[:at]+string(other)+envelope[at+1:]), 0o600))
		printed, err := run(t, dir, text)
		require.Error(t, err)
		assert.NotContains(t, printed, "Signature Verified Successfully")
	})
}
