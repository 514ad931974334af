package ledger

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/form"
)

// check names the first field that is not well formed, by its JSON path, or "".
// It holds what the log says against what the record says: a row can name nobody
// whose review is not in the record.
func (r Record) check() string {
	switch {
	case !r.Kind.known():
		return "predicateType"
	case r.Repository.ID < 1 || r.Repository.ID > maxID:
		return "repository.id"
	case !form.Repository(r.Repository.Name):
		return "repository.name"
	case r.Pilot == "" && r.Kind != KindPolicy, r.Pilot != "" && !form.Pilot(r.Pilot):
		return "pilot"
	case r.PullRequest < 1 || r.PullRequest > 9_999_999_999:
		return "pull_request"
	case !oneLine(r.PlanPath), r.PlanPath == "" && r.Kind == KindSignoff:
		return "plan_path"
	case !form.Digest(r.Digest):
		return "digest"
	case r.BaseRef == "" || !oneLine(r.BaseRef):
		return "base_ref"
	case r.BaseCommit != "" && !form.GitObject(r.BaseCommit):
		return "base_commit"
	case !form.GitObject(r.HeadCommit):
		return "head_commit"
	case r.MergeCommit != "" && !form.GitObject(r.MergeCommit):
		return "merge_commit"
	case r.PolicyDigest != "" && !form.Digest(r.PolicyDigest):
		return "policy_digest"
	case Clean(r.Reason) != r.Reason, r.Reason == "" && (r.Kind == KindOverride || r.Kind == KindFailure):
		return "reason"
	case r.Prev != "" && !form.Digest(r.Prev):
		return "prev"
	case !whole(r.CreatedAt):
		return "created_at"
	case r.Launch == nil && r.Kind == KindSignoff:
		return "launch"
	case r.Run == nil && (r.Kind == KindLaunch || r.Kind == KindFailure), r.Run != nil && !r.Kind.rowless():
		return "run"
	case (r.Evaluation == nil) == (r.Kind == KindEvaluation):
		return "evaluation"
	}
	if field := r.Evaluation.Check(); field != "" {
		return "evaluation." + field
	}
	for name, value := range r.Ingredients {
		if name == "" || !oneLine(name) || !oneLine(value) {
			return "ingredients"
		}
	}
	if len(r.Ingredients) > maxElements {
		return "ingredients"
	}
	for _, part := range []string{
		r.checkSubjects(), r.checkApprovals(), r.checkChecks(), r.Launch.check(), r.Run.check(), r.confirmation(), r.Pointer.check(), r.checkRows(),
	} {
		if part != "" {
			return part
		}
	}
	return ""
}

func (r Record) checkSubjects() string {
	if len(r.Subjects) == 0 || len(r.Subjects) > maxElements {
		return "subject"
	}
	for i, s := range r.Subjects {
		if s.Name == "" || !oneLine(s.Name) || !oneLine(s.URI) || !form.SHA256(s.SHA256) {
			return fmt.Sprintf("subject[%d]", i)
		}
	}
	return ""
}

func (r Record) checkApprovals() string {
	if len(r.Approvals) > maxElements || len(r.Approvals) == 0 && r.Kind.byReview() {
		return "approvals"
	}
	for i, a := range r.Approvals {
		ok := login(a.Login) && (a.UserID > 0 || r.Kind.byMerge() && a.UserID == 0) && a.UserID <= maxID &&
			a.Role != "" && Clean(a.Role) == a.Role &&
			a.ReviewID >= 0 && a.ReviewID <= maxID && a.CommentID >= 0 && a.CommentID <= maxID &&
			(a.ReviewID+a.CommentID > 0 || r.Kind.byMerge()) && whole(a.SubmittedAt) &&
			(a.CommitID == "" || form.GitObject(a.CommitID))
		for name, value := range a.Because {
			ok = ok && name != "" && oneLine(name) && oneLine(value)
		}
		if !ok || len(a.Because) > maxElements {
			return fmt.Sprintf("approvals[%d]", i)
		}
	}
	return ""
}

func (r Record) checkChecks() string {
	if len(r.Checks) > maxElements {
		return "checks"
	}
	for i, c := range r.Checks {
		ok := c.Name != "" && oneLine(c.Name) && oneLine(c.Conclusion) && len(c.Rules) <= maxElements
		for id, n := range c.Rules {
			ok = ok && id != "" && oneLine(id) && n >= 0
		}
		if !ok {
			return fmt.Sprintf("checks[%d]", i)
		}
	}
	return ""
}

