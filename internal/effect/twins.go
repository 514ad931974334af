package effect

import (
	"slices"
	"strconv"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// GitHub shows the newest run of a name at a commit, whichever pull request it
// speaks of. amongTwins keeps the required check true where several requests
// share a head: an open request with the same base brings the same content, so
// its better answer may stand; any other request's answer is written over.
func amongTwins(p *facts.PullRequest, want, diff []Run) []Run {
	i := slices.IndexFunc(want, func(r Run) bool { return r.Name == judge.Approvals })
	newest, number, ok := newestRun(p)
	if i < 0 || !ok || number == p.Number {
		return diff
	}
	mine := want[i]
	wrong := newest.Status != mine.Status || newest.Conclusion != mine.Conclusion
	if sameBase(p, number) {
		wrong = rank(mine.Status, mine.Conclusion) > rank(newest.Status, newest.Conclusion)
		last, had := latestRun(p.Runs, p.Number, mine.Name, mine.Head)
		if fell := had && last.Conclusion == string(judge.Success) && mine.Conclusion != last.Conclusion; !wrong && !fell {
			return slices.DeleteFunc(diff, func(r Run) bool { return r.Name == mine.Name })
		}
	}
	out := slices.DeleteFunc(slices.Clone(diff), func(r Run) bool { return wrong && r.Name == mine.Name })
	if wrong {
		out = append(out, mine) // a new one, so that it is the newest
	}
	return out
}

// newestRun is what GitHub shows for the required check, and of which request.
func newestRun(p *facts.PullRequest) (run facts.CheckRun, number int, ok bool) {
	for _, r := range p.Runs {
		id, ours := approval.ParseExternalID(r.ExternalID)
		if r.Name == judge.Approvals && r.Head == p.Head.OID && ours && r.ID > run.ID {
			run, number, ok = r, id.Number, true
		}
	}
	return run, number, ok
}

func sameBase(p *facts.PullRequest, number int) bool {
	return slices.ContainsFunc(p.Twins, func(t facts.Twin) bool { return t.Number == number && t.Base == p.Base.Ref })
}

// rank orders answers by who may overwrite whom among requests with the same
// content: an approval, then what blocks, then waiting.
func rank(status, conclusion string) int {
	switch {
	case status != "completed":
		return 0
	case conclusion == string(judge.Success):
		return 2
	}
	return 1
}

func twins(p *facts.PullRequest) []facts.Subject {
	var out []facts.Subject
	for _, t := range p.Twins {
		out = append(out, facts.Subject{Repository: p.Repository.ID, Kind: facts.KindPullRequest, ID: strconv.Itoa(t.Number)})
	}
	return out
}
