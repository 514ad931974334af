package localgit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Fill answers every need in the snapshot. What only GitHub knows is answered
// "absent" or "unknown".
func (r *Repo) Fill(ctx context.Context, to *facts.Common, needs []facts.Need) error {
	for _, n := range needs {
		if to.Answered(n) {
			continue
		}
		if err := r.answer(ctx, to, n); err != nil {
			return fmt.Errorf("read %s: %w", n, err)
		}
	}
	return nil
}

func put[V any](m *map[string]V, n facts.Need, v V, err error) error {
	if err != nil {
		return err
	}
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[n.Key()] = v
	return nil
}

func (r *Repo) answer(ctx context.Context, to *facts.Common, n facts.Need) error {
	switch n.Kind {
	case facts.NeedTree:
		v, err := r.Files(ctx, n.Commit)
		return put(&to.Git.Trees, n, v, err)
	case facts.NeedBlob:
		v, err := r.Blob(ctx, n.OID)
		return put(&to.Git.Blobs, n, v.Keeping(nil), err)
	case facts.NeedMergeBase:
		v, err := r.mergeBase(ctx, n.Base, n.Commit)
		return put(&to.Bases, n, v, err)
	case facts.NeedReach:
		v, err := r.reach(ctx, n.Base, n.Commit)
		return put(&to.Reach, n, v, err)
	case facts.NeedMade:
		v, err := r.made(ctx, n.Commit)
		return put(&to.Made, n, v, err)
	case facts.NeedTeam:
		return put(&to.Teams, n, facts.Team{Absent: true}, nil)
	case facts.NeedPushers:
		return put(&to.Pushers, n, facts.Pushers{Unknown: true}, nil)
	case facts.NeedBranch:
		v, err := r.branch(ctx, n.Branch)
		return put(&to.Branches, n, v, err)
	case facts.NeedTag:
		v, err := r.tag(ctx, n.Tag)
		return put(&to.Tags, n, v, err)
	case facts.NeedScan:
		if r.scanner == nil {
			return errors.New("nothing here scans datasets")
		}
		v, err := r.scanner.Scan(ctx, facts.Subject{Kind: facts.KindPullRequest}, *n.Scan, bytestore.Source{Blob: r.Open, LFS: r.object}.Open)
		return put(&to.Scans, n, v, err)
	}
	return errors.New("no such kind of need")
}

// made is a commit's committer date. A shallow clone may not have it, which
// only keeps a date from being compared.
func (r *Repo) made(ctx context.Context, commit string) (facts.Made, error) {
	if !isOID(commit) {
		return facts.Made{Absent: true}, nil
	}
	oid, err := r.resolve(ctx, commit)
	if err != nil || oid == "" {
		return facts.Made{Absent: true}, err
	}
	out, err := r.git(ctx, nil, "show", "-s", "--format=%cI", oid)
	if err != nil {
		return facts.Made{}, err
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(out)))
	if err != nil {
		return facts.Made{}, fmt.Errorf("read the date of %s: %w", oid, err)
	}
	return facts.Made{At: at}, nil
}

func (r *Repo) mergeBase(ctx context.Context, base, commit string) (string, error) {
	if !isOID(base) || !isOID(commit) {
		return "", nil
	}
	out, err := r.git(ctx, nil, "merge-base", base, commit)
	switch code := exitCode(err); {
	case code == 1 && r.shallow:
		return "", &ShallowError{"the commit where the two sides part"}
	case code == 1:
		return "", nil
	case err != nil:
		return "", err
	}
	first, _, _ := strings.Cut(string(out), "\n") // as GitHub: one of several
	return first, nil
}

func (r *Repo) reach(ctx context.Context, base, commit string) (facts.Reach, error) {
	from, err := r.resolve(ctx, base)
	if err != nil {
		return facts.Reach{}, err
	}
	to := ""
	if isOID(commit) {
		if to, err = r.resolve(ctx, commit); err != nil {
			return facts.Reach{}, err
		}
	}
	if from == "" || to == "" {
		if r.shallow {
			return facts.Reach{}, &ShallowError{"commit " + commit}
		}
		return facts.Reach{Absent: true}, nil
	}
	_, err = r.git(ctx, nil, "merge-base", "--is-ancestor", to, from)
	switch code := exitCode(err); {
	case code == 1 && r.shallow:
		return facts.Reach{}, &ShallowError{"the history between " + commit + " and " + base}
	case code == 1:
		return facts.Reach{}, nil
	case err != nil:
		return facts.Reach{}, err
	}
	return facts.Reach{Reachable: true}, nil
}

// branch is where a branch stands, as the last fetch saw it, else locally. What
// the App may do there only GitHub knows.
func (r *Repo) branch(ctx context.Context, name string) (facts.Branch, error) {
	for _, ref := range []string{"refs/remotes/origin/" + name, "refs/heads/" + name} {
		oid, err := r.resolve(ctx, ref)
		if err != nil || oid != "" {
			return facts.Branch{OID: oid}, err
		}
	}
	return facts.Branch{Absent: true}, nil
}

func (r *Repo) tag(ctx context.Context, name string) (facts.TagFacts, error) {
	out, err := r.git(ctx, nil, "for-each-ref", "--format=%(objectname)", "--count=1", "refs/tags/"+name)
	if err != nil {
		return facts.TagFacts{}, err
	}
	oid := strings.TrimSpace(string(out))
	return facts.TagFacts{OID: oid, Absent: oid == ""}, nil
}
