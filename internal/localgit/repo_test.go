package localgit_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/localgit"
	"github.com/pilotgate/pilotgate/internal/scan"
)

var (
	ctx = context.Background()
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// checkout is a repository on disk, handled with the real git.
type checkout struct {
	t   *testing.T
	dir string
}

func initRepo(t *testing.T) checkout {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	c := checkout{t, t.TempDir()}
	c.git("init", "-q", "-b", "main")
	c.git("config", "user.name", "Anna Author")
	c.git("config", "user.email", "anna@example.org")
	return c
}

func (c checkout) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", c.dir}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "git %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

func (c checkout) write(path, text string) {
	c.t.Helper()
	full := filepath.Join(c.dir, path)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(c.t, os.WriteFile(full, []byte(text), 0o644))
}

func (c checkout) commit(message string) string {
	c.t.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "--allow-empty", "-m", message)
	return c.git("rev-parse", "HEAD")
}

func (c checkout) open() *localgit.Repo {
	c.t.Helper()
	pool := scan.New(scan.Options{})
	c.t.Cleanup(pool.Close)
	r, err := localgit.Open(ctx, c.dir, pool)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { assert.NoError(c.t, r.Close()) })
	return r
}

// fingerprint is everything below the git directory that a write would change.
func (c checkout) fingerprint() string {
	c.t.Helper()
	var list []string
	require.NoError(c.t, filepath.Walk(filepath.Join(c.dir, ".git"), func(path string, info os.FileInfo, err error) error {
		if err == nil {
			list = append(list, fmt.Sprintf("%s %d %s", path, info.Size(), info.ModTime()))
		}
		return err
	}))
	sort.Strings(list)
	return strings.Join(list, "\n")
}

func paths(t facts.Tree) []string {
	var out []string
	for p := range t.Entries {
		out = append(out, p)
	}
	sort.Strings(out)
	return out
}

func TestWorkingTreeIsTheHead(t *testing.T) {
	c := initRepo(t)
	c.write("kept.md", "kept")
	c.write("changed.md", "before")
	c.write("deleted.md", "x")
	c.write(".gitignore", "*.secret\n")
	base := c.commit("base")
	c.write("changed.md", "after")
	c.write("new/план.md", "new")
	c.write("my.secret", "ignored")
	require.NoError(t, os.Remove(filepath.Join(c.dir, "deleted.md")))
	require.NoError(t, os.Symlink("kept.md", filepath.Join(c.dir, "link.md")))
	before := c.fingerprint()

	r := c.open()
	p, err := r.PullRequest(ctx, localgit.Options{Now: now})
	require.NoError(t, err)
	assert.True(t, p.Local)
	assert.Equal(t, base, p.Base.OID)
	assert.Equal(t, "main", p.Head.Ref)
	tree, err := r.Files(ctx, p.Head.OID)
	require.NoError(t, err)
	assert.Equal(t, []string{".gitignore", "changed.md", "kept.md", "link.md", "new/план.md"}, paths(tree))
	assert.Equal(t, "120000", tree.Entries["link.md"].Mode)
	assert.EqualValues(t, 5, tree.Entries["changed.md"].Size)
	blob, err := r.Blob(ctx, tree.Entries["changed.md"].OID)
	require.NoError(t, err)
	assert.Equal(t, "after", string(blob.Bytes))
	assert.True(t, before == c.fingerprint(), "the repository was written to")

	require.Len(t, p.Commits, 1)
	assert.Equal(t, facts.Person{Name: "Anna Author", Email: "anna@example.org"}, p.Commits[0].Author)
	again := c.open()
	q, err := again.PullRequest(ctx, localgit.Options{Now: now})
	require.NoError(t, err)
	assert.Equal(t, p.Head.OID, q.Head.OID, "equal files are an equal head")
}

