package ledger_test

import (
	"testing"

	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

// TestPayloadIsAnInTotoStatement reads payloads with the reference bindings. The
// bindings do not write them: their predicate is a tree of floats.
func TestPayloadIsAnInTotoStatement(t *testing.T) {
	for name, r := range map[string]ledger.Record{"signoff": signoff(1), "policy": policy()} {
		t.Run(name, func(t *testing.T) {
			var s intoto.Statement
			require.NoError(t, protojson.Unmarshal(payloadOf(t, r), &s))
			require.NoError(t, s.Validate())
			assert.Equal(t, intoto.StatementTypeUri, s.GetType())
			assert.Equal(t, "https://pilotgate.dev/predicate/"+name+"/v1", s.GetPredicateType())
			require.Len(t, s.GetSubject(), len(r.Subjects))
			assert.Equal(t, r.Subjects[0].SHA256, s.GetSubject()[0].GetDigest()["sha256"])
			assert.Equal(t, r.Subjects[0].URI, s.GetSubject()[0].GetUri())
		})
	}
}
