package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

const foreignType = "application/vnd.example.manifest+json"

// foreign signs by the words of DSSE, not by our code.
func foreign(t testing.TB, private ed25519.PrivateKey, id, kind, payload string) []byte {
	t.Helper()
	sig := ed25519.Sign(private, fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload))
	raw, err := json.Marshal(map[string]any{
		"payloadType": kind, "payload": base64.StdEncoding.EncodeToString([]byte(payload)),
		"signatures": []any{map[string]string{"keyid": id, "sig": base64.StdEncoding.EncodeToString(sig)}},
	})
	require.NoError(t, err)
	return raw
}

func TestOpenForeign(t *testing.T) {
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat("t", ed25519.SeedSize)))
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", ed25519.SeedSize)))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	keys := []ledger.Key{{ID: "lab", Public: private.Public().(ed25519.PublicKey), From: at.AddDate(0, -1, 0), Until: at.AddDate(0, 1, 0)}}
	good := foreign(t, private, "lab", foreignType, `{"a":1}`)

	opened, err := ledger.OpenForeign(good, foreignType, keys, at)
	require.NoError(t, err)
	assert.Equal(t, ledger.Opened{Payload: []byte(`{"a":1}`), KeyID: "lab"}, opened)
	spaced := strings.ReplaceAll(string(good), ",", " ,\n ")
	_, err = ledger.OpenForeign([]byte(spaced), foreignType, keys, at)
	require.NoError(t, err, "its JSON may be written in any form")
	_, err = ledger.OpenForeign(append(bytes.Clone(good), strings.Repeat(" ", ledger.MaxRecord-len(good))...), foreignType, keys, at)
	require.NoError(t, err, "as much as is read")

	for name, c := range map[string]struct {
		envelope []byte
		at       time.Time
		want     error
	}{
		"a key that is not listed":    {foreign(t, private, "mine", foreignType, "{}"), at, ledger.ErrUnknownKey},
		"another key by that name":    {foreign(t, other, "lab", foreignType, "{}"), at, ledger.ErrBadSignature},
		"before the key was valid":    {good, at.AddDate(0, -2, 0), ledger.ErrKeyWindow},
		"after the key was valid":     {good, at.AddDate(0, 2, 0), ledger.ErrKeyWindow},
		"signed as something else":    {foreign(t, private, "lab", "application/vnd.in-toto+json", "{}"), at, ledger.ErrUnreadable},
		"a type put in its place":     {[]byte(strings.Replace(string(foreign(t, private, "lab", "x", "{}")), `"x"`, `"`+foreignType+`"`, 1)), at, ledger.ErrBadSignature},
		"another payload":             {[]byte(strings.Replace(string(good), base64.StdEncoding.EncodeToString([]byte(`{"a":1}`)), base64.StdEncoding.EncodeToString([]byte(`{"a":2}`)), 1)), at, ledger.ErrBadSignature},
		"something behind it":         {append(append([]byte{}, good...), "{}"...), at, ledger.ErrUnreadable},
		"a field that nobody knows":   {[]byte(strings.Replace(string(good), `{"payload"`, `{"x":1,"payload"`, 1)), at, ledger.ErrUnreadable},
		"two signatures":              {[]byte(strings.Replace(string(good), `"signatures":[`, `"signatures":[{"keyid":"lab","sig":"AA=="},`, 1)), at, ledger.ErrUnreadable},
		"no envelope":                 {[]byte("{"), at, ledger.ErrUnreadable},
		"more than is read":           {make([]byte, ledger.MaxRecord+1), at, ledger.ErrTooLarge},
		"a payload that is no base64": {[]byte(strings.Replace(string(good), `"payload":"`, `"payload":"*`, 1)), at, ledger.ErrUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.OpenForeign(c.envelope, foreignType, keys, c.at)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// FuzzForeign: only what the key's owner signed opens, whatever is written.
func FuzzForeign(f *testing.F) {
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat("t", ed25519.SeedSize)))
	keys := []ledger.Key{{ID: "lab", Public: private.Public().(ed25519.PublicKey)}}
	good := foreign(f, private, "lab", foreignType, `{"a":1}`)
	f.Add(good)
	f.Add([]byte(`{"payloadType":"` + foreignType + `","payload":"","signatures":[{"keyid":"lab","sig":""}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		opened, err := ledger.OpenForeign(src, foreignType, keys, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
		if err == nil {
			assert.JSONEq(t, `{"a":1}`, string(opened.Payload))
		}
	})
}
