package dataset

import (
	"math/big"
	"math/bits"
	"slices"
	"strconv"
)

// series gathers one metric. All of it is exact and independent of the order
// of the records, so workers keep their own and the results are added up.
type series struct {
	n, missing int
	sum        [maxScale + 1][2]uint64 // by scale: 128-bit sums (high, low) of m
	wideSum    *big.Int                // of the others, scaled
	values     ranks
}

// usable says whether a value can be summed and ranked exactly.
func (d *decimal) usable() bool {
	if !d.wide {
		return !d.neg
	}
	_, ok := d.scaled()
	return ok && !d.neg
}

// add takes a usable value.
func (s *series) add(d *decimal) {
	s.n++
	if !d.wide {
		acc := &s.sum[d.scale]
		var carry uint64
		acc[1], carry = bits.Add64(acc[1], d.m, 0)
		acc[0] += carry
	} else {
		v, _ := d.scaled()
		if s.wideSum == nil {
			s.wideSum = new(big.Int)
		}
		s.wideSum.Add(s.wideSum, v)
	}
	s.values.add(d)
}

func (s *series) merge(o *series) {
	s.n += o.n
	s.missing += o.missing
	for i := range s.sum {
		var carry uint64
		s.sum[i][1], carry = bits.Add64(s.sum[i][1], o.sum[i][1], 0)
		s.sum[i][0] += o.sum[i][0] + carry
	}
	if o.wideSum != nil {
		if s.wideSum == nil {
			s.wideSum = new(big.Int)
		}
		s.wideSum.Add(s.wideSum, o.wideSum)
	}
	s.values.merge(&o.values)
}

func (s *series) metric(name string) Metric {
	m := Metric{Name: name, N: s.n, Missing: s.missing}
	if s.n == 0 {
		return m
	}
	total := new(big.Int)
	if s.wideSum != nil {
		total.Set(s.wideSum)
	}
	for scale, acc := range s.sum {
		v := new(big.Int).SetUint64(acc[0])
		v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(acc[1]))
		v.Mul(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(maxWideScale-scale)), nil))
		total.Add(total, v)
	}
	m.Sum = scaledText(total)
	m.Mean = mean12(total, s.n)
	at := s.values.at(1, (95*s.n+99)/100, s.n)
	m.Min, m.P95, m.Max = at[0], at[1], at[2]
	return m
}

// mean12 divides with 12 digits after the point, half to even.
func mean12(total *big.Int, n int) string {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(maxWideScale-12), nil)
	den := new(big.Int).Mul(unit, big.NewInt(int64(n)))
	q, r := new(big.Int).QuoRem(total, den, new(big.Int))
	switch r.Lsh(r, 1).Cmp(den) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		if q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	return scaledText(q.Mul(q, unit))
}

// ranks counts values so that any rank can be told exactly. Small values with
// few digits, which is what scores and latencies are, have a slot each; other
// values that a float64 holds exactly as written are kept sorted with their
// counts; the rest, which no ordinary JSON writer produces, as they are.
type ranks struct {
	slots   []uint32 // value * 1000, for values of at most 3 digits after the point, below slotLimit/1000
	next    []uint32 // of slots, not counted yet: many of them wait for the memory at once
	pending []float64
	values  []float64
	counts  []int
	odd     []*big.Int
}

const (
	slotLimit    = 1 << 18
	pendingLimit = 1 << 15
	nextLimit    = 1 << 9
)

func (r *ranks) add(d *decimal) {
	if !d.wide && d.scale <= 3 && d.m < slotLimit {
		if v := d.m * pow10[3-d.scale]; v < slotLimit {
			if r.next = append(r.next, uint32(v)); len(r.next) >= nextLimit {
				r.count()
			}
			return
		}
	}
	if f, ok := d.float(); ok {
		if r.pending = append(r.pending, f); len(r.pending) >= pendingLimit {
			r.flush()
		}
		return
	}
	v, _ := d.scaled()
	r.odd = append(r.odd, v)
}

// count empties next into slots.
func (r *ranks) count() {
	for _, v := range r.next {
		if int(v) >= len(r.slots) {
			r.reach(int(v))
		}
		r.slots[v]++
	}
	r.next = r.next[:0]
}

