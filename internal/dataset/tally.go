package dataset

import (
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
	places, entries, sketches := t.places, t.entries, t.sketches
	for i := range places {
		clear(places[i])
		places[i] = places[i][:0]
	}
	*t = tally{places: places, entries: entries[:0], sketches: sketches[:0]}
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
	index  map[string]int
	latest int       // most records repeat the name before
	recent [32]uint8 // the last names by their length and end, as places in order plus one
	other  int
}

const (
	maxNames     = 256
	maxNameBytes = 128
)

// known counts a value that was added before, and says whether it was.
func (m *names) known(value []byte) bool {
	if m.latest < len(m.order) && m.order[m.latest] == string(value) {
		m.n[m.latest]++
		return true
	}
	slot := &m.recent[0]
	if k := len(value); k >= 2 {
		slot = &m.recent[(k*5+int(value[k-2])*10+int(value[k-1]))%len(m.recent)]
	}
	if i := int(*slot) - 1; i >= 0 && m.order[i] == string(value) {
		m.latest = i
		m.n[i]++
		return true
	}
	i, known := m.index[string(value)]
	if known {
		m.latest = i
		m.n[i]++
		*slot = uint8(i + 1) // maxNames is 256: the last place of all reads as none
	}
	return known
}

func (m *names) add(name string, n int) {
	i, known := m.index[name]
	if !known {
		if name == OtherName || len(m.order) >= maxNames {
			m.other += n
			return
		}
		if m.index == nil {
			m.index = make(map[string]int)
		}
		i = len(m.order)
		m.index[name] = i
		m.order, m.n = append(m.order, name), append(m.n, 0)
	}
	m.n[i] += n
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
