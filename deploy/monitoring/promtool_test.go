//go:build real

package monitoring

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPromtoolAcceptsTheRules(t *testing.T) {
	out, err := exec.Command("promtool", "check", "rules", "pilotgate.rules.yml").CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestAmtoolAcceptsTheExample(t *testing.T) {
	out, err := exec.Command("amtool", "check-config", "alertmanager.example.yml").CombinedOutput()
	require.NoError(t, err, string(out))
}
