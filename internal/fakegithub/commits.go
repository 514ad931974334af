package fakegithub

import (
	"fmt"
	"io/fs"
	"maps"
	"sort"
	"strings"
	"time"
)

// CommitSpec describes a commit of a story.
type CommitSpec struct {
	Message   string
	Files     map[string]File // written; the rest stays
	Delete    []string
	Author    string // login; "" is who pushes
	Committer string // login; "" is the author
	CoAuthors []string
	// AuthorEmail overrides the address: one that no account has makes the
	// commit unattributed.
	AuthorName, AuthorEmail string
	Parent                  string   // "" is the branch's tip
	Merge                   []string // further parents
	// Force lets the push move the branch to a commit that does not descend from its tip.
	Force bool
	// When is the date that the commit claims; zero: now.
	When time.Time
}

// signatureBlock stands where GitHub's own signature would. It is no real
// signature; whether a commit is "verified" is the store's to know.
const signatureBlock = "-----BEGIN PGP SIGNATURE-----\n\nc3RhbmQtaW4gc2lnbmF0dXJl\n-----END PGP SIGNATURE-----\n"

// Commit commits to a branch and pushes it as the author (or as by, if given).
// A new branch starts at Parent, or at the default branch.
func (r *Repo) Commit(branch, by string, spec CommitSpec) (string, error) {
	defer r.s.lock()()
	return r.s.commitAndPush(r.r, branch, r.s.account(by), spec)
}

// MustCommit is Commit for stories in which the push cannot be refused.
func (r *Repo) MustCommit(branch, by string, spec CommitSpec) string {
	oid, err := r.Commit(branch, by, spec)
	if err != nil {
		panic("fakegithub: push refused: " + err.Error())
	}
	return oid
}

func (s *Server) commitAndPush(r *repo, branch string, by *account, spec CommitSpec) (string, error) {
	parent := spec.Parent
	if parent == "" {
		if parent = r.tip(branch); parent == "" {
			parent = r.tip(r.defaultBranch)
		}
	}
	author := by
	if spec.Author != "" {
		author = s.account(spec.Author)
	}
	var parents []string
	if parent != "" {
		parents = append([]string{parent}, spec.Merge...)
	}
	oid := s.commitFiles(r, parents, spec, author)
	return oid, s.push(r, "refs/heads/"+branch, oid, by, spec.Force)
}

func (s *Server) identOf(a *account, at time.Time) ident {
	mail := a.emails[0]
	if a == s.webflow {
		return ident{"GitHub", "noreply@github.com", at}
	}
	return ident{a.name, mail, at}
}

// commitFiles makes a commit object on top of its first parent's tree.
func (s *Server) commitFiles(r *repo, parents []string, spec CommitSpec, author *account) string {
	files := map[string]leaf{}
	if len(parents) > 0 {
		p, ok := r.git.commit(parents[0])
		if !ok {
			panic("fakegithub: no commit " + parents[0])
		}
		files = maps.Clone(r.git.flatten(p.tree))
	}
	for _, p := range spec.Delete {
		delete(files, p)
	}
	for p, f := range spec.Files {
		files[p] = r.git.leafOf(f)
	}
	now := s.stamp()
	if !spec.When.IsZero() {
		now = spec.When
	}
	a := s.identOf(author, now)
	if spec.AuthorEmail != "" {
		a.email = spec.AuthorEmail
	}
	if spec.AuthorName != "" {
		a.name = spec.AuthorName
	}
	c := a
	if spec.Committer != "" {
		c = s.identOf(s.account(spec.Committer), now)
	}
	msg := spec.Message
	if msg == "" {
		msg = "Change " + strings.Join(sortedKeys(spec.Files), ", ")
	}
	for i, co := range spec.CoAuthors {
		if i == 0 {
			msg += "\n"
		}
		id := s.identOf(s.account(co), now)
		msg += fmt.Sprintf("\nCo-authored-by: %s <%s>", id.name, id.email)
	}
	oid := r.git.putCommit(commit{tree: r.git.build(files), parents: parents, author: a, committer: c, message: msg})
	return oid
}

