package threats

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

func changesTheLaw(t *testing.T) {
	with := func(s *stage, path, text string) *fakegithub.PR {
		in := files(s.Story.Pilot())
		in[path] = fakegithub.Text(text)
		return s.request(in)
	}
	on(t, "enforcement", func(_ *testing.T, s *stage) {
		pr := with(s, policy, s.file("main", policy)+"enforcement: observe\n")
		s.shows(pr, "waiting")
		s.approve(pr, max)
		s.shows(pr, "waiting")
	})
	on(t, "roles", func(_ *testing.T, s *stage) {
		pr := with(s, roleFile, "[ML Lead]\n* @max\n[Operations Owner]\n* @max\n")
		s.approve(pr, max)
		s.shows(pr, "waiting")
		s.says(pr, "holds no role here")
	})
	on(t, "bands", func(_ *testing.T, s *stage) {
		in := s.plan("≥0.88 pass / ≥0.80 warn", "≥0.10 pass / ≥0.05 warn")
		in[policy] = fakegithub.Text(strings.Replace(s.file("main", policy), "coverage: {pass: 0.88, warn: 0.80}", "coverage: {pass: 0.10, warn: 0.05}", 1))
		pr := s.request(in)
		s.finds(pr, "pilot/baseline", "BL004")
	})
	on(t, "a trusted workflow", func(_ *testing.T, s *stage) {
		pr := with(s, ".github/workflows/pilot_finetune.yml", "on: pull_request_target\n")
		s.approve(pr, max)
		s.shows(pr, "waiting")
	})
	on(t, "the sign-off log", func(_ *testing.T, s *stage) {
		pr := with(s, sample.Signoff, s.file("main", sample.Signoff)+"| 2025-11-20 | @irina-ml | ML Lead | Approved | yes |\n| 2025-11-20 | @oleg-ops | Operations Owner | Approved | yes |\n")
		assert.Equal(s.t, "failure", s.check(pr, "pilot/signoff"))
		s.approve(pr, irina, oleg)
		s.shows(pr, "in_progress")
	})
	on(t, "the sign-off log alone, on a branch that looks like ours", func(_ *testing.T, s *stage) {
		pr := s.requestFrom("pilotgate/signoff/ru-digest", max, map[string]fakegithub.File{
			sample.Signoff: fakegithub.Text(s.file("main", sample.Signoff) + "| 2025-11-20 | @irina-ml | ML Lead | Approved | yes |\n"),
		})
		assert.Equal(s.t, "failure", s.check(pr, "pilot/signoff"))
		s.shows(pr, "in_progress")
	})
	on(t, "a signed record alone", func(_ *testing.T, s *stage) {
		s.signedOff()
		record := s.records()[0]
		pr := s.requestFrom("tidy", max, map[string]fakegithub.File{record: fakegithub.Text(s.file("main", record) + "\n")})
		s.finds(pr, "pilot/signoff", "SG011")
		s.approve(pr, irina, oleg)
		assert.Equal(s.t, "failure", s.check(pr, "pilot/signoff"))
		s.shows(pr, "in_progress")
	})
	on(t, "a sign-off taken away whole, rows and record", func(_ *testing.T, s *stage) {
		s.signedOff()
		before := s.file(s.Repo.Log("main")[1].OID, sample.Signoff)
		s.Repo.MustCommit("tidy", max, fakegithub.CommitSpec{
			Message: "Tidy", Author: max, Delete: s.records(), Files: map[string]fakegithub.File{sample.Signoff: fakegithub.Text(before)},
		})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: max, Title: "Tidy", Head: "tidy"})
		s.settle()
		s.finds(pr, "pilot/signoff", "SG011")
		s.approve(pr, irina, oleg)
		assert.Equal(s.t, "failure", s.check(pr, "pilot/signoff"))
		s.shows(pr, "in_progress")
	})
}