func TestBaseIsChosenKindly(t *testing.T) {
	t.Run("main, from a branch", func(t *testing.T) {
		c := initRepo(t)
		base := c.commit("base")
		c.git("switch", "-q", "-c", "topic")
		c.write("a", "a")
		head := c.commit("topic")
		p, err := c.open().PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		assert.Equal(t, facts.Base{Ref: "main", OID: base}, p.Base)
		assert.Equal(t, facts.Head{OID: head, Ref: "topic", Name: p.Repository.FullName()}, p.Head)
	})
	t.Run("origin's default branch before the local one", func(t *testing.T) {
		upstream := initRepo(t)
		base := upstream.commit("base")
		upstream.git("branch", "-m", "trunk")
		c := checkout{t, filepath.Join(t.TempDir(), "clone")}
		out, err := exec.Command("git", "clone", "-q", upstream.dir, c.dir).CombinedOutput()
		require.NoError(t, err, string(out))
		c.git("config", "user.name", "Anna Author")
		c.git("config", "user.email", "anna@example.org")
		c.write("a", "a")
		c.commit("on trunk, not pushed")
		p, err := c.open().PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		assert.Equal(t, facts.Base{Ref: "trunk", OID: base}, p.Base)
	})
	t.Run("the parent, on a clean main", func(t *testing.T) {
		c := initRepo(t)
		parent := c.commit("one")
		c.commit("two")
		r := c.open()
		p, err := r.PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		assert.Equal(t, parent, p.Base.OID)
		assert.Contains(t, strings.Join(r.Notes(), "\n"), "main is the base itself")
	})
	t.Run("nothing, at the first commit", func(t *testing.T) {
		c := initRepo(t)
		c.write("a", "a")
		c.commit("one")
		r := c.open()
		p, err := r.PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		tree, err := r.Files(ctx, p.Base.OID)
		require.NoError(t, err)
		assert.False(t, tree.Absent)
		assert.Empty(t, tree.Entries)
	})
	t.Run("nothing, before the first commit", func(t *testing.T) {
		c := initRepo(t)
		c.write("a", "a")
		r := c.open()
		p, err := r.PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		tree, err := r.Files(ctx, p.Head.OID)
		require.NoError(t, err)
		assert.Equal(t, []string{"a"}, paths(tree))
		base, err := r.Files(ctx, p.Base.OID)
		require.NoError(t, err)
		assert.Empty(t, base.Entries)
	})
	t.Run("as told", func(t *testing.T) {
		c := initRepo(t)
		one := c.commit("one")
		two := c.commit("two")
		c.commit("three")
		p, err := c.open().PullRequest(ctx, localgit.Options{Base: one, Head: "HEAD^"})
		require.NoError(t, err)
		assert.Equal(t, [2]string{one, two}, [2]string{p.Base.OID, p.Head.OID})
	})
	t.Run("an unknown revision is said", func(t *testing.T) {
		c := initRepo(t)
		c.commit("one")
		for _, bad := range []string{"nowhere", "--output=x", "-h"} {
			_, err := c.open().PullRequest(ctx, localgit.Options{Head: bad})
			assert.ErrorContains(t, err, "no revision", bad)
		}
	})
}

// Nothing that a checkout names may run: each of these would leave a file.
func TestNothingOfTheRepositoryRuns(t *testing.T) {
	c := initRepo(t)
	mark := filepath.Join(t.TempDir(), "ran")
	script := filepath.Join(c.dir, ".git", "evil")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\ntouch '"+mark+"'\ncat\n"), 0o755))
	c.write("a.dat", "before\n")
	c.write("plan.md", "plan\n")
	c.commit("base")
	c.write(".gitattributes", "*.dat filter=evil diff=evil\n*.md filter=odd.name diff=evil\n")
	for _, hook := range []string{"post-index-change", "pre-commit", "post-commit", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"} {
		require.NoError(t, os.WriteFile(filepath.Join(c.dir, ".git", "hooks", hook), []byte("#!/bin/sh\ntouch '"+mark+"'\n"), 0o755))
	}
	for key, value := range map[string]string{
		"core.fsmonitor": script, "core.pager": script, "pager.log": script, "pager.ls-tree": script, "core.sshCommand": script,
		"filter.evil.clean": script, "filter.evil.smudge": script, "filter.evil.process": script, "filter.evil.required": "true",
		"filter.odd.name.clean": script, "diff.external": script, "diff.evil.textconv": script, "diff.evil.command": script,
		"gpg.program": script, "commit.gpgSign": "true", "log.showSignature": "true", "core.editor": script, "credential.helper": script,
		"alias.log": "!" + script, "trace2.eventTarget": mark, "remote.origin.url": "ext::" + script, "remote.origin.promisor": "true",
		"core.askPass": script, "core.alternateRefsCommand": script, "uploadpack.packObjectsHook": script,
	} {
		c.git("config", key, value)
	}
	_ = os.Remove(mark)
	c.write("a.dat", "after\n")
	c.write("plan.md", "plan, changed\n")
	c.write("new.dat", "new\n")
	_ = os.Remove(mark) // our own git may have run things

	r := c.open()
	p, err := r.PullRequest(ctx, localgit.Options{})
	require.NoError(t, err)
	tree, err := r.Files(ctx, p.Head.OID)
	require.NoError(t, err)
	blob, err := r.Blob(ctx, tree.Entries["a.dat"].OID)
	require.NoError(t, err)
	assert.Equal(t, "after\n", string(blob.Bytes))
	absent := strings.Repeat("12", 20)
	require.NoError(t, r.Fill(ctx, &p.Common, []facts.Need{
		{Kind: facts.NeedBlob, OID: absent},
		{Kind: facts.NeedReach, Commit: absent, Base: p.Base.OID},
		{Kind: facts.NeedTag, Tag: "v1"},
	}))
	_, err = os.Stat(mark)
	assert.ErrorIs(t, err, os.ErrNotExist, "something ran")
}

