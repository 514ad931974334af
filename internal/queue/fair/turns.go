// Package fair hands out waiting items by turns between groups, so that a
// group with much to do delays another group by one item at most.
//
// It knows nothing of queues, time or goroutines; its owner locks.
package fair

// Turns is a first-in-first-out line for each group, served in rotation. The
// zero value is empty and ready.
type Turns[G comparable, T any] struct {
	lines map[G][]T
	order []G // groups with a line, next one first
	n     int
}

// Push puts an item at the end of its group's line.
func (t *Turns[G, T]) Push(g G, item T) {
	if t.lines == nil {
		t.lines = make(map[G][]T)
	}
	line, waits := t.lines[g]
	if !waits {
		t.order = append(t.order, g)
	}
	t.lines[g] = append(line, item)
	t.n++
}

// Pop takes the first item of the group whose turn it is.
func (t *Turns[G, T]) Pop() (item T, ok bool) {
	if len(t.order) == 0 {
		return item, false
	}
	g := t.order[0]
	t.order = t.order[1:]
	line := t.lines[g]
	item = line[0]
	var none T
	line[0] = none // the backing array must not keep what left
	if len(line) == 1 {
		delete(t.lines, g)
	} else {
		t.lines[g] = line[1:]
		t.order = append(t.order, g)
	}
	t.n--
	return item, true
}

// Len counts the items.
func (t *Turns[G, T]) Len() int { return t.n }

// Groups counts the groups that have an item.
func (t *Turns[G, T]) Groups() int { return len(t.order) }

// InGroup counts the items of one group.
func (t *Turns[G, T]) InGroup(g G) int { return len(t.lines[g]) }

// All calls yield with each item, group by group, until it returns false.
func (t *Turns[G, T]) All(yield func(T) bool) {
	for _, g := range t.order {
		for _, item := range t.lines[g] {
			if !yield(item) {
				return
			}
		}
	}
}
