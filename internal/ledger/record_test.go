package ledger_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// launch is a record without rows: the run that consumes a sign-off.
func launch(of ledger.Record, signoffPayload string) ledger.Record {
	r := of
	r.Kind = ledger.KindLaunch
	r.Rows, r.Approvals, r.Checks = nil, nil, nil
	r.Digest = digestOf("launch 1 of " + of.Digest)
	r.Run = &ledger.Run{
		ID: 900, Attempt: 1, WorkflowPath: ".github/workflows/pilot_finetune.yml", WorkflowBlob: commitOf("workflow"),
		HeadCommit: commitOf("main"), Signoff: signoffPayload,
	}
	return r
}

// policy is a record of the whole repository: an administrator merged a role file.
func policy() ledger.Record {
	r := signoff(9)
	r.Kind, r.Pilot, r.Launch, r.PlanPath, r.Approvals = ledger.KindPolicy, "", nil, "", nil
	r.Subjects = []ledger.Subject{{Name: "roles", URI: ".github/PILOT_APPROVERS", SHA256: hexOf("roles")}}
	r.Rows = []ledger.Row{{Date: r.CreatedAt, Stakeholder: "ada-admin", Role: "Administrator", Decision: ledger.Policy, Notes: ledger.Notes{Remark: "first role file"}}}
	return r
}

// vector is a payload as other implementations must write it, and its digest.
type vector struct {
	Name    string          `json:"name"`
	Payload string          `json:"payload"`
	Digest  string          `json:"digest"`
	Path    string          `json:"path"`
	Facts   json.RawMessage `json:"facts"` // the same statement, in any order and spacing
}

func TestPayloadVectors(t *testing.T) {
	raw, err := os.ReadFile("../../testdata/ledger/payloads.json")
	require.NoError(t, err)
	var vectors []vector
	require.NoError(t, json.Unmarshal(raw, &vectors))

	made := map[string][]byte{}
	for name, l := range map[string]ledger.Ledger{"signoff": vectorLedger(t, signoff(1)), "policy": vectorLedger(t, policy())} {
		for _, envelope := range l.Records {
			o, err := ledger.Open(envelope, vectorKeys(t), start.AddDate(1, 0, 0))
			require.NoError(t, err)
			made[name] = o.Payload
		}
	}
	require.Len(t, vectors, len(made))
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			assert.Equal(t, v.Payload, string(made[v.Name]))
			assert.Equal(t, v.Digest, ledger.PayloadDigest([]byte(v.Payload)))
			assert.JSONEq(t, string(v.Facts), v.Payload)
			r, err := ledger.ParsePayload([]byte(v.Payload))
			require.NoError(t, err)
			assert.Equal(t, v.Path, r.Path(evidence))
		})
	}
}

func vectorKeys(t testing.TB) []ledger.Key {
	_, key := testKey(t, "2026")
	return []ledger.Key{key}
}

func vectorLedger(t testing.TB, r ledger.Record) ledger.Ledger {
	s, _ := testKey(t, "2026")
	return grown(t, s, vectorKeys(t), empty(), r)
}

// payloadOf is the payload of the only record of a ledger.
func payloadOf(t testing.TB, r ledger.Record) []byte {
	t.Helper()
	for _, envelope := range vectorLedger(t, r).Records {
		o, err := ledger.Open(envelope, vectorKeys(t), start.AddDate(1, 0, 0))
		require.NoError(t, err)
		return o.Payload
	}
	return nil
}

