package facts

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Git is the part of the object database that was read, by object id: commits'
// trees by commit id, blobs by blob id. Both never change under their id.
type Git struct {
	Trees map[string]Tree `json:"trees,omitempty"`
	Blobs map[string]Blob `json:"blobs,omitempty"`
}

// Tree is the recursive listing of a commit's files.
type Tree struct {
	Entries map[string]Entry `json:"entries,omitempty"` // by path
	// Truncated: GitHub cut the listing (100,000 entries or 7 MB). A truncated
	// tree proves the absence of nothing, so whoever meets one fails closed.
	Truncated bool `json:"truncated,omitempty"`
	Absent    bool `json:"absent,omitempty"` // no such commit
}

// Entry is one path in a tree.
type Entry struct {
	OID  string `json:"oid"`
	Mode string `json:"mode"` // "100644", "100755", "120000" symlink, "160000" submodule
	Size int64  `json:"size,omitempty"`
}

// Regular tells a plain file from a symlink or submodule.
func (e Entry) Regular() bool { return e.Mode == "100644" || e.Mode == "100755" }

// MaxBlob is the largest document (not dataset) that is read: 1 MiB.
const MaxBlob = 1 << 20

// Blob is a document's bytes; datasets are scanned, never kept here.
type Blob struct {
	Bytes    []byte `json:"bytes,omitempty"`
	TooLarge bool   `json:"too_large,omitempty"` // over MaxBlob
	Absent   bool   `json:"absent,omitempty"`

	here, always *Readings // nil: nothing is kept
}

// Readings is what was made of a blob's bytes, by what it is and what it was
// read as. It is safe for concurrent use.
type Readings struct {
	mu   sync.Mutex
	kept map[reading]any
}

type reading struct {
	of reflect.Type
	as string
}

// maxReadings caps what is kept of one blob: a document stands at a path or two,
// and is read as one or two things.
const maxReadings = 16

func (r *Readings) get(k reading) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept[k]
}

func (r *Readings) put(k reading, v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) == maxReadings {
		r.kept = map[reading]any{}
	}
	r.kept[k] = v
}

// Keeping returns the blob for a snapshot of its own: what ReadHere makes of it
// is kept as long as that snapshot, what Read makes of it in always, or, where
// that is nil, no longer either.
func (b Blob) Keeping(always *Readings) Blob {
	b.here = &Readings{}
	if b.always = always; always == nil {
		b.always = b.here
	}
	return b
}

// Read returns what read makes of a blob's bytes, taken as the file at a path, and
// of nothing else. A snapshot is judged anew with each fact that arrives, many
// snapshots have the same documents, and bytes never change under their id: they
// are read once. What is returned is shared; nobody may change it.
func Read[T any](b Blob, path string, read func(path string, src []byte) T) T {
	return readOnce(b.Bytes, path, b.always, read)
}

// ReadHere is like Read for what depends on more of the snapshot than the blob;
// as says on what.
func ReadHere[T any](b Blob, as string, read func(as string, src []byte) T) T {
	return readOnce(b.Bytes, as, b.here, read)
}

func readOnce[T any](src []byte, as string, kept *Readings, read func(string, []byte) T) T {
	if kept == nil {
		return read(as, src)
	}
	key := reading{reflect.TypeFor[T](), as}
	if v, ok := kept.get(key).(T); ok {
		return v
	}
	v := read(as, src)
	kept.put(key, v)
	return v
}

// Change is one path that differs between two trees; a zero Entry is "not there".
type Change struct {
	Path   string
	Before Entry
	After  Entry
}

// Added, Deleted and Modified tell what happened to the path.
func (c Change) Added() bool    { return c.Before.OID == "" }
func (c Change) Deleted() bool  { return c.After.OID == "" }
func (c Change) Modified() bool { return !c.Added() && !c.Deleted() }

// Changes compares two trees by mode and object id, in path order.
func Changes(before, after Tree) []Change {
	var out []Change
	for path, b := range before.Entries {
		if a := after.Entries[path]; a.OID != b.OID || a.Mode != b.Mode {
			out = append(out, Change{Path: path, Before: b, After: a})
		}
	}
	for path, a := range after.Entries {
		if _, was := before.Entries[path]; !was {
			out = append(out, Change{Path: path, After: a})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}