// reach makes room for slot v: scores need a thousand, latencies more.
func (r *ranks) reach(v int) {
	if v < len(r.slots) {
		return
	}
	size := 1024
	for size <= v {
		size *= 2
	}
	grown := make([]uint32, size)
	copy(grown, r.slots)
	r.slots = grown
}

// float gives the float64 whose shortest text is this decimal.
func (d *decimal) float() (float64, bool) {
	if d.wide {
		return 0, false
	}
	const exact = 1e15 // every decimal of at most 15 digits comes back from a float64
	if d.m < exact {
		return float64(d.m) / float64(pow10[d.scale]), true // both exact below 2^53 and 10^22: one rounding
	}
	text := strconv.FormatUint(d.m, 10) + "e-" + strconv.Itoa(int(d.scale))
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false
	}
	back := parseDecimal(strconv.AppendFloat(nil, f, 'f', -1, 64))
	return f, !back.wide && back.m == d.m && back.scale == d.scale
}

func (r *ranks) flush() {
	r.count()
	if len(r.pending) == 0 {
		return
	}
	slices.Sort(r.pending)
	values := make([]float64, 0, len(r.values)+len(r.pending)/4)
	counts := make([]int, 0, cap(values))
	put := func(v float64, n int) {
		if k := len(values); k > 0 && values[k-1] == v {
			counts[k-1] += n
			return
		}
		values, counts = append(values, v), append(counts, n)
	}
	i := 0
	for _, p := range r.pending {
		for i < len(r.values) && r.values[i] <= p {
			put(r.values[i], r.counts[i])
			i++
		}
		put(p, 1)
	}
	for ; i < len(r.values); i++ {
		put(r.values[i], r.counts[i])
	}
	r.values, r.counts, r.pending = values, counts, r.pending[:0]
}

func (r *ranks) merge(o *ranks) {
	r.flush()
	o.flush()
	for v, n := range o.slots {
		if n > 0 {
			r.reach(v)
			r.slots[v] += n
		}
	}
	for i, v := range o.values {
		for range o.counts[i] {
			r.pending = append(r.pending, v)
			if len(r.pending) >= pendingLimit {
				r.flush()
			}
		}
	}
	r.odd = append(r.odd, o.odd...)
}

// at gives the values of ranks (counted from 1, in rising order) as text.
func (r *ranks) at(ranks ...int) []string {
	r.flush()
	slices.SortFunc(r.odd, (*big.Int).Cmp)
	var out []string
	slot, val, odd, upTo := 0, 0, 0, 0
	for len(out) < len(ranks) {
		for slot < len(r.slots) && r.slots[slot] == 0 {
			slot++
		}
		// Slots and values are all shortest texts of distinct float64s, so floats
		// order them exactly.
		bySlot := slot < len(r.slots) && (val >= len(r.values) || float64(slot)/1000 <= r.values[val])
		var text func() string
		switch {
		case odd < len(r.odd) && r.oddIsNext(odd, slot, val, bySlot):
			v := r.odd[odd]
			text = func() string { return scaledText(v) }
			upTo++
			odd++
		case bySlot:
			m := uint64(slot)
			text = func() string { return decimalText(m, 3) }
			upTo += int(r.slots[slot])
			slot++
		default:
			v := r.values[val]
			text = func() string { return strconv.FormatFloat(v, 'f', -1, 64) }
			upTo += r.counts[val]
			val++
		}
		for len(out) < len(ranks) && ranks[len(out)] <= upTo {
			out = append(out, text())
		}
	}
	return out
}

// oddIsNext says whether the odd value is below the next slot or value.
func (r *ranks) oddIsNext(odd, slot, val int, bySlot bool) bool {
	var next decimal
	switch {
	case bySlot:
		next = decimal{m: uint64(slot), scale: 3}
	case val < len(r.values):
		next = parseDecimal(strconv.AppendFloat(nil, r.values[val], 'f', -1, 64))
	default:
		return true
	}
	v, ok := next.scaled()
	return ok && r.odd[odd].Cmp(v) < 0
}

// decimalText writes m * 10^-scale without zeros at the end.
func decimalText(m uint64, scale int) string {
	v, _ := decimal{m: m, scale: int32(scale)}.scaled()
	return scaledText(v)
}
