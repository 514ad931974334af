//go:build real

package threats

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each condition is left out of the program, one at a time, and the named threat
// then succeeds. A threat that fails in any case would prove nothing: the same
// tests pass with the whole table, in every run of this package.
func TestAConditionLeftOutLetsItsThreatThrough(t *testing.T) {
	source, rows := conditionRows(t)
	original, err := filepath.Abs(filepath.FromSlash(conditionsFile))
	require.NoError(t, err)
	for _, r := range rows {
		t.Run("without condition "+strconv.Itoa(r.number), func(t *testing.T) {
			dir := t.TempDir()
			without := filepath.Join(dir, "conditions.go")
			require.NoError(t, os.WriteFile(without, slices.Concat(source[:r.from], source[r.to:]), 0o600))
			overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: without}})
			require.NoError(t, err)
			file := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(file, overlay, 0o600))
			var pattern []string
			for part := range strings.SplitSeq("TestThreats/"+underscored(noticed[r.number]), "/") {
				pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
			}
			cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-overlay", file, "-run", strings.Join(pattern, "/"), ".")
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "nothing noticed:\n%s", out)
			assert.Contains(t, string(out), "--- FAIL: TestThreats/"+underscored(noticed[r.number])+" ", "%s", out)
		})
	}
}

// underscored is a test's name as go test prints it.
func underscored(name string) string { return strings.ReplaceAll(name, " ", "_") }
