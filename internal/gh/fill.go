package gh

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's own object ids
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// fillAtOnce is how many needs of one look are answered at a time.
const fillAtOnce = 4

// Fill answers every need in the snapshot: with what is there, or with "absent",
// "too large", "unknown". The first error ends it; needs answered until then
// stay answered.
func (c *Client) Fill(ctx context.Context, s facts.Subject, to *facts.Common, needs []facts.Need) error {
	f := filling{client: c, inst: c.installation(s.Installation), subject: s, to: to}
	if to.Repository.ID != s.Repository || to.Repository.Owner == "" {
		return fmt.Errorf("fill: the snapshot is of repository %d, the subject of %d", to.Repository.ID, s.Repository)
	}
	prepare(to)
	needs = unanswered(to, needs)
	if err := f.prefetch(ctx, needs); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fillAtOnce)
	for _, n := range needs {
		group.Go(func() error {
			if err := f.answer(ctx, n); err != nil {
				return fmt.Errorf("read %s: %w", n, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// unanswered are the needs that are still open, each once.
func unanswered(to *facts.Common, needs []facts.Need) []facts.Need {
	var out []facts.Need
	seen := map[string]bool{}
	for _, n := range needs {
		if key := n.String(); !seen[key] && !to.Answered(n) {
			seen[key] = true
			out = append(out, n)
		}
	}
	return out
}

func prepare(c *facts.Common) {
	made(&c.Git.Trees)
	made(&c.Git.Blobs)
	made(&c.Bases)
	made(&c.Reach)
	made(&c.Made)
	made(&c.Teams)
	made(&c.Scans)
	made(&c.Pushers)
	made(&c.Branches)
	made(&c.Tags)
	made(&c.Access)
	made(&c.Workflows)
	made(&c.Runs)
	made(&c.Waiting)
	made(&c.Pending)
	made(&c.Artifacts)
	made(&c.Contents)
	made(&c.Claims)
	made(&c.Opened)
	made(&c.Pulls)
	made(&c.Releases)
	made(&c.Deployments)
	made(&c.Guards)
}

func made[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}

// filling answers needs of one look in parallel.
type filling struct {
	client  *Client
	inst    *installation
	subject facts.Subject
	mu      sync.Mutex // guards to's maps
	to      *facts.Common
}

// set writes one answer.
func set[V any](f *filling, m map[string]V, n facts.Need, v V) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m[n.Key()] = v
}

func (f *filling) call(route string) *call { return f.client.call(f.inst, route) }

// path begins every REST path of the repository.
func (f *filling) path(format string, args ...any) string {
	return fmt.Sprintf("repos/%s/%s/", f.to.Repository.Owner, f.to.Repository.Name) + fmt.Sprintf(format, args...)
}

func (f *filling) answer(ctx context.Context, n facts.Need) error {
	switch n.Kind {
	case facts.NeedTree:
		v, err := f.tree(ctx, n.Commit)
		if err != nil {
			return err
		}
		set(f, f.to.Git.Trees, n, v)
	case facts.NeedBlob:
		v, err := f.blob(ctx, n.OID)
		if err != nil {
			return err
		}
		set(f, f.to.Git.Blobs, n, v)
	case facts.NeedMergeBase:
		v, err := f.compare(ctx, n.Base, n.Commit)
		if err != nil {
			return err
		}
		set(f, f.to.Bases, n, v.mergeBase)
	case facts.NeedReach:
		v, err := f.compare(ctx, n.Base, n.Commit)
		if err != nil {
			return err
		}
		set(f, f.to.Reach, n, facts.Reach{Reachable: v.reachable, Absent: v.absent})
	case facts.NeedMade:
		v, err := f.madeAt(ctx, n.Commit)
		if err != nil {
			return err
		}
		set(f, f.to.Made, n, v)
	case facts.NeedTeam:
		v, err := f.team(ctx, n.Team)
		if err != nil {
			return err
		}
		set(f, f.to.Teams, n, v)
	case facts.NeedPushers:
		v, err := f.pushers(ctx, n)
		if err != nil {
			return err
		}
		set(f, f.to.Pushers, n, v)
	case facts.NeedBranch:
		v, err := f.branch(ctx, n.Branch)
		if err != nil {
			return err
		}
		set(f, f.to.Branches, n, v)
	case facts.NeedTag:
		v, err := f.tag(ctx, n.Tag)
		if err != nil {
			return err
		}
		set(f, f.to.Tags, n, v)
	case facts.NeedAccess:
		v, err := f.access(ctx, n.Login)
		if err != nil {
			return err
		}
		set(f, f.to.Access, n, v)
	case facts.NeedScan:
		v, err := f.scan(ctx, *n.Scan)
		if err != nil {
			return err
		}
		set(f, f.to.Scans, n, v)
	case facts.NeedOpened:
		v, err := f.opened(ctx, n.Branch)
		if err != nil {
			return err
		}
		set(f, f.to.Opened, n, v)
	case facts.NeedPull:
		at := facts.Subject{Installation: f.subject.Installation, Repository: f.subject.Repository, Kind: facts.KindPullRequest, ID: n.Key()}
		v, err := f.client.LookPullRequest(ctx, at)
		if err != nil {
			return err
		}
		set(f, f.to.Pulls, n, v)
	case facts.NeedIssues:
		v, err := f.client.issues(ctx, f.inst, f.to.App, f.to.Repository)
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.to.Issues, f.to.IssuesRead = v, true
		f.mu.Unlock()
	case facts.NeedTags:
		v, err := f.tagNames(ctx)
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.to.TagNames, f.to.TagsRead = v, true
		f.mu.Unlock()
	case facts.NeedRelease:
		v, err := f.release(ctx, n.Tag)
		if err != nil {
			return err
		}
		set(f, f.to.Releases, n, v)
	case facts.NeedDeployed:
		v, err := f.deployments(ctx, n.Environment)
		if err != nil {
			return err
		}
		set(f, f.to.Deployments, n, v)
	default:
		return f.answerRuns(ctx, n)
	}
	return nil
}

// isOID tells a full object id (SHA-1, or SHA-256 of Enterprise's future) from
// anything else, so that nothing an author wrote gets into a URL.
func isOID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

func (f *filling) tree(ctx context.Context, commit string) (facts.Tree, error) {
	if !isOID(commit) {
		return facts.Tree{Absent: true}, nil
	}
	key := object{f.to.Repository.ID, commit}
	if t, ok := f.client.trees.get(key); ok {
		return t, nil
	}
	k := f.call("GET /repos/{owner}/{repo}/git/trees/{tree_sha}")
	k.content = true
	var got github.Tree
	_, err := k.get(ctx, f.path("git/trees/%s?recursive=1", commit), &got)
	switch {
	case isAbsent(err), isInvalid(err), isEmptyRepository(err):
		return facts.Tree{Absent: true}, nil
	case err != nil:
		return facts.Tree{}, err
	}
	t := facts.Tree{Entries: make(map[string]facts.Entry, len(got.Entries)), Truncated: got.GetTruncated()}
	size := int64(64)
	for _, e := range got.Entries {
		if e.GetType() == "tree" {
			continue
		}
		t.Entries[e.GetPath()] = facts.Entry{OID: e.GetSHA(), Mode: e.GetMode(), Size: int64(e.GetSize())}
		size += int64(len(e.GetPath())) + 160
	}
	if !t.Truncated { // a cut listing may be whole the next time
		f.client.trees.put(key, t, size)
	}
	return t, nil
}

// isEmptyRepository: GitHub answers 409 for git data of a repository without commits.
func isEmptyRepository(err error) bool {
	var c *Conflict
	return errors.As(err, &c)
}

const rawMedia = "application/vnd.github.raw+json"

func (f *filling) blob(ctx context.Context, oid string) (facts.Blob, error) {
	if !isOID(oid) {
		return facts.Blob{Absent: true}, nil
	}
	key := object{f.to.Repository.ID, oid}
	if b, ok := f.client.blobs.get(key); ok {
		return b, nil
	}
	body, size, err := f.client.openBlob(ctx, f.inst, f.to.Repository, oid)
	switch {
	case errors.Is(err, bytestore.ErrAbsent):
		return facts.Blob{Absent: true}, nil
	case errors.Is(err, bytestore.ErrTooLarge), err == nil && size > facts.MaxBlob:
		if body != nil {
			_ = body.Close()
		}
		return facts.Blob{TooLarge: true}, nil
	case err != nil:
		return facts.Blob{}, err
	}
	defer body.Close() // read to its end, or given up
	raw, err := io.ReadAll(io.LimitReader(body, facts.MaxBlob+1))
	if err != nil {
		return facts.Blob{}, f.call("GET /repos/{owner}/{repo}/git/blobs/{file_sha}").sort(fmt.Errorf("read blob: %w", err))
	}
	if len(raw) > facts.MaxBlob {
		return facts.Blob{TooLarge: true}, nil
	}
	if got := blobID(raw, len(oid)); got != oid { // cut on the way, or not git's
		return facts.Blob{}, f.call("GET /repos/{owner}/{repo}/git/blobs/{file_sha}").sort(fmt.Errorf("blob %s arrived as %s", oid, got))
	}
	b := facts.Blob{Bytes: raw}
	f.client.blobs.put(key, b, int64(len(raw))+256)
	return b, nil
}

// blobID is git's name for these bytes.
func blobID(raw []byte, length int) string {
	header := "blob " + strconv.Itoa(len(raw)) + "\x00"
	if length == 64 {
		sum := sha256.Sum256(append([]byte(header), raw...))
		return hex.EncodeToString(sum[:])
	}
	h := sha1.New() //nolint:gosec // git's own object ids
	_, _ = io.WriteString(h, header)
	_, _ = h.Write(raw)
	return hex.EncodeToString(h.Sum(nil))
}

// openBlob streams a blob; it answers bytestore's ErrAbsent and ErrTooLarge.
func (c *Client) openBlob(ctx context.Context, i *installation, r facts.Repository, oid string) (io.ReadCloser, int64, error) {
	k := c.call(i, "GET /repos/{owner}/{repo}/git/blobs/{file_sha}")
	k.content = true
	body, size, err := k.raw(ctx, fmt.Sprintf("repos/%s/%s/git/blobs/%s", r.Owner, r.Name, oid), rawMedia)
	var refused *Refused
	switch {
	case errors.As(err, &refused) && strings.Contains(strings.ToLower(refused.Why), "too large"):
		return nil, 0, bytestore.ErrTooLarge // 403 beyond 100 MB
	case isAbsent(err), isInvalid(err):
		return nil, 0, bytestore.ErrAbsent
	}
	return body, size, err
}

// comparison is what a compare of two commits tells.
type comparison struct {
	mergeBase string
	reachable bool // head is reachable from base
	absent    bool
}

func (f *filling) compare(ctx context.Context, base, head string) (comparison, error) {
	if !isOID(head) || base == "" {
		return comparison{absent: true}, nil
	}
	if base == head {
		return comparison{mergeBase: head, reachable: true}, nil
	}
	key := object{f.to.Repository.ID, base + ".." + head}
	if v, ok := f.client.compared.get(key); ok {
		return v, nil
	}
	var got struct {
		Status string `json:"status"`
		Base   struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
	}
	k := f.call("GET /repos/{owner}/{repo}/compare/{basehead}")
	k.content = isOID(base)
	_, err := k.get(ctx, f.path("compare/%s...%s?per_page=1", url.PathEscape(base), head), &got)
	var gone *absent
	switch {
	case errors.As(err, &gone) && gone.noAncestor():
		return comparison{}, nil
	case isAbsent(err), isInvalid(err):
		return comparison{absent: true}, nil
	case err != nil:
		return comparison{}, err
	case !isOID(got.Base.SHA):
		return comparison{}, k.sort(errors.New("comparison without a merge base"))
	}
	v := comparison{mergeBase: got.Base.SHA, reachable: got.Base.SHA == head}
	if isOID(base) { // a branch moves, commits do not
		f.client.compared.put(key, v, 4)
	}
	return v, nil
}

// madeAt is a commit's committer date.
func (f *filling) madeAt(ctx context.Context, commit string) (facts.Made, error) {
	if !isOID(commit) {
		return facts.Made{Absent: true}, nil
	}
	var got struct {
		Committer struct {
			Date time.Time `json:"date"`
		} `json:"committer"`
	}
	switch _, err := f.call("GET /repos/{owner}/{repo}/git/commits/{commit_sha}").get(ctx, f.path("git/commits/%s", commit), &got); {
	case isAbsent(err), isInvalid(err), isEmptyRepository(err):
		return facts.Made{Absent: true}, nil
	case err != nil:
		return facts.Made{}, err
	}
	return facts.Made{At: got.Committer.Date}, nil
}

func (f *filling) tag(ctx context.Context, tag string) (facts.TagFacts, error) {
	if !tagName(tag) {
		return facts.TagFacts{Absent: true}, nil
	}
	var ref github.Reference
	_, err := f.call("GET /repos/{owner}/{repo}/git/ref/{ref}").get(ctx, f.path("git/ref/tags/%s", escapePath(tag)), &ref)
	switch {
	case isAbsent(err), isEmptyRepository(err):
		return facts.TagFacts{Absent: true}, nil
	case err != nil:
		return facts.TagFacts{}, err
	}
	return facts.TagFacts{OID: ref.GetObject().GetSHA()}, nil
}

// maxActivityPages caps the pushes of one branch that are read: 100 a page.
const maxActivityPages = 10

// pushers are those who pushed, force-pushed or made the branch, by GitHub's
// activity log, whatever the commits claim.
func (f *filling) pushers(ctx context.Context, n facts.Need) (facts.Pushers, error) {
	owner, name, ok := strings.Cut(n.Repo, "/")
	if !ok || n.Branch == "" {
		return facts.Pushers{Unknown: true}, nil
	}
	var out facts.Pushers
	after := ""
	for page := 0; ; page++ {
		if page == maxActivityPages {
			return facts.Pushers{Unknown: true}, nil // more than we read: we do not know
		}
		var got []struct {
			Type   string `json:"activity_type"`
			Ref    string `json:"ref"`
			Before string `json:"before"`
			After  string `json:"after"`
			Actor  *struct {
				ID    int64  `json:"id"`
				Login string `json:"login"`
				Type  string `json:"type"`
			} `json:"actor"`
		}
		path := fmt.Sprintf("repos/%s/%s/activity?per_page=100&ref=%s", url.PathEscape(owner), url.PathEscape(name), url.QueryEscape("refs/heads/"+n.Branch))
		if after != "" {
			path += "&after=" + url.QueryEscape(after)
		}
		resp, err := f.call("GET /repos/{owner}/{repo}/activity").get(ctx, path, &got)
		switch {
		case isAbsent(err), isRefused(err):
			return facts.Pushers{Unknown: true}, nil
		case err != nil:
			return facts.Pushers{}, err
		}
		for _, a := range got {
			if a.Ref != "refs/heads/"+n.Branch || a.Type == "branch_deletion" {
				continue
			}
			push := facts.Push{By: facts.Account{Login: "ghost"}, Before: a.Before, After: a.After}
			if a.Actor != nil {
				push.By = facts.Account{ID: a.Actor.ID, Login: a.Actor.Login, Type: a.Actor.Type}
			}
			out.Pushes = append(out.Pushes, push)
		}
		if after = resp.After; after == "" || len(got) == 0 {
			return out, nil
		}
	}
}

func (f *filling) scan(ctx context.Context, req facts.ScanRequest) (facts.Scan, error) {
	if f.client.scanner == nil {
		return facts.Scan{}, errors.New("this server scans no datasets")
	}
	// The scan outlives this look, and so does what it reads with.
	source := f.client.source(f.inst, f.to.Repository)
	return f.client.scanner.Scan(ctx, f.subject, req, source.Open)
}
