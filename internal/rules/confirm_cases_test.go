package rules_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// confirm shows the runs of the benchmark workflow, each "ran: CONCLUSION" and
// then pairs of words:
//
//	by LOGIN        who started it; without it, our App
//	on BRANCH       instead of the default branch
//	event NAME      instead of workflow_dispatch
//	title WORD      the nonce in its title
//	better 0.02     by how much its scores are better than the dataset's
//	result none | broken | other | foreign | expired
//	hours N         how long ago it was started; 1
//
// "ran: claimed hours N" is a start of which no run is seen, "ran: running" a run
// that has not ended.
func (c *testCase) confirm(t *testing.T, p *facts.PullRequest, ran []string) dossier.Dossier {
	t.Helper()
	p.App = facts.App{ID: 9, Login: "pilotgate[bot]"}
	p.Claims, p.Workflows = map[string]facts.Claim{}, map[string]facts.Workflow{}
	p.Artifacts, p.Contents = map[string]facts.Artifacts{}, map[string]facts.Artifact{}
	d, _ := dossier.Open(p)
	at := dossier.ConfirmationOf(&d)
	p.Claims[at.Ref] = facts.Claim{Absent: true}
	var runs []facts.Run
	for i, line := range ran {
		conclusion, rest, _ := strings.Cut(line, " ")
		said := map[string]string{"hours": "1", "better": "0", "title": at.Nonce, "on": "main", "event": "workflow_dispatch"}
		for words := strings.Fields(rest); len(words) > 1; words = words[2:] {
			said[words[0]] = words[1]
		}
		hours, err := strconv.Atoi(said["hours"])
		require.NoError(t, err)
		started := p.Now.Add(-time.Duration(hours) * time.Hour)
		if conclusion == "claimed" {
			p.Claims[at.Ref] = facts.Claim{OID: baseID, Message: "{}", At: started}
			continue
		}
		r := facts.Run{
			ID: int64(900 + i), Attempt: 1, Event: said["event"], Path: at.Workflow, HeadOID: baseID, HeadBranch: said["on"], HeadRepo: 7,
			Status: "completed", Conclusion: conclusion, Title: "dry run " + said["title"], CreatedAt: started, UpdatedAt: started.Add(time.Minute),
			Actor: facts.Account{ID: 10, Login: p.App.Login, Type: "Bot"},
		}
		if by := said["by"]; by != "" {
			r.Actor = facts.Account{ID: 11, Login: by, Type: "User"}
		}
		if conclusion == "running" {
			r.Status, r.Conclusion = "in_progress", ""
		}
		runs = append(runs, r)
		c.left(t, p, r, said)
	}
	p.Workflows[facts.Need{Kind: facts.NeedRuns, Path: at.Workflow, Title: at.Nonce}.Key()] = facts.Workflow{Runs: runs}
	d, needs := dossier.Open(p)
	require.Empty(t, needs)
	require.Empty(t, d.Request.Confirmation.Needs)
	return d
}

// left is what a run left behind.
func (c *testCase) left(t *testing.T, p *facts.PullRequest, r facts.Run, said map[string]string) {
	t.Helper()
	key := strconv.FormatInt(r.ID, 10)
	better, err := strconv.ParseFloat(said["better"], 64)
	require.NoError(t, err)
	raw, err := sample.Measured(c.head[sample.Dataset], sample.Baseline, better)
	require.NoError(t, err)
	info := facts.ArtifactInfo{ID: r.ID, Name: dossier.BenchmarkArtifact, CreatedAt: r.UpdatedAt, HeadOID: r.HeadOID, HeadRepo: r.HeadRepo}
	switch said["result"] {
	case "none":
		raw = []byte("Traceback (most recent call last):\n")
	case "broken":
		raw = bytes.Replace(raw, []byte(`"value":0.`), []byte(`"value":0.0`), 1)
	case "other":
		raw = bytes.Replace(raw, []byte(sample.Scenario), []byte("review_summary_ru"), 1)
	case "foreign":
		info.HeadOID = headID
	case "expired":
		info.Expired = true
	case "absent":
		p.Artifacts[key] = facts.Artifacts{}
		return
	}
	p.Artifacts[key] = facts.Artifacts{List: []facts.ArtifactInfo{info}}
	p.Contents[key] = facts.Artifact{SHA256: strings.Repeat("ab", 32), Files: map[string][]byte{dossier.BenchmarkFile: raw}}
}
