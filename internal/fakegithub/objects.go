package fakegithub

import (
	"crypto/sha1" //nolint:gosec // git's object ids are SHA-1
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// The modes of a tree entry that git writes.
const (
	ModeFile      = "100644"
	ModeExec      = "100755"
	ModeSymlink   = "120000"
	ModeSubmodule = "160000"
	modeTree      = "40000"
)

// emptyTree is git's id of a tree without entries.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// File is one file of a tree. For a submodule Data is the commit id.
type File struct {
	Mode string // "" is ModeFile
	Data []byte
}

// Text makes a plain file of a string.
func Text(s string) File { return File{Mode: ModeFile, Data: []byte(s)} }

// object is a git object as it is hashed: "<kind> <size>\x00<data>".
type object struct {
	kind string
	data []byte
}

// store holds the objects of a repository and all its forks, which is how
// GitHub keeps them: a commit of a fork can be read through its parent.
type store struct {
	objects map[string]object
	commits map[string]*commit
	trees   map[string][]entry
	// flat caches recursive listings; trees never change under their id.
	flat map[string]map[string]leaf
	// verified are commits whose signature GitHub holds valid; true for GitHub's own.
	verified map[string]bool
	// web are commits made through GitHub's pages or API.
	web map[string]bool
	// pushed is when a commit arrived, for listings by date.
	pushed map[string]time.Time
}

func newStore() *store {
	st := &store{
		objects: map[string]object{}, commits: map[string]*commit{}, trees: map[string][]entry{},
		flat: map[string]map[string]leaf{}, verified: map[string]bool{}, web: map[string]bool{},
		pushed: map[string]time.Time{},
	}
	st.put("tree", nil)
	return st
}

// entry is one line of a tree object; Mode as git writes it.
type entry struct {
	mode, name, oid string
}

// leaf is a file in a flattened tree.
type leaf struct {
	mode, oid string
}

// ident is a name in a commit.
type ident struct {
	name, email string
	when        time.Time
}

func (i ident) String() string {
	return fmt.Sprintf("%s <%s> %d %s", i.name, i.email, i.when.Unix(), i.when.Format("-0700"))
}

// commit is a parsed commit object.
type commit struct {
	oid, tree         string
	parents           []string
	author, committer ident
	signature         string
	message           string
}

func hashObject(kind string, data []byte) string {
	h := sha1.New() //nolint:gosec // git's object ids are SHA-1
	h.Write([]byte(kind + " " + strconv.Itoa(len(data)) + "\x00"))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func (st *store) put(kind string, data []byte) string {
	oid := hashObject(kind, data)
	if _, have := st.objects[oid]; !have {
		st.objects[oid] = object{kind, data}
	}
	return oid
}

func (st *store) blob(oid string) ([]byte, bool) {
	o, ok := st.objects[oid]
	return o.data, ok && o.kind == "blob"
}

// putTree writes one tree object. git sorts directories as if their name ended in "/".
func (st *store) putTree(entries []entry) string {
	key := func(e entry) string {
		if e.mode == modeTree {
			return e.name + "/"
		}
		return e.name
	}
	sort.Slice(entries, func(i, j int) bool { return key(entries[i]) < key(entries[j]) })
	var b strings.Builder
	for _, e := range entries {
		raw, err := hex.DecodeString(e.oid)
		if err != nil || len(raw) != 20 {
			panic("fakegithub: tree entry with object id " + e.oid)
		}
		b.WriteString(e.mode + " " + e.name + "\x00")
		b.Write(raw)
	}
	oid := st.put("tree", []byte(b.String()))
	st.trees[oid] = entries
	return oid
}

// entriesOf lists one tree object.
func (st *store) entriesOf(oid string) ([]entry, bool) {
	if es, ok := st.trees[oid]; ok {
		return es, true
	}
	o, ok := st.objects[oid]
	if !ok || o.kind != "tree" {
		return nil, false
	}
	es, err := parseTree(o.data)
	if err != nil {
		return nil, false
	}
	st.trees[oid] = es
	return es, true
}

func parseTree(data []byte) ([]entry, error) {
	var out []entry
	for len(data) > 0 {
		sp := strings.IndexByte(string(data[:min(len(data), 8)]), ' ')
		nul := indexByte(data, 0)
		if sp < 0 || nul < sp || len(data) < nul+21 {
			return nil, fmt.Errorf("malformed tree")
		}
		out = append(out, entry{
			mode: string(data[:sp]), name: string(data[sp+1 : nul]),
			oid: hex.EncodeToString(data[nul+1 : nul+21]),
		})
		data = data[nul+21:]
	}
	return out, nil
}

func indexByte(b []byte, c byte) int {
	for i, x := range b {
		if x == c {
			return i
		}
	}
	return -1
}

// flatten lists a tree recursively by path; the result is shared and read only.
func (st *store) flatten(tree string) map[string]leaf {
	if f, ok := st.flat[tree]; ok {
		return f
	}
	out := map[string]leaf{}
	es, _ := st.entriesOf(tree)
	for _, e := range es {
		if e.mode != modeTree {
			out[e.name] = leaf{e.mode, e.oid}
			continue
		}
		for p, l := range st.flatten(e.oid) {
			out[e.name+"/"+p] = l
		}
	}
	st.flat[tree] = out
	return out
}

// build writes the tree objects of a flat listing and returns the root's id.
func (st *store) build(files map[string]leaf) string {
	type dir struct {
		files map[string]leaf
		dirs  map[string]map[string]leaf
	}
	d := dir{map[string]leaf{}, map[string]map[string]leaf{}}
	for p, l := range files {
		head, rest, nested := strings.Cut(p, "/")
		if !nested {
			d.files[p] = l
			continue
		}
		if d.dirs[head] == nil {
			d.dirs[head] = map[string]leaf{}
		}
		d.dirs[head][rest] = l
	}
	var es []entry
	for n, l := range d.files {
		if _, both := d.dirs[n]; both {
			continue // a directory wins over a file of its name
		}
		es = append(es, entry{l.mode, n, l.oid})
	}
	for n, sub := range d.dirs {
		es = append(es, entry{modeTree, n, st.build(sub)})
	}
	oid := st.putTree(es)
	if _, ok := st.flat[oid]; !ok {
		st.flat[oid] = files
	}
	return oid
}

// putCommit writes a commit object.
func (st *store) putCommit(c commit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", c.tree)
	for _, p := range c.parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n", c.author, c.committer)
	if c.signature != "" {
		fmt.Fprintf(&b, "gpgsig %s\n", strings.ReplaceAll(strings.TrimSuffix(c.signature, "\n"), "\n", "\n "))
	}
	b.WriteString("\n" + c.message)
	c.oid = st.put("commit", []byte(b.String()))
	st.commits[c.oid] = &c
	return c.oid
}

func (st *store) commit(oid string) (*commit, bool) {
	c, ok := st.commits[oid]
	return c, ok
}

// validOID tells a full lower-case SHA-1.
func validOID(s string) bool {
	if len(s) != 40 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// validPath refuses what git itself refuses to check out.
func validPath(p string) bool {
	if p == "" || strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/") || strings.ContainsRune(p, 0) {
		return false
	}
	for _, seg := range strings.Split(p, "/") {
		if seg == "" || seg == "." || seg == ".." || strings.EqualFold(seg, ".git") {
			return false
		}
	}
	return true
}
