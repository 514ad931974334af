package workflows_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

const (
	pilot    = "digest-ru"
	training = "datasets/train/data.jsonl"
	held     = "datasets/eval/data.jsonl"
	trained  = `import argparse, json, os, pathlib, sys
p = argparse.ArgumentParser()
for name in "--parameters", "--data", "--out":
    p.add_argument(name, required=True, type=pathlib.Path)
a = p.parse_args()
launch = json.loads(a.parameters.read_text())
print("trained with seed", launch["seed"], "on", a.data.read_text().strip())
`
	stored = `(a.out / "model.json").write_text(json.dumps({"name": "qwen-7b-digest-ru", "version": "2.0", "digest": "sha256:" + "c" * 64}))
`
	measured = `import argparse, json
p = argparse.ArgumentParser()
for name in "--scenario", "--dataset", "--model", "--prompt-version":
    p.add_argument(name, required=True)
a = p.parse_args()
sample = json.loads(open(a.dataset).read())["sample_id"]
name, _, version = a.model.partition("@")
scores = [{"name": "coverage", "value": 0.9, "outcome": "pass"}]
print(json.dumps({
    "scenario_id": a.scenario, "dataset_id": "eval", "overall": "pass", "metrics": scores,
    "samples": [{"sample_id": sample, "metrics": scores, "verdict": "pass", "notes": []}],
    "metadata": {"duration_seconds": 1, "model_name": name, "model_digest": version if ":" in version else "sha256:" + "b" * 64,
                 "judge_model": "judge-large", "judge_prompt_version": "judge_v2", "prompt_version": a.prompt_version},
}))
`
)

// team is a repository with a pilot that was signed off, on the branch main.
type team struct {
	t      *testing.T
	dir    string
	ledger ledger.Ledger
}

func newTeam(t *testing.T, finetune, runner string) *team {
	t.Helper()
	w := &team{t: t, dir: t.TempDir()}
	w.ledger = ledger.Ledger{RepositoryID: 7, LogPath: sample.Signoff, Log: sample.Story{}.Repository()[sample.Signoff], Evidence: "docs/specs/epic_05/evidence/{pilot}/", Records: map[string][]byte{}}
	command(t, w.dir, "git", "init", "-q", "-b", "main")
	w.commit(map[string]string{
		"scripts/training/finetune.py": finetune, "scripts/benchmark/run_benchmark.py": runner, "configs/pilot.yaml": "lr: 1\n",
		training: `{"sample_id": "t1"}` + "\n", held: `{"sample_id": "e1"}` + "\n",
	})
	return w
}

// commit says the new commit's id.
func (w *team) commit(files map[string]string) string {
	w.t.Helper()
	for p, text := range files {
		full := filepath.Join(w.dir, filepath.FromSlash(p))
		require.NoError(w.t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(w.t, os.WriteFile(full, []byte(text), 0o644))
	}
	command(w.t, w.dir, "git", "add", "-A")
	command(w.t, w.dir, "git", "-c", "user.name=Irina", "-c", "user.email=irina@example.org", "commit", "-q", "-m", "change")
	return command(w.t, w.dir, "git", "rev-parse", "HEAD")
}

func (w *team) dataset(path string) ledger.Dataset {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, path))
	require.NoError(w.t, err)
	return ledger.Dataset{Location: path, SHA256: hexOf(string(b)), Bytes: int64(len(b))}
}

