package fakegithub

import "strings"

// What GraphQL shows of git needs its repository beside it.
type (
	commitIn struct {
		r *repo
		c *commit
	}
	treeIn struct {
		r   *repo
		oid string
	}
	blobIn struct {
		r   *repo
		oid string
	}
	treeEntry struct {
		r *repo
		e entry
		p string
	}
	refIn struct {
		r    *repo
		name string
	}
	gitActor struct {
		i ident
	}
	pullCommit struct {
		p *pull
		c *commit
	}
	eventIn struct {
		i *issue
		e *event
	}
	askedOf struct { // a review request still open
		p    *pull
		user *account
		team *team
	}
	fileOf struct {
		p *pull
		c change
	}
	collaboratorOf struct { // somebody whom the repository lets in
		r   *repo
		who *account
	}
	group struct { // reactions of one kind
		content string
		rs      []*reaction
	}
	lineSpan struct{ a annotation }
	signed   struct{ commitIn }
	payload  map[string]any
	input    = map[string]any
)

// graphEvents maps REST's timeline names to GraphQL's types.
var graphEvents = map[string]string{
	"head_ref_force_pushed": "HeadRefForcePushedEvent", "review_requested": "ReviewRequestedEvent", "review_dismissed": "ReviewDismissedEvent",
	"merged": "MergedEvent", "base_ref_changed": "BaseRefChangedEvent", "convert_to_draft": "ConvertToDraftEvent",
	"ready_for_review": "ReadyForReviewEvent", "closed": "ClosedEvent", "reopened": "ReopenedEvent", "labeled": "LabeledEvent",
	"renamed": "RenamedTitleEvent",
}

// enumOf turns a type into the item type that timelineItems filters by.
func enumOf(typeName string) string {
	var b strings.Builder
	for i, c := range typeName {
		if c >= 'A' && c <= 'Z' && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String())
}

// typeOf names the GraphQL type of a value that stands for an interface or union.
func typeOf(v any) string {
	switch x := v.(type) {
	case *repo:
		return "Repository"
	case *pull:
		return "PullRequest"
	case *issue:
		return "Issue"
	case *account:
		return x.kind
	case *team:
		return "Team"
	case collaboratorOf:
		return x.who.kind
	case *review:
		return "PullRequestReview"
	case *comment:
		return "IssueComment"
	case *checkRun:
		return "CheckRun"
	case *suite:
		return "CheckSuite"
	case commitIn:
		return "Commit"
	case treeIn:
		return "Tree"
	case blobIn:
		return "Blob"
	case refIn:
		return "Ref"
	case pullCommit:
		return "PullRequestCommit"
	case eventIn:
		return graphEvents[x.e.kind]
	case signed:
		return "GpgSignature"
	case *app:
		return "App"
	case *label:
		return "Label"
	case *workflowRun:
		return "WorkflowRun"
	}
	return ""
}

// timelineOf is what timelineItems shows, oldest first.
func (s *Server) timelineOf(p *pull, types []any) []any {
	want := map[string]bool{}
	for _, t := range types {
		if name, is := t.(string); is {
			want[name] = true
		}
	}
	type row struct {
		at int64
		v  any
	}
	var rows []row
	if len(want) == 0 || want["PULL_REQUEST_COMMIT"] {
		for _, c := range p.commitsOf() {
			rows = append(rows, row{p.repo.git.pushed[c.oid].Unix(), pullCommit{p, c}})
		}
	}
	for _, c := range p.comments {
		if len(want) == 0 || want["ISSUE_COMMENT"] {
			rows = append(rows, row{c.created.Unix(), c})
		}
	}
	for _, e := range p.events {
		if e.kind == "reviewed" {
			if len(want) == 0 || want["PULL_REQUEST_REVIEW"] {
				rows = append(rows, row{e.at.Unix(), e.review})
			}
			continue
		}
		if name := graphEvents[e.kind]; name != "" && (len(want) == 0 || want[enumOf(name)]) {
			rows = append(rows, row{e.at.Unix(), eventIn{p.issue, e}})
		}
	}
	for i := 1; i < len(rows); i++ { // stable and short
		for j := i; j > 0 && rows[j].at < rows[j-1].at; j-- {
			rows[j], rows[j-1] = rows[j-1], rows[j]
		}
	}
	out := make([]any, len(rows))
	for i, r := range rows {
		out[i] = r.v
	}
	return out
}

func (s *Server) authors(c *commit) []ident {
	return append([]ident{c.author}, coAuthors(c.message)...)
}
