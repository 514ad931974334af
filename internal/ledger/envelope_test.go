package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

func TestOpen(t *testing.T) {
	s, key := testKey(t, "2026")
	_, other := testKey(t, "2027")
	impostor := other
	impostor.ID = key.ID
	until := func(k ledger.Key, until time.Time) ledger.Key { k.Until = until; return k }
	from := func(k ledger.Key, from time.Time) ledger.Key { k.From = from; return k }

	payload := []byte(`{"made":"up???>>>"}`)
	inBase64 := base64.StdEncoding.EncodeToString(payload)
	require.Contains(t, inBase64, "/")
	envelope, err := ledger.Sign(payload, s)
	require.NoError(t, err)
	text := string(envelope)
	require.NotEqual(t, text, urlSafe(text))
	sig := base64.StdEncoding.EncodeToString([]byte{1, 2, 3})

	cases := []struct {
		name     string
		envelope string
		keys     []ledger.Key
		want     error
	}{
		{"the key", text, []ledger.Key{key}, nil},
		{"the key among others", text, []ledger.Key{other, key}, nil},
		{"an id used for two keys", text, []ledger.Key{impostor, key}, nil},
		{"first moment of the window", text, []ledger.Key{from(key, start)}, nil},
		{"a second before the window", text, []ledger.Key{from(key, start.Add(time.Second))}, ledger.ErrKeyWindow},
		{"last second of the window", text, []ledger.Key{until(key, start.Add(time.Second))}, nil},
		{"the window's end", text, []ledger.Key{until(key, start)}, ledger.ErrKeyWindow},
		{"no keys", text, nil, ledger.ErrUnknownKey},
		{"another key", text, []ledger.Key{other}, ledger.ErrUnknownKey},
		{"another key under the same id", text, []ledger.Key{impostor}, ledger.ErrBadSignature},
		{"a retired and a wrong key under the id", text, []ledger.Key{until(key, start), impostor}, ledger.ErrBadSignature},
		{"a key that is none", text, []ledger.Key{{ID: key.ID, Public: key.Public[:31]}}, ledger.ErrBadSignature},
		{"a key without an id", strings.Replace(text, `"keyid": "2026"`, `"keyid": ""`, 1), []ledger.Key{{Public: key.Public}}, ledger.ErrUnknownKey},
		{"another payload", strings.Replace(text, inBase64, base64.StdEncoding.EncodeToString([]byte(`{"made":"Up"}`)), 1), []ledger.Key{key}, ledger.ErrBadSignature},
		{"another payload type", strings.Replace(text, "vnd.in-toto+json", "json", 1), []ledger.Key{key}, ledger.ErrUnreadable},
		{"a short signature", text[:strings.Index(text, `"sig": "`)+8] + sig + "\"\n    }\n  ]\n}\n", []ledger.Key{key}, ledger.ErrBadSignature},
		{"a signature that is not base64", text[:strings.Index(text, `"sig": "`)+8] + "?\"\n    }\n  ]\n}\n", []ledger.Key{key}, ledger.ErrUnreadable},
		{"the signature in URL base64", urlSafe(text), []ledger.Key{key}, ledger.ErrUnreadable},
		{"the payload in URL base64", strings.Replace(text, inBase64, strings.NewReplacer("+", "-", "/", "_").Replace(inBase64), 1), []ledger.Key{key}, ledger.ErrUnreadable},
		{"a payload that is not base64", strings.Replace(text, inBase64, "?", 1), []ledger.Key{key}, ledger.ErrUnreadable},
		{"no signature", `{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}`, []ledger.Key{key}, ledger.ErrUnreadable},
		{"two signatures", strings.Replace(text, `"signatures": [`, `"signatures": [{"keyid":"2026","sig":""},`, 1), []ledger.Key{key}, ledger.ErrUnreadable},
		{"another spacing", strings.Replace(text, "  ", "    ", 1), []ledger.Key{key}, ledger.ErrUnreadable},
		{"no line end", strings.TrimSuffix(text, "\n"), []ledger.Key{key}, ledger.ErrUnreadable},
		{"text after it", text + "{}", []ledger.Key{key}, ledger.ErrUnreadable},
		{"an unknown field", strings.Replace(text, "{", `{"a":1,`, 1), []ledger.Key{key}, ledger.ErrUnreadable},
		{"not JSON", "evidence", []ledger.Key{key}, ledger.ErrUnreadable},
		{"nothing", "", []ledger.Key{key}, ledger.ErrUnreadable},
	}
	_, err = ledger.Open([]byte("evidence"), []ledger.Key{key}, start)
	assert.ErrorContains(t, err, "invalid character 'e'", "it says why")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o, err := ledger.Open([]byte(c.envelope), c.keys, start)
			if c.want == nil {
				require.NoError(t, err)
				assert.Equal(t, ledger.Opened{Payload: payload, KeyID: "2026"}, o)
				return
			}
			assert.ErrorIs(t, err, c.want)
		})
	}
}

