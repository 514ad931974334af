package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// parseSignature reads the one X-Hub-Signature-256 header: "sha256=" and 64
// hex digits. A SHA-1 signature, two headers or another length is no signature.
func parseSignature(headers []string) ([]byte, bool) {
	if len(headers) != 1 {
		return nil, false
	}
	digits, ok := strings.CutPrefix(headers[0], "sha256=")
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return nil, false
	}
	sum, err := hex.DecodeString(digits)
	return sum, err == nil
}

// match tells under which secret the signature is right. It compares in
// constant time and tries every secret whatever came out of the first.
func match(signature, body []byte, secrets [][]byte) (int, bool) {
	found := -1
	for i, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if hmac.Equal(signature, mac.Sum(nil)) && found < 0 {
			found = i
		}
	}
	return found, found >= 0
}
