package fakegithub

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Export writes the repository as a bare git repository that git itself can
// clone from, into a directory that does not exist yet or is empty.
func (r *Repo) Export(dir string) error {
	objects, refs, head := r.contents()
	for _, sub := range []string{"objects", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(sub)), 0o750); err != nil {
			return fmt.Errorf("export repository: %w", err)
		}
	}
	for oid, o := range objects {
		if err := writeObject(dir, oid, o); err != nil {
			return fmt.Errorf("export repository: %w", err)
		}
	}
	var packed strings.Builder
	packed.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for _, ref := range sortedKeys(refs) {
		packed.WriteString(refs[ref] + " " + ref + "\n")
		if o := objects[refs[ref]]; o.kind == "tag" {
			line, _, _ := strings.Cut(string(o.data), "\n")
			packed.WriteString("^" + strings.TrimPrefix(line, "object ") + "\n")
		}
	}
	for name, text := range map[string]string{
		"packed-refs": packed.String(), "HEAD": "ref: refs/heads/" + head + "\n",
		"config": "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // a repository is to be read
			return fmt.Errorf("export repository: %w", err)
		}
	}
	return nil
}

// contents copies what the repository's refs reach, submodules left out.
func (r *Repo) contents() (objects map[string]object, refs map[string]string, head string) {
	defer r.s.lock()()
	st := r.r.git
	objects, refs = map[string]object{}, map[string]string{}
	var tree func(string)
	tree = func(oid string) {
		if _, done := objects[oid]; done {
			return
		}
		objects[oid] = st.objects[oid]
		es, _ := st.entriesOf(oid)
		for _, e := range es {
			switch e.mode {
			case modeTree:
				tree(e.oid)
			case ModeSubmodule:
			default:
				objects[e.oid] = st.objects[e.oid]
			}
		}
	}
	for ref, oid := range r.r.refs {
		refs[ref] = oid
		if o := st.objects[oid]; o.kind == "tag" {
			objects[oid] = o
		}
		for _, c := range st.order(r.r.peel(oid), nil) {
			objects[c.oid] = st.objects[c.oid]
			tree(c.tree)
		}
	}
	return objects, refs, r.r.defaultBranch
}

func writeObject(dir, oid string, o object) error {
	var buf bytes.Buffer
	z := zlib.NewWriter(&buf)
	if _, err := fmt.Fprintf(z, "%s %d\x00", o.kind, len(o.data)); err != nil {
		return err
	}
	if _, err := z.Write(o.data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	at := filepath.Join(dir, "objects", oid[:2])
	if err := os.MkdirAll(at, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(at, oid[2:]), buf.Bytes(), 0o444) //nolint:gosec // as git does
}

// State is what GitHub looks like, without the ids and times that depend on the
// order of events: two stories that end alike have the same bytes. Files are
// told by blob, commits by their place and tree, so that a commit made a second
// later counts as the same.
func (r *Repo) State() []byte {
	defer r.s.lock()()
	s, x := r.s, r.r
	refs := fields{}
	for ref, oid := range x.refs {
		if c, is := x.git.commit(x.peel(oid)); is {
			refs[ref] = fields{"tree": c.tree, "commits": len(x.git.order(c.oid, nil)), "message": c.message}
		}
	}
	runs := []string{}
	for _, c := range x.runs {
		as := []string{}
		for _, a := range c.annotations {
			as = append(as, fmt.Sprintf("%s:%d-%d %s %s", a.Path, a.StartLine, a.EndLine, a.Level, a.Message))
		}
		sort.Strings(as)
		raw, err := json.Marshal([]any{c.app.slug, c.name, c.head, c.externalID, c.status, c.conclusion, c.title, c.summary, c.text, as})
		if err != nil {
			panic("fakegithub: state: " + err.Error())
		}
		runs = append(runs, string(raw))
	}
	sort.Strings(runs)
	issues := []fields{}
	for _, i := range x.sortedIssues() {
		f := fields{"number": i.number, "title": i.title, "body": i.body, "state": i.state, "author": i.author.login, "comments": s.stateOf(i)}
		if p := i.pull; p != nil {
			reviews := []string{}
			for _, rv := range p.reviews {
				reviews = append(reviews, rv.author.login+" "+rv.state+" "+rv.body)
			}
			asked := []string{}
			for _, u := range p.users {
				asked = append(asked, u.login)
			}
			for _, t := range p.teams {
				asked = append(asked, t.org.login+"/"+t.slug)
			}
			sort.Strings(asked)
			f["reviews"], f["asked"], f["draft"], f["merged"], f["base"], f["head"] = reviews, asked, p.draft, p.merged, p.baseRef, p.headRef
		}
		issues = append(issues, f)
	}
	out, err := json.MarshalIndent(fields{"refs": refs, "check_runs": runs, "issues": issues}, "", " ")
	if err != nil {
		panic("fakegithub: state: " + err.Error())
	}
	return out
}

func (s *Server) stateOf(i *issue) []fields {
	out := []fields{}
	for _, c := range i.comments {
		reactions := []string{}
		for _, re := range c.reactions {
			reactions = append(reactions, re.content+" "+re.user.login)
		}
		sort.Strings(reactions)
		out = append(out, fields{"author": c.author.login, "body": c.body, "reactions": reactions})
	}
	return out
}
