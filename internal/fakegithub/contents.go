package fakegithub

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxContent is the largest file that the contents API gives inline: 1 MB.
const maxContent = 1 << 20

// File reads a file of a branch or commit; ok is false if it is not there.
func (r *Repo) File(ref, path string) (data []byte, found bool) {
	defer r.s.lock()()
	c, is := r.r.git.commit(r.r.resolve(ref))
	if !is {
		return nil, false
	}
	return r.r.git.blob(r.r.git.flatten(c.tree)[path].oid)
}

// Files lists the paths of a branch or commit.
func (r *Repo) Files(ref string) []string {
	defer r.s.lock()()
	c, is := r.r.git.commit(r.r.resolve(ref))
	if !is {
		return nil
	}
	return sortedKeys(r.r.git.flatten(c.tree))
}

// Head is the commit of a branch, tag or ref; "" if there is none.
func (r *Repo) Head(ref string) string {
	defer r.s.lock()()
	return r.r.resolve(ref)
}

// Refs lists every ref with its object id.
func (r *Repo) Refs() map[string]string {
	defer r.s.lock()()
	return maps.Clone(r.r.refs)
}

// CommitView is one commit as git has it.
type CommitView struct {
	OID, Tree, Message          string
	Parents                     []string
	AuthorEmail, CommitterEmail string
	Author                      string // login, "" if no account has the address
	SignedByGitHub              bool
}

// Log lists the commits of a ref, newest first.
func (r *Repo) Log(ref string) []CommitView {
	defer r.s.lock()()
	var out []CommitView
	for _, c := range r.r.history(r.r.resolve(ref), "") {
		v := CommitView{
			OID: c.oid, Tree: c.tree, Message: c.message, Parents: c.parents, AuthorEmail: c.author.email, CommitterEmail: c.committer.email,
			SignedByGitHub: r.s.signedByGitHub(r.r, c),
		}
		if a := r.s.attributed(c.author); a != nil {
			v.Author = a.login
		}
		out = append(out, v)
	}
	return out
}

func (s *Server) contentRoutes() []*route {
	const base = "/repos/{owner}/{repo}/contents/{path}"
	return []*route{
		{method: "GET", template: base, operation: "repos/get-content", needs: "contents:read", do: (*call).getContent},
		{method: "PUT", template: base, operation: "repos/create-or-update-file-contents", needs: "contents:write", do: (*call).putContent},
		{method: "DELETE", template: base, operation: "repos/delete-file", needs: "contents:write", do: (*call).deleteContent},
	}
}

func (c *call) showContent(ref, path string, l leaf, inline bool) fields {
	data, _ := c.repo.git.blob(l.oid)
	u := c.s.api("repos/" + c.repo.full() + "/contents/" + path + "?ref=" + ref)
	g := c.s.api("repos/" + c.repo.full() + "/git/blobs/" + l.oid)
	h := c.s.html(c.repo.full() + "/blob/" + ref + "/" + path)
	f := fields{
		"type": "file", "size": len(data), "name": path[strings.LastIndexByte(path, '/')+1:], "path": path, "sha": l.oid, "url": u, "git_url": g,
		"html_url": h, "download_url": c.s.html(c.repo.full() + "/raw/" + ref + "/" + path), "_links": fields{"self": u, "git": g, "html": h},
	}
	switch l.mode {
	case ModeSymlink:
		f["type"], f["target"] = "symlink", string(data)
	case ModeSubmodule:
		f["type"], f["submodule_git_url"], f["git_url"], f["download_url"] = "submodule", "https://github.test/"+path, nil, nil
	default:
		if inline && len(data) <= maxContent {
			f["encoding"], f["content"] = "base64", wrap64(data)
		} else if inline {
			f["encoding"], f["content"] = "none", ""
		}
	}
	return f
}

