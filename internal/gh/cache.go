package gh

import (
	"container/list"
	"sync"
)

// cache keeps the values used last, up to a total size. It is safe for
// concurrent use; what it hands out is shared and must not be changed.
type cache[K comparable, V any] struct {
	mu    sync.Mutex
	limit int64 // in the unit of the sizes given to put
	size  int64
	order *list.List // front: used last
	items map[K]*list.Element
}

type cached[K comparable, V any] struct {
	key   K
	value V
	size  int64
}

func newCache[K comparable, V any](limit int64) *cache[K, V] {
	return &cache[K, V]{limit: limit, order: list.New(), items: map[K]*list.Element{}}
}

func (c *cache[K, V]) get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[k]
	if !ok {
		var zero V
		return zero, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached[K, V]).value, true
}

// put keeps v; what is larger than a quarter of the cache is not kept, so that
// one giant does not push everything else out.
func (c *cache[K, V]) put(k K, v V, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(k)
	if size > c.limit/4 {
		return
	}
	c.items[k] = c.order.PushFront(&cached[K, V]{k, v, size})
	for c.size += size; c.size > c.limit; {
		c.drop(c.order.Back().Value.(*cached[K, V]).key)
	}
}

func (c *cache[K, V]) remove(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(k)
}

// removeIf drops every entry whose key matches.
func (c *cache[K, V]) removeIf(match func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.items {
		if match(k) {
			c.drop(k)
		}
	}
}

func (c *cache[K, V]) drop(k K) {
	if e, ok := c.items[k]; ok {
		c.size -= e.Value.(*cached[K, V]).size
		c.order.Remove(e)
		delete(c.items, k)
	}
}
