package gh

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// createCommit puts all files into one commit, if and only if the branch stands
// where we saw it: GitHub compares and sets. The commit is GitHub-signed and
// bears our bot's name.
const createCommit = `mutation Commit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}`

// commit writes one commit with the expected parent.
func (w *writing) commit(ctx context.Context, e effect.Commit) error {
	var additions, deletions []map[string]any
	for _, f := range e.Files {
		if f.Delete {
			deletions = append(deletions, map[string]any{"path": f.Path})
			continue
		}
		additions = append(additions, map[string]any{"path": f.Path, "contents": base64.StdEncoding.EncodeToString(f.Bytes)})
	}
	if e.Create {
		if err := w.ref(ctx, e.Branch, e.Parent); err != nil {
			return err
		}
	}
	headline, body, _ := strings.Cut(e.Message, "\n")
	changes := map[string]any{}
	if additions != nil {
		changes["additions"] = additions
	}
	if deletions != nil {
		changes["deletions"] = deletions
	}
	input := map[string]any{
		"branch":          map[string]any{"repositoryNameWithOwner": w.repo.FullName(), "branchName": e.Branch},
		"expectedHeadOid": e.Parent,
		"message":         map[string]any{"headline": headline, "body": strings.TrimLeft(body, "\n")},
		"fileChanges":     changes,
	}
	var out struct {
		CreateCommitOnBranch *struct{ Commit *oid }
	}
	errs, err := w.mutate(ctx, "Commit", createCommit, map[string]any{"input": input}, &out)
	if err != nil {
		return staleCommit(err)
	}
	if len(errs) > 0 {
		k := w.client.call(w.inst, "createCommitOnBranch")
		k.write = true
		return staleCommit(k.whole(errs))
	}
	if out.CreateCommitOnBranch == nil || out.CreateCommitOnBranch.Commit == nil {
		return queue.Transient(&Unclear{fmt.Errorf("createCommitOnBranch: answer without a commit")}, 0)
	}
	return nil
}

// staleCommit recognises, whatever type GitHub gives the error, that the branch
// or the files were not as expected: look again.
func staleCommit(err error) error {
	var refused *Refused
	if !errors.As(err, &refused) {
		return overtaken(err)
	}
	why := strings.ToLower(refused.Why)
	for _, moved := range []string{"expected branch to point to", "expectedheadoid", "does not exist in", "no longer exists"} {
		if strings.Contains(why, moved) {
			return queue.Transient(&Conflict{refused.Error()}, 0)
		}
	}
	return err
}