func changesTheBase(t *testing.T) {
	softer := func(s *stage) map[string]fakegithub.File {
		return map[string]fakegithub.File{policy: fakegithub.Text(strings.Replace(s.file("main", policy), "0.88, warn: 0.80", "0.88, warn: 0.70", 1))}
	}
	on(t, "bands after approval: the approvals fall", func(_ *testing.T, s *stage) {
		pr := s.approved()
		s.push(nina, "main", softer(s))
		assert.NotEqual(s.t, "success", s.check(pr, approvals))
	})
	on(t, "bands between approval and merge: stale, not recorded", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.GitHub.Hold()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Softer", Files: softer(s), Author: nina})
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("under another policy")
		s.writesNothingMore()
	})
	on(t, "a trusted workflow after approval", func(_ *testing.T, s *stage) {
		pr := s.approved()
		path := ".github/workflows/pilot_finetune.yml"
		s.push(nina, "main", map[string]fakegithub.File{path: fakegithub.Text(s.file("main", path) + "# other\n")})
		s.shows(pr, "waiting")
	})
	on(t, "a script of a workflow that a trusted one calls", func(_ *testing.T, s *stage) {
		called, script := ".github/workflows/called.yml", "tools/measure.sh"
		in := s.workflow()
		in[training] = fakegithub.Text(string(in[training].Data) + "# uses: ./" + called + "\n")
		in[called], in[script] = fakegithub.Text("on: workflow_call\njobs: {a: {steps: [{run: sh "+script+"}]}}\n"), fakegithub.Text("true\n")
		s.push(nina, "main", in)
		pr := s.approved()
		s.push(nina, "main", map[string]fakegithub.File{script: fakegithub.Text("false\n")})
		s.shows(pr, "waiting")
	})
	on(t, "an action in a trusted workflow whose owner can move it", func(_ *testing.T, s *stage) {
		s.push(nina, "main", map[string]fakegithub.File{training: fakegithub.Text(s.file("main", training) + "      - uses: actions/cache@v4\n")})
		pr := s.request(files(s.Story.Pilot()))
		s.finds(pr, "pilot/config", "CF013")
		s.shows(pr, "in_progress")
	})
	on(t, "a role lost between approval and merge", func(t *testing.T, s *stage) {
		pr := s.approved()
		s.GitHub.Hold()
		s.GitHub.SetTeamMember("acme", "ml-ops", oleg, "")
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		s.bypassed("merged without approval")
	})
	on(t, "an unrelated change keeps them", func(_ *testing.T, s *stage) {
		pr := s.approved()
		s.push(nina, "main", map[string]fakegithub.File{"README.md": fakegithub.Text("# Pilots\n\nReworded.\n")})
		s.shows(pr, "success")
	})
}

func sideBranch(t *testing.T) {
	on(t, "a lax policy there", func(_ *testing.T, s *stage) {
		s.push(max, "side", map[string]fakegithub.File{policy: fakegithub.Text("version: 1\nenforcement: observe\n")})
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Pilot", Files: files(s.Story.Pilot()), Author: dana, Parent: s.Repo.Head("side")})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch, Base: "side"})
		s.settle()
		s.shows(pr, "failure")
		s.says(pr, "plans are requested on")
	})
	on(t, "lax roles there", func(_ *testing.T, s *stage) {
		s.push(max, "side", map[string]fakegithub.File{roleFile: fakegithub.Text("[ML Lead]\n* @max\n[Operations Owner]\n* @irina-ml\n")})
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Pilot", Files: files(s.Story.Pilot()), Author: dana, Parent: s.Repo.Head("side")})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch, Base: "side"})
		s.settle()
		s.approve(pr, max, irina)
		s.shows(pr, "failure")
	})
	on(t, "merged there nothing is signed off", func(t *testing.T, s *stage) {
		s.push(nina, "side", map[string]fakegithub.File{"README.md": fakegithub.Text("# Side\n")})
		pr := s.approved()
		base := "side"
		pr.Edit(dana, nil, nil, &base)
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.notSignedOff()
	})
}

