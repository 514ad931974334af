package dossier

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// Workflow is a trusted workflow of the base branch with the local files that
// its text names, and the texts of those: scripts and actions of the same
// repository run with it.
type Workflow struct {
	Document
	Uses  []facts.Change // After only: path and entry
	Local []Document     // those of them that are workflows or actions themselves
}

func (r *reader) workflows(q *Request) {
	for _, p := range []string{r.d.Policy.Workflows.Benchmark, r.d.Policy.Workflows.Training} {
		if p == "" {
			continue
		}
		doc, ok := r.document(r.d.BaseTree, p)
		if !ok {
			continue
		}
		w := Workflow{Document: doc}
		r.uses(&w, doc)
		slices.SortFunc(w.Uses, func(a, b facts.Change) int { return strings.Compare(a.Path, b.Path) })
		q.Workflows = append(q.Workflows, w)
	}
}

// maxLocal caps the workflows and actions that one workflow calls: those beyond
// are digested, and not read.
const maxLocal = 30

// uses follows what a workflow or action calls, and what that calls.
func (r *reader) uses(w *Workflow, doc Document) {
	if !doc.Readable() {
		return
	}
	for _, c := range r.local(doc) {
		if c.Path == w.Path || slices.ContainsFunc(w.Uses, func(o facts.Change) bool { return o.Path == c.Path }) {
			continue
		}
		w.Uses = append(w.Uses, c)
		if !callable(c.Path) || len(w.Local) == maxLocal {
			continue
		}
		if local, ok := r.document(r.d.BaseTree, c.Path); ok {
			w.Local = append(w.Local, local)
			r.uses(w, local)
		}
	}
}

// local are the base tree's files that a document names.
func (r *reader) local(doc Document) []facts.Change {
	return facts.ReadHere(doc.Blob, r.pull.Base.OID, func(string, []byte) []facts.Change {
		return localFiles(facts.Read(doc.Blob, "", pathWords), r.d.BaseTree)
	})
}

// callable tells whether a path is an action's or a workflow's.
func callable(p string) bool {
	name := path.Base(p)
	yaml := strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
	return yaml && (strings.HasPrefix(name, "action.") || path.Dir(p) == ".github/workflows")
}

// Remote is what a workflow takes from elsewhere, and where it says so.
type Remote struct {
	Uses         string
	Line, Column int
}

var (
	usesKey  = regexp.MustCompile(`(?:^|[\s{,-])["']?uses["']?\s*:\s*["']?([^\s"'#,}]+)`)
	remark   = regexp.MustCompile(`(?:^|\s)#.*$`)
	byCommit = regexp.MustCompile(`^[^:]*@(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	byDigest = regexp.MustCompile(`^docker://[^@]*@sha256:[0-9a-f]{64}$`)
)

// Movable are the remote actions, workflows and images of a readable workflow that
// are not named by a commit or digest: whoever owns them can put others in their
// place.
func (d Document) Movable() []Remote { return facts.Read(d.Blob, "", movable) }

func movable(_ string, src []byte) []Remote {
	var out []Remote
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		if !strings.Contains(line, "uses") {
			continue
		}
		line = remark.ReplaceAllString(strings.TrimRight(line, "\r\n"), "")
		for _, m := range usesKey.FindAllStringSubmatchIndex(line, -1) {
			uses := line[m[2]:m[3]]
			if !strings.HasPrefix(uses, "./") && !byCommit.MatchString(uses) && !byDigest.MatchString(uses) {
				out = append(out, Remote{uses, n, utf8.RuneCountInString(line[:m[2]]) + 1})
			}
		}
	}
	return out
}

// words are the words of a text that can be paths, each once, in order: letters,
// digits and _ . @ / -.
type words []string

func pathWords(_ string, src []byte) words {
	var out words
	for w := range bytes.FieldsFuncSeq(src, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.@/-", r))
	}) {
		out = append(out, string(w))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// localFiles are the tree's files that a workflow's text names, by file or (for
// an action) by folder. A word too many does no harm: it widens the digest.
func localFiles(text words, t facts.Tree) []facts.Change {
	found := map[string]facts.Entry{}
	for _, word := range text {
		p := path.Clean(strings.TrimPrefix(word, "./"))
		if p == policy.Path || p == policy.RolesPath {
			continue // of these, the values that are effective for the pilot are digested
		}
		if e, ok := t.Entries[p]; ok {
			found[p] = e
		}
		for _, file := range []string{"action.yml", "action.yaml"} {
			if _, ok := t.Entries[p+"/"+file]; ok {
				for q, e := range t.Entries {
					if strings.HasPrefix(q, p+"/") {
						found[q] = e
					}
				}
			}
		}
	}
	var out []facts.Change
	for p, e := range found {
		out = append(out, facts.Change{Path: p, After: e})
	}
	slices.SortFunc(out, func(a, b facts.Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}
