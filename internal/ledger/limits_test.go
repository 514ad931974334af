package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/ledger"
)

const (
	largestID   = 1<<53 - 1 // what a number of canonical JSON holds exactly
	largestPull = 9_999_999_999
	mostParts   = 2_000
)

// overridden is an override: two people, one of each role, each by a comment.
func overridden() ledger.Record {
	r := signoff(1)
	r.Kind, r.Launch, r.Reason = ledger.KindOverride, nil, "the benchmark's host is down"
	for i := range r.Approvals {
		a, row := &r.Approvals[i], &r.Rows[i]
		a.ReviewID, a.CommentID, a.CommitID = 0, int64(700+i), ""
		row.Decision, row.Notes.Review, row.Notes.Comment = ledger.Override, 0, int64(700+i)
	}
	return r
}

// failure is a launch that failed for a reason that is not the plan's.
func failure() ledger.Record {
	r := launch(signoff(1), digestOf("signoff"))
	r.Kind, r.Reason = ledger.KindFailure, "the runner was lost"
	return r
}

// withdrawal is a plan that a merge took away.
func withdrawal() ledger.Record {
	r := signoff(1)
	r.Kind, r.Launch, r.Approvals = ledger.KindWithdrawn, nil, nil
	r.Rows = r.Rows[:1]
	r.Rows[0].Decision, r.Rows[0].Notes.Review = ledger.Withdrawn, 0
	return r
}

// confirmed is a sign-off whose dry run a workflow confirmed.
func confirmed() ledger.Record {
	r := signoff(1)
	r.Confirmation = &ledger.Confirmation{
		Run: 901, Attempt: 1, WorkflowPath: ".github/workflows/stage05_benchmark_smoke.yml", WorkflowBlob: commitOf("workflow"),
		HeadCommit: commitOf("main"), Artifact: hexOf("zip"),
	}
	return r
}

// finished is a record as Append would have it, where it stands alone.
func finished(r ledger.Record) ledger.Record {
	for i := range r.Rows {
		n := &r.Rows[i].Notes
		r.Rows[i].Date = r.Rows[i].Date.Truncate(24 * time.Hour)
		n.Pilot, n.PullRequest, n.Head, n.Digest, n.Prev = r.Pilot, r.PullRequest, r.HeadCommit, r.Digest, r.Prev
	}
	return r
}

func many[V any](n int, value V) map[string]V {
	out := map[string]V{}
	for i := range n {
		out[fmt.Sprint("n", i)] = value
	}
	return out
}

// TestTheLastThatIsTaken goes up to each limit of a record, where it is still
// one.
func TestTheLastThatIsTaken(t *testing.T) {
	for _, c := range []struct {
		name string
		of   ledger.Record
		to   func(r *ledger.Record)
	}{
		{"the first repository", signoff(1), func(r *ledger.Record) { r.Repository.ID = 1 }},
		{"the last repository", signoff(1), func(r *ledger.Record) { r.Repository.ID = largestID }},
		{"the first pull request", signoff(1), func(r *ledger.Record) { r.PullRequest = 1 }},
		{"the last pull request", signoff(1), func(r *ledger.Record) { r.PullRequest = largestPull }},
		{"the longest line", signoff(1), func(r *ledger.Record) { r.BaseRef = strings.Repeat("x", 4096) }},
		{"a line that begins with a space", signoff(1), func(r *ledger.Record) { r.BaseRef = " x" }},
		{"no plan where none was approved", withdrawal(), func(r *ledger.Record) { r.PlanPath = "" }},
		{"no base commit", signoff(1), func(r *ledger.Record) { r.BaseCommit = "" }},
		{"no merge commit", signoff(1), func(r *ledger.Record) { r.MergeCommit = "" }},
		{"no policy", signoff(1), func(r *ledger.Record) { r.PolicyDigest = "" }},
		{"a commit of the longer hash", signoff(1), func(r *ledger.Record) { r.BaseCommit = hexOf("base") }},
		{"the first year", signoff(1), func(r *ledger.Record) { r.CreatedAt = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"the last year", signoff(1), func(r *ledger.Record) { r.CreatedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }},
		{"the first day of a row", policy(), func(r *ledger.Record) { r.Rows[0].Date = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"the last day of a row", policy(), func(r *ledger.Record) { r.Rows[0].Date = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }},
		{"most ingredients", signoff(1), func(r *ledger.Record) { r.Ingredients = many(mostParts, "x") }},
		{"an ingredient without a value", signoff(1), func(r *ledger.Record) { r.Ingredients["x"] = "" }},
		{"most subjects", signoff(1), func(r *ledger.Record) { r.Subjects = slices.Repeat(r.Subjects[:1], mostParts) }},
		{"a subject that lies nowhere", signoff(1), func(r *ledger.Record) { r.Subjects[0].URI = "" }},
		{"most approvals", signoff(1), func(r *ledger.Record) {
			r.Approvals = append(r.Approvals, slices.Repeat(r.Approvals[:1], mostParts-2)...)
		}},
		{"the first person", signoff(1), func(r *ledger.Record) { r.Approvals[0].UserID = 1 }},
		{"the last person", signoff(1), func(r *ledger.Record) { r.Approvals[0].UserID = largestID }},
		{"the last review", signoff(1), func(r *ledger.Record) {
			r.Approvals[0].ReviewID, r.Rows[0].Notes.Review = largestID, largestID
		}},
		{"the last comment", overridden(), func(r *ledger.Record) {
			r.Approvals[0].CommentID, r.Rows[0].Notes.Comment = largestID, largestID
		}},
		{"a review with a comment", signoff(1), func(r *ledger.Record) {
			r.Approvals[0].CommentID, r.Rows[0].Notes.Comment = 1, 1
		}},
		{"most reasons", signoff(1), func(r *ledger.Record) { r.Approvals[0].Because = many(mostParts, "x") }},
		{"most checks", signoff(1), func(r *ledger.Record) { r.Checks = slices.Repeat(r.Checks[:1], mostParts) }},
		{"most rules", signoff(1), func(r *ledger.Record) { r.Checks[0].Rules = many(mostParts, 0) }},
		{"most hyperparameters", signoff(1), func(r *ledger.Record) { r.Launch.Hyperparameters = many(mostParts, "1") }},
		{"no number of machines", signoff(1), func(r *ledger.Record) { r.Launch.Compute.Count = 0 }},
		{"no data set to evaluate on", signoff(1), func(r *ledger.Record) { r.Launch.Evaluation = nil }},
		{"a data set whose size is not known", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Bytes, r.Launch.Dataset.Records = 0, 0 }},
		{"the largest data set", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Bytes = largestID }},
		{"the first run", failure(), func(r *ledger.Record) { r.Run.ID = 1 }},
		{"the last run", failure(), func(r *ledger.Record) { r.Run.ID = largestID }},
		{"the first run that confirmed", confirmed(), func(r *ledger.Record) { r.Confirmation.Run = 1 }},
		{"the last run that confirmed", confirmed(), func(r *ledger.Record) { r.Confirmation.Run = largestID }},
		{"one person in both roles", overridden(), func(r *ledger.Record) {
			r.Approvals[1].Login, r.Rows[1].Stakeholder = r.Approvals[0].Login, r.Approvals[0].Login
		}},
		{"most rows", policy(), func(r *ledger.Record) { r.Rows = people(r.Rows[0], mostParts) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.to(&c.of)
			payload, err := finished(c.of).Payload()
			require.NoError(t, err)
			_, err = ledger.ParsePayload(payload)
			require.NoError(t, err)
		})
	}
}