func (l *Launch) check() string {
	if l == nil {
		return ""
	}
	for _, text := range []string{
		l.Scenario, l.BaselineModel, l.TargetModel, l.PromptVersion, l.ConfigPath,
		l.RollbackTarget, l.Release, l.Compute.Hardware, l.Compute.Hours,
	} {
		if !oneLine(text) {
			return "launch"
		}
	}
	for name, value := range l.Hyperparameters {
		if name == "" || !oneLine(name) || !oneLine(value) {
			return "launch.hyperparameters"
		}
	}
	switch {
	case len(l.Hyperparameters) > maxElements:
		return "launch.hyperparameters"
	case l.Compute.Count < 0:
		return "launch.compute.count"
	case !form.GitObject(l.GitCommit):
		return "launch.git_commit"
	case !l.Dataset.valid():
		return "launch.dataset"
	case l.Evaluation != nil && !l.Evaluation.valid():
		return "launch.evaluation"
	}
	return ""
}

func (d Dataset) valid() bool {
	return d.Location != "" && oneLine(d.Location) && oneLine(d.Version) && form.SHA256(d.SHA256) &&
		d.Bytes >= 0 && d.Bytes <= maxID && d.Records >= 0
}

func (r *Run) check() string {
	if r == nil {
		return ""
	}
	workflow := r.WorkflowPath != "" && oneLine(r.WorkflowPath) && form.GitObject(r.WorkflowBlob)
	if r.Deployment {
		workflow = r.WorkflowPath == "" && r.WorkflowBlob == ""
	}
	if r.ID < 1 || r.ID > maxID || r.Attempt < 1 || !workflow || !form.GitObject(r.HeadCommit) || !form.Digest(r.Signoff) {
		return "run"
	}
	return ""
}

// confirmation is of a sign-off's plan, and of nothing else.
func (r Record) confirmation() string {
	c := r.Confirmation
	if c == nil {
		return ""
	}
	if r.Launch == nil || c.Run < 1 || c.Run > maxID || c.Attempt < 1 || c.WorkflowPath == "" || !oneLine(c.WorkflowPath) ||
		!form.GitObject(c.WorkflowBlob) || !form.GitObject(c.HeadCommit) || !form.SHA256(c.Artifact) {
		return "confirmation"
	}
	return ""
}

func (p *Pointer) check() string {
	if p == nil {
		return ""
	}
	if !oneLine(p.Scenario) || !oneLine(p.From) || !oneLine(p.To) || !oneLine(p.Release) {
		return "pointer"
	}
	return ""
}

func (r Record) checkRows() string {
	if len(r.Rows) > maxElements || (len(r.Rows) == 0) != r.Kind.rowless() {
		return "rows"
	}
	for i, row := range r.Rows {
		at := fmt.Sprintf("rows[%d].", i)
		if field := row.check(); field != "" {
			return at + field
		}
		n := row.Notes
		switch {
		case kindOf[row.Decision] != r.Kind:
			return at + "decision"
		case n.Pilot != r.Pilot:
			return at + "notes.pilot"
		case n.PullRequest != r.PullRequest:
			return at + "notes.pull_request"
		case n.Head != r.HeadCommit:
			return at + "notes.head"
		case n.Digest != r.Digest:
			return at + "notes.digest"
		case n.Prev != r.Prev:
			return at + "notes.prev"
		case n.Review == 0 && r.Kind.byReview(),
			n.Review+n.Comment > 0 && !r.backed(row):
			return at + "notes.review"
		}
		for _, before := range r.Rows[:i] {
			if before.Stakeholder == row.Stakeholder && before.Role == row.Role {
				return at + "stakeholder" // one row a person, role and decision
			}
		}
	}
	return ""
}

// backed tells whether an approval in the record is the one that the row is about.
func (r Record) backed(row Row) bool {
	for _, a := range r.Approvals {
		if a.Login == row.Stakeholder && a.Role == row.Role && day(a.SubmittedAt).Equal(row.Date) &&
			a.ReviewID == row.Notes.Review && a.CommentID == row.Notes.Comment {
			return true
		}
	}
	return false
}

// oneLine accepts short UTF-8 without line ends or other control characters.
func oneLine(s string) bool {
	return len(s) <= 4096 && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	})
}

// whole accepts a time in UTC without a fraction of a second: the only form that
// reads back equal.
func whole(t time.Time) bool {
	return t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() >= 2000 && t.Year() <= 9999
}
