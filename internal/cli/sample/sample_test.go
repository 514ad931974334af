package sample_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/registry"
)

func TestSameStoryGivesTheSameBytes(t *testing.T) {
	s := sample.Story{Records: 50, Evaluation: 10}
	assert.Equal(t, s.Pilot(), s.Pilot())
	assert.Equal(t, s.Repository(), s.Repository())
	assert.NotEqual(t, s.Pilot(), sample.Story{Records: 51, Evaluation: 10}.Pilot())
}

func TestRepositoryCanBeRead(t *testing.T) {
	for name, s := range map[string]sample.Story{
		"teams":  {},
		"logins": {LoginsOnly: true, Profile: "full"},
		"signed": {SigningKey: sample.SigningKey{ID: "2026", Ed25519: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", From: "2025-01-01"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := s.Repository()
			p, findings := policy.Parse(policy.Path, files[policy.Path])
			assert.Empty(t, findings)
			roles, findings := policy.ParseRoles(policy.RolesPath, files[policy.RolesPath])
			assert.Empty(t, findings)
			for _, role := range roles.Required() {
				assert.NotEmpty(t, roles.Owners(role, sample.Plan), role)
			}
			assert.Empty(t, registry.Parse(p.Paths.Registry, files[p.Paths.Registry]).Problems)
			assert.Empty(t, registry.ParsePointer(p.Paths.Pointer, files[p.Paths.Pointer]).Problems)
		})
	}
}

func TestPilotStatesWhatItsDatasetIs(t *testing.T) {
	files := sample.Story{}.Pilot()
	facts, err := dataset.Scan(bytes.NewReader(files[sample.Dataset]), dataset.Options{NearDuplicates: true})
	require.NoError(t, err)
	for _, f := range facts.Findings {
		assert.Equal(t, finding.Note, f.Severity, "%s %s in record %d", f.Rule, f.Case, f.At.Line)
	}
	assert.Equal(t, 3000, facts.Records)
	p := plan.Parse(sample.Plan, files[sample.Plan])
	assert.Empty(t, p.Problems)
	sum, ok := p.Get(plan.DatasetSHA256)
	require.True(t, ok)
	assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256(files[sample.Dataset])), sum.Text)
	require.Len(t, p.Metrics, 5)
	for i, row := range p.Metrics {
		value := facts.Metrics[i].Mean
		if row.Metric == benchmark.Latency {
			value = facts.Metrics[i].P95
		}
		d, err := plan.Value{Text: value}.Decimal()
		require.NoError(t, err)
		assert.True(t, benchmark.AgreesAsPrinted(row.Value.Text, d), "%s: %s printed, %s is", row.Metric, row.Value.Text, value)
	}
}

func TestEachDefectChangesSomething(t *testing.T) {
	s := sample.Story{Records: 60, Evaluation: 12}
	clean := s.Pilot()
	for _, d := range sample.Defects() {
		t.Run(string(d), func(t *testing.T) {
			assert.NotEqual(t, clean, s.Pilot(d))
		})
	}
}