func TestFillAnswersEveryNeed(t *testing.T) {
	c := initRepo(t)
	c.write("data/a.jsonl", "{\"sample_id\": \"1\"}\n{\"sample_id\": \"2\"}\n")
	c.write("big.md", strings.Repeat("x", facts.MaxBlob+1))
	c.write("full.md", strings.Repeat("x", facts.MaxBlob))
	base := c.commit("base")
	c.git("tag", "v1.0.0")
	c.git("switch", "-q", "-c", "topic")
	c.write("b", "b")
	topic := c.commit("topic")
	c.git("switch", "-q", "main")
	main := c.commit("main goes on")

	r := c.open()
	p, err := r.PullRequest(ctx, localgit.Options{Head: "topic"})
	require.NoError(t, err)
	tree, err := r.Files(ctx, base)
	require.NoError(t, err)
	nowhere := strings.Repeat("ab", 20)
	req := &facts.ScanRequest{Path: "data/a.jsonl", OID: tree.Entries["data/a.jsonl"].OID, Locale: "ru"}
	lost := &facts.ScanRequest{Path: "data/b.jsonl", OID: nowhere, Locale: "ru"}
	needs := []facts.Need{
		{Kind: facts.NeedTree, Commit: base},
		{Kind: facts.NeedTree, Commit: nowhere},
		{Kind: facts.NeedBlob, OID: tree.Entries["big.md"].OID},
		{Kind: facts.NeedBlob, OID: tree.Entries["full.md"].OID},
		{Kind: facts.NeedBlob, OID: nowhere},
		{Kind: facts.NeedMergeBase, Base: main, Commit: topic},
		{Kind: facts.NeedReach, Base: main, Commit: base},
		{Kind: facts.NeedReach, Base: "main", Commit: topic},
		{Kind: facts.NeedReach, Base: main, Commit: nowhere},
		{Kind: facts.NeedTeam, Team: "acme/leads"},
		{Kind: facts.NeedPushers, Repo: "acme/pilots", Branch: "topic", Commit: topic},
		{Kind: facts.NeedBranch, Branch: "main"},
		{Kind: facts.NeedBranch, Branch: "nowhere"},
		{Kind: facts.NeedTag, Tag: "v1.0.0"},
		{Kind: facts.NeedTag, Tag: "v1"},
		{Kind: facts.NeedMade, Commit: base},
		{Kind: facts.NeedMade, Commit: nowhere},
		{Kind: facts.NeedScan, Scan: req},
		{Kind: facts.NeedScan, Scan: lost},
	}
	require.NoError(t, r.Fill(ctx, &p.Common, needs))
	for _, n := range needs {
		assert.True(t, p.Answered(n), n.String())
	}
	assert.Len(t, p.Git.Trees[base].Entries, 3)
	assert.True(t, p.Git.Trees[nowhere].Absent)
	assert.True(t, p.Git.Blobs[tree.Entries["big.md"].OID].TooLarge)
	assert.Len(t, p.Git.Blobs[tree.Entries["full.md"].OID].Bytes, facts.MaxBlob)
	assert.True(t, p.Git.Blobs[nowhere].Absent)
	assert.Equal(t, base, p.Bases[main+".."+topic])
	assert.True(t, p.Reach[main+".."+base].Reachable)
	assert.Equal(t, facts.Reach{}, p.Reach["main.."+topic])
	assert.True(t, p.Reach[main+".."+nowhere].Absent)
	assert.True(t, p.Teams["acme/leads"].Absent)
	assert.Equal(t, main, p.Branches["main"].OID)
	assert.True(t, p.Branches["nowhere"].Absent)
	assert.Equal(t, base, p.Tags["v1.0.0"].OID)
	assert.True(t, p.Tags["v1"].Absent)
	assert.False(t, p.Made[base].At.IsZero())
	assert.True(t, p.Made[nowhere].Absent)
	assert.Equal(t, 2, p.Scans[req.Key()].Facts.Records)
	assert.True(t, p.Scans[lost.Key()].Absent)
}

