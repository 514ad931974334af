package workflows_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/deploy/workflows"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/policy"
)

func TestNamesAreTheFiles(t *testing.T) {
	entries, err := workflows.Files.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.ElementsMatch(t, names, workflows.Names)
}

var pinned = regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

// Nothing of a pull request runs with rights: no workflow starts by one, none
// has more than reading, no secret is named or handed on.
func TestWorkflowsAreGivenLittle(t *testing.T) {
	for _, name := range workflows.Names {
		text, w := read(t, name)
		for trigger := range w.On {
			assert.Contains(t, []string{"workflow_dispatch", "workflow_call"}, trigger, name)
		}
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, name)
		assert.NotContains(t, text, "secrets.", name)
		for line := range strings.Lines(text) {
			if _, used, is := strings.Cut(strings.TrimSpace(line), "uses: "); is && !strings.HasPrefix(used, "./") {
				assert.Regexp(t, pinned, used, name)
			}
		}
		for id, j := range w.Jobs {
			assert.Nil(t, j.Permissions, "%s %s", name, id)
			assert.Nil(t, j.Secrets, "%s %s", name, id)
			for _, s := range j.Steps {
				assert.NotContains(t, s.Run, "${{", "%s %s", name, s.Name)
			}
		}
	}
}

func TestWorkflowsFitTheServer(t *testing.T) {
	p := policy.Default()
	assert.Equal(t, workflows.Folder+"stage05_benchmark_smoke.yml", p.Workflows.Benchmark)
	assert.Equal(t, workflows.Folder+"pilot_finetune.yml", p.Workflows.Training)

	_, train := read(t, "pilot_finetune.yml")
	assert.Equal(t, []string{"pilot"}, inputs(train))
	assert.Equal(t, "digest-ru", judge.PilotOf(strings.ReplaceAll(train.RunName, "${{ inputs.pilot }}", "digest-ru")))
	assert.Equal(t, p.Environment, train.Jobs["train"].Environment)

	_, dry := read(t, "stage05_benchmark_smoke.yml")
	assert.Equal(t, []string{dossier.InputDataset, dossier.InputSHA256, dossier.InputHead, dossier.InputNonce, dossier.InputScenario}, inputs(dry))
	assert.True(t, strings.HasSuffix(dry.RunName, " ${{ inputs.dataset_sha256 }} ${{ inputs.head_sha }} ${{ inputs.nonce }}"), "the server finds its run by the title's words")

	_, evaluate := read(t, "pilot_evaluate.yml")
	assert.Equal(t, []string{"workflow_call"}, slices.Sorted(maps.Keys(evaluate.On)), "it cannot be started alone")
}

// inputs are those of a dispatch.
func inputs(w workflow) []string {
	dispatch, _ := w.On["workflow_dispatch"].(map[string]any)
	all, _ := dispatch["inputs"].(map[string]any)
	return slices.Sorted(maps.Keys(all))
}

// Both datasets are measured by the same text.
func TestDatasetsAreMeasuredAlike(t *testing.T) {
	measure := func(name, job string) string {
		_, w := read(t, name)
		for _, s := range w.Jobs[job].Steps {
			if s.Env["WHICH"] != "" {
				return s.Run
			}
		}
		return ""
	}
	assert.NotEmpty(t, measure("pilot_finetune.yml", "train"))
	assert.Equal(t, measure("pilot_finetune.yml", "train"), measure("pilot_evaluate.yml", "evaluate"))
}