func (c *call) getContent() (answer, error) {
	ref := c.query("ref")
	oid := c.resolve(ref)
	x, is := c.repo.git.commit(oid)
	if !is {
		return answer{}, &failure{status: http.StatusNotFound, message: "No commit found for the ref " + ref}
	}
	if ref == "" {
		ref = c.repo.defaultBranch
	}
	path := strings.Trim(c.params["path"], "/")
	files := c.repo.git.flatten(x.tree)
	if l, is := files[path]; is {
		data, _ := c.repo.git.blob(l.oid)
		if wantsRaw(c.r) {
			return answer{status: http.StatusOK, bytes: data, kind: "application/vnd.github.raw; charset=utf-8"}, nil
		}
		return ok(c.showContent(ref, path, l, true))
	}
	// A directory: its direct children, at most 1,000.
	rows := map[string]fields{}
	prefix := path + "/"
	if path == "" {
		prefix = ""
	}
	for p, l := range files {
		rest, in := strings.CutPrefix(p, prefix)
		if !in {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper {
			d := c.showContent(ref, prefix+name, leaf{}, false)
			d["type"], d["size"], d["download_url"] = "dir", 0, nil
			d["sha"] = c.dirOID(x.tree, prefix+name)
			rows[name] = d
		} else {
			rows[rest] = c.showContent(ref, p, l, false)
		}
	}
	if len(rows) == 0 {
		return answer{}, errNotFound
	}
	names := sortedKeys(rows)
	out := []fields{}
	for _, n := range names[:min(len(names), 1000)] {
		out = append(out, rows[n])
	}
	return ok(out)
}

// dirOID is the tree of a directory, "" if there is none.
func (c *call) dirOID(tree, path string) string {
	for seg := range strings.SplitSeq(path, "/") {
		es, _ := c.repo.git.entriesOf(tree)
		i := slices.IndexFunc(es, func(e entry) bool { return e.name == seg })
		if i < 0 {
			return ""
		}
		tree = es[i].oid
	}
	return tree
}

type contentInput struct {
	Message, Content, SHA, Branch string
}

func (c *call) contentTarget(q *contentInput) (branch, path string, files map[string]leaf, f *failure) {
	if f := c.decode(q); f != nil {
		return "", "", nil, f
	}
	branch, path = q.Branch, strings.Trim(c.params["path"], "/")
	if branch == "" {
		branch = c.repo.defaultBranch
	}
	branch = strings.TrimPrefix(branch, "refs/heads/")
	x, is := c.repo.git.commit(c.repo.tip(branch))
	if !is {
		return "", "", nil, &failure{status: http.StatusNotFound, message: "Branch " + branch + " not found"}
	}
	if q.Message == "" {
		return "", "", nil, unprocessable("Invalid request.\n\n\"message\" wasn't supplied.")
	}
	if !validPath(path) {
		return "", "", nil, unprocessable("path contains a malformed path component")
	}
	return branch, path, maps.Clone(c.repo.git.flatten(x.tree)), nil
}

func (c *call) putContent() (answer, error) {
	var q contentInput
	branch, path, files, f := c.contentTarget(&q)
	if f != nil {
		return answer{}, f
	}
	have, exists := files[path]
	switch {
	case exists && q.SHA == "":
		return answer{}, unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")
	case q.SHA != "" && q.SHA != have.oid:
		return answer{}, &failure{status: http.StatusConflict, message: path + " does not match " + q.SHA}
	}
	data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(q.Content, "\n", ""))
	if err != nil {
		return answer{}, unprocessable("content is not valid Base64")
	}
	files[path] = leaf{ModeFile, c.repo.git.put("blob", data)}
	oid, err := c.webPush(branch, files, q.Message)
	if err != nil {
		return answer{}, err
	}
	x, _ := c.repo.git.commit(oid)
	body := fields{"content": c.showContent(branch, path, files[path], false), "commit": c.s.showGitCommit(c.repo, x)}
	if exists {
		return ok(body)
	}
	return created(body)
}

func (c *call) deleteContent() (answer, error) {
	var q contentInput
	branch, path, files, f := c.contentTarget(&q)
	if f != nil {
		return answer{}, f
	}
	have, exists := files[path]
	switch {
	case !exists:
		return answer{}, errNotFound
	case q.SHA != have.oid:
		return answer{}, &failure{status: http.StatusConflict, message: path + " does not match " + q.SHA}
	}
	delete(files, path)
	oid, err := c.webPush(branch, files, q.Message)
	if err != nil {
		return answer{}, err
	}
	x, _ := c.repo.git.commit(oid)
	return ok(fields{"content": nil, "commit": c.s.showGitCommit(c.repo, x)})
}

// webPush commits a tree to a branch through the API and pushes it.
func (c *call) webPush(branch string, files map[string]leaf, message string) (string, error) {
	now := c.s.stamp()
	oid := c.s.webCommit(c.repo, commit{
		tree: c.repo.git.build(files), parents: []string{c.repo.tip(branch)}, author: c.s.identOf(c.actor.user, now),
		committer: c.s.identOf(c.s.webflow, now), message: message,
	})
	err := c.s.push(c.repo, "refs/heads/"+branch, oid, c.actor.user, false)
	if f := (*failure)(nil); errors.As(err, &f) && f.status == http.StatusUnprocessableEntity {
		// Seen rather than documented: what the refs API refuses with 422, the
		// contents API refuses as a conflict.
		return "", &failure{status: http.StatusConflict, message: f.message}
	}
	return oid, err
}