// signOff puts a sign-off of the commit on record, as the server writes it.
func (w *team) signOff(digest, commit string, at time.Time, change ...func(*ledger.Launch)) {
	w.t.Helper()
	evaluation := w.dataset(held)
	l := &ledger.Launch{
		Scenario: sample.Scenario, BaselineModel: "qwen-7b@1.0", TargetModel: "qwen-7b-digest-ru", PromptVersion: "digest_v3",
		Hyperparameters: map[string]string{"epochs": "3"}, Seed: int64(at.Minute()), GitCommit: commit, ConfigPath: "configs/pilot.yaml",
		Dataset: w.dataset(training), Evaluation: &evaluation,
	}
	for _, c := range change {
		c(l)
	}
	signer, key := sample.ServerKey()
	public, err := base64.StdEncoding.DecodeString(key.Ed25519)
	require.NoError(w.t, err)
	row := func(login, role string, review int64) ledger.Row {
		return ledger.Row{Date: at, Stakeholder: login, Role: role, Decision: ledger.Approved, Notes: ledger.Notes{Review: review}}
	}
	approval := func(login, role string, user, review int64) ledger.Approval {
		return ledger.Approval{Login: login, UserID: user, Role: role, ReviewID: review, SubmittedAt: at, CommitID: commit}
	}
	added, err := ledger.Append(w.ledger, ledger.Record{
		Kind: ledger.KindSignoff, Subjects: []ledger.Subject{{Name: "plan", URI: sample.Plan, SHA256: digest}},
		Predicate: ledger.Predicate{
			Repository: ledger.Repository{ID: 7, Name: "acme/digest-pilots"}, Pilot: pilot, PullRequest: 42, PlanPath: sample.Plan,
			Digest: "sha256:" + digest, BaseRef: "main", HeadCommit: commit, MergeCommit: commit,
			Approvals: []ledger.Approval{approval(sample.MLLead, "ML Lead", 2, 2211), approval(sample.Operations, "Operations Owner", 3, 2212)},
			Rows:      []ledger.Row{row(sample.MLLead, "ML Lead", 2211), row(sample.Operations, "Operations Owner", 2212)},
			Launch:    l, CreatedAt: at,
		},
	}, signer, []ledger.Key{{ID: key.ID, Public: ed25519.PublicKey(public), From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}})
	require.NoError(w.t, err)
	w.ledger.Log, w.ledger.Records[added.RecordPath] = added.Log, added.Record
	w.commit(map[string]string{added.RecordPath: string(added.Record)})
}

func hexOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (w *team) head() string { return command(w.t, w.dir, "git", "rev-parse", "HEAD") }

var (
	first  = time.Date(2025, 11, 21, 9, 12, 0, 0, time.UTC)
	second = time.Date(2025, 12, 2, 10, 41, 0, 0, time.UTC)
	low    = strings.Repeat("1", 64)
	high   = strings.Repeat("e", 64)
)

func TestALaunchLeavesWhatIsAccepted(t *testing.T) {
	w := newTeam(t, trained+stored, measured)
	commit := w.head()
	w.signOff(low, commit, first)
	w.commit(map[string]string{"scripts/training/finetune.py": "raise SystemExit('not the code that was signed off')\n"})
	m := newMachine(t, w.dir, pilot)
	require.True(t, m.launch(), m.log)
	assert.Contains(t, m.log, `trained with seed 12 on {"sample_id": "t1"}`)

	files := m.artifacts[judge.ResultArtifact]
	require.Len(t, files, 3)
	got, ok := rules.ParseManifest([]byte(files["manifest.json"]))
	require.True(t, ok, files["manifest.json"])
	assert.Equal(t, pilot, got.Pilot)
	assert.Equal(t, "sha256:"+low, got.Signoff)
	assert.Equal(t, w.dataset(training).SHA256, got.Dataset.SHA256)
	assert.Equal(t, "qwen-7b-digest-ru", got.Model.Name)
	assert.Equal(t, "2.0", got.Model.Version)
	assert.Equal(t, "sha256:"+strings.Repeat("c", 64), got.Model.Digest)
	assert.Equal(t, hexOf("lr: 1\n"), got.Config.SHA256)
	assert.Equal(t, commit, got.GitCommit)
	assert.Empty(t, got.InfrastructureError)
	started, err := time.Parse(time.RFC3339, got.StartedAt)
	require.NoError(t, err)
	ended, err := time.Parse(time.RFC3339, got.EndedAt)
	require.NoError(t, err)
	assert.False(t, ended.Before(started))

	for side, want := range map[string][2]string{
		"baseline":  {"qwen-7b", "sha256:" + strings.Repeat("b", 64)},
		"candidate": {"qwen-7b-digest-ru", got.Model.Digest},
	} {
		r, fs := benchmark.ParseResult([]byte(files[side+".json"]))
		assert.Zero(t, finding.Count(fs, finding.Error), side)
		assert.Equal(t, sample.Scenario, r.Scenario, side)
		assert.Equal(t, want, [2]string{r.Model, r.Digest}, side)
		assert.Equal(t, []string{"judge-large", "judge_v2", "digest_v3"}, []string{r.JudgeModel, r.JudgePrompt, r.Prompt}, side)
		assert.Equal(t, "e1", r.Samples[0].ID, side)
	}
}

