package effect

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// appending is a record that is due and what its append is compared with.
type appending struct {
	common *facts.Common
	policy policy.Policy
	ledger ledger.Ledger
	keys   []ledger.Key
	record ledger.Record
	beside []File // written with log and record
	// results are the sample files that an evaluation names, by path.
	results map[string][]byte

	branch               string // of ours, where a pull request is needed
	message, title, body string
}

// effects puts rows, record and what goes with them into one commit on top of
// the tip that was looked at; another tip makes the write fail and the loop
// look again.
func (a appending) effects(signer ledger.Signer) ([]Effect, error) {
	added, err := ledger.AppendWithResults(a.ledger, a.record, a.results, signer, a.keys)
	if errors.Is(err, ledger.ErrExists) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("append to the ledger: %w", err)
	}
	var files []File
	if len(a.record.Rows) > 0 {
		files = append(files, File{Path: added.LogPath, Bytes: added.Log})
	}
	files = append(append(files, File{Path: added.RecordPath, Bytes: added.Record}), a.beside...)
	for _, p := range slices.Sorted(maps.Keys(added.Results)) {
		files = append(files, File{Path: p, Bytes: added.Results[p]})
	}
	tip, base := a.common.Repository.DefaultOID, a.common.Repository.DefaultBranch
	commit := Commit{Branch: base, Parent: tip, Message: a.message, Files: files}
	if !judge.ThroughPull(a.common, a.policy) {
		return []Effect{commit}, nil
	}
	commit.Branch, commit.Create = a.branch, true
	return onBranch(a.common, commit, added.RecordPath, Pull{Branch: a.branch, Base: base, Title: a.title, Body: a.body, AutoMerge: true}), nil
}

// branchNeeds are where a branch of ours stands, and what is there.
func branchNeeds(c *facts.Common, branch string) []facts.Need {
	need := facts.Need{Kind: facts.NeedBranch, Branch: branch}
	if at, ok := c.OwnBranch(branch); ok {
		if at.Absent {
			return nil
		}
		need = facts.Need{Kind: facts.NeedTree, Commit: at.OID}
	}
	return unanswered(c, need)
}

func unanswered(c *facts.Common, need facts.Need) []facts.Need {
	if c.Answered(need) {
		return nil
	}
	return []facts.Need{need}
}

// onBranch makes a branch of ours with one commit and opens its pull request,
// each only where it is not there yet: a crash may have left the branch alone.
// That the commit is there is told by the file that it brings. A request that
// somebody closed stays closed, and one that a crash left without auto-merge is
// green by now, which GitHub refuses to merge by itself: a person does.
func onBranch(s *facts.Common, c Commit, brings string, p Pull) []Effect {
	opened := s.Opened[c.Branch]
	asked := opened.Number != 0
	at, _ := s.OwnBranch(c.Branch)
	// Of a file that the default branch has too, another content tells.
	is, had := s.Git.Trees[at.OID].Entries[brings], s.Git.Trees[s.Repository.DefaultOID].Entries[brings]
	there := is.OID != "" && is.OID != had.OID
	var out []Effect
	switch {
	case asked && !opened.Open, asked && at.Absent:
		return nil
	case !at.Absent && !there:
		c.Create, c.Parent = false, at.OID
		out = append(out, c)
	case at.Absent:
		out = append(out, c)
	}
	if !asked {
		out = append(out, p)
	}
	return out
}
