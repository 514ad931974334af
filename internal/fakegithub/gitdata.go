package fakegithub

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"
)

// maxBlob is the largest blob that the API gives out: 100 MB.
const maxBlob = 100 << 20

func (r *repo) resolve(ref string) string {
	if ref == "" || ref == "HEAD" {
		ref = r.defaultBranch
	}
	for _, try := range []string{ref, "refs/" + ref, "refs/heads/" + ref, "refs/tags/" + ref} {
		if oid := r.refs[try]; oid != "" {
			return r.peel(oid)
		}
	}
	if _, ok := r.git.commit(ref); ok {
		return ref
	}
	return ""
}

// peel follows an annotated tag to its commit.
func (r *repo) peel(oid string) string {
	if o, ok := r.git.objects[oid]; ok && o.kind == "tag" {
		line, _, _ := strings.Cut(string(o.data), "\n")
		return strings.TrimPrefix(line, "object ")
	}
	return oid
}

func (s *Server) verification(r *repo, c *commit) fields {
	v := fields{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	if c.signature != "" {
		v["reason"], v["signature"] = "unknown_key", c.signature
	}
	if r.git.verified[c.oid] {
		v["verified"], v["reason"], v["signature"], v["payload"] = true, "valid", c.signature, "tree "+c.tree
		v["verified_at"] = stampOf(c.committer.when)
	}
	return v
}

func showIdent(i ident) fields {
	return fields{"name": i.name, "email": i.email, "date": i.when.UTC().Format(time.RFC3339)}
}

// showGitCommit is the git data API's shape.
func (s *Server) showGitCommit(r *repo, c *commit) fields {
	u := s.api("repos/" + r.full() + "/git/commits/")
	parents := []fields{}
	for _, p := range c.parents {
		parents = append(parents, fields{"sha": p, "url": u + p, "html_url": s.html(r.full() + "/commit/" + p)})
	}
	return fields{
		"sha": c.oid, "node_id": commitNode(r, c.oid), "url": u + c.oid, "html_url": s.html(r.full() + "/commit/" + c.oid),
		"author": showIdent(c.author), "committer": showIdent(c.committer), "message": c.message, "parents": parents,
		"tree":         fields{"sha": c.tree, "url": s.api("repos/" + r.full() + "/git/trees/" + c.tree)},
		"verification": s.verification(r, c),
	}
}

func commitNode(r *repo, oid string) string { return nodeID("C", r.id) + "_" + oid }

// showListedCommit is the repository API's shape, without files.
func (s *Server) showListedCommit(r *repo, c *commit) fields {
	u := s.api("repos/" + r.full() + "/commits/" + c.oid)
	parents := []fields{}
	for _, p := range c.parents {
		parents = append(parents, fields{"sha": p, "url": s.api("repos/" + r.full() + "/commits/" + p), "html_url": s.html(r.full() + "/commit/" + p)})
	}
	return fields{
		"sha": c.oid, "node_id": commitNode(r, c.oid), "url": u, "html_url": s.html(r.full() + "/commit/" + c.oid), "comments_url": u + "/comments",
		"commit": fields{
			"author": showIdent(c.author), "committer": showIdent(c.committer), "message": c.message, "comment_count": 0,
			"tree": fields{"sha": c.tree, "url": s.api("repos/" + r.full() + "/git/trees/" + c.tree)},
			"url":  s.api("repos/" + r.full() + "/git/commits/" + c.oid), "verification": s.verification(r, c),
		},
		"author": s.userOrNull(s.attributed(c.author)), "committer": s.userOrNull(s.attributed(c.committer)), "parents": parents,
	}
}

func (s *Server) showCommit(r *repo, oid string) fields {
	c, _ := r.git.commit(oid)
	return s.showListedCommit(r, c)
}

func wantsRaw(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, ".raw") || strings.Contains(accept, "github.raw")
}

// wrap64 is base64 in lines of 60, as GitHub sends it.
func wrap64(data []byte) string {
	s := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(s) > 60 {
		b.WriteString(s[:60] + "\n")
		s = s[60:]
	}
	b.WriteString(s + "\n")
	return b.String()
}

func (s *Server) showEntry(r *repo, e entry, path string) fields {
	f := fields{"path": path, "mode": e.mode, "type": "blob", "sha": e.oid}
	switch e.mode {
	case modeTree:
		f["mode"], f["type"], f["url"] = "040000", "tree", s.api("repos/"+r.full()+"/git/trees/"+e.oid)
	case ModeSubmodule:
		f["type"] = "commit"
	default:
		data, _ := r.git.blob(e.oid)
		f["size"], f["url"] = len(data), s.api("repos/"+r.full()+"/git/blobs/"+e.oid)
	}
	return f
}

