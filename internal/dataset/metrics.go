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
func (d decimal) usable() bool {
	if !d.wide {
		return !d.neg
	}
	_, ok := d.scaled()
	return ok && !d.neg
}

// add takes a usable value.
func (s *series) add(d decimal) {
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
	sorted := s.values.sorted()
	m.Min = sorted.at(1)
	m.Max = sorted.at(s.n)
	m.P95 = sorted.at((95*s.n + 99) / 100)
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
	pending []float64
	values  []float64
	counts  []int
	odd     []*big.Int
}

const (
	slotLimit    = 1 << 18
	pendingLimit = 1 << 15
)

func (r *ranks) add(d decimal) {
	if !d.wide && d.scale <= 3 && d.m < slotLimit {
		if v := d.m * pow10[3-d.scale]; v < slotLimit {
			if r.slots == nil {
				r.slots = make([]uint32, slotLimit)
			}
			r.slots[v]++
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

// float gives the float64 whose shortest text is this decimal.
func (d decimal) float() (float64, bool) {
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
	for v, n := range o.slots {
		if n > 0 {
			if r.slots == nil {
				r.slots = make([]uint32, slotLimit)
			}
			r.slots[v] += n
		}
	}
	r.flush()
	o.flush()
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

// ranked is all values in order, with how many there are up to each.
type ranked struct {
	upTo []int
	text []func() string
}

func (r *ranks) sorted() ranked {
	r.flush()
	type entry struct {
		v    *big.Int
		n    int
		text func() string
	}
	slices.SortFunc(r.odd, (*big.Int).Cmp)
	var out ranked
	total := 0
	put := func(e entry) {
		total += e.n
		out.upTo = append(out.upTo, total)
		out.text = append(out.text, e.text)
	}
	slot, val, odd := 0, 0, 0
	for {
		for slot < len(r.slots) && r.slots[slot] == 0 {
			slot++
		}
		var best entry
		which := 0
		if slot < len(r.slots) {
			d := decimal{m: uint64(slot), scale: 3}
			best.v, _ = d.scaled()
			best.n, which = int(r.slots[slot]), 1
		}
		if val < len(r.values) {
			d := parseDecimal(strconv.AppendFloat(nil, r.values[val], 'f', -1, 64))
			if v, _ := d.scaled(); which == 0 || v.Cmp(best.v) < 0 {
				best.v, best.n, which = v, r.counts[val], 2
			}
		}
		if odd < len(r.odd) && (which == 0 || r.odd[odd].Cmp(best.v) < 0) {
			best.v, best.n, which = r.odd[odd], 1, 3
		}
		switch which {
		case 0:
			return out
		case 1:
			slot++
		case 2:
			val++
		case 3:
			odd++
		}
		v := best.v
		best.text = func() string { return scaledText(v) }
		put(best)
	}
}

// at gives the value of a rank, counted from 1.
func (r ranked) at(rank int) string {
	i, _ := slices.BinarySearch(r.upTo, rank)
	return r.text[i]()
}
