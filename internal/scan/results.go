package scan

import (
	"container/list"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// recent keeps the values used last, up to a number. Its owner locks.
type recent[V any] struct {
	limit int
	order *list.List
	items map[string]*list.Element
}

type kept[V any] struct {
	key   string
	value V
}

func newRecent[V any](limit int) *recent[V] {
	return &recent[V]{limit: limit, order: list.New(), items: map[string]*list.Element{}}
}

func (r *recent[V]) get(key string) (V, bool) {
	e, ok := r.items[key]
	if !ok {
		var zero V
		return zero, false
	}
	r.order.MoveToFront(e)
	return e.Value.(kept[V]).value, true
}

func (r *recent[V]) put(key string, v V) {
	if e, ok := r.items[key]; ok {
		r.order.Remove(e)
	}
	r.items[key] = r.order.PushFront(kept[V]{key, v})
	for r.order.Len() > r.limit {
		last := r.order.Back()
		r.order.Remove(last)
		delete(r.items, last.Value.(kept[V]).key)
	}
}

// maxResult is the largest result that is read back from Options.Dir: a
// thousand findings and the counts are far below it.
const maxResult = 16 << 20

// kept looks a result up in memory, then on disk. A file that cannot be read
// is no result.
func (p *Pool) kept(key string) (*dataset.Facts, bool) {
	p.mu.Lock()
	got, ok := p.results.get(key)
	p.mu.Unlock()
	if ok || p.options.Dir == "" {
		return got, ok
	}
	file, err := os.Open(filepath.Join(p.options.Dir, key+".json"))
	if err != nil {
		return nil, false
	}
	defer file.Close() // only read
	got = &dataset.Facts{}
	if err := json.NewDecoder(io.LimitReader(file, maxResult)).Decode(got); err != nil || got.SHA256 == "" {
		return nil, false
	}
	p.mu.Lock()
	p.results.put(key, got)
	p.mu.Unlock()
	return got, true
}

// keep stores a result. That a disk is full costs a scan after a restart, so
// it is nobody's error.
func (p *Pool) keep(key string, got *dataset.Facts) {
	p.mu.Lock()
	p.results.put(key, got)
	p.mu.Unlock()
	if p.options.Dir == "" {
		return
	}
	raw, err := json.Marshal(got)
	if err != nil || len(raw) > maxResult {
		return
	}
	file, err := os.CreateTemp(p.options.Dir, "new-*")
	if err != nil {
		return
	}
	defer os.Remove(file.Name()) // renamed away when all went well
	if _, err = file.Write(raw); err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil && closed == nil {
		_ = os.Rename(file.Name(), filepath.Join(p.options.Dir, key+".json"))
	}
}
