package ledger

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

const payloadType = "application/vnd.in-toto+json"

// Key is a public key of the policy, and when records may be signed with it.
type Key struct {
	ID     string
	Public ed25519.PublicKey
	From   time.Time // inclusive; zero: always was
	Until  time.Time // exclusive; zero: still is
}

func (k Key) validAt(t time.Time) bool {
	return !t.Before(k.From) && (k.Until.IsZero() || t.Before(k.Until))
}

// Signer holds the server's private key. It prints as its id alone.
type Signer struct {
	id      string
	private ed25519.PrivateKey
}

// NewSigner takes the private key to the public one that the policy lists as id.
func NewSigner(id string, private ed25519.PrivateKey) (Signer, error) {
	if id == "" || Clean(id) != id {
		return Signer{}, errors.New("signing key: id is empty or not one line")
	}
	if len(private) != ed25519.PrivateKeySize {
		return Signer{}, errors.New("signing key: not an Ed25519 private key")
	}
	return Signer{id: id, private: private}, nil
}

// ID is the key's id in the policy.
func (s Signer) ID() string { return s.id }

// Format writes the id for every verb: %+v and %x of a struct that holds a Signer
// would print the key otherwise.
func (s Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "signing key "+s.id) }

// ed25519Signer and ed25519Verifier fit our keys to the library, which does the
// pre-authentication encoding.
type ed25519Signer struct{ Signer }

func (s ed25519Signer) KeyID() (string, error) { return s.id, nil }

func (s ed25519Signer) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(s.private, message), nil
}

type ed25519Verifier struct{ Key }

func (v ed25519Verifier) KeyID() (string, error)   { return v.ID, nil }
func (v ed25519Verifier) Public() crypto.PublicKey { return v.Key.Public }

func (v ed25519Verifier) Verify(_ context.Context, message, sig []byte) error {
	if len(v.Key.Public) != ed25519.PublicKeySize || !ed25519.Verify(v.Key.Public, message, sig) {
		return errors.New("signature does not verify")
	}
	return nil
}

// Sign puts a payload into a DSSE envelope: the bytes of an evidence file. Ed25519
// is deterministic, so the same payload and key give the same bytes.
func Sign(payload []byte, s Signer) ([]byte, error) {
	if len(s.private) != ed25519.PrivateKeySize {
		return nil, errors.New("sign record: no key")
	}
	signer, err := dsse.NewEnvelopeSigner(ed25519Signer{s})
	if err != nil {
		return nil, fmt.Errorf("sign record: %w", err)
	}
	e, err := signer.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign record: %w", err)
	}
	return encode(*e)
}

// encode writes an envelope in its one accepted form.
func encode(e dsse.Envelope) ([]byte, error) {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write envelope: %w", err)
	}
	return append(b, '\n'), nil
}

// The ways an envelope fails. Open wraps exactly one of them.
var (
	ErrTooLarge     = errors.New("larger than an evidence file may be")
	ErrUnreadable   = errors.New("not one of our envelopes")
	ErrUnknownKey   = errors.New("signed with a key that the policy does not list")
	ErrKeyWindow    = errors.New("signed with a key that was not valid then")
	ErrBadSignature = errors.New("signature does not verify")
)

// Opened is an envelope's content. KeyID and Payload are what the envelope says
// even when Open fails after it could be read; then they prove nothing.
type Opened struct {
	Payload []byte
	KeyID   string
}

// Open reads an envelope and verifies its one signature with a key that has the
// named id and was valid at. Bytes other than Sign would have written are refused,
// so a file cannot change without a trace even where no signature covers it.
func Open(envelope []byte, keys []Key, at time.Time) (Opened, error) {
	o, e, err := decode(envelope)
	if err != nil {
		return o, err
	}
	return o, verify(e, keys, at)
}

func decode(envelope []byte) (Opened, dsse.Envelope, error) {
	var e dsse.Envelope
	if len(envelope) > MaxRecord {
		return Opened{}, e, ErrTooLarge
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		return Opened{}, e, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if e.PayloadType != payloadType || len(e.Signatures) != 1 {
		return Opened{}, e, ErrUnreadable
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(e.Payload)
	if err != nil {
		return Opened{}, e, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(e.Signatures[0].Sig); err != nil {
		return Opened{}, e, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	again, err := encode(e)
	if err != nil || !bytes.Equal(again, envelope) {
		return Opened{}, e, ErrUnreadable
	}
	return Opened{Payload: payload, KeyID: e.Signatures[0].KeyID}, e, nil
}

func verify(e dsse.Envelope, keys []Key, at time.Time) error {
	failure := ErrUnknownKey
	for _, k := range keys {
		if k.ID == "" || k.ID != e.Signatures[0].KeyID {
			continue
		}
		if !k.validAt(at) {
			if errors.Is(failure, ErrUnknownKey) {
				failure = ErrKeyWindow
			}
			continue
		}
		v, err := dsse.NewEnvelopeVerifier(ed25519Verifier{k})
		if err != nil {
			return fmt.Errorf("verify envelope: %w", err)
		}
		if _, err := v.Verify(context.Background(), &e); err == nil {
			return nil
		}
		failure = ErrBadSignature
	}
	return failure
}
