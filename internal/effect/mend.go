package effect

import (
	"maps"
	"slices"
	"strconv"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/render"
)

// Mend answers a click on a check's button: one commit on the pull request's
// branch, on top of the judged head, and another look at what it made of it.
// Nothing else is written then: every other effect belongs to a head that is
// about to be an old one.
func Mend(p *facts.PullRequest, v judge.Verdict) []Effect {
	m, ok := v.Mending()
	if !ok {
		return nil
	}
	c := Commit{Branch: p.Head.Ref, Parent: p.Head.OID, Message: render.Speak(v.Dossier.Policy.Language).MendMessage(m)}
	for _, path := range slices.Sorted(maps.Keys(m.Files)) {
		c.Files = append(c.Files, File{Path: path, Bytes: m.Files[path]})
	}
	return []Effect{c, Look{Subject: facts.Subject{Repository: p.Repository.ID, Kind: facts.KindPullRequest, ID: strconv.Itoa(p.Number)}}}
}
