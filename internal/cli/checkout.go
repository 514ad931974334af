package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/localgit"
	"github.com/pilotgate/pilotgate/internal/scan"
)

// maxRounds of reading before it is our error that the list of needs does not
// end, as for the server.
const maxRounds = 8

// side chooses what of a checkout is judged against what.
type side struct {
	Repo string `default:"." placeholder:"DIR" help:"Folder in a git checkout, or a bare repository."`
	Base string `placeholder:"REF" help:"Compare with this revision (the default branch)."`
	Head string `placeholder:"REF" help:"Judge this revision (the working tree)."`
}

// look reads the checkout until the snapshot is complete. notes say what was
// chosen and what is missing.
func (s side) look(c *call, plan string) (p facts.PullRequest, notes []string, err error) {
	bar := newProgress(c)
	defer bar.done()
	pool := scan.New(scan.Options{NearDuplicates: true, OnBytes: bar.add})
	defer pool.Close()
	repo, err := localgit.Open(c, s.Repo, pool)
	if err != nil {
		return p, nil, notARepository(s.Repo, err)
	}
	defer repo.Close() // a private directory under the system's temporary one
	p, err = repo.PullRequest(c, localgit.Options{Now: c.Now(), Base: s.Base, Head: s.Head})
	var changed *localgit.ChangedError
	if errors.As(err, &changed) {
		return p, nil, advise("wait until nothing writes there, then run this again", "read %s: %w", s.Repo, changed)
	}
	if err != nil {
		return p, nil, fmt.Errorf("read %s: %w", s.Repo, err)
	}
	p.Plan = plan
	for range maxRounds {
		needs := judge.Missing(&p)
		if len(needs) == 0 {
			return p, repo.Notes(), nil
		}
		bar.expect(needs)
		if err := repo.Fill(c, &p.Common, needs); err != nil {
			return p, nil, fmt.Errorf("read %s: %w", s.Repo, err)
		}
	}
	return p, nil, fmt.Errorf("read %s: the list of what to read did not end after %d rounds", s.Repo, maxRounds)
}

func notARepository(dir string, err error) error {
	if _, statErr := os.Stat(dir); statErr != nil {
		return advise("name a folder with --repo", "open %s: no such folder", dir)
	}
	if strings.Contains(err.Error(), "not a git repository") {
		return advise("run it in a checkout, or name one with --repo", "open %s: not a git repository", dir)
	}
	return err
}

// root opens the top folder of the checkout that dir is in. Writes through it
// cannot leave the checkout, whatever links are in it.
func root(dir string) (*os.Root, error) {
	top, err := topOf(dir)
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(top)
}

func topOf(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for top := at; ; top = filepath.Dir(top) {
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil {
			return top, nil
		}
		if top == filepath.Dir(top) {
			return "", advise("run it in a checkout, or name one with --repo", "open %s: not a git checkout", dir)
		}
	}
}

// inCheckout turns a path as typed into one from the checkout's top: first as
// the shell sees it, else as the repository does.
func (s side) inCheckout(path string) string {
	top, err := topOf(s.Repo)
	if err != nil {
		return filepath.ToSlash(path)
	}
	if full, err := filepath.Abs(path); err == nil {
		if _, err := os.Stat(full); err == nil {
			// Both sides without links, or one folder would look like two.
			if folder, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
				full = filepath.Join(folder, filepath.Base(full))
			}
			if folder, err := filepath.EvalSymlinks(top); err == nil {
				top = folder
			}
			if rel, err := filepath.Rel(top, full); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel)
			}
		}
	}
	return filepath.ToSlash(filepath.Clean(path))
}
