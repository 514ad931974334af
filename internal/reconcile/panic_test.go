package reconcile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// A document that makes the core panic gets a red check, and its value, which
// the panic may hold, gets nowhere.
func TestAPanicOfTheCoreIsRed(t *testing.T) {
	_, _, err := safely(func() (int, int, error) { panic("+7 900 000-00-00") })
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "900")
	class, _ := queue.Classify(err)
	require.Equal(t, queue.ClassOurs, class)

	p := &facts.PullRequest{Number: 1, Open: true, Head: facts.Head{OID: "h"}, Base: facts.Base{Ref: "main"}}
	effects := (&Loop{}).pullRequests().unable(p, err)
	require.Len(t, effects, 1)
	run, ok := effects[0].(effect.Run)
	require.True(t, ok)
	assert.Equal(t, judge.Approvals, run.Name)
	assert.Equal(t, string(judge.Failure), run.Conclusion)
	assert.NotContains(t, run.Title+run.Summary, "900")
}
