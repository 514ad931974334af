package finding

import "slices"

// Mended makes the replacements of one file, from its end to its start, and
// tells how many it made. Of two that overlap the earlier one is left out, as
// is one that lies outside the file; a mend may make another one possible, so
// judging again tells what is left.
func Mended(src []byte, path string, mends []Mend) (out []byte, n int) {
	var own []Mend
	for _, m := range mends {
		if m.Path == path && m.Start >= 0 && m.Start <= m.End && m.End <= len(src) {
			own = append(own, m)
		}
	}
	slices.SortStableFunc(own, func(a, b Mend) int { return b.Start - a.Start })
	out = src
	edge := len(src) + 1
	for _, m := range own {
		if m.End > edge || m.Start == edge {
			continue
		}
		out = slices.Concat(out[:m.Start], []byte(m.Text), out[m.End:])
		edge = m.Start
		n++
	}
	return out, n
}
