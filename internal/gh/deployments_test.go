package gh_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
)

const environment = "production-channel_digest_ru"

func (w *world) deployed(c *facts.Common) []facts.Deployment {
	w.t.Helper()
	delete(c.Deployments, environment)
	need := facts.Need{Kind: facts.NeedDeployed, Environment: environment}
	w.fill(c, need)
	return c.Deployments[environment]
}

func (w *world) deploy(c *facts.Common, e effect.Effect) {
	w.t.Helper()
	require.NoError(w.t, w.client.Apply(ctx, w.subject(facts.KindPilot, "p"), c.Repository, []effect.Effect{e}, noGuard))
}

func TestDeployments(t *testing.T) {
	w := newWorld(t)
	app, err := w.client.App(ctx)
	require.NoError(t, err)
	c := w.common()
	c.App = app
	assert.Empty(t, w.deployed(c), "nowhere deployed yet")

	first := effect.Deployment{
		Environment: environment, Commit: w.repo.Head("main"), Description: "a@1, v1.0.0",
		Deployed: facts.Deployed{Scenario: "channel_digest_ru", Model: "a@1", Digest: "sha256:aa", Pilot: "p", Tag: "v1.0.0"},
	}
	second := first
	second.Deployed.Model, second.Deployed.Digest = "b@2", "sha256:bb"
	w.deploy(c, first)
	w.deploy(c, second)
	got := w.deployed(c)
	require.Len(t, got, 2)
	assert.Equal(t, second.Deployed, got[0].Deployed, "the newest first, as it was told")
	assert.Equal(t, first.Deployed, got[1].Deployed)
	assert.Equal(t, "success", got[0].State)
	assert.Equal(t, first.Commit, got[0].Commit)
	views := w.repo.Deployments()
	assert.Equal(t, []string{"success", "inactive"}, views[0].States, "the earlier one ended")
	assert.Equal(t, []string{"success"}, views[1].States)

	// A crash between deployment and status leaves one without a status, which
	// the next look ends instead of making another.
	second.ID = got[0].ID
	w.deploy(c, second)
	assert.Len(t, w.deployed(c), 2)
}

func TestReleasesAndTags(t *testing.T) {
	w := newWorld(t)
	c := w.common()
	w.repo.Tag("boris", "v1.4.1", w.repo.Head("main"), "")
	w.repo.Release("boris", "v1.5.0", true)
	w.fill(c, facts.Need{Kind: facts.NeedTags},
		facts.Need{Kind: facts.NeedRelease, Tag: "v1.5.0"}, facts.Need{Kind: facts.NeedRelease, Tag: "v1.4.1"}, facts.Need{Kind: facts.NeedRelease, Tag: "../latest"})
	assert.Equal(t, []string{"v1.5.0", "v1.4.1"}, c.TagNames)
	assert.True(t, c.Releases["v1.5.0"].Prerelease)
	assert.NotEmpty(t, c.Releases["v1.5.0"].URL)
	assert.True(t, c.Releases["v1.4.1"].Absent, "a tag without a release")
	assert.True(t, c.Releases["../latest"].Absent)
}
