package dataset

import (
	"encoding/binary"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// place is a finding before it is worded for its reader.
type place struct {
	c       caseID
	path    string // of another dataset than the scanned one; then there is no span
	line    int
	column  int
	at      span
	pointer string
	args    map[string]string
	value   []byte // of personal data, for grouping; dropped when the scan ends
}

// tally is what the scan of one block gives. Blocks are scanned in any order
// and added up in the order of the file.
type tally struct {
	records int
	counts  [allCases]struct{ records, places, line int }
	places  [4][]place // by severity rank

	languages, channels, models, prompts, judges, verdicts names
	first, last                                            instant
	lastLine                                               int
	entries                                                []entry
	sketches                                               []sketch
}

func (t *tally) reset() {
	t.records, t.lastLine = 0, 0
	clear(t.counts[:])
	for i := range t.places {
		clear(t.places[i])
		t.places[i] = t.places[i][:0]
	}
	for _, list := range [...]*names{&t.languages, &t.channels, &t.models, &t.prompts, &t.judges, &t.verdicts} {
		list.reset()
	}
	t.first, t.last = instant{}, instant{}
	t.entries, t.sketches = t.entries[:0], t.sketches[:0]
}

// shift turns line numbers of the block into those of the file.
func (t *tally) shift(lines int) {
	for i := range t.places {
		for k := range t.places[i] {
			t.places[i][k].line += lines
		}
	}
	for i := range t.entries {
		t.entries[i].line += lines
	}
	t.lastLine += lines
}

// count adds a place of a case and says whether it is the first of its record.
func (t *tally) count(c caseID, line int) {
	k := &t.counts[c]
	k.places++
	if k.line != line {
		k.line = line
		k.records++
	}
}

func rankOf(s finding.Severity) int { return s.Rank() }

// names counts how often a name occurs, in order of first appearance. Beyond
// maxNames distinct ones, the rest is counted under OtherName.
type names struct {
	order  []string
	n      []int
	latest int                  // most records repeat the name before
	slots  [2 * maxNames]uint16 // places in order plus one, by hash; the next free one where it is taken
	other  int
}

const (
	maxNames     = 256
	maxNameBytes = 128
)

// reset forgets all names and keeps the room.
func (m *names) reset() {
	if len(m.order) > 0 {
		clear(m.slots[:])
	}
	m.order, m.n, m.latest, m.other = m.order[:0], m.n[:0], 0, 0
}

// find gives the slot of a value: its own, or the free one where it would go.
func (m *names) find(value []byte) *uint16 {
	h := uint64(len(value))
	if n := len(value); n >= 8 {
		h = mix(binary.LittleEndian.Uint64(value)^mixA, binary.LittleEndian.Uint64(value[n-8:])^mixB^h)
	} else {
		for _, c := range value {
			h = (h ^ uint64(c)) * mixA
		}
	}
	for k := h >> 32; ; k++ {
		slot := &m.slots[k%uint64(len(m.slots))]
		if *slot == 0 || m.order[*slot-1] == string(value) {
			return slot
		}
	}
}

// known counts a value that was added before, and says whether it was.
func (m *names) known(value []byte) bool {
	if m.latest < len(m.order) && m.order[m.latest] == string(value) {
		m.n[m.latest]++
		return true
	}
	slot := *m.find(value)
	if slot > 0 {
		m.latest = int(slot - 1)
		m.n[m.latest]++
	}
	return slot > 0
}

func (m *names) add(name string, n int) {
	slot := m.find([]byte(name))
	if *slot == 0 {
		if name == OtherName || len(m.order) >= maxNames {
			m.other += n
			return
		}
		m.order, m.n = append(m.order, name), append(m.n, 0)
		*slot = uint16(len(m.order))
	}
	m.n[*slot-1] += n
}

func (m *names) merge(o *names) {
	for i, name := range o.order {
		m.add(name, o.n[i])
	}
	m.other += o.other
}

func (m *names) counts() map[string]int {
	if len(m.order) == 0 && m.other == 0 {
		return nil
	}
	out := make(map[string]int, len(m.order)+1)
	for i, name := range m.order {
		out[name] = m.n[i]
	}
	if m.other > 0 {
		out[OtherName] = m.other
	}
	return out
}