// After a renewal the newest counts, whatever its file is called.
func TestTheNewestSignOffIsTaken(t *testing.T) {
	for _, digests := range [][2]string{{low, high}, {high, low}} {
		w := newTeam(t, "raise SystemExit('the code of the first sign-off')\n", measured)
		w.signOff(digests[0], w.head(), first)
		commit := w.commit(map[string]string{"scripts/training/finetune.py": trained + stored})
		w.signOff(digests[1], commit, second)
		m := newMachine(t, w.dir, pilot)
		require.True(t, m.launch(), m.log)
		assert.Contains(t, m.log, "trained with seed 41")
		got, ok := rules.ParseManifest([]byte(m.artifacts[judge.ResultArtifact]["manifest.json"]))
		require.True(t, ok)
		assert.Equal(t, "sha256:"+digests[1], got.Signoff)
		assert.Equal(t, commit, got.GitCommit)
	}
}

// What stops before the training trains nothing and leaves no result.
func TestALaunchStopsBeforeTheTraining(t *testing.T) {
	for _, c := range []struct {
		name, says string
		change     func(w *team, m *machine)
	}{
		{"another dataset", "was signed off", func(w *team, _ *machine) { w.commit(map[string]string{training: "other\n"}) }},
		{"no dataset", "is not a file of this repository", func(w *team, _ *machine) {
			require.NoError(t, os.Remove(filepath.Join(w.dir, training)))
			w.commit(nil)
		}},
		{"no id", "not a pilot's id", func(_ *team, m *machine) { m.inputs["pilot"] = "../" + pilot }},
		{"a command", "not a pilot's id", func(_ *team, m *machine) { m.inputs["pilot"] = "$(touch here)" }},
		{"not signed off", "has no sign-off", func(_ *team, m *machine) { m.inputs["pilot"] = "other" }},
		{"another branch", "on the default branch", func(_ *team, m *machine) { m.ref = "refs/heads/topic" }},
		{"another pilot's record", "is no sign-off of other", func(w *team, m *machine) {
			m.inputs["pilot"] = "other"
			for _, b := range w.ledger.Records {
				w.commit(map[string]string{"docs/specs/epic_05/evidence/other/signoff-" + low + ".json": string(b)})
			}
		}},
		{"nothing to evaluate on", "could not be evaluated", func(w *team, _ *machine) {
			w.signOff(high, w.head(), second, func(l *ledger.Launch) { l.Evaluation = nil })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTeam(t, trained+stored, measured)
			w.signOff(low, w.head(), first)
			m := newMachine(t, w.dir, pilot)
			c.change(w, m)
			assert.False(t, m.launch())
			assert.Contains(t, m.log, "stopped: ")
			assert.Contains(t, m.log, c.says)
			assert.NotContains(t, m.log, "trained with")
			assert.Empty(t, m.artifacts)
		})
	}
}

func TestAFailedTrainingSaysWhoseFaultItWas(t *testing.T) {
	for _, c := range []struct {
		name, script string
		machines     bool
	}{
		{"the training", trained + "sys.exit(1)\n", false},
		{"the machines", trained + "sys.exit(75)\n", true},
		{"no model", trained, false},
		{"a model without digest", trained + strings.Replace(stored, `"c" * 64`, `"c"`, 1), false},
		{"a model that is no object", trained + `(a.out / "model.json").write_text("[]")` + "\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTeam(t, c.script, measured)
			w.signOff(low, w.head(), first)
			m := newMachine(t, w.dir, pilot)
			assert.False(t, m.launch())
			assert.NotContains(t, m.artifacts, "pilot-candidate")
			got, ok := rules.ParseManifest([]byte(m.artifacts[judge.ResultArtifact]["manifest.json"]))
			require.True(t, ok, m.log)
			assert.Equal(t, c.machines, got.InfrastructureError != "")
			assert.Empty(t, got.Model.Digest)
		})
	}
}