func (st *store) leafOf(f File) leaf {
	if f.Mode == ModeSubmodule {
		return leaf{ModeSubmodule, string(f.Data)}
	}
	if f.Mode == "" {
		f.Mode = ModeFile
	}
	return leaf{f.Mode, st.put("blob", f.Data)}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// PushAs moves a ref ("refs/heads/x") to a commit that the network already has.
func (r *Repo) PushAs(by, ref, oid string, force bool) error {
	defer r.s.lock()()
	return r.s.push(r.r, ref, oid, r.s.account(by), force)
}

// DeleteBranch removes a branch; open pull requests from it close.
func (r *Repo) DeleteBranch(by, branch string) {
	defer r.s.lock()()
	r.s.deleteRef(r.r, "refs/heads/"+branch, r.s.account(by))
}

// PushRef points any ref at a commit as a person with a clone and the right to push.
func (r *Repo) PushRef(by, ref, commit string) {
	defer r.s.lock()()
	r.s.setRef(r.r, ref, commit, r.s.account(by), "push")
}

// DeleteRef deletes any ref as a person with a clone and the right to push.
func (r *Repo) DeleteRef(by, ref string) {
	defer r.s.lock()()
	r.s.deleteRef(r.r, ref, r.s.account(by))
}

// Import writes the files of fsys as one commit of by on the default branch,
// keeping nothing of what was there. It takes at most maxFiles files and
// maxBytes bytes, so that a wrong directory does not fill the memory.
func (r *Repo) Import(by string, fsys fs.FS, maxFiles int, maxBytes int64) (string, error) {
	files := map[string]File{}
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !validPath(path) {
			return nil
		}
		if maxFiles--; maxFiles < 0 {
			return fmt.Errorf("import: too many files")
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if maxBytes -= info.Size(); maxBytes < 0 {
			return fmt.Errorf("import: too many bytes")
		}
		data, err := fs.ReadFile(fsys, path)
		if err != nil {
			return err
		}
		mode := ModeFile
		if info.Mode()&0o111 != 0 {
			mode = ModeExec
		}
		files[path] = File{Mode: mode, Data: data}
		return nil
	})
	if err != nil {
		return "", err
	}
	defer r.s.lock()()
	a := r.s.account(by)
	var parents []string
	var gone []string
	if tip := r.r.tip(r.r.defaultBranch); tip != "" {
		parents = []string{tip}
		c, _ := r.r.git.commit(tip)
		gone = sortedKeys(r.r.git.flatten(c.tree))
	}
	oid := r.s.commitFiles(r.r, parents, CommitSpec{Message: "Import", Files: files, Delete: gone}, a)
	return oid, r.s.push(r.r, "refs/heads/"+r.r.defaultBranch, oid, a, false)
}

// push moves a ref as git push does: refused by protection, or when it would
// lose commits and is not forced.
func (s *Server) push(r *repo, ref, oid string, by *account, force bool) error {
	if _, ok := r.git.commit(oid); !ok {
		return unprocessable("Object does not exist")
	}
	old := r.refs[ref]
	kind := "push"
	switch {
	case old == oid:
		return nil
	case old == "":
		kind = "branch_creation"
	case !r.git.reaches(oid, old):
		if !force {
			return unprocessable("Update is not a fast forward")
		}
		kind = "force_push"
	}
	if b, is := strings.CutPrefix(ref, "refs/heads/"); is {
		if f := s.refusePush(r, b, oid, by, kind); f != nil {
			return f
		}
	}
	s.setRef(r, ref, oid, by, kind)
	return nil
}

// setRef moves a ref, writes the activity log, syncs pull requests and tells everybody.
func (s *Server) setRef(r *repo, ref, oid string, by *account, kind string) {
	old := r.refs[ref]
	r.refs[ref] = oid
	at := s.stamp()
	r.pushed = at
	for _, c := range r.git.order(oid, nil) {
		if r.git.pushed[c.oid].IsZero() {
			r.git.pushed[c.oid] = at
			s.tellCommit(r, c)
		}
	}
	if old == "" && kind == "push" {
		kind = "branch_creation"
	}
	if strings.HasPrefix(ref, "refs/heads/") {
		r.activity = append(r.activity, &activity{id: s.next("activity"), ref: ref, before: orZero(old), after: oid, kind: kind, actor: by, at: at})
	}
	s.tell(r, "push", by.login, fields{"ref": ref, "before": old, "after": oid, "forced": kind == "force_push"})
	if strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/tags/") {
		s.emitPush(r, ref, old, oid, by, kind == "force_push")
		if old == "" {
			s.emitRefEvent(r, "create", ref, by)
		}
	}
	if b, is := strings.CutPrefix(ref, "refs/heads/"); is {
		s.requestSuites(r, b, oid, by)
		s.syncPulls(r, b, old, oid, by)
	}
}

