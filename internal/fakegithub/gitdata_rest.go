package fakegithub

import (
	"encoding/base64"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// resolve turns a commit id, branch, tag or full ref into a commit id; "" if there is none.
func (c *call) resolve(ref string) string { return c.repo.resolve(ref) }

func (s *Server) gitRoutes() []*route {
	const base = "/repos/{owner}/{repo}/git"
	read, write := "contents:read", "contents:write"
	return []*route{
		{method: "GET", template: base + "/blobs/{file_sha}", operation: "git/get-blob", needs: read, do: (*call).getBlob},
		{method: "POST", template: base + "/blobs", operation: "git/create-blob", needs: write, do: (*call).createBlob},
		{method: "GET", template: base + "/trees/{tree_sha}", operation: "git/get-tree", needs: read, do: (*call).getTree},
		{method: "POST", template: base + "/trees", operation: "git/create-tree", needs: write, do: (*call).createTree},
		{method: "GET", template: base + "/commits/{commit_sha}", operation: "git/get-commit", needs: read, do: func(c *call) (answer, error) {
			x, ok2 := c.repo.git.commit(c.params["commit_sha"])
			if !ok2 {
				return answer{}, errNotFound
			}
			return ok(c.s.showGitCommit(c.repo, x))
		}},
		{method: "POST", template: base + "/commits", operation: "git/create-commit", needs: write, do: (*call).createCommit},
		{method: "GET", template: base + "/ref/{ref}", operation: "git/get-ref", needs: read, do: func(c *call) (answer, error) {
			ref := "refs/" + c.params["ref"]
			if c.repo.refs[ref] == "" {
				return answer{}, errNotFound
			}
			return ok(c.s.showGitRef(c.repo, ref))
		}},
		{method: "GET", template: base + "/matching-refs/{ref}", operation: "git/list-matching-refs", needs: read, do: func(c *call) (answer, error) {
			return ok(list(page(c, c.repo.sortedRefs("refs/"+c.params["ref"])), func(ref string) fields { return c.s.showGitRef(c.repo, ref) }))
		}},
		{method: "POST", template: base + "/refs", operation: "git/create-ref", needs: write, do: (*call).createRef},
		{method: "PATCH", template: base + "/refs/{ref}", operation: "git/update-ref", needs: write, do: (*call).updateRef},
		{method: "DELETE", template: base + "/refs/{ref}", operation: "git/delete-ref", needs: write, do: func(c *call) (answer, error) {
			ref := "refs/" + c.params["ref"]
			if c.repo.refs[ref] == "" {
				return answer{}, unprocessable("Reference does not exist")
			}
			c.s.deleteRef(c.repo, ref, c.actor.user)
			return empty()
		}},
		{method: "GET", template: base + "/tags/{tag_sha}", operation: "git/get-tag", needs: read, do: (*call).getTag},
		{method: "GET", template: "/repos/{owner}/{repo}/compare/{basehead}", operation: "repos/compare-commits", needs: read, do: (*call).compare},
		{method: "GET", template: "/repos/{owner}/{repo}/commits", operation: "repos/list-commits", needs: read, do: (*call).listCommits},
		{method: "GET", template: "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", operation: "repos/list-pull-requests-associated-with-commit", needs: "pull_requests:read", do: (*call).commitPulls},
		{method: "GET", template: "/repos/{owner}/{repo}/commits/{ref}", operation: "repos/get-commit", needs: read, do: (*call).getCommit},
	}
}

func (c *call) getBlob() (answer, error) {
	data, found := c.repo.git.blob(c.params["file_sha"])
	if !found {
		return answer{}, errNotFound
	}
	if len(data) > maxBlob {
		return answer{}, &failure{status: http.StatusForbidden, message: "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can always clone the repository via Git in order to obtain it.", errors: []fields{{"resource": "Blob", "field": "data", "code": "too_large"}}}
	}
	if wantsRaw(c.r) {
		return answer{status: http.StatusOK, bytes: data, kind: "application/vnd.github.raw; charset=utf-8"}, nil
	}
	oid := c.params["file_sha"]
	return ok(fields{
		"sha": oid, "node_id": nodeID("B", c.repo.id) + "_" + oid, "size": len(data), "url": c.s.api("repos/" + c.repo.full() + "/git/blobs/" + oid),
		"content": wrap64(data), "encoding": "base64",
	})
}

func (c *call) createBlob() (answer, error) {
	var q struct{ Content, Encoding string }
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	data := []byte(q.Content)
	if q.Encoding == "base64" {
		raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(q.Content, "\n", ""))
		if err != nil {
			return answer{}, unprocessable("content is not valid Base64")
		}
		data = raw
	}
	oid := c.repo.git.put("blob", data)
	return created(fields{"sha": oid, "url": c.s.api("repos/" + c.repo.full() + "/git/blobs/" + oid)})
}

