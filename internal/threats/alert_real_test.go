//go:build real

package threats

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/server/watchtower"
	"github.com/pilotgate/pilotgate/internal/webhook/alert"
)

// merged is when the server's request from a branch that begins so was merged.
func (s *stage) merged(prefix string) time.Time {
	s.t.Helper()
	return s.one(prefix).View().MergedAt
}

// A metric of the released model drops below its band: a real Prometheus fires
// by the rules that we write, a real Alertmanager posts, and at GitHub the
// incident is opened with the way back.
func TestAMetricBelowItsBandOpensTheIncident(t *testing.T) {
	s := open(t)
	s.released()
	// The stand-in's clock runs ahead by a second for each thing that happens.
	released := s.merged("pointer/")
	require.Eventually(t, func() bool { return time.Now().After(released) }, 5*time.Minute, 100*time.Millisecond)

	tower := watchtower.New(t, watchtower.Watched{
		Server: strings.TrimSuffix(s.Alerts(), alert.Path), Repository: s.Repo.FullName(), Token: s.AlertToken, Pilot: sample.Pilot,
	})
	tower.Sees(`scenario_dataset_metric:benchmark_metric_value:deployed{metric="coverage"}`, "0.95")
	assert.Empty(t, s.openIssues())
	tower.Measure("0.79")
	require.Eventually(t, func() bool { return len(s.openIssues()) > 0 && len(s.ours("rollback/")) > 0 }, 2*time.Minute, 100*time.Millisecond)
	s.settle()
	issue := s.openIssues()
	require.Len(t, issue, 1)
	assert.Contains(t, issue[0].Body, "PilotMetricOutOfBand")
	assert.Contains(t, issue[0].Body, "coverage")
	s.one("rollback/")
}