func tampersWithTheLedger(t *testing.T) {
	const title = "The sign-off ledger does not verify"
	direct := func(s *stage, path string, edit func(string) string) {
		s.push(nina, "main", map[string]fakegithub.File{path: fakegithub.Text(edit(s.file("main", path)))})
	}
	shut := func(t *testing.T, s *stage) {
		t.Helper()
		open := s.openIssues()
		require.Len(t, open, 1)
		assert.Equal(t, title, open[0].Title)
	}
	on(t, "another name in a row: an issue, nothing more is recorded, and it closes when reverted", func(t *testing.T, s *stage) {
		s.signedOff()
		good := s.file("main", sample.Signoff)
		direct(s, sample.Signoff, func(l string) string {
			i := strings.LastIndex(l, "Approved")
			return l[:i] + "Rejected" + l[i+len("Approved"):]
		})
		shut(t, s)
		body := s.openIssues()[0].Body
		s.writesNothingMore()
		direct(s, sample.Signoff, func(string) string { return good })
		assert.Empty(t, s.openIssues())
		for _, i := range s.Repo.Issues() {
			assert.Equal(t, title, i.Title, "a closed issue still says what it was about")
			assert.Equal(t, body, i.Body)
		}
		s.writesNothingMore()
	})
	on(t, "another number in a signed record", func(t *testing.T, s *stage) {
		s.signedOff()
		direct(s, s.records()[0], func(r string) string {
			i := strings.Index(r, "eyJ") // where the base64 of JSON begins
			require.Positive(t, i)
			return r[:i+40] + "AAAA" + r[i+44:]
		})
		shut(t, s)
	})
	on(t, "a record signed by somebody else under our key's name", func(t *testing.T, s *stage) {
		s.signedOff()
		direct(s, s.records()[0], func(r string) string { return resigned(t, r, ledgerKey) })
		shut(t, s)
	})
	on(t, "the whole chain written anew with another key, and that key in the policy", func(t *testing.T, s *stage) {
		s.signedOff()
		_, private, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		public := base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
		s.push(nina, "main", map[string]fakegithub.File{
			s.records()[0]: fakegithub.Text(resigned(t, s.file("main", s.records()[0]), private)),
			policy:         fakegithub.Text(strings.ReplaceAll(s.file("main", policy), s.Key.Public.Public, public)),
		})
		second := s.second()
		s.approve(second, irina, oleg)
		require.NoError(t, second.Merge(nina, fakegithub.Squash, true))
		s.settle()
		assert.Len(t, s.records(), 1, "our key is not the policy's: nothing more is recorded")
		assert.NotEmpty(t, s.openIssues())
	})
	on(t, "a record deleted", func(t *testing.T, s *stage) {
		s.signedOff()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Tidy", Delete: s.records(), Author: nina})
		s.settle()
		shut(t, s)
	})
	on(t, "while it is broken a merge is not recorded, and is when it is mended", func(t *testing.T, s *stage) {
		s.signedOff()
		good := s.file("main", sample.Signoff)
		second := s.second()
		s.approve(second, irina, oleg)
		s.shows(second, "success")
		s.GitHub.Hold()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Tidy", Author: nina, Files: map[string]fakegithub.File{
			sample.Signoff: fakegithub.Text(strings.ReplaceAll(good, "Approved", "Rejected")),
		}})
		require.NoError(t, second.Merge(dana, fakegithub.Squash, false))
		s.GitHub.Release(nil)
		s.settle()
		shut(t, s)
		require.Len(t, s.records(), 1)
		direct(s, sample.Signoff, func(string) string { return good })
		assert.Len(t, s.records(), 2)
		assert.Empty(t, s.openIssues())
	})
	on(t, "taken away whole, it is written again", func(t *testing.T, s *stage) {
		s.signedOff()
		records, log := s.records(), s.file("main", sample.Signoff)
		before := s.file(s.Repo.Log("main")[1].OID, sample.Signoff)
		require.NotEqual(t, before, log)
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Tidy", Delete: records, Author: nina, Files: map[string]fakegithub.File{sample.Signoff: fakegithub.Text(before)}})
		s.settle()
		assert.Equal(t, records, s.records())
		assert.Equal(t, log, s.file("main", sample.Signoff))
	})
	on(t, "a revert of the plan withdraws it, without noise", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		s.reverted(pr)
		assert.Empty(t, s.openIssues())
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved", irina + " Withdrawn", oleg + " Withdrawn"}, s.rows(), "what was decided stays on record")
		body, _ := s.Comment(pr)
		assert.Contains(t, body, "is withdrawn")
		s.writesNothingMore()
		assert.Len(t, s.records(), 2)
	})
	on(t, "a removal around the check names who merged it", func(t *testing.T, s *stage) {
		s.signedOff()
		s.Repo.MustCommit("gone", dana, fakegithub.CommitSpec{Message: "Remove", Delete: []string{sample.Plan}, Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Remove", Head: "gone"})
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved", nina + " Withdrawn"}, s.rows())
		assert.Empty(t, s.openIssues())
		s.writesNothingMore()
	})
	on(t, "a removal pushed to the default branch names who did, whatever day the commit claims", func(t *testing.T, s *stage) {
		s.signedOff()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Remove", Delete: []string{sample.Plan}, Author: nina, When: time.Date(2098, 1, 1, 0, 0, 0, 0, time.UTC)})
		s.settle()
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved", nina + " Withdrawn"}, s.rows())
		assert.Empty(t, s.openIssues())
		second := s.second()
		s.approve(second, irina, oleg)
		s.merge(second)
		assert.Len(t, s.rows(), 5, "and the ledger goes on")
	})
	on(t, "a withdrawal through a pull request where the branch is protected", func(t *testing.T, s *stage) {
		s.protect()
		pr := s.approved()
		s.merge(pr)
		s.reverted(pr)
		assert.Len(t, s.rows(), 4)
		require.Len(t, s.ours("signoff/"), 2)
		s.writesNothingMore()
	})
	on(t, "the same plan does not come back without a new revision", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		s.reverted(pr)
		again := s.requestFrom("again", dana, files(s.Story.Pilot()))
		s.finds(again, "pilot/plan", "PL032")
		s.says(again, "revision: 2")
		require.NoError(t, again.Merge(nina, fakegithub.Squash, true))
		s.settle()
		assert.Len(t, s.rows(), 4)
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Title, "merged without approval")
	})
	on(t, "a new revision does, with approvals of its own", func(t *testing.T, s *stage) {
		pr := s.signedOff()
		s.reverted(pr)
		in := files(s.Story.Pilot())
		in[sample.Plan] = fakegithub.Text("---\nrevision: 2\n---\n" + string(in[sample.Plan].Data))
		again := s.requestFrom("again", dana, in)
		s.approve(again, irina, vera)
		s.shows(again, "success")
		s.merge(again)
		assert.Len(t, s.rows(), 6)
		assert.Empty(t, s.openIssues())
		s.writesNothingMore()
	})
	on(t, "gone and back before anybody looked is no sign-off any more", func(t *testing.T, s *stage) {
		s.signedOff()
		plan := s.file("main", sample.Plan)
		s.GitHub.Hold()
		s.Repo.MustCommit("main", nina, fakegithub.CommitSpec{Message: "Remove", Delete: []string{sample.Plan}, Author: nina})
		s.Repo.MustCommit("back", dana, fakegithub.CommitSpec{Message: "Back", Files: map[string]fakegithub.File{sample.Plan: fakegithub.Text(plan)}, Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Back", Head: "back"})
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.GitHub.Release(nil)
		s.settle()
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Title, "merged without approval")
	})
}