// people are rows like this one, of so many people.
func people(row ledger.Row, n int) []ledger.Row {
	rows := slices.Repeat([]ledger.Row{row}, n)
	for i := range rows {
		rows[i].Stakeholder = fmt.Sprint("ada-", i)
	}
	return rows
}

// TestTheFirstThatIsRefused goes past each limit of a record.
func TestTheFirstThatIsRefused(t *testing.T) {
	const twoLines = "a\nb"
	for _, c := range []struct {
		field string
		of    ledger.Record
		spoil func(r *ledger.Record)
	}{
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = strings.Repeat("x", 4097) }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = twoLines }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = "a\x1f" }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = "a\x7f" }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = "a\xff" }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = "a\ufffd" }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = "a\u2028b" }},
		{"base_ref", signoff(1), func(r *ledger.Record) { r.BaseRef = "a\u2029b" }},
		{"pilot", policy(), func(r *ledger.Record) { r.Pilot = "A" }},
		{"pilot", withdrawal(), func(r *ledger.Record) { r.Pilot = "" }},
		{"pull_request", signoff(1), func(r *ledger.Record) { r.PullRequest = largestPull + 1 }},
		{"reason", failure(), func(r *ledger.Record) { r.Reason = "" }},
		{"reason", overridden(), func(r *ledger.Record) { r.Reason = "" }},
		{"created_at", signoff(1), func(r *ledger.Record) { r.CreatedAt = time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC) }},
		{"created_at", signoff(1), func(r *ledger.Record) { r.CreatedAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"run", failure(), func(r *ledger.Record) { r.Run = nil }},
		{"run", withdrawal(), func(r *ledger.Record) { r.Run = failure().Run }},
		{"run", failure(), func(r *ledger.Record) { r.Run.ID = largestID + 1 }},
		{"run", failure(), func(r *ledger.Record) { r.Run.WorkflowPath = twoLines }},
		{"run", failure(), func(r *ledger.Record) { r.Run.Deployment, r.Run.WorkflowPath = true, "" }},
		{"run", failure(), func(r *ledger.Record) { r.Run.Deployment, r.Run.WorkflowBlob = true, "" }},
		{"ingredients", signoff(1), func(r *ledger.Record) { r.Ingredients[twoLines] = "x" }},
		{"ingredients", signoff(1), func(r *ledger.Record) { r.Ingredients["x"] = twoLines }},
		{"ingredients", signoff(1), func(r *ledger.Record) { r.Ingredients = many(mostParts+1, "x") }},
		{"subject[0]", signoff(1), func(r *ledger.Record) { r.Subjects[0].Name = "" }},
		{"subject[0]", signoff(1), func(r *ledger.Record) { r.Subjects[0].Name = twoLines }},
		{"subject[0]", signoff(1), func(r *ledger.Record) { r.Subjects[0].URI = twoLines }},
		{"approvals", signoff(1), func(r *ledger.Record) {
			r.Approvals = append(r.Approvals, slices.Repeat(r.Approvals[:1], mostParts-1)...)
		}},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].UserID = largestID + 1 }},
		{"approvals[0]", withdrawal(), func(r *ledger.Record) {
			r.Approvals = signoff(1).Approvals[:1]
			r.Approvals[0].UserID = -1
		}},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].Role = "" }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].Role = twoLines }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].ReviewID = largestID + 1 }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].CommentID = largestID + 1 }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].CommentID = -1 }},
		{"approvals[0]", overridden(), func(r *ledger.Record) { r.Approvals[0].ReviewID = -1 }},
		{"approvals[0]", overridden(), func(r *ledger.Record) { r.Approvals[0].CommentID = 0 }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].Because[twoLines] = "x" }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].Because["x"] = twoLines }},
		{"approvals[0]", signoff(1), func(r *ledger.Record) { r.Approvals[0].Because = many(mostParts+1, "x") }},
		{"checks", signoff(1), func(r *ledger.Record) { r.Checks = slices.Repeat(r.Checks[:1], mostParts+1) }},
		{"checks[0]", signoff(1), func(r *ledger.Record) { r.Checks[0].Name = twoLines }},
		{"checks[0]", signoff(1), func(r *ledger.Record) { r.Checks[0].Conclusion = twoLines }},
		{"checks[1]", signoff(1), func(r *ledger.Record) { r.Checks[1].Rules[""] = 1 }},
		{"checks[1]", signoff(1), func(r *ledger.Record) { r.Checks[1].Rules[twoLines] = 1 }},
		{"checks[1]", signoff(1), func(r *ledger.Record) { r.Checks[1].Rules = many(mostParts+1, 1) }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.Scenario = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.BaselineModel = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.PromptVersion = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.ConfigPath = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.RollbackTarget = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.Release = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.Compute.Hardware = twoLines }},
		{"launch", signoff(1), func(r *ledger.Record) { r.Launch.Compute.Hours = twoLines }},
		{"launch.hyperparameters", signoff(1), func(r *ledger.Record) { r.Launch.Hyperparameters[twoLines] = "1" }},
		{"launch.hyperparameters", signoff(1), func(r *ledger.Record) { r.Launch.Hyperparameters["epochs"] = twoLines }},
		{"launch.hyperparameters", signoff(1), func(r *ledger.Record) { r.Launch.Hyperparameters = many(mostParts+1, "1") }},
		{"launch.dataset", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Location = twoLines }},
		{"launch.dataset", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Version = twoLines }},
		{"launch.dataset", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Bytes = -1 }},
		{"launch.dataset", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Bytes = largestID + 1 }},
		{"launch.dataset", signoff(1), func(r *ledger.Record) { r.Launch.Dataset.Records = -1 }},
		{"confirmation", confirmed(), func(r *ledger.Record) { r.Confirmation.Run = largestID + 1 }},
		{"confirmation", confirmed(), func(r *ledger.Record) { r.Confirmation.WorkflowPath = "" }},
		{"confirmation", withdrawal(), func(r *ledger.Record) { r.Confirmation = confirmed().Confirmation }},
		{"pointer", signoff(1), func(r *ledger.Record) { r.Pointer = &ledger.Pointer{Scenario: twoLines} }},
		{"pointer", signoff(1), func(r *ledger.Record) { r.Pointer = &ledger.Pointer{To: twoLines} }},
		{"pointer", signoff(1), func(r *ledger.Record) { r.Pointer = &ledger.Pointer{Release: twoLines} }},
		{"rows", policy(), func(r *ledger.Record) { r.Rows = people(r.Rows[0], mostParts+1) }},
		{"rows[0].notes.review", overridden(), func(r *ledger.Record) { r.Rows[0].Notes.Review = largestID + 1 }},
		{"rows[0].notes.comment", overridden(), func(r *ledger.Record) { r.Rows[0].Notes.Comment = largestID + 1 }},
		{"rows[0].notes.review", overridden(), func(r *ledger.Record) { r.Rows[0].Notes.Comment = 701 }},
		{"rows[0].notes.review", overridden(), func(r *ledger.Record) { r.Rows[0].Notes.Review = 5 }},
		{"rows[0].notes.review", signoff(1), func(r *ledger.Record) { r.Rows[0].Notes.Comment = 5 }},
		{"rows[1].stakeholder", policy(), func(r *ledger.Record) { r.Rows = append(r.Rows, r.Rows[0]) }},
	} {
		t.Run(c.field, func(t *testing.T) {
			c.spoil(&c.of)
			_, err := finished(c.of).Payload()
			var invalid *ledger.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.field, invalid.Field)
		})
	}
}
