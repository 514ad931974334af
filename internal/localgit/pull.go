package localgit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Options choose the two sides.
type Options struct {
	Now  time.Time
	Base string // revision; "": the default branch, see PullRequest
	Head string // revision; "": the working tree, in a bare repository HEAD
}

// maxCommits caps the commits between base and head, as package gh does.
const maxCommits = 2000

// PullRequest is the checkout as a request of Head into Base. Without a Base it
// is origin's default branch as last fetched, else main or master. Where head is
// that branch itself, the base is the commit that the working tree was made
// from, or, if nothing was changed since, that commit's parent. Notes tell.
func (r *Repo) PullRequest(ctx context.Context, o Options) (facts.PullRequest, error) {
	out := facts.PullRequest{Local: true, Open: true}
	out.Now = o.Now
	head, ref, made, err := r.head(ctx, o.Head)
	if err != nil {
		return out, fmt.Errorf("find head: %w", err)
	}
	out.Head = facts.Head{OID: head, Ref: ref}
	if out.Base, err = r.base(ctx, o.Base, head, made); err != nil {
		return out, fmt.Errorf("find base: %w", err)
	}
	if out.Repository, err = r.repository(ctx, out.Base.Ref); err != nil {
		return out, err
	}
	out.Repository.DefaultOID = out.Base.OID
	out.Head.Name = out.Repository.FullName()
	if out.Commits, err = r.commits(ctx, out.Base.OID, head); err != nil {
		return out, fmt.Errorf("list commits: %w", err)
	}
	if len(out.Commits) > maxCommits {
		out.Commits, out.Cut = out.Commits[:maxCommits], []string{"commits"}
	}
	if len(out.Commits) > 0 {
		out.CreatedAt = out.Commits[0].At
	}
	if r.shallow {
		r.note("this clone is shallow: history before its cut is not seen (`git fetch --unshallow` gets it)")
	}
	return out, nil
}

// head is the commit to judge; made tells that it is the working tree's.
func (r *Repo) head(ctx context.Context, rev string) (oid, ref string, made bool, err error) {
	branch, err := r.git(ctx, nil, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil && exitCode(err) != 1 { // 1: detached
		return "", "", false, err
	}
	ref = strings.TrimSpace(string(branch))
	if rev == "" && r.bare {
		rev = "HEAD"
	}
	if rev != "" {
		if oid, err = r.resolve(ctx, rev); err != nil {
			return "", "", false, err
		}
		if oid == "" {
			return "", "", false, r.unknown(rev)
		}
		if rev != "HEAD" {
			ref = rev
		}
		return oid, ref, false, nil
	}
	parent, err := r.resolve(ctx, "HEAD")
	if err != nil {
		return "", "", false, err
	}
	tree, err := r.workingTree(ctx)
	if err != nil {
		return "", "", false, fmt.Errorf("read working tree: %w", err)
	}
	if parent != "" {
		was, err := r.git(ctx, nil, "rev-parse", parent+"^{tree}")
		if err != nil {
			return "", "", false, err
		}
		if strings.TrimSpace(string(was)) == tree {
			return parent, ref, false, nil
		}
	}
	oid, err = r.makeCommit(ctx, tree, parent, "working tree")
	return oid, ref, true, err
}

func (r *Repo) unknown(rev string) error {
	if r.shallow {
		return &ShallowError{"revision " + rev}
	}
	return fmt.Errorf("there is no revision %q here; name a branch, a tag or a commit", rev)
}

// maxUntracked is the largest file that is taken from the working tree without
// being in git; GitHub would not take a larger one.
const maxUntracked = bytestore.MaxGitBlob

// alone hides the repository's objects while new ones are written: git would
// touch the time of those that it finds there already.
var alone = []string{"GIT_ALTERNATE_OBJECT_DIRECTORIES="}

// workingTree writes what is on disk into the private object directory. Tracked
// files whose time and size are as the index says are not read.
func (r *Repo) workingTree(ctx context.Context) (string, error) {
	if err := copyIndex(filepath.Join(r.scratch, "index"), r.index); err != nil {
		return "", err
	}
	if _, err := r.gitAs(ctx, alone, nil, "add", "--update", "--ignore-errors"); err != nil {
		return "", r.unsteady(ctx, err)
	}
	if err := r.keepPointers(ctx); err != nil {
		return "", err
	}
	out, err := r.git(ctx, nil, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return "", err
	}
	var add bytes.Buffer
	for path := range strings.SplitSeq(string(out), "\x00") {
		if path == "" {
			continue
		}
		info, err := os.Lstat(filepath.Join(r.dir, filepath.FromSlash(path)))
		switch {
		case err != nil || strings.HasSuffix(path, "/"):
			continue // gone meanwhile, or a repository within
		case !info.Mode().IsRegular() && info.Mode()&os.ModeSymlink == 0:
			continue
		case info.Size() > maxUntracked:
			r.note("%s is left out: %d MB, and not in git", path, info.Size()>>20)
			continue
		}
		add.WriteString(path + "\x00")
	}
	if add.Len() > 0 {
		if _, err := r.gitAs(ctx, alone, &add, "update-index", "--add", "-z", "--stdin"); err != nil {
			return "", r.unsteady(ctx, err)
		}
	}
	tree, err := r.gitAs(ctx, alone, nil, "write-tree", "--missing-ok")
	return strings.TrimSpace(string(tree)), err
}

// unsteady tells an error of hashing that comes from a file which is written
// meanwhile: git reads one as long as it was when it looked, and maps it into
// memory, where the part that was cut off is a bus error.
func (r *Repo) unsteady(ctx context.Context, err error) error {
	var exit *exec.ExitError
	bus := false
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		bus = ok && status.Signaled() && status.Signal() == syscall.SIGBUS
	}
	if says := err.Error(); !bus && !strings.Contains(says, "short read") && !strings.Contains(says, "unstable object source") {
		return err
	}
	var changed []string // what git had still to read is all that can be told
	if out, err := r.git(ctx, nil, "diff-files", "--name-only", "-z"); err == nil {
		changed = strings.FieldsFunc(string(out), func(c rune) bool { return c == 0 })
	}
	return &ChangedError{changed}
}