// reverted takes the plan away again, with both approvals.
func (s *stage) reverted(pr *fakegithub.PR) {
	s.t.Helper()
	revert := pr.Revert(dana)
	s.settle()
	s.approve(revert, irina, oleg)
	s.shows(revert, "success")
	require.NoError(s.t, revert.Merge(dana, fakegithub.Squash, false))
	s.settle()
}

// second opens another pilot's pull request beside the first.
func (s *stage) second() *fakegithub.PR {
	s.t.Helper()
	in := files(s.Story.Pilot())
	plan := in[sample.Plan]
	delete(in, sample.Plan)
	in[secondPlan] = fakegithub.Text(strings.Replace(string(plan.Data), sample.Release, "v1.5.0", 1))
	return s.requestFrom("pilot/second", dana, in)
}

const secondPlan = "docs/specs/epic_05/pilots/second-2025-12.md"

// ledgerKey is nobody's key.
var ledgerKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// resigned is a record with its signature made by another key.
func resigned(t *testing.T, record string, key ed25519.PrivateKey) string {
	t.Helper()
	var e struct {
		Type       string              `json:"payloadType"`
		Payload    []byte              `json:"payload"`
		Signatures []map[string]string `json:"signatures"`
	}
	require.NoError(t, json.Unmarshal([]byte(record), &e))
	require.Len(t, e.Signatures, 1)
	message := fmt.Sprintf("DSSEv1 %d %s %d %s", len(e.Type), e.Type, len(e.Payload), e.Payload)
	sig := base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(message)))
	return strings.Replace(record, e.Signatures[0]["sig"], sig, 1)
}

