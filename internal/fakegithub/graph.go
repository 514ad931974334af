package fakegithub

import (
	"sort"
	"strings"
)

// ancestors are all commits reachable from tip, itself included.
func (st *store) ancestors(tip string) map[string]bool {
	seen := map[string]bool{}
	todo := []string{tip}
	for len(todo) > 0 {
		oid := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c, ok := st.commits[oid]
		if !ok || seen[oid] {
			continue
		}
		seen[oid] = true
		todo = append(todo, c.parents...)
	}
	return seen
}

// reaches tells whether old is an ancestor of tip or tip itself.
func (st *store) reaches(tip, old string) bool { return st.ancestors(tip)[old] }

// between lists the commits reachable from head and not from base, parents first.
func (st *store) between(base, head string) []*commit {
	return st.order(head, st.ancestors(base))
}

// order walks from head, leaving out skip, and returns parents before children.
func (st *store) order(head string, skip map[string]bool) []*commit {
	var out []*commit
	seen := map[string]bool{}
	type step struct {
		oid  string
		done bool
	}
	todo := []step{{head, false}}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c, ok := st.commits[s.oid]
		if !ok || skip[s.oid] {
			continue
		}
		if s.done {
			out = append(out, c)
			continue
		}
		if seen[s.oid] {
			continue
		}
		seen[s.oid] = true
		todo = append(todo, step{s.oid, true})
		for i := len(c.parents) - 1; i >= 0; i-- {
			todo = append(todo, step{c.parents[i], false})
		}
	}
	return out
}

// mergeBase is a best common ancestor, "" if the histories share none. Of
// several it takes the one that git log would meet first: the newest, then by id.
func (st *store) mergeBase(a, b string) string {
	left, right := st.ancestors(a), st.ancestors(b)
	var common []string
	for oid := range left {
		if right[oid] {
			common = append(common, oid)
		}
	}
	beaten := map[string]bool{}
	for _, oid := range common {
		for _, p := range st.commits[oid].parents {
			for q := range st.ancestors(p) {
				beaten[q] = true
			}
		}
	}
	var best []string
	for _, oid := range common {
		if !beaten[oid] {
			best = append(best, oid)
		}
	}
	if len(best) == 0 {
		return ""
	}
	sort.Slice(best, func(i, j int) bool {
		x, y := st.commits[best[i]].committer.when, st.commits[best[j]].committer.when
		if !x.Equal(y) {
			return x.After(y)
		}
		return best[i] < best[j]
	})
	return best[0]
}

// change is one path that differs between two trees.
type change struct {
	path, previous string
	before, after  leaf
}

func (c change) status() string {
	switch {
	case c.previous != "":
		return "renamed"
	case c.before.oid == "":
		return "added"
	case c.after.oid == "":
		return "removed"
	}
	return "modified"
}

// diff compares two trees by path. A file that went and one of the same
// content that came are shown as a rename, as GitHub shows them.
func (st *store) diff(before, after string) []change {
	a, b := st.flatten(before), st.flatten(after)
	var out []change
	gone := map[string][]string{}
	for p, l := range a {
		m, ok := b[p]
		if !ok {
			gone[l.oid] = append(gone[l.oid], p)
		} else if m != l {
			out = append(out, change{path: p, before: l, after: m})
		}
	}
	for oid := range gone {
		sort.Strings(gone[oid])
	}
	var came []string
	for p := range b {
		if _, ok := a[p]; !ok {
			came = append(came, p)
		}
	}
	sort.Strings(came)
	for _, p := range came {
		l := b[p]
		if from := gone[l.oid]; len(from) > 0 {
			gone[l.oid] = from[1:]
			out = append(out, change{path: p, previous: from[0], before: a[from[0]], after: l})
			continue
		}
		out = append(out, change{path: p, after: l})
	}
	for _, ps := range gone {
		for _, p := range ps {
			out = append(out, change{path: p, before: a[p]})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
	return out
}

// mergeTrees merges whole files three ways; ok is false at a conflict. Lines
// are not merged: two sides that change one file differently conflict.
func (st *store) mergeTrees(base, ours, theirs string) (tree string, ok bool) {
	b, o, t := st.flatten(base), st.flatten(ours), st.flatten(theirs)
	out := map[string]leaf{}
	for p, l := range o {
		out[p] = l
	}
	paths := map[string]bool{}
	for p := range b {
		paths[p] = true
	}
	for p := range t {
		paths[p] = true
	}
	for p := range paths {
		switch {
		case t[p] == b[p], t[p] == o[p]: // they left it, or both did the same
		case o[p] == b[p]:
			if t[p].oid == "" {
				delete(out, p)
			} else {
				out[p] = t[p]
			}
		default:
			return "", false
		}
	}
	return st.build(out), true
}

// patchOf names what head changes against base: equal patches are what GitHub
// calls patch-identical.
func (st *store) patchOf(base, head string) string {
	mb := st.mergeBase(base, head)
	from := emptyTree
	if c, ok := st.commits[mb]; ok {
		from = c.tree
	}
	c, ok := st.commits[head]
	if !ok {
		return ""
	}
	var b strings.Builder
	for _, ch := range st.diff(from, c.tree) {
		b.WriteString(ch.path + "\x00" + ch.previous + "\x00" + ch.before.mode + ch.before.oid + "\x00" + ch.after.mode + ch.after.oid + "\n")
	}
	return b.String()
}
