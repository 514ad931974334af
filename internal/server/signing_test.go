package server

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t *testing.T, key any) string {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "signing.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return path
}

func TestASigningKeyIsReadAndNeverPrinted(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := loadKey("2026", write(t, private))
	require.NoError(t, err)
	assert.Equal(t, "2026", key.Public.ID)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", key, *key), fmt.Sprint([]byte(private)[:8]))
}

func TestOtherKeysAreRefused(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, err = loadKey("2026", write(t, curve))
	require.ErrorContains(t, err, "not an Ed25519 key")

	path := filepath.Join(t.TempDir(), "not.pem")
	require.NoError(t, os.WriteFile(path, []byte("s3cr3t bytes"), 0o600))
	_, err = loadKey("2026", path)
	require.ErrorContains(t, err, "no PEM block")
	assert.NotContains(t, err.Error(), "s3cr3t")
}

func TestWithoutAFileThereIsNoKey(t *testing.T) {
	key, err := loadKey("2026", "")
	require.NoError(t, err)
	assert.Nil(t, key)
}