func TestPlacesThatGitCanBe(t *testing.T) {
	c := initRepo(t)
	c.write("dir/a", "a")
	one := c.commit("one")
	c.write("dir/b", "b")
	two := c.commit("two")

	t.Run("a folder of the checkout", func(t *testing.T) {
		p, err := checkout{t, filepath.Join(c.dir, "dir")}.open().PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		assert.Equal(t, two, p.Head.OID)
	})
	t.Run("a linked working tree", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "linked")
		c.git("worktree", "add", "-q", "-b", "topic", dir, one)
		w := checkout{t, dir}
		w.write("dir/c", "c")
		r := w.open()
		p, err := r.PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		tree, err := r.Files(ctx, p.Head.OID)
		require.NoError(t, err)
		assert.Equal(t, []string{"dir/a", "dir/c"}, paths(tree))
		assert.Equal(t, facts.Base{Ref: "main", OID: two}, p.Base)
	})
	t.Run("a bare repository", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "bare.git")
		c.git("clone", "-q", "--bare", c.dir, dir)
		p, err := checkout{t, dir}.open().PullRequest(ctx, localgit.Options{})
		require.NoError(t, err)
		assert.Equal(t, [2]string{one, two}, [2]string{p.Base.OID, p.Head.OID})
	})
	t.Run("a shallow clone says what it lacks", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "shallow")
		c.git("clone", "-q", "--depth=1", "file://"+c.dir, dir)
		r := checkout{t, dir}.open()
		_, err := r.PullRequest(ctx, localgit.Options{Base: one})
		var shallow *localgit.ShallowError
		require.ErrorAs(t, err, &shallow)
		assert.Contains(t, err.Error(), "git fetch --unshallow")
		err = r.Fill(ctx, &facts.Common{}, []facts.Need{{Kind: facts.NeedReach, Commit: one, Base: two}})
		assert.ErrorAs(t, err, &shallow)
	})
	t.Run("no repository", func(t *testing.T) {
		_, err := localgit.Open(ctx, t.TempDir(), nil)
		assert.ErrorContains(t, err, "not a git repository")
	})
	t.Run("a path with colon and quote", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), `odd:"name`)
		c.git("clone", "-q", c.dir, dir)
		p, err := checkout{t, dir}.open().PullRequest(ctx, localgit.Options{Base: one})
		require.NoError(t, err)
		assert.Equal(t, two, p.Head.OID)
	})
}

// A change in the very moment in which the index was written has the size and
// time that the index remembers; only the index's own time gives it away.
func TestChangeInTheIndexsOwnMoment(t *testing.T) {
	c := initRepo(t)
	c.write("a.md", "before")
	head := c.commit("base")
	at := time.Now().Add(-time.Hour)
	index := filepath.Join(c.dir, ".git", "index")
	require.NoError(t, os.Chtimes(filepath.Join(c.dir, "a.md"), at, at))
	c.git("update-index", "--refresh")
	c.write("a.md", "behind") // as long as before
	require.NoError(t, os.Chtimes(filepath.Join(c.dir, "a.md"), at, at))
	c.git("config", "core.trustctime", "false")
	require.NoError(t, os.Chtimes(index, at, at))
	p, err := c.open().PullRequest(ctx, localgit.Options{})
	require.NoError(t, err)
	assert.NotEqual(t, head, p.Head.OID)
}

func TestPointersStayPointers(t *testing.T) {
	c := initRepo(t)
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\nsize 6\n"
	c.write("data.jsonl", pointer)
	c.write("other.jsonl", pointer)
	head := c.commit("two pointers")
	c.write("data.jsonl", "hello\n") // the object, as git-lfs puts it there
	r := c.open()
	p, err := r.PullRequest(ctx, localgit.Options{})
	require.NoError(t, err)
	assert.Equal(t, head, p.Head.OID, "nothing changed")

	c.write("other.jsonl", "jello\n")
	r = c.open()
	p, err = r.PullRequest(ctx, localgit.Options{})
	require.NoError(t, err)
	tree, err := r.Files(ctx, p.Head.OID)
	require.NoError(t, err)
	assert.EqualValues(t, len(pointer), tree.Entries["data.jsonl"].Size)
	assert.EqualValues(t, 6, tree.Entries["other.jsonl"].Size, "other bytes are another file")
}

func TestCommitsAndTheirPeople(t *testing.T) {
	c := initRepo(t)
	base := c.commit("base")
	c.git("switch", "-q", "-c", "topic")
	c.commit("plan: first\n\nText.\n\nCo-authored-by: Boris Second <boris@example.org>\nCo-authored-by: Vera <vera@example.org>")
	c.git("remote", "add", "origin", "git@github.com:acme/pilots.git")
	p, err := c.open().PullRequest(ctx, localgit.Options{})
	require.NoError(t, err)
	assert.Equal(t, "acme/pilots", p.Repository.FullName())
	require.Len(t, p.Commits, 1)
	got := p.Commits[0]
	assert.Equal(t, []string{base}, got.Parents)
	assert.Equal(t, "plan: first", got.Headline)
	assert.Equal(t, []facts.Person{{Name: "Boris Second", Email: "boris@example.org"}, {Name: "Vera", Email: "vera@example.org"}}, got.CoAuthors)
}
