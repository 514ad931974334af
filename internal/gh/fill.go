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

// Recall answers those of the needs that no request is needed for, and tells
// whether there were any: what is known already may be all that was missing to
// know what to ask for.
func (c *Client) Recall(ctx context.Context, s facts.Subject, to *facts.Common, needs []facts.Need) bool {
	f := filling{client: c, inst: c.installation(s.Installation), subject: s, to: to}
	prepare(to)
	found := false
	for _, n := range unanswered(to, needs) {
		found = f.recall(ctx, n) || found
	}
	return found
}

// Fill answers every need in the snapshot: with what is there, or with "absent",
// "too large", "unknown". The first error ends it; needs answered until then
// stay answered. Of a pull request it tells where its head stood after all of
// this was read, if it came to be asked on the way; else the Sight is zero.
func (c *Client) Fill(ctx context.Context, s facts.Subject, to *facts.Common, needs []facts.Need) (Sight, error) {
	f := filling{client: c, inst: c.installation(s.Installation), subject: s, to: to}
	if to.Repository.ID != s.Repository || to.Repository.Owner == "" {
		return Sight{}, fmt.Errorf("fill: the snapshot is of repository %d, the subject of %d", to.Repository.ID, s.Repository)
	}
	c.Recall(ctx, s, to, needs)
	needs = unanswered(to, needs)
	together := f.together(needs)
	var alone, scans []facts.Need
	for _, n := range needs {
		switch {
		case n.Kind == facts.NeedScan:
			scans = append(scans, n)
		case !together.has(n):
			alone = append(alone, n)
		}
	}
	if err := f.each(ctx, alone); err != nil {
		return Sight{}, err
	}
	sight, left, err := f.ask(ctx, together)
	if err != nil {
		return Sight{}, err
	}
	// What is read by its content's name does not change behind the sight.
	return sight, f.each(ctx, append(left, scans...))
}

// each answers needs one request each, a few at a time.
func (f *filling) each(ctx context.Context, needs []facts.Need) error {
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
	made(&c.Brought)
	made(&c.Opened)
	made(&c.Pulls)
	made(&c.Releases)
	made(&c.Reports)
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
	mu      sync.Mutex // guards to's maps, and outside
	to      *facts.Common
	outside map[string]bool // teams without access, by "org/slug", whose people are still to be read
}

// set writes one answer; it is true, so that it ends a condition.
func set[V any](f *filling, m map[string]V, n facts.Need, v V) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	m[n.Key()] = v
	return true
}

func (f *filling) call(route string) *call { return f.client.call(f.inst, route) }

// path begins every REST path of the repository.
func (f *filling) path(format string, args ...any) string {
	return fmt.Sprintf("repos/%s/%s/", f.to.Repository.Owner, f.to.Repository.Name) + fmt.Sprintf(format, args...)
}

// recall answers a need that a cache, or its own form, answers.
func (f *filling) recall(ctx context.Context, n facts.Need) bool {
	c, repository := f.client, f.to.Repository.ID
	switch n.Kind {
	case facts.NeedTree:
		if !isOID(n.Commit) {
			return set(f, f.to.Git.Trees, n, facts.Tree{Absent: true})
		}
		t, ok := c.knownTree(repository, n.Commit)
		return ok && set(f, f.to.Git.Trees, n, t)
	case facts.NeedBlob:
		if !isOID(n.OID) {
			return set(f, f.to.Git.Blobs, n, facts.Blob{Absent: true})
		}
		b, ok := c.blobs.get(object{repository, n.OID})
		return ok && set(f, f.to.Git.Blobs, n, c.reading(repository, n.OID, b))
	case facts.NeedMergeBase:
		v, ok := f.compared(n.Base, n.Commit)
		return ok && set(f, f.to.Bases, n, v.mergeBase)
	case facts.NeedReach:
		v, ok := f.compared(n.Base, n.Commit)
		return ok && set(f, f.to.Reach, n, facts.Reach{Reachable: v.reachable, Absent: v.absent})
	case facts.NeedTag:
		return !tagName(n.Tag) && set(f, f.to.Tags, n, facts.TagFacts{Absent: true})
	case facts.NeedTeam:
		t, ok := f.knownTeam(n.Team)
		return ok && set(f, f.to.Teams, n, t)
	case facts.NeedScan:
		if c.scanner == nil || !c.scanner.Known(repository, *n.Scan) {
			return false
		}
		return f.answer(ctx, n) == nil
	case facts.NeedPushers:
		p, ok := c.pushers.get(pushes(n))
		return ok && set(f, f.to.Pushers, n, p)
	}
	return false
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
	case facts.NeedBrought:
		v, err := f.brought(ctx, n.Path)
		if err != nil {
			return err
		}
		set(f, f.to.Brought, n, v)
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
	case facts.NeedReports:
		v, err := f.reports(ctx, n.ID)
		if err != nil {
			return err
		}
		set(f, f.to.Reports, n, v)
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

// isEmptyRepository: GitHub answers 409 for git data of a repository without commits.
func isEmptyRepository(err error) bool {
	var c *Conflict
	return errors.As(err, &c)
}

const rawMedia = "application/vnd.github.raw+json"

func (f *filling) blob(ctx context.Context, oid string) (facts.Blob, error) {
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
	return f.client.keepBlob(f.to.Repository.ID, oid, raw), nil
}

// keepBlob keeps bytes whose git id was checked, and gives them for a snapshot.
func (c *Client) keepBlob(repository int64, id string, raw []byte) facts.Blob {
	b := facts.Blob{Bytes: raw}
	c.blobs.put(object{repository, id}, b, int64(len(raw))+256)
	return c.reading(repository, id, b)
}

// readingCost is how many bytes are counted for what was made of a byte of a
// document: findings, strings and maps take several times its length.
const readingCost = 8

// reading is a blob for a snapshot, with what other snapshots made of it.
func (c *Client) reading(repository int64, id string, b facts.Blob) facts.Blob {
	at := object{repository, id}
	r, ok := c.readings.get(at)
	if !ok {
		r = &facts.Readings{}
		c.readings.put(at, r, readingCost*int64(len(b.Bytes))+512)
	}
	return b.Keeping(r)
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

func (f *filling) compared(base, head string) (comparison, bool) {
	if !isOID(head) || base == "" {
		return comparison{absent: true}, true
	}
	if base == head {
		return comparison{mergeBase: head, reachable: true}, true
	}
	return f.client.compared.get(object{f.to.Repository.ID, base + ".." + head})
}

func (f *filling) compare(ctx context.Context, base, head string) (comparison, error) {
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
		f.client.compared.put(object{f.to.Repository.ID, base + ".." + head}, v, 4)
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

func (f *filling) scan(ctx context.Context, req facts.ScanRequest) (facts.Scan, error) {
	if f.client.scanner == nil {
		return facts.Scan{}, errors.New("this server scans no datasets")
	}
	// The scan outlives this look, and so does what it reads with.
	source := f.client.source(f.inst, f.to.Repository)
	return f.client.scanner.Scan(ctx, f.subject, req, source.Open)
}