func (s *Server) deleteRef(r *repo, ref string, by *account) {
	old := r.refs[ref]
	delete(r.refs, ref)
	at := s.stamp()
	s.tell(r, "ref_deleted", by.login, fields{"ref": ref, "before": old})
	b, is := strings.CutPrefix(ref, "refs/heads/")
	if is {
		r.activity = append(r.activity, &activity{id: s.next("activity"), ref: ref, before: old, after: zero, kind: "branch_deletion", actor: by, at: at})
	}
	if is || strings.HasPrefix(ref, "refs/tags/") {
		s.emitPush(r, ref, old, "", by, false)
		s.emitRefEvent(r, "delete", ref, by)
	}
	if is {
		for _, p := range s.openPulls() {
			if p.headRepo == r && p.headRef == b || p.repo == r && p.baseRef == b {
				s.closePull(p, by)
			}
		}
	}
}

func (s *Server) emitRefEvent(r *repo, name, ref string, by *account) {
	kind, short := "branch", strings.TrimPrefix(ref, "refs/heads/")
	if t, is := strings.CutPrefix(ref, "refs/tags/"); is {
		kind, short = "tag", t
	}
	s.emit(r, name, by, fields{"ref": short, "ref_type": kind, "master_branch": r.defaultBranch, "description": nil, "pusher_type": "user"})
}

func (s *Server) emitPush(r *repo, ref, before, after string, by *account, forced bool) {
	var shown []fields
	var head any
	base := map[string]bool{}
	if before != "" {
		base = r.git.ancestors(before)
	}
	if after != "" {
		cs := r.git.order(after, base)
		if before == "" { // a new branch shows what the default branch has not
			cs = r.git.order(after, r.git.ancestors(r.tip(r.defaultBranch)))
		}
		if len(cs) > 2048 {
			cs = cs[len(cs)-2048:]
		}
		for _, c := range cs {
			shown = append(shown, s.showPushCommit(r, c))
		}
		if c, ok := r.git.commit(after); ok {
			head = s.showPushCommit(r, c)
		}
	}
	s.emit(r, "push", by, fields{
		"ref": ref, "before": orZero(before), "after": orZero(after), "created": before == "", "deleted": after == "", "forced": forced,
		"base_ref": nil, "compare": s.html(r.full() + "/compare/" + orZero(before)[:12] + "..." + orZero(after)[:12]),
		"commits": nonNil(shown), "head_commit": head, "pusher": fields{"name": by.login, "email": by.emails[0]},
	})
}

func (s *Server) showPushCommit(r *repo, c *commit) fields {
	added, removed, modified := []string{}, []string{}, []string{}
	for _, ch := range s.changesOf(r, c) {
		switch ch.status() {
		case "added":
			added = append(added, ch.path)
		case "removed":
			removed = append(removed, ch.path)
		case "renamed":
			added, removed = append(added, ch.path), append(removed, ch.previous)
		default:
			modified = append(modified, ch.path)
		}
	}
	who := func(i ident) fields {
		f := fields{"name": i.name, "email": i.email}
		if a := s.emails[strings.ToLower(i.email)]; a != nil {
			f["username"] = a.login
		}
		return f
	}
	return fields{
		"id": c.oid, "tree_id": c.tree, "distinct": true, "message": c.message, "timestamp": c.committer.when.Format(time.RFC3339),
		"url": s.html(r.full() + "/commit/" + c.oid), "author": who(c.author), "committer": who(c.committer),
		"added": added, "removed": removed, "modified": modified,
	}
}

// changesOf is what a commit changes against its first parent.
func (s *Server) changesOf(r *repo, c *commit) []change {
	from := emptyTree
	if len(c.parents) > 0 {
		if p, ok := r.git.commit(c.parents[0]); ok {
			from = p.tree
		}
	}
	return r.git.diff(from, c.tree)
}

// attributed is the account that GitHub shows for an address, nil for none.
func (s *Server) attributed(i ident) *account {
	a := s.emails[strings.ToLower(i.email)]
	if a == nil || a.gone {
		return nil
	}
	return a
}

// coAuthors reads the trailers of the last paragraph.
func coAuthors(message string) []ident {
	var out []ident
	for _, line := range strings.Split(message, "\n") {
		rest, ok := cutFold(strings.TrimSpace(line), "co-authored-by:")
		if !ok {
			continue
		}
		name, mail, ok := strings.Cut(rest, "<")
		if ok {
			out = append(out, ident{name: strings.TrimSpace(name), email: strings.TrimSuffix(strings.TrimSpace(mail), ">")})
		}
	}
	return out
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