// No result is an error of the machines and not one of the model.
func TestAnEvaluationThatMeasuredNothingLeavesNoResult(t *testing.T) {
	for _, c := range []struct {
		name, runner, says string
		change             func(w *team)
	}{
		{"another dataset", measured, "was signed off", func(w *team) { w.commit(map[string]string{held: "other\n"}) }},
		{"exit code", measured + "raise SystemExit(1)\n", "ended with exit code 1", nil},
		{"usage", "raise SystemExit(2)\n", "printed no result", nil},
		{"no judge", strings.Replace(measured, `"judge_model": "judge-large", `, "", 1), "lacks metadata: judge_model", nil},
		{"another scenario", strings.Replace(measured, `"scenario_id": a.scenario`, `"scenario_id": "other"`, 1), "of another scenario", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTeam(t, trained+stored, c.runner)
			w.signOff(low, w.head(), first)
			if c.change != nil {
				c.change(w)
			}
			m := newMachine(t, w.dir, pilot)
			assert.False(t, m.launch())
			assert.Contains(t, m.log, c.says)
			assert.NotContains(t, m.artifacts, judge.ResultArtifact)
		})
	}
}

// Failing its bands (2) or warning (3) is a result.
func TestExitCodesOfTheRunnerThatAreResults(t *testing.T) {
	for _, code := range []string{"2", "3"} {
		w := newTeam(t, trained+stored, measured+"raise SystemExit("+code+")\n")
		w.signOff(low, w.head(), first)
		m := newMachine(t, w.dir, pilot)
		assert.True(t, m.launch(), m.log)
		assert.Len(t, m.artifacts[judge.ResultArtifact], 3)
	}
}

func TestADatasetInABucketIsMeasuredToo(t *testing.T) {
	for _, content := range []string{`{"sample_id": "t1"}` + "\n", "other\n"} {
		w := newTeam(t, trained+stored, measured)
		w.signOff(low, w.head(), first, func(l *ledger.Launch) { l.Dataset.Location = "s3://acme-data/train/data.jsonl" })
		bin, bucket := t.TempDir(), filepath.Join(t.TempDir(), "object")
		require.NoError(t, os.WriteFile(bucket, []byte(content), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(bin, "aws"), []byte("#!/bin/sh\n[ \"$1 $2 $4\" = 's3 cp s3://acme-data/train/data.jsonl' ] && cp '"+bucket+"' \"$5\"\n"), 0o755))
		m := newMachine(t, w.dir, pilot)
		m.path = bin + ":"
		assert.Equal(t, content != "other\n", m.launch(), m.log)
		assert.Equal(t, content != "other\n", strings.Contains(m.log, "trained with"))
	}
}

// dryRun starts the benchmark workflow as the server does, and says whether it ended well.
func dryRun(t *testing.T, w *team, inputs map[string]string) (*machine, bool) {
	t.Helper()
	m := newMachine(t, w.dir, "")
	m.inputs = map[string]string{dossier.InputScenario: sample.Scenario, dossier.InputDataset: training, dossier.InputSHA256: "", dossier.InputHead: "", dossier.InputNonce: "n"}
	maps.Copy(m.inputs, inputs)
	_, dry := read(t, "stage05_benchmark_smoke.yml")
	return m, m.job(dry.Jobs["dry-run"])
}

// Text in an input is a word of the command and never a command.
func TestTheDryRunHandsItsInputsOn(t *testing.T) {
	w := newTeam(t, "", "import json, sys\nprint(json.dumps(sys.argv[1:]))\n")
	w.commit(map[string]string{"data sets/x.jsonl": "{}\n"})
	m, ok := dryRun(t, w, map[string]string{"scenario": `a"; echo $(id) #`, "dataset": "data sets/x.jsonl"})
	require.True(t, ok, m.log)
	var said []string
	require.NoError(t, json.Unmarshal([]byte(m.artifacts[dossier.BenchmarkArtifact][dossier.BenchmarkFile]), &said))
	require.Len(t, said, 5)
	assert.Equal(t, []string{"--dry-run", "--scenario", `a"; echo $(id) #`, "--dataset"}, said[:4])
	assert.True(t, strings.HasSuffix(said[4], "/data/data sets/x.jsonl"), said[4])
}

