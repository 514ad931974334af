package gh

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// proposal is a commit, a request, or a commit and the request that is opened
// for its branch: what one mutation carries out. GitHub does its fields one
// after the other; one that needs what failed before it fails, too.
func proposal(effects []effect.Effect) (c *effect.Commit, p *effect.Pull, ok bool) {
	if x, is := effects[0].(effect.Commit); is {
		c, effects = &x, effects[1:]
	}
	if len(effects) > 0 {
		if x, is := effects[0].(effect.Pull); is && x.Number == 0 && (c == nil || c.Create && c.Branch == x.Branch) {
			p = &x
		}
	}
	return c, p, c != nil || p != nil
}

// What is asked of the answers of a proposal's fields. createCommitOnBranch puts
// all files into one commit, if and only if the branch stands where we saw it:
// GitHub compares and sets. The commit is GitHub-signed and bears our bot's name.
const (
	ofCommit = "commit { oid tree { oid } }"
	ofPull   = "pullRequest { id repository { mergeCommitAllowed squashMergeAllowed } }"
)

// proposed is the answer; a part that failed, or was not asked for, is nil.
type proposed struct {
	Commit *struct{ Commit *oid }
	Pull   *struct {
		PullRequest *struct {
			ID         string
			Repository struct{ MergeCommitAllowed, SquashMergeAllowed bool }
		}
	}
}

// propose makes the branch where that is wanted, writes the commit with the
// expected parent, opens the request, and makes changes that go along.
func (w *writing) propose(ctx context.Context, first effect.Effect, c *effect.Commit, p *effect.Pull, along []change) error {
	d := newDocument("Propose")
	if c != nil {
		if c.Create {
			d.add("ref", "createRef", "clientMutationId", map[string]any{"repositoryId": w.repo.NodeID, "name": "refs/heads/" + c.Branch, "oid": c.Parent})
		}
		d.add("commit", "createCommitOnBranch", ofCommit, w.commitInput(c))
	}
	if p != nil {
		d.add("pull", "createPullRequest", ofPull, map[string]any{
			"repositoryId": w.repo.NodeID, "headRefName": p.Branch, "baseRefName": p.Base, "title": p.Title, "body": p.Body,
		})
	}
	d.addChanges(along)
	var data map[string]json.RawMessage
	errs, err := w.mutate(ctx, d.name, d.text(), d.vars, &data)
	if err != nil {
		return wrap(first, stale(err))
	}
	var out proposed
	decode(data["commit"], &out.Commit)
	decode(data["pull"], &out.Pull)
	why := byAlias(errs)
	all := []error{wrap(first, w.outcomeOfProposal(c, p, out, why))}
	answers := map[string]*changed{}
	for alias, raw := range data {
		var one changed
		if decode(raw, &one) {
			answers[alias] = &one
		}
	}
	more, failures := w.outcome(along, answers, why)
	if all = append(all, w.wrapped(ctx, failures)...); slices.ContainsFunc(all, func(err error) bool { return err != nil && ends(err) }) {
		return errors.Join(all...)
	}
	if len(more) > 0 {
		all = append(all, w.together(ctx, more))
	}
	if p != nil && p.AutoMerge && all[0] == nil {
		all = append(all, wrap(first, w.autoMerge(ctx, out)))
	}
	return errors.Join(all...)
}

func (w *writing) outcomeOfProposal(c *effect.Commit, p *effect.Pull, out proposed, failed map[string]queryError) error {
	why := map[string]error{}
	for alias, e := range failed {
		why[alias] = stale(w.whole(e))
	}
	if c != nil {
		made := out.Commit != nil && out.Commit.Commit != nil
		switch {
		case made: // an earlier try of ours may have left the branch
			w.client.committed(w.repo.ID, c.Parent, *out.Commit.Commit, c.Files)
		case why["ref"] != nil && !strings.Contains(why["ref"].Error(), "already exists"):
			return why["ref"]
		case why["commit"] != nil:
			return why["commit"]
		default:
			return queue.Transient(&Unclear{errors.New("createCommitOnBranch: answer without a commit")}, 0)
		}
	}
	switch {
	case p == nil:
		return nil
	case why["pull"] != nil:
		return why["pull"]
	case out.Pull == nil || out.Pull.PullRequest == nil:
		return queue.Transient(&Unclear{errors.New("createPullRequest: answer without a request")}, 0)
	}
	return nil
}

func (w *writing) commitInput(c *effect.Commit) map[string]any {
	changes := map[string][]map[string]any{}
	for _, f := range c.Files {
		if f.Delete {
			changes["deletions"] = append(changes["deletions"], map[string]any{"path": f.Path})
			continue
		}
		changes["additions"] = append(changes["additions"], map[string]any{"path": f.Path, "contents": base64.StdEncoding.EncodeToString(f.Bytes)})
	}
	headline, body, _ := strings.Cut(c.Message, "\n")
	return map[string]any{
		"branch":          map[string]any{"repositoryNameWithOwner": w.repo.FullName(), "branchName": c.Branch},
		"expectedHeadOid": c.Parent,
		"message":         map[string]any{"headline": headline, "body": strings.TrimLeft(body, "\n")},
		"fileChanges":     changes,
	}
}

// whole sorts the error of one field of a proposal.
func (w *writing) whole(e queryError) error {
	k := w.client.call(w.inst, "graphql Propose")
	k.write = true
	return k.whole([]queryError{e})
}

// stale recognises, whatever type GitHub gives the error, that the branch, the
// files or the request were not as expected: look again. GitHub refuses a second
// open request of the same branches.
func stale(err error) error {
	var refused *Refused
	if !errors.As(err, &refused) {
		return overtaken(err)
	}
	why := strings.ToLower(refused.Why)
	for _, moved := range []string{"expected branch to point to", "expectedheadoid", "does not exist", "no longer exists", "pull request already exists"} {
		if strings.Contains(why, moved) {
			return queue.Transient(&Conflict{refused.Error()}, 0)
		}
	}
	return err
}

const autoMerge = `mutation AutoMerge($pull: ID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $pull, mergeMethod: $method}) { pullRequest { id } }
}`

func (w *writing) autoMerge(ctx context.Context, opened proposed) error {
	pull, method := opened.Pull.PullRequest, "REBASE"
	switch r := pull.Repository; {
	case r.MergeCommitAllowed:
		method = "MERGE"
	case r.SquashMergeAllowed:
		method = "SQUASH"
	}
	var out struct{}
	errs, err := w.mutate(ctx, "AutoMerge", autoMerge, map[string]any{"pull": pull.ID, "method": method}, &out)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return &Refused{What: "auto-merge", Why: redact(errs[0].Message)}
	}
	return nil
}