// treeOf resolves a tree id, a commit id or a ref to a tree id.
func (c *call) treeOf(ref string) string {
	if _, ok := c.repo.git.entriesOf(ref); ok {
		return ref
	}
	if x, ok := c.repo.git.commit(c.resolve(ref)); ok {
		return x.tree
	}
	return ""
}

func (c *call) getTree() (answer, error) {
	tree := c.treeOf(c.params["tree_sha"])
	if tree == "" {
		return answer{}, errNotFound
	}
	rows := []fields{}
	var walk func(tree, prefix string, deep bool)
	walk = func(tree, prefix string, deep bool) {
		es, _ := c.repo.git.entriesOf(tree)
		for _, e := range es {
			rows = append(rows, c.s.showEntry(c.repo, e, prefix+e.name))
			if deep && e.mode == modeTree {
				walk(e.oid, prefix+e.name+"/", true)
			}
		}
	}
	walk(tree, "", c.query("recursive") != "")
	truncated := len(rows) > c.repo.treeLimit
	if truncated {
		rows = rows[:c.repo.treeLimit]
	}
	return ok(fields{"sha": tree, "url": c.s.api("repos/" + c.repo.full() + "/git/trees/" + tree), "tree": rows, "truncated": truncated})
}

func (c *call) createTree() (answer, error) {
	var q struct {
		BaseTree string `json:"base_tree"`
		Tree     []struct {
			Path, Mode, Type string
			SHA              *string
			Content          *string
		}
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	if len(q.Tree) == 0 {
		return answer{}, unprocessable("Invalid tree info")
	}
	files := map[string]leaf{}
	if q.BaseTree != "" {
		t := c.treeOf(q.BaseTree)
		if t == "" {
			return answer{}, unprocessable("base_tree is not a valid tree oid")
		}
		files = maps.Clone(c.repo.git.flatten(t))
	}
	for _, e := range q.Tree {
		if !validPath(e.Path) {
			return answer{}, unprocessable("tree.path contains a malformed path component")
		}
		switch {
		case e.SHA == nil && e.Content == nil:
			delete(files, e.Path)
			for p := range files {
				if strings.HasPrefix(p, e.Path+"/") {
					delete(files, p)
				}
			}
		case e.Mode == "040000":
			if _, is := c.repo.git.entriesOf(*e.SHA); !is {
				return answer{}, unprocessable("tree.sha " + *e.SHA + " is not a valid tree")
			}
			for p, l := range c.repo.git.flatten(*e.SHA) {
				files[e.Path+"/"+p] = l
			}
		case e.Mode != ModeFile && e.Mode != ModeExec && e.Mode != ModeSymlink && e.Mode != ModeSubmodule:
			return answer{}, unprocessable("Must supply a valid tree.mode")
		case e.Content != nil:
			files[e.Path] = leaf{e.Mode, c.repo.git.put("blob", []byte(*e.Content))}
		default:
			if _, is := c.repo.git.blob(*e.SHA); !is && e.Mode != ModeSubmodule || !validOID(*e.SHA) {
				return answer{}, unprocessable("tree.sha " + *e.SHA + " is not a valid blob")
			}
			files[e.Path] = leaf{e.Mode, *e.SHA}
		}
	}
	tree := c.repo.git.build(files)
	es, _ := c.repo.git.entriesOf(tree)
	rows := []fields{}
	for _, e := range es {
		rows = append(rows, c.s.showEntry(c.repo, e, e.name))
	}
	return created(fields{"sha": tree, "url": c.s.api("repos/" + c.repo.full() + "/git/trees/" + tree), "tree": rows, "truncated": false})
}

func (c *call) createCommit() (answer, error) {
	type who struct {
		Name, Email string
		Date        *time.Time
	}
	var q struct {
		Message, Tree     string
		Parents           []string
		Author, Committer *who
		Signature         string
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	st := c.repo.git
	if _, is := st.entriesOf(q.Tree); !is {
		return answer{}, unprocessable("Tree SHA does not exist")
	}
	for _, p := range q.Parents {
		if _, is := st.commit(p); !is {
			return answer{}, unprocessable("Parent SHA does not exist or is not a commit object")
		}
	}
	now := c.s.stamp()
	of := func(w *who, other ident) ident {
		if w == nil {
			return other
		}
		i := ident{w.Name, w.Email, now}
		if w.Date != nil {
			i.when = *w.Date
		}
		return i
	}
	author := of(q.Author, c.s.identOf(c.actor.user, now))
	x := commit{tree: q.Tree, parents: q.Parents, author: author, committer: of(q.Committer, author), message: q.Message, signature: q.Signature}
	var oid string
	if q.Author == nil && q.Committer == nil && q.Signature == "" && c.actor.installation != nil {
		// A bot's commit without names is GitHub's to sign.
		x.committer = c.s.identOf(c.s.webflow, now)
		oid = c.s.webCommit(c.repo, x)
	} else {
		oid = st.putCommit(x)
	}
	got, _ := st.commit(oid)
	return created(c.s.showGitCommit(c.repo, got))
}

func (c *call) createRef() (answer, error) {
	var q struct{ Ref, SHA string }
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	if f := c.s.makeRef(c.repo, q.Ref, q.SHA, c.actor.user); f != nil {
		return answer{}, f
	}
	return created(c.s.showGitRef(c.repo, q.Ref))
}

func (c *call) updateRef() (answer, error) {
	var q struct {
		SHA   string
		Force bool
	}
	if f := c.decode(&q); f != nil {
		return answer{}, f
	}
	ref := "refs/" + c.params["ref"]
	if c.repo.refs[ref] == "" {
		return answer{}, unprocessable("Reference does not exist")
	}
	if err := c.s.push(c.repo, ref, q.SHA, c.actor.user, q.Force); err != nil {
		return answer{}, err
	}
	return ok(c.s.showGitRef(c.repo, ref))
}

func (c *call) compare() (answer, error) {
	left, right, dots := strings.Cut(c.params["basehead"], "...")
	base, head := c.resolveFrom(left), c.resolveFrom(right)
	if !dots || base == "" || head == "" {
		return answer{}, errNotFound
	}
	st := c.repo.git
	mb := st.mergeBase(base, head)
	if mb == "" {
		return answer{}, &failure{status: http.StatusNotFound, message: "No common ancestor between " + left + " and " + right + "."}
	}
	ahead, behind := st.between(base, head), st.between(head, base)
	status := "diverged"
	switch {
	case len(ahead) == 0 && len(behind) == 0:
		status = "identical"
	case len(behind) == 0:
		status = "ahead"
	case len(ahead) == 0:
		status = "behind"
	}
	m, _ := st.commit(mb)
	h, _ := st.commit(head)
	files := st.diff(m.tree, h.tree)
	files = files[:min(len(files), compareFiles)]
	shown := []fields{}
	if c.query("page") == "" || c.query("page") == "1" {
		shown = list(files, func(ch change) fields { return c.s.showFile(c.repo, ch, head) })
	}
	commits := ahead
	if c.query("page") == "" && c.query("per_page") == "" {
		commits = commits[:min(len(commits), compareCommits)]
	} else {
		commits = page(c, commits)
	}
	u := c.s.api("repos/" + c.repo.full() + "/compare/" + c.params["basehead"])
	h2 := c.s.html(c.repo.full() + "/compare/" + c.params["basehead"])
	return ok(fields{
		"url": u, "html_url": h2, "permalink_url": h2, "diff_url": h2 + ".diff", "patch_url": h2 + ".patch", "status": status,
		"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "base_commit": c.s.showCommit(c.repo, base),
		"merge_base_commit": c.s.showCommit(c.repo, mb), "files": shown,
		"commits": list(commits, func(x *commit) fields { return c.s.showListedCommit(c.repo, x) }),
	})
}

// resolveFrom also takes "owner:ref" of a fork.
func (c *call) resolveFrom(ref string) string {
	owner, rest, cross := strings.Cut(ref, ":")
	if !cross {
		return c.resolve(ref)
	}
	for _, r := range c.s.sortedRepos() {
		if r.git == c.repo.git && strings.EqualFold(r.owner.login, owner) {
			return r.resolve(rest)
		}
	}
	return ""
}

func (c *call) listCommits() (answer, error) {
	tip := c.resolve(c.query("sha"))
	if tip == "" {
		if len(c.repo.refs) == 0 {
			return answer{}, &failure{status: http.StatusConflict, message: "Git Repository is empty."}
		}
		return answer{}, errNotFound
	}
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	var out []*commit
	all := c.repo.history(tip, strings.Trim(c.query("path"), "/"))
	for _, x := range all {
		if by := c.query("author"); by != "" {
			a := c.s.attributed(x.author)
			if (a == nil || !strings.EqualFold(a.login, by)) && !strings.EqualFold(x.author.email, by) {
				continue
			}
		}
		if !x.committer.when.Before(since) {
			out = append(out, x)
		}
	}
	return ok(list(page(c, out), func(x *commit) fields { return c.s.showListedCommit(c.repo, x) }))
}

func (c *call) getCommit() (answer, error) {
	x, is := c.repo.git.commit(c.resolve(c.params["ref"]))
	if !is {
		return answer{}, unprocessable("No commit found for SHA: " + c.params["ref"])
	}
	f := c.s.showListedCommit(c.repo, x)
	changes := c.s.changesOf(c.repo, x)
	adds, dels := 0, 0
	for _, ch := range changes {
		_, a, d := c.repo.git.patchOfChange(ch)
		adds, dels = adds+a, dels+d
	}
	f["stats"] = fields{"additions": adds, "deletions": dels, "total": adds + dels}
	f["files"] = list(page(c, changes), func(ch change) fields { return c.s.showFile(c.repo, ch, x.oid) })
	return ok(f)
}

func (c *call) commitPulls() (answer, error) {
	oid := c.resolve(c.params["commit_sha"])
	if oid == "" {
		return answer{}, unprocessable("No commit found for SHA: " + c.params["commit_sha"])
	}
	return ok(list(page(c, c.s.pullsOf(c.repo, oid)), c.s.showListedPull))
}

// getTag reads an annotated tag object, whose head is four lines.
func (c *call) getTag() (answer, error) {
	oid := c.params["tag_sha"]
	o := c.repo.git.objects[oid]
	if o.kind != "tag" {
		return answer{}, errNotFound
	}
	head, message, _ := strings.Cut(string(o.data), "\n\n")
	at := map[string]string{}
	for line := range strings.SplitSeq(head, "\n") {
		k, v, _ := strings.Cut(line, " ")
		at[k] = v
	}
	name, rest, _ := strings.Cut(at["tagger"], " <")
	mail, when, _ := strings.Cut(rest, "> ")
	seconds, _, _ := strings.Cut(when, " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return answer{}, errNotFound
	}
	return ok(fields{
		"sha": oid, "node_id": nodeID("TA", c.repo.id) + "_" + oid, "url": c.s.api("repos/" + c.repo.full() + "/git/tags/" + oid), "tag": at["tag"],
		"message": strings.TrimSuffix(message, "\n"), "tagger": showIdent(ident{name, mail, time.Unix(n, 0)}),
		"object":       fields{"type": at["type"], "sha": at["object"], "url": c.s.api("repos/" + c.repo.full() + "/git/commits/" + at["object"])},
		"verification": fields{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	})
}