// TruncateTrees makes recursive tree listings of the repository stop after n entries.
func (r *Repo) TruncateTrees(n int) {
	defer r.s.lock()()
	r.r.treeLimit = n
}

func (s *Server) showGitRef(r *repo, ref string) fields {
	oid := r.refs[ref]
	kind := "commit"
	if o := r.git.objects[oid]; o.kind != "" {
		kind = o.kind
	}
	return fields{
		"ref": ref, "node_id": nodeID("REF", r.id) + "_" + ref, "url": s.api("repos/" + r.full() + "/git/" + ref),
		"object": fields{"type": kind, "sha": oid, "url": s.api("repos/" + r.full() + "/git/" + kind + "s/" + oid)},
	}
}

// validRef is the part of git's rules for ref names that matters to an API.
func validRef(ref string) bool {
	if !strings.HasPrefix(ref, "refs/") || strings.Count(ref, "/") < 2 || strings.HasSuffix(ref, "/") || strings.HasSuffix(ref, ".lock") ||
		strings.Contains(ref, "..") || strings.Contains(ref, "//") || strings.Contains(ref, "@{") || strings.HasSuffix(ref, ".") {
		return false
	}
	for _, c := range ref {
		if c <= ' ' || c == 0x7f || strings.ContainsRune("~^:?*[\\", c) {
			return false
		}
	}
	return true
}

// makeRef creates a ref if it is absent: GitHub's compare-and-set.
func (s *Server) makeRef(r *repo, ref, oid string, by *account) *failure {
	if !validRef(ref) {
		return unprocessable("Reference name is not valid")
	}
	if r.refs[ref] != "" {
		return unprocessable("Reference already exists")
	}
	for have := range r.refs {
		if strings.HasPrefix(have, ref+"/") || strings.HasPrefix(ref, have+"/") {
			return unprocessable("Reference name conflicts with " + have)
		}
	}
	if _, is := r.git.objects[oid]; !is {
		return unprocessable("Object does not exist")
	}
	if strings.HasPrefix(ref, "refs/heads/") {
		if err := s.push(r, ref, oid, by, false); err != nil {
			return refusalOf(err)
		}
		return nil
	}
	s.setRef(r, ref, oid, by, "push")
	return nil
}

// compareCommits and compareFiles are GitHub's caps on a comparison.
const (
	compareCommits = 250
	compareFiles   = 300
)

// history lists commits from tip, newest first; with path only those that
// change it, merges left out where they leave it as one parent has it.
func (r *repo) history(tip, path string) []*commit {
	all := r.git.order(tip, nil)
	var out []*commit
	at := func(x *commit) string {
		if x == nil {
			return ""
		}
		f := r.git.flatten(x.tree)
		if l, ok := f[path]; ok {
			return l.mode + l.oid
		}
		var b strings.Builder
		for _, p := range sortedKeys(f) {
			if strings.HasPrefix(p, path+"/") {
				b.WriteString(p + f[p].mode + f[p].oid)
			}
		}
		return b.String()
	}
	for i := len(all) - 1; i >= 0; i-- {
		x := all[i]
		if path != "" {
			same := len(x.parents) == 0 && at(x) == ""
			for _, p := range x.parents {
				parent, _ := r.git.commit(p)
				same = same || at(parent) == at(x)
			}
			if same {
				continue
			}
		}
		out = append(out, x)
	}
	return out
}

// pullsOf are the pull requests that a commit came by: merged ones first, then open ones that hold it.
func (s *Server) pullsOf(r *repo, oid string) []*pull {
	var out []*pull
	for _, i := range r.sortedIssues() {
		p := i.pull
		if p == nil {
			continue
		}
		holds := p.merged && (p.mergeCommit == oid || slices.Contains(p.rebased, oid))
		for _, x := range p.commitsOf() {
			holds = holds || x.oid == oid
		}
		if holds && (p.merged || p.state == "open") {
			out = append(out, p)
		}
	}
	sort.SliceStable(out, func(a, b int) bool { return out[a].merged && !out[b].merged })
	return out
}

// Tag makes an annotated tag object and its ref as a person.
func (r *Repo) Tag(by, name, commit, message string) {
	defer r.s.lock()()
	oid := commit
	if message != "" {
		i := r.s.identOf(r.s.account(by), r.s.stamp())
		oid = r.r.git.put("tag", fmt.Appendf(nil, "object %s\ntype commit\ntag %s\ntagger %s\n\n%s\n", commit, name, i, message))
	}
	r.s.setRef(r.r, "refs/tags/"+name, oid, r.s.account(by), "push")
}