func reusesAnID(t *testing.T) {
	named := func(s *stage, path, front string) map[string]fakegithub.File {
		in := files(s.Story.Pilot())
		text := string(in[sample.Plan].Data)
		delete(in, sample.Plan)
		in[path] = fakegithub.Text("---\npilot: " + front + "\n---\n" + strings.Replace(text, sample.Release, "v1.6.0", 1))
		return in
	}
	on(t, "of a pilot that was signed off", func(_ *testing.T, s *stage) {
		s.signedOff()
		pr := s.requestFrom("pilot/again", dana, named(s, "docs/specs/epic_05/pilots/again.md", sample.Pilot))
		s.finds(pr, "pilot/plan", "PL032")
	})
	for name, id := range map[string]string{
		"that climbs out of its folder": "../../.github/x",
		"with a slash":                  "a/b",
		"in capitals":                   "Ru-Digest",
		"with a line break":             `"a\nb"`,
		"of another alphabet":           "ru-digеst", // the e is Cyrillic
		"that is too long":              strings.Repeat("a", 64),
	} {
		on(t, name, func(t *testing.T, s *stage) {
			pr := s.request(named(s, sample.Plan, id))
			assert.Equal(t, "failure", s.check(pr, "pilot/plan"))
			s.approve(pr, irina, oleg)
			s.shows(pr, "in_progress")
			require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
			s.settle()
			s.notSignedOff()
			for _, p := range s.Repo.Files("main") {
				assert.NotContains(t, p, "..")
			}
		})
	}
	on(t, "by renaming a plan after its sign-off", func(t *testing.T, s *stage) {
		s.signedOff()
		moved := "docs/specs/epic_05/pilots/moved.md"
		s.Repo.MustCommit("move", dana, fakegithub.CommitSpec{
			Message: "Move", Author: dana, Delete: []string{sample.Plan},
			Files: map[string]fakegithub.File{moved: fakegithub.Text(s.file("main", sample.Plan))},
		})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Move", Head: "move"})
		s.settle()
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
		require.NoError(t, pr.Merge(dana, fakegithub.Squash, false))
		s.settle()
		assert.Equal(t, []string{irina + " Approved", oleg + " Approved", irina + " Withdrawn", oleg + " Withdrawn"}, s.rows(),
			"the sign-off was of a plan at its place; another name is no second one")
		require.Len(t, s.openIssues(), 1)
		assert.Contains(t, s.openIssues()[0].Title, "Pilot moved was merged without approval")
	})
	on(t, "and file names hold whole digests", func(t *testing.T, s *stage) {
		s.signedOff()
		var digest string
		_, err := fmt.Sscanf(s.records()[0][strings.LastIndex(s.records()[0], "signoff-"):], "signoff-%64s", &digest)
		require.NoError(t, err)
		assert.Len(t, strings.Trim(digest, "0123456789abcdef"), 0)
		assert.Len(t, digest, 64)
	})
}
