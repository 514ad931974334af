package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
)

func keyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestAStoreIsReadWithTheKeysOfItsFiles(t *testing.T) {
	var signed string
	s3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusNotFound)
	}))
	defer s3.Close()
	stores, err := openStores(context.Background(), []Store{{
		Bucket: "s3://acme", Endpoint: s3.URL, Region: "eu-central-1",
		AccessKeyFile: keyFile(t, "made-up-id\n"), SecretKeyFile: keyFile(t, " made-up-key \n"), Repositories: []string{"acme/pilots"},
	}})
	require.NoError(t, err)
	_, _, err = stores.For(facts.Repository{Owner: "acme", Name: "pilots"})(context.Background(), facts.ScanRequest{URI: "s3://acme/a.jsonl"})
	require.Error(t, err)
	assert.Contains(t, signed, "Credential=made-up-id/")
	assert.Contains(t, signed, "/eu-central-1/s3/")
	assert.NoError(t, stores.Close())
}

func TestAKeyFileThatIsNone(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"empty":     {"\n", "does not hold one line"},
		"two lines": {"made-up\nkey\n", "does not hold one line"},
		"too large": {strings.Repeat("x", maxKeyFile+1), "larger than 4 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openStores(context.Background(), []Store{{Bucket: "s3://acme", AccessKeyFile: keyFile(t, c.text)}})
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "made-up")
		})
	}
	_, err := openStores(context.Background(), []Store{{Bucket: "s3://acme", AccessKeyFile: keyFile(t, strings.Repeat("x", maxKeyFile)), SecretKeyFile: "/nowhere"}})
	require.ErrorIs(t, err, os.ErrNotExist, "at the cap")
}