const readsTheData = "import json, pathlib, sys\nprint(json.dumps({'data': pathlib.Path(sys.argv[-1]).read_text(), 'beside': sorted(p.name for p in pathlib.Path(sys.argv[-1]).parents[2].rglob('*') if '.git' not in p.parts and p.is_file())}))\n"

// Of a request's commit one file is there to be read. What runs is the default
// branch's, whatever the request makes of it.
func TestTheDryRunReadsARequestsDatasetAndRunsNothingOfIt(t *testing.T) {
	w := newTeam(t, "", readsTheData)
	command(t, w.dir, "git", "checkout", "-q", "-b", "topic")
	head := w.commit(map[string]string{training: "theirs\n", "scripts/benchmark/run_benchmark.py": "raise SystemExit('the code of a request')\n", "sitecustomize.py": "raise SystemExit('ran')\n"})
	command(t, w.dir, "git", "checkout", "-q", "main")
	m, ok := dryRun(t, w, map[string]string{dossier.InputHead: head, dossier.InputSHA256: hexOf("theirs\n")})
	require.True(t, ok, m.log)
	assert.JSONEq(t, `{"data": "theirs\n", "beside": ["data.jsonl"]}`, m.artifacts[dossier.BenchmarkArtifact][dossier.BenchmarkFile])
	m, ok = dryRun(t, w, nil)
	require.True(t, ok, "without a commit it is the default branch's: %s", m.log)
	assert.Contains(t, m.artifacts[dossier.BenchmarkArtifact][dossier.BenchmarkFile], `t1`)
}

func TestTheDryRunStopsBeforeItMeasuresSomethingElse(t *testing.T) {
	for _, c := range []struct {
		name, says string
		inputs     map[string]string
		change     func(w *team)
	}{
		{"other bytes", "was to have the sha256", map[string]string{dossier.InputSHA256: hexOf("theirs\n")}, nil},
		{"no file", "not a file of that commit", map[string]string{dossier.InputDataset: "datasets/none.jsonl"}, nil},
		{"a way out", "not a file of that commit", map[string]string{dossier.InputDataset: "../repository/configs/pilot.yaml"}, nil},
		{"a link", "not a file of that commit", nil, func(w *team) {
			require.NoError(t, os.Remove(filepath.Join(w.dir, training)))
			require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(w.dir, training)))
			w.commit(nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTeam(t, "", readsTheData)
			if c.change != nil {
				c.change(w)
			}
			m, ok := dryRun(t, w, c.inputs)
			assert.False(t, ok)
			assert.Contains(t, m.log, "stopped: ")
			assert.Contains(t, m.log, c.says)
			assert.NotContains(t, m.artifacts, dossier.BenchmarkArtifact)
		})
	}
}

func TestTheDryRunReadsABucket(t *testing.T) {
	w := newTeam(t, "", readsTheData)
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "aws"), []byte("#!/bin/sh\n[ \"$1 $2 $4\" = 's3 cp s3://acme-data/train/data.jsonl' ] && printf 'theirs\\n' > \"$5\"\n"), 0o755))
	for sum, want := range map[string]bool{hexOf("theirs\n"): true, hexOf("other\n"): false} {
		m := newMachine(t, w.dir, "")
		m.path = bin + ":"
		m.inputs = map[string]string{"scenario": sample.Scenario, "dataset": "s3://acme-data/train/data.jsonl", "dataset_sha256": sum, "head_sha": "", "nonce": "n"}
		_, dry := read(t, "stage05_benchmark_smoke.yml")
		assert.Equal(t, want, m.job(dry.Jobs["dry-run"]), m.log)
	}
}

// Failing its bands is a result: the job is red, and the JSON is there.
func TestTheDryRunLeavesWhatFailedItsBands(t *testing.T) {
	w := newTeam(t, "", readsTheData+"raise SystemExit(2)\n")
	m, ok := dryRun(t, w, nil)
	assert.False(t, ok)
	assert.Contains(t, m.artifacts[dossier.BenchmarkArtifact][dossier.BenchmarkFile], "t1")
}
