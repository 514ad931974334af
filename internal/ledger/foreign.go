package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// OpenForeign reads a DSSE envelope that somebody else wrote, in any form of its
// JSON, and verifies its one signature over a payload of this type with a key
// that has the named id and was valid at. The type is signed with the payload, so
// that what was signed for another purpose does not verify. Its errors are Open's.
func OpenForeign(envelope []byte, payloadType string, keys []Key, at time.Time) (Opened, error) {
	var e dsse.Envelope
	if len(envelope) > MaxRecord {
		return Opened{}, ErrTooLarge
	}
	d := json.NewDecoder(bytes.NewReader(envelope))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Opened{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Opened{}, ErrUnreadable
	}
	if e.PayloadType != payloadType || len(e.Signatures) != 1 {
		return Opened{}, ErrUnreadable
	}
	payload, err := e.DecodeB64Payload()
	if err != nil {
		return Opened{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return Opened{Payload: payload, KeyID: e.Signatures[0].KeyID}, verify(e, keys, at)
}
