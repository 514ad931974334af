package server

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// Key is the key that records are signed with, and its public half.
type Key struct {
	Signer ledger.Signer
	Public facts.SigningKey
}

// NewKey names a private key as the policy does.
func NewKey(id string, private ed25519.PrivateKey) (*Key, error) {
	signer, err := ledger.NewSigner(id, private)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("signing key: not Ed25519")
	}
	return &Key{Signer: signer, Public: facts.SigningKey{ID: id, Public: base64.StdEncoding.EncodeToString(public)}}, nil
}

// loadKey reads a private key in PEM, PKCS #8. Errors never hold its bytes.
func loadKey(id, path string) (*Key, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("read signing key %s: no PEM block; make one with `openssl genpkey -algorithm ed25519`", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: not a PKCS #8 private key", path)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read signing key %s: not an Ed25519 key", path)
	}
	return NewKey(id, private)
}
