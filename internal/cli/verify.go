package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/localgit"
	"github.com/pilotgate/pilotgate/internal/render"
)

type verify struct {
	Repo string `default:"." placeholder:"DIR" help:"Folder in a git checkout, or a bare repository."`
	Head string `placeholder:"REF" help:"Verify this revision (the working tree)."`
}

// Run derives log and evidence again, with the keys of the same revision's policy.
func (k *verify) Run(c *call) error {
	repo, err := localgit.Open(c, k.Repo, nil)
	if err != nil {
		return notARepository(k.Repo, err)
	}
	defer repo.Close() // a private directory under the system's temporary one
	p, err := repo.PullRequest(c, localgit.Options{Now: c.Now(), Head: k.Head})
	if err != nil {
		return fmt.Errorf("read %s: %w", k.Repo, err)
	}
	for range maxRounds {
		files := dossier.NewFiles(&p.Common, p.Head.OID)
		pol, faults := files.Policy()
		whole := files.Ledger(pol)
		needs := files.Needs()
		if len(needs) > 0 {
			if err := repo.Fill(c, &p.Common, needs); err != nil {
				return fmt.Errorf("read %s: %w", k.Repo, err)
			}
			continue
		}
		if f := firstError(faults); f != nil {
			return advise("mend it, then run this again", "read policy %s: %s", render.Place(f.At), c.words().What(*f))
		}
		return k.report(c, whole, dossier.Keys(pol))
	}
	return fmt.Errorf("read %s: the list of what to read did not end after %d rounds", k.Repo, maxRounds)
}

func firstError(fs []finding.Finding) *finding.Finding {
	for i := range fs {
		if fs[i].Severity == finding.Error {
			return &fs[i]
		}
	}
	return nil
}

// report names the first broken link, and the rows that nobody can verify.
func (k *verify) report(c *call, l ledger.Ledger, keys []ledger.Key) error {
	w, paint := c.words(), c.paint()
	found, broken := ledger.Verify(l, keys)
	var b strings.Builder
	switch {
	case len(broken) > 0:
		b.WriteString(w.Say("verify_broken") + "\n")
		for i, f := range broken {
			f.Severity = finding.Error
			if i == 1 {
				b.WriteString("\n" + w.Say("verify_later", "n", strconv.Itoa(len(broken)-1)) + "\n")
			}
			b.WriteString("  " + w.FindingLine(f, paint) + "\n")
		}
	case len(found.Entries) == 0:
		b.WriteString(w.Say("verify_empty") + "\n")
	default:
		b.WriteString(w.Say("verify_whole", "n", strconv.Itoa(len(found.Entries))) + "\n")
		for _, e := range found.Entries {
			fmt.Fprintf(&b, "  %s  %s  %s\n", e.Record.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"), e.Record.Kind, render.Place(finding.Position{Path: e.Path}))
		}
	}
	if n := len(found.Unverified); n > 0 {
		b.WriteString("\n" + w.Say("verify_hand", "n", strconv.Itoa(n)) + "\n")
		for _, r := range found.Unverified {
			b.WriteString("  " + render.Place(finding.Position{Path: l.LogPath, Line: r.Line}) + "\n")
		}
	}
	if err := c.print(b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if len(broken) > 0 {
		return errFindings
	}
	return nil
}
