package gh

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's own object ids
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// isRoot keeps which tree a commit has. A squash merge onto an unmoved base has
// the tree of the request's head, so that nothing of it is read again.
func (c *Client) isRoot(repository int64, o oid) {
	if isOID(o.OID) && isOID(o.Tree.OID) {
		c.roots.put(object{repository, o.OID}, o.Tree.OID, 4)
	}
}

// rootsOf keeps the tree of a repository's default branch.
func (c *Client) rootsOf(r wireRepository) {
	if b := r.DefaultBranchRef; b != nil && b.Target != nil {
		c.isRoot(r.DatabaseID, *b.Target)
	}
}

// treeName is what a commit's listing is kept under: its tree's id, or the
// commit's own where nobody told its tree.
func (c *Client) treeName(repository int64, commit string) string {
	if root, ok := c.roots.get(object{repository, commit}); ok {
		return root
	}
	return commit
}

// knownTree is a commit's listing; it may have been kept before its tree's id
// was told.
func (c *Client) knownTree(repository int64, commit string) (facts.Tree, bool) {
	t, ok := c.trees.get(object{repository, c.treeName(repository, commit)})
	if !ok {
		t, ok = c.trees.get(object{repository, commit})
	}
	return t, ok
}

func (f *filling) tree(ctx context.Context, commit string) (facts.Tree, error) {
	name := f.client.treeName(f.to.Repository.ID, commit)
	k := f.call("GET /repos/{owner}/{repo}/git/trees/{tree_sha}")
	k.content = true
	var got github.Tree
	_, err := k.get(ctx, f.path("git/trees/%s?recursive=1", name), &got)
	switch {
	case isAbsent(err), isInvalid(err), isEmptyRepository(err):
		return facts.Tree{Absent: true}, nil
	case err != nil:
		return facts.Tree{}, err
	}
	t := facts.Tree{Entries: make(map[string]facts.Entry, len(got.Entries)), Truncated: got.GetTruncated()}
	for _, e := range got.Entries {
		if e.GetType() == "tree" {
			continue
		}
		t.Entries[e.GetPath()] = facts.Entry{OID: e.GetSHA(), Mode: e.GetMode(), Size: int64(e.GetSize())}
	}
	f.client.keepTree(f.to.Repository.ID, name, t)
	return t, nil
}

// keepTree keeps a listing that is whole; a cut one may be whole the next time.
func (c *Client) keepTree(repository int64, name string, t facts.Tree) {
	if t.Truncated {
		return
	}
	size := int64(64)
	for path := range t.Entries {
		size += int64(len(path)) + 160
	}
	c.trees.put(object{repository, name}, t, size)
}

// committed keeps what a commit of ours brought: its files are known, and so is
// its tree, if the id that we compute for it is the one that GitHub answered.
func (c *Client) committed(repository int64, parent string, made oid, files []effect.File) {
	before, ok := c.knownTree(repository, parent)
	if !ok || len(made.Tree.OID) != 2*sha1.Size {
		return
	}
	after := facts.Tree{Entries: maps.Clone(before.Entries)}
	for _, f := range files {
		if f.Delete {
			delete(after.Entries, f.Path)
			continue
		}
		mode := "100644"
		if e, ok := before.Entries[f.Path]; ok && e.Regular() {
			mode = e.Mode
		}
		after.Entries[f.Path] = facts.Entry{OID: blobID(f.Bytes, len(made.Tree.OID)), Mode: mode, Size: int64(len(f.Bytes))}
	}
	if treeID(after.Entries) != made.Tree.OID {
		return
	}
	c.isRoot(repository, made)
	c.keepTree(repository, made.Tree.OID, after)
	for _, f := range files {
		if !f.Delete && len(f.Bytes) <= facts.MaxBlob {
			c.keepBlob(repository, blobID(f.Bytes, len(made.Tree.OID)), f.Bytes)
		}
	}
}

// folder is one level of a tree.
type folder struct {
	files   map[string]facts.Entry
	folders map[string]*folder
}

func newFolder() *folder {
	return &folder{files: map[string]facts.Entry{}, folders: map[string]*folder{}}
}

// treeID is git's name for a tree with these files.
func treeID(files map[string]facts.Entry) string {
	root := newFolder()
	for path, e := range files {
		at := root
		parts := strings.Split(path, "/")
		for _, name := range parts[:len(parts)-1] {
			if at.folders[name] == nil {
				at.folders[name] = newFolder()
			}
			at = at.folders[name]
		}
		at.files[parts[len(parts)-1]] = e
	}
	return root.id()
}

func (f *folder) id() string {
	const slash = "/" // git sorts a folder as if its name ended in one
	children := map[string]facts.Entry{}
	for name, e := range f.files {
		children[name] = e
	}
	for name, sub := range f.folders {
		children[name+slash] = facts.Entry{Mode: "40000", OID: sub.id()}
	}
	var body []byte
	for _, name := range slices.Sorted(maps.Keys(children)) {
		raw, err := hex.DecodeString(children[name].OID)
		if err != nil {
			return ""
		}
		body = fmt.Appendf(body, "%s %s\x00", children[name].Mode, strings.TrimSuffix(name, slash))
		body = append(body, raw...)
	}
	sum := sha1.Sum(append(fmt.Appendf(nil, "tree %d\x00", len(body)), body...)) //nolint:gosec // git's own object ids
	return hex.EncodeToString(sum[:])
}