// urlSafe writes the signature of an envelope in base64's other alphabet.
func urlSafe(envelope string) string {
	i := strings.Index(envelope, `"sig": "`) + 8
	return envelope[:i] + strings.NewReplacer("+", "-", "/", "_").Replace(envelope[i:])
}

func TestEnvelopeAtTheCap(t *testing.T) {
	s, key := testKey(t, "2026")
	overhead, err := ledger.Sign(nil, s)
	require.NoError(t, err)
	most := (ledger.MaxRecord - len(overhead)) / 4 * 3
	for name, c := range map[string]struct {
		size int
		want error
	}{"at it": {most, nil}, "over it": {most + 3, ledger.ErrTooLarge}} {
		t.Run(name, func(t *testing.T) {
			envelope, err := ledger.Sign(bytes.Repeat([]byte("x"), c.size), s)
			require.NoError(t, err)
			_, err = ledger.Open(envelope, []ledger.Key{key}, start)
			assert.ErrorIs(t, err, c.want)
		})
	}
}

// TestSignatureIsDSSE checks the signature against the encoding as the DSSE
// protocol words it, written out here.
func TestSignatureIsDSSE(t *testing.T) {
	s, key := testKey(t, "2026")
	envelope, err := ledger.Sign([]byte(`{"a":1}`), s)
	require.NoError(t, err)
	var e struct {
		Payload    string
		Signatures []struct{ Sig []byte }
	}
	require.NoError(t, json.Unmarshal(envelope, &e))
	require.Len(t, e.Signatures, 1)
	assert.True(t, ed25519.Verify(key.Public, []byte(`DSSEv1 28 application/vnd.in-toto+json 7 {"a":1}`), e.Signatures[0].Sig))
}

func TestSignerNeverPrintsItsKey(t *testing.T) {
	seed := bytes.Repeat([]byte{0xA5}, ed25519.SeedSize)
	s, err := ledger.NewSigner("2026", ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	assert.Equal(t, "2026", s.ID())
	asJSON, err := json.Marshal(s) //nolint:staticcheck // that nothing comes out is the point
	require.NoError(t, err)
	assert.Equal(t, "signing key 2026", fmt.Sprint(s))
	held := struct{ S ledger.Signer }{s}
	for _, printed := range []string{
		fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%x", s), fmt.Sprintf("%q", s),
		fmt.Sprintf("%+v", held), fmt.Sprintf("%#v", held), fmt.Sprintf("%d", &held), string(asJSON),
	} {
		lower := strings.ToLower(printed)
		assert.NotContains(t, lower, hex.EncodeToString(seed[:4]))
		assert.NotContains(t, lower, "165 165")
		assert.NotContains(t, lower, "0xa5")
		assert.NotContains(t, printed, string(seed[:4]))
	}
}

func TestSignRefusesNoKey(t *testing.T) {
	_, err := ledger.Sign([]byte("{}"), ledger.Signer{})
	assert.Error(t, err)
	_, err = ledger.NewSigner("", make(ed25519.PrivateKey, ed25519.PrivateKeySize))
	assert.Error(t, err)
	_, err = ledger.NewSigner("2026", make(ed25519.PrivateKey, ed25519.SeedSize))
	assert.Error(t, err)
}