func TestPayloadIsTakenInOneFormOnly(t *testing.T) {
	payload := string(payloadOf(t, signoff(1)))
	_, err := ledger.ParsePayload([]byte(payload))
	require.NoError(t, err)

	for name, other := range map[string]string{
		"a space":             strings.Replace(payload, `"_type":`, `"_type": `, 1),
		"an escape":           strings.Replace(payload, `"ML Lead"`, `"M\u004c Lead"`, 1),
		"a field twice":       strings.Replace(payload, `{"_type":`, `{"_type":"x","_type":`, 1),
		"a field in capitals": strings.Replace(payload, `"pilot":`, `"Pilot":`, 1),
		"an unknown field":    strings.Replace(payload, `"pilot":`, `"extra":1,"pilot":`, 1),
		"an empty field":      strings.Replace(payload, `"pilot":`, `"plan":"","pilot":`, 1),
		"a number as a float": strings.Replace(payload, `"pull_request":41`, `"pull_request":41.0`, 1),
		"another digest":      strings.Replace(payload, `"sha256":`, `"sha512":`, 1),
		"text after it":       payload + "\n",
		"another value after": payload + "{}",
		"a null":              "null",
		"nothing":             "",
		"another type":        strings.Replace(payload, "Statement/v1", "Statement/v2", 1),
		"another predicate":   strings.Replace(payload, "/predicate/signoff/v1", "/predicate/signoff/v2", 1),
		"an unknown kind":     strings.Replace(payload, "/predicate/signoff/v1", "/predicate/approve/v1", 1),
		"somebody else's":     strings.Replace(payload, "https://pilotgate.dev/", "https://pilotgate.example/", 1),
		"a fraction of a second": strings.Replace(payload, start.Add(27*time.Hour).Format(time.RFC3339),
			start.Add(27*time.Hour).Format("2006-01-02T15:04:05")+".5Z", 1),
		"a time zone": strings.Replace(payload, `"created_at":"2026-01-15T12:12:00Z"`, `"created_at":"2026-01-15T12:12:00+00:00"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, payload, other)
			_, err := ledger.ParsePayload([]byte(other))
			assert.Error(t, err)
		})
	}
}

// TestRecordFields leaves a record whole but for one thing, and expects that
// thing to be named.
func TestRecordFields(t *testing.T) {
	long := strings.Repeat("x", 5000)
	cases := []struct {
		field string
		spoil func(r *ledger.Record)
	}{
		{"predicateType", func(r *ledger.Record) { r.Kind = "approve" }},
		{"repository.id", func(r *ledger.Record) { r.Repository.ID = 0 }},
		{"repository.id", func(r *ledger.Record) { r.Repository.ID = 1 << 53 }},
		{"repository.name", func(r *ledger.Record) { r.Repository.Name = "асme/digests" }}, // Cyrillic letters
		{"pilot", func(r *ledger.Record) { r.Pilot = "" }},
		{"pilot", func(r *ledger.Record) { r.Pilot = "../../.github/x" }},
		{"pull_request", func(r *ledger.Record) { r.PullRequest = 0 }},
		{"plan_path", func(r *ledger.Record) { r.PlanPath = "" }},
		{"plan_path", func(r *ledger.Record) { r.PlanPath = "a\nb" }},
		{"plan_path", func(r *ledger.Record) { r.PlanPath = long }},
		{"digest", func(r *ledger.Record) { r.Digest = "sha256:9f2c41aa" }},
		{"digest", func(r *ledger.Record) { r.Digest = strings.ToUpper(r.Digest) }},
		{"base_ref", func(r *ledger.Record) { r.BaseRef = "" }},
		{"base_commit", func(r *ledger.Record) { r.BaseCommit = "1a2b3c4" }},
		{"head_commit", func(r *ledger.Record) { r.HeadCommit = "1a2b3c4" }},
		{"merge_commit", func(r *ledger.Record) { r.MergeCommit = "1a2b3c4" }},
		{"policy_digest", func(r *ledger.Record) { r.PolicyDigest = "x" }},
		{"created_at", func(r *ledger.Record) { r.CreatedAt = time.Time{} }},
		{"launch", func(r *ledger.Record) { r.Launch = nil }},
		{"launch", func(r *ledger.Record) { r.Launch.TargetModel = "a\x00" }},
		{"launch.hyperparameters", func(r *ledger.Record) { r.Launch.Hyperparameters[""] = "1" }},
		{"launch.compute.count", func(r *ledger.Record) { r.Launch.Compute.Count = -1 }},
		{"launch.git_commit", func(r *ledger.Record) { r.Launch.GitCommit = "main" }},
		{"launch.dataset", func(r *ledger.Record) { r.Launch.Dataset.SHA256 = "" }},
		{"launch.dataset", func(r *ledger.Record) { r.Launch.Dataset.Location = "" }},
		{"launch.evaluation", func(r *ledger.Record) { r.Launch.Evaluation.Bytes = -1 }},
		{"run", func(r *ledger.Record) { r.Run = &ledger.Run{} }},
		{"pointer", func(r *ledger.Record) { r.Pointer = &ledger.Pointer{From: "a\nb"} }},
		{"ingredients", func(r *ledger.Record) { r.Ingredients[""] = "x" }},
		{"ingredients", func(r *ledger.Record) { r.Ingredients["x"] = "\xff" }},
		{"subject", func(r *ledger.Record) { r.Subjects = nil }},
		{"subject", func(r *ledger.Record) { r.Subjects = make([]ledger.Subject, 2001) }},
		{"subject[1]", func(r *ledger.Record) { r.Subjects[1].SHA256 = "9f2c" }},
		{"approvals", func(r *ledger.Record) { r.Approvals = nil }},
		{"approvals[0]", func(r *ledger.Record) { r.Approvals[0].Login = "irina ml" }},
		{"approvals[0]", func(r *ledger.Record) { r.Approvals[0].UserID = 0 }},
		{"approvals[1]", func(r *ledger.Record) { r.Approvals[1].ReviewID = 0 }},
		{"approvals[1]", func(r *ledger.Record) { r.Approvals[1].CommitID = "head" }},
		{"approvals[1]", func(r *ledger.Record) { r.Approvals[1].SubmittedAt = time.Time{} }},
		{"approvals[1]", func(r *ledger.Record) { r.Approvals[1].Because[""] = "" }},
		{"checks[0]", func(r *ledger.Record) { r.Checks[0].Name = "" }},
		{"checks[1]", func(r *ledger.Record) { r.Checks[1].Rules["DS021"] = -1 }},
		{"rows", func(r *ledger.Record) { r.Rows = nil }},
		{"rows[0].date", func(r *ledger.Record) { r.Rows[0].Date = time.Time{} }},
		{"rows[0].notes.review", func(r *ledger.Record) { r.Rows[0].Date = r.Rows[0].Date.AddDate(0, 0, 1) }},
		{"rows[0].stakeholder", func(r *ledger.Record) { r.Rows[0].Stakeholder = "@irina-ml" }},
		{"rows[0].notes.review", func(r *ledger.Record) { r.Rows[0].Stakeholder = "mallory" }},
		{"rows[0].role", func(r *ledger.Record) { r.Rows[0].Role = "" }},
		{"rows[0].notes.review", func(r *ledger.Record) { r.Rows[0].Role = "Operations Owner" }},
		{"rows[0].decision", func(r *ledger.Record) { r.Rows[0].Decision = "approved" }},
		{"rows[1].decision", func(r *ledger.Record) { r.Rows[1].Decision = ledger.Rejected }},
		{"rows[0].notes.review", func(r *ledger.Record) { r.Rows[0].Notes.Review = 0 }},
		{"rows[0].notes.review", func(r *ledger.Record) { r.Rows[0].Notes.Review = -1 }},
		{"rows[0].notes.comment", func(r *ledger.Record) { r.Rows[0].Notes.Comment = -1 }},
		{"rows[1].notes.review", func(r *ledger.Record) { r.Rows[1].Notes.Review = 2202 }},
		{"rows[1].stakeholder", func(r *ledger.Record) { r.Rows[1] = r.Rows[0] }},
	}
	for _, c := range cases {
		t.Run(c.field, func(t *testing.T) {
			s, _ := testKey(t, "2026")
			r := signoff(1)
			c.spoil(&r)
			_, err := ledger.Append(empty(), r, s, vectorKeys(t))
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.field, invalid.Field)
		})
	}
}

// TestPayloadHoldsRowsAgainstTheRecord: what Append fills in, a record made
// elsewhere may have wrong.
func TestPayloadHoldsRowsAgainstTheRecord(t *testing.T) {
	cases := []struct {
		field string
		spoil func(n *ledger.Notes)
	}{
		{"rows[0].notes.pilot", func(n *ledger.Notes) { n.Pilot = "another" }},
		{"rows[0].notes.pilot", func(n *ledger.Notes) { n.Pilot = "" }},
		{"rows[0].notes.pilot", func(n *ledger.Notes) { n.Pilot = "a/b" }},
		{"rows[0].notes.pull_request", func(n *ledger.Notes) { n.PullRequest++ }},
		{"rows[0].notes.pull_request", func(n *ledger.Notes) { n.PullRequest = 0 }},
		{"rows[0].notes.head", func(n *ledger.Notes) { n.Head = commitOf("another") }},
		{"rows[0].notes.head", func(n *ledger.Notes) { n.Head = n.Head[:7] }},
		{"rows[0].notes.digest", func(n *ledger.Notes) { n.Digest = digestOf("another") }},
		{"rows[0].notes.digest", func(n *ledger.Notes) { n.Digest = n.Digest[:20] }},
		{"rows[0].notes.prev", func(n *ledger.Notes) { n.Prev = digestOf("another") }},
		{"rows[0].notes.prev", func(n *ledger.Notes) { n.Prev = "none" }},
		{"rows[0].notes.remark", func(n *ledger.Notes) { n.Remark = "two\nlines" }},
	}
	for _, c := range cases {
		t.Run(c.field, func(t *testing.T) {
			r, err := ledger.ParsePayload(payloadOf(t, signoff(1)))
			require.NoError(t, err)
			_, err = r.Payload()
			require.NoError(t, err)
			c.spoil(&r.Rows[0].Notes)
			_, err = r.Payload()
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.field, invalid.Field)
		})
	}
}

// TestPayloadTakesOnlyCleanRecords: what Append cleans or fills in, a record made
// elsewhere may have raw.
func TestPayloadTakesOnlyCleanRecords(t *testing.T) {
	run := launch(signoff(1), digestOf("s"))
	for _, c := range []struct {
		field string
		of    ledger.Record
		spoil func(r *ledger.Record)
	}{
		{"reason", signoff(1), func(r *ledger.Record) { r.Reason = "two\nlines" }},
		{"repository.id", run, func(r *ledger.Record) { r.Repository.ID = 0 }},
		{"repository.id", run, func(r *ledger.Record) { r.Repository.ID = 1 << 53 }},
		{"prev", run, func(r *ledger.Record) { r.Prev = "none" }},
		{"pull_request", run, func(r *ledger.Record) { r.PullRequest = 10_000_000_000 }},
		{"created_at", run, func(r *ledger.Record) { r.CreatedAt = r.CreatedAt.Add(time.Millisecond) }},
		{"created_at", run, func(r *ledger.Record) { r.CreatedAt = r.CreatedAt.In(time.FixedZone("MSK", 3*60*60)) }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].Role = "two\nlines" }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) {
			r.Approvals[0].SubmittedAt = r.Approvals[0].SubmittedAt.Add(time.Millisecond)
		}},
		{"rows[0].role", signoff(1), func(r *ledger.Record) { r.Rows[0].Role = "two\nlines" }},
		{"rows[0].date", signoff(1), func(r *ledger.Record) { r.Rows[0].Date = r.Rows[0].Date.Add(time.Hour) }},
		{"rows[0].date", policy(), func(r *ledger.Record) { r.Rows[0].Date = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"rows[0].date", policy(), func(r *ledger.Record) { r.Rows[0].Date = time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC) }},
	} {
		t.Run(c.field, func(t *testing.T) {
			r, err := ledger.ParsePayload(payloadOf(t, c.of))
			require.NoError(t, err)
			c.spoil(&r)
			_, err = r.Payload()
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.field, invalid.Field)
		})
	}
}

// TestEveryKind appends one record of each kind that has rows.
func TestEveryKind(t *testing.T) {
	byReview := func(k ledger.Kind, d ledger.Decision) ledger.Record {
		r := signoff(1)
		r.Kind, r.Digest = k, digestOf(string(k))
		for i := range r.Rows {
			r.Rows[i].Decision = d
		}
		return r
	}
	withdrawn := byReview(ledger.KindWithdrawn, ledger.Withdrawn)
	withdrawn.Approvals, withdrawn.Launch = nil, nil
	withdrawn.Rows = withdrawn.Rows[:1]
	withdrawn.Rows[0].Notes.Review, withdrawn.Rows[0].Notes.Remark = 0, "the plan was reverted"

	override := byReview(ledger.KindOverride, ledger.Override)
	override.Reason = "the benchmark's host is down; see the incident"
	for i := range override.Rows {
		override.Rows[i].Notes.Review, override.Rows[i].Notes.Comment = 0, int64(700+i)
		override.Approvals[i].ReviewID, override.Approvals[i].CommentID = 0, int64(700+i)
		override.Approvals[i].CommitID = ""
	}
	rollback := byReview(ledger.KindRollback, ledger.RolledBack)
	rollback.Pointer = &ledger.Pointer{Scenario: "channel_digest_ru", From: "qwen-7b-ru@1.0.0", To: "qwen-7b@1.2.0", Release: "v1.4.0"}

	records := []ledger.Record{
		signoff(1), byReview(ledger.KindRejected, ledger.Rejected), byReview(ledger.KindGo, ledger.Go),
		byReview(ledger.KindNoGo, ledger.NoGo), withdrawn, override, rollback, policy(),
	}
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	l := grown(t, s, keys, empty(), records...)
	report, fs := ledger.Verify(l, keys)
	require.Empty(t, fs)
	require.Len(t, report.Entries, len(records))
	rows := ledger.ParseLog(l.Log).Rows
	for i, e := range report.Entries {
		assert.Equal(t, records[i].Kind, e.Record.Kind)
		assert.Contains(t, e.Path, "/"+string(records[i].Kind)+"-")
		require.Len(t, e.Lines, len(records[i].Rows))
		for j, want := range e.Record.Rows {
			assert.Equal(t, want, rows[e.Lines[j]-5].Row, "reads back")
			assert.Equal(t, records[i].Rows[j].Decision, want.Decision)
		}
	}

	for field, spoilt := range map[string]func() ledger.Record{
		"reason":               func() ledger.Record { r := override; r.Reason = " "; return r },
		"approvals":            func() ledger.Record { r := byReview(ledger.KindGo, ledger.Go); r.Approvals = nil; return r },
		"rows":                 func() ledger.Record { r := launch(signoff(1), digestOf("s")); r.Rows = signoff(1).Rows; return r },
		"run":                  func() ledger.Record { r := launch(signoff(1), digestOf("s")); r.Run = nil; return r },
		"rows[0].notes.review": func() ledger.Record { r := override; r.Approvals = nil; return r },
	} {
		t.Run("without "+field, func(t *testing.T) {
			_, err := ledger.Append(empty(), spoilt(), s, keys)
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, field, invalid.Field)
		})
	}
	t.Run("a deployment has no workflow", func(t *testing.T) {
		r := launch(signoff(1), digestOf("s"))
		r.Run.Deployment, r.Run.WorkflowPath, r.Run.WorkflowBlob = true, "", ""
		_, err := ledger.Append(empty(), r, s, keys)
		require.NoError(t, err)
	})
	for name, spoil := range map[string]func(r *ledger.Run){
		"id":       func(r *ledger.Run) { r.ID = 0 },
		"attempt":  func(r *ledger.Run) { r.Attempt = 0 },
		"blob":     func(r *ledger.Run) { r.WorkflowBlob = "main" },
		"head":     func(r *ledger.Run) { r.HeadCommit = "" },
		"sign-off": func(r *ledger.Run) { r.Signoff = "" },
		"workflow": func(r *ledger.Run) { r.WorkflowPath = "" },
		"a choice": func(r *ledger.Run) { r.Deployment = true }, // either a deployment or a workflow
	} {
		t.Run("a run without "+name, func(t *testing.T) {
			r := launch(signoff(1), digestOf("s"))
			spoil(r.Run)
			_, err := ledger.Append(empty(), r, s, keys)
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, "run", invalid.Field)
		})
	}
}

func TestAConfirmationIsWholeOrRefused(t *testing.T) {
	s, key := testKey(t, "2026")
	keys := []ledger.Key{key}
	whole := ledger.Confirmation{
		Run: 901, Attempt: 2, WorkflowPath: ".github/workflows/stage05_benchmark_smoke.yml", WorkflowBlob: commitOf("workflow"),
		HeadCommit: commitOf("main"), Artifact: hexOf("zip"),
	}
	r := signoff(1)
	r.Confirmation = &whole
	added, err := ledger.Append(empty(), r, s, keys)
	require.NoError(t, err)
	assert.NotEmpty(t, added.Record)
	for name, spoil := range map[string]func(c *ledger.Confirmation){
		"run":      func(c *ledger.Confirmation) { c.Run = 0 },
		"attempt":  func(c *ledger.Confirmation) { c.Attempt = 0 },
		"workflow": func(c *ledger.Confirmation) { c.WorkflowPath = "a\nb" },
		"blob":     func(c *ledger.Confirmation) { c.WorkflowBlob = "main" },
		"head":     func(c *ledger.Confirmation) { c.HeadCommit = "" },
		"artifact": func(c *ledger.Confirmation) { c.Artifact = "sha256:" + hexOf("zip") },
	} {
		t.Run("without "+name, func(t *testing.T) {
			broken := whole
			spoil(&broken)
			r := signoff(1)
			r.Confirmation = &broken
			_, err := ledger.Append(empty(), r, s, keys)
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, "confirmation", invalid.Field)
		})
	}
}

func TestEqualFactsGiveEqualBytes(t *testing.T) {
	moscow := time.FixedZone("MSK", 3*60*60)
	r := signoff(1)
	r.CreatedAt = r.CreatedAt.In(moscow).Add(300 * time.Millisecond)
	for i := range r.Approvals {
		r.Approvals[i].SubmittedAt = r.Approvals[i].SubmittedAt.In(moscow)
		r.Rows[i].Date = r.Rows[i].Date.In(moscow)
	}
	want, got := vectorLedger(t, signoff(1)), vectorLedger(t, r)
	assert.Equal(t, string(want.Log), string(got.Log))
	for p := range want.Records {
		assert.True(t, bytes.Equal(want.Records[p], got.Records[p]))
	}
}

func TestPath(t *testing.T) {
	d := digestOf("d")
	hex := strings.TrimPrefix(d, "sha256:")
	for _, c := range []struct{ name, pattern, pilot, want string }{
		{"the default", "docs/e/{pilot}/", "ru-1", "docs/e/ru-1/signoff-" + hex + ".json"},
		{"no slash at the end", "docs/e/{pilot}", "ru-1", "docs/e/ru-1/signoff-" + hex + ".json"},
		{"no place for the pilot", "docs/e/", "ru-1", "docs/e/ru-1/signoff-" + hex + ".json"},
		{"the whole repository", "docs/e/{pilot}/", "", "docs/e/_repository/signoff-" + hex + ".json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ledger.Record{Kind: ledger.KindSignoff, Predicate: ledger.Predicate{Pilot: c.pilot, Digest: d}}
			assert.Equal(t, c.want, r.Path(c.pattern))
		})
	}
	assert.False(t, form.Pilot("_repository"), "no pilot can be called so")
}
