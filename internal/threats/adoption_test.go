package threats

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestASignedOffPilotStaysAsItIs(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.signedOff()
	assert.Len(t, s.ours("report/"), 1)
	s.writesNothingMore()
}