// copyIndex keeps the index's own time: git reads again each file that changed
// in the moment in which the index was written, and tells it by that time.
func copyIndex(to, from string) error {
	in, err := os.Open(from)
	if os.IsNotExist(err) {
		return nil // nothing was ever added
	}
	if err != nil {
		return err
	}
	defer in.Close() // only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// makeCommit writes a commit into the private object directory. Its dates are
// fixed, so that equal files are an equal head.
func (r *Repo) makeCommit(ctx context.Context, tree, parent, message string) (string, error) {
	args := []string{"commit-tree", tree, "-m", message}
	if parent != "" {
		args = append(args, "-p", parent)
	}
	name, email := r.user(ctx)
	out, err := r.gitAs(ctx, []string{
		"GIT_AUTHOR_NAME=" + name, "GIT_AUTHOR_EMAIL=" + email, "GIT_AUTHOR_DATE=" + fixedDate,
		"GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + email, "GIT_COMMITTER_DATE=" + fixedDate,
	}, nil, args...)
	return strings.TrimSpace(string(out)), err
}

const fixedDate = "1700000000 +0000"

// user is who git would commit as.
func (r *Repo) user(ctx context.Context) (name, email string) {
	get := func(key, otherwise string) string {
		out, err := r.git(ctx, nil, "config", key)
		if s := strings.TrimSpace(string(out)); err == nil && s != "" {
			return s
		}
		return otherwise
	}
	return get("user.name", "you"), get("user.email", "you@localhost")
}

// base is the side merged into.
func (r *Repo) base(ctx context.Context, rev, head string, made bool) (facts.Base, error) {
	if rev != "" {
		oid, err := r.resolve(ctx, rev)
		if err == nil && oid == "" {
			err = r.unknown(rev)
		}
		return facts.Base{Ref: strings.TrimPrefix(rev, "origin/"), OID: oid}, err
	}
	candidates := []string{"origin/main", "origin/master", "main", "master"}
	if out, err := r.git(ctx, nil, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"); err == nil {
		candidates = append([]string{strings.TrimSpace(string(out))}, candidates...)
	}
	for _, c := range candidates {
		full := "refs/heads/" + c
		if strings.HasPrefix(c, "origin/") {
			full = "refs/remotes/" + c
		}
		oid, err := r.resolve(ctx, full)
		if err != nil {
			return facts.Base{}, err
		}
		if oid == "" {
			continue
		}
		base := facts.Base{Ref: strings.TrimPrefix(c, "origin/"), OID: oid}
		if oid != head {
			r.note("compared with %s (%.12s)", c, oid)
			return base, nil
		}
		return r.before(ctx, base)
	}
	name := "main"
	if out, err := r.git(ctx, nil, "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil {
		name = strings.TrimSpace(string(out))
	}
	parent := head
	if made {
		oid, err := r.resolve(ctx, head+"^")
		if err != nil {
			return facts.Base{}, err
		}
		if oid != "" {
			r.note("there is no main or master: compared with the last commit (%.12s)", oid)
			return facts.Base{Ref: name, OID: oid}, nil
		}
	}
	return r.before(ctx, facts.Base{Ref: name, OID: parent})
}

// before is the state before the base's own last commit.
func (r *Repo) before(ctx context.Context, base facts.Base) (facts.Base, error) {
	parent, err := r.resolve(ctx, base.OID+"^")
	if err != nil {
		return facts.Base{}, err
	}
	if parent != "" {
		r.note("%s is the base itself: compared with the commit before it (%.12s)", base.Ref, parent)
		return facts.Base{Ref: base.Ref, OID: parent}, nil
	}
	if r.shallow {
		return facts.Base{}, &ShallowError{"the commit before the base"}
	}
	empty, err := r.git(ctx, strings.NewReader(""), "mktree")
	if err != nil {
		return facts.Base{}, err
	}
	r.note("there is nothing before the first commit: compared with an empty repository")
	oid, err := r.makeCommit(ctx, strings.TrimSpace(string(empty)), "", "nothing")
	return facts.Base{Ref: base.Ref, OID: oid}, err
}

// remote matches "owner/name" at the end of a clone's address.
var remote = regexp.MustCompile(`[:/]([A-Za-z0-9][A-Za-z0-9-]{0,99})/([A-Za-z0-9._-]{1,100}?)(?:\.git)?/?$`)

func (r *Repo) repository(ctx context.Context, defaultBranch string) (facts.Repository, error) {
	out := facts.Repository{Owner: "local", Name: filepath.Base(r.dir), DefaultBranch: defaultBranch}
	url, err := r.git(ctx, nil, "config", "remote.origin.url")
	if err != nil && exitCode(err) != 1 {
		return out, err
	}
	if m := remote.FindStringSubmatch(strings.TrimSpace(string(url))); m != nil {
		out.Owner, out.Name = m[1], m[2]
	}
	return out, nil
}

// commitFields are separated by NUL, commits by SOH NUL: git allows neither in
// a commit.
const commitFields = "%H%x00%P%x00%ct%x00%an%x00%ae%x00%cn%x00%ce%x00%s%x00%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x02)%x00%x01"

func (r *Repo) commits(ctx context.Context, base, head string) ([]facts.Commit, error) {
	out, err := r.git(ctx, nil, "log", "--topo-order", "--reverse", "--max-count="+strconv.Itoa(maxCommits+1), "--no-color", "--encoding=UTF-8",
		"--format=tformat:"+commitFields, base+".."+head)
	if err != nil {
		return nil, err
	}
	return parseCommits(out)
}

var coAuthor = regexp.MustCompile(`^(.*?) *<([^<>]*)>`)

func parseCommits(out []byte) ([]facts.Commit, error) {
	var list []facts.Commit
	for one := range strings.SplitSeq(string(out), "\x00\x01") {
		one = strings.TrimPrefix(one, "\n")
		if one == "" {
			continue
		}
		f := strings.Split(one, "\x00")
		if len(f) != 9 || !isOID(f[0]) {
			return nil, fmt.Errorf("git log: unknown answer")
		}
		at, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("git log: unknown date")
		}
		c := facts.Commit{
			OID: f[0], Parents: strings.Fields(f[1]), Headline: f[7], At: time.Unix(at, 0).UTC(),
			Author: facts.Person{Name: f[3], Email: f[4]}, Committer: facts.Person{Name: f[5], Email: f[6]},
		}
		for trailer := range strings.SplitSeq(f[8], "\x02") {
			if m := coAuthor.FindStringSubmatch(trailer); m != nil {
				c.CoAuthors = append(c.CoAuthors, facts.Person{Name: m[1], Email: m[2]})
			}
		}
		list = append(list, c)
	}
	return list, nil
}
