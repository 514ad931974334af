package benchmark

import (
	"strings"

	"github.com/shopspring/decimal"
)

// Direction says which values of a metric are good. The zero value is "not
// known", and a band of unknown direction passes nothing.
type Direction string

// The directions.
const (
	Higher Direction = "higher"
	Lower  Direction = "lower"
)

// Outcome is what a band says about a value.
type Outcome string

// The outcomes, as the Stage 05 runner writes them.
const (
	Pass Outcome = "pass"
	Warn Outcome = "warn"
	Fail Outcome = "fail"
)

// rank orders outcomes from good to bad; what is not an outcome is as bad as Fail.
func (o Outcome) rank() int {
	switch o {
	case Pass:
		return 0
	case Warn:
		return 1
	}
	return 2
}

// Worse returns the worse of two outcomes.
func Worse(a, b Outcome) Outcome {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// The statistics a band or a metric name may state. Empty is "not stated".
const (
	Mean = "mean"
	Avg  = "avg" // another word for Mean, kept because documents print it
	P95  = "p95" // nearest rank
)

// Band is the acceptance of one metric: which values pass, which only warn.
// A nil bound was not given. In JSON the bounds are strings without trailing
// zeros, so that equal bands have equal bytes.
type Band struct {
	Pass      *decimal.Decimal `json:"pass,omitempty"`
	Warn      *decimal.Decimal `json:"warn,omitempty"`
	Better    Direction        `json:"better,omitempty"`
	Statistic string           `json:"statistic,omitempty"`
}

// NewBand is a band of both bounds. It panics on bounds that are not numbers:
// it is for literal tables.
func NewBand(better Direction, pass, warn, statistic string) Band {
	p, w := decimal.RequireFromString(pass), decimal.RequireFromString(warn)
	return Band{Pass: &p, Warn: &w, Better: better, Statistic: statistic}
}

// Judge tells what the band says about an unrounded value. Higher is better:
// pass v >= p, warn w <= v < p, fail v < w; mirrored for Lower. Without a pass
// bound the best outcome is Warn, without any bound or direction it is Fail.
func (b Band) Judge(v decimal.Decimal) Outcome {
	return b.JudgeMean(v, 1)
}

// JudgeMean judges the mean of n values with this sum exactly, without the
// rounding of a division. It fails for n < 1.
func (b Band) JudgeMean(sum decimal.Decimal, n int) Outcome {
	if n < 1 {
		return Fail
	}
	count := decimal.NewFromInt(int64(n))
	meets := func(bound *decimal.Decimal) bool {
		if bound == nil {
			return false
		}
		c := sum.Cmp(bound.Mul(count))
		switch b.Better {
		case Higher:
			return c >= 0
		case Lower:
			return c <= 0
		}
		return false
	}
	switch {
	case meets(b.Pass):
		return Pass
	case meets(b.Warn):
		return Warn
	}
	return Fail
}

// Equal tells whether both bands judge every value alike. Trailing zeros do
// not matter, and avg is mean.
func (b Band) Equal(o Band) bool {
	return sameBound(b.Pass, o.Pass) && sameBound(b.Warn, o.Warn) &&
		b.Better == o.Better && SameStatistic(b.Statistic, o.Statistic)
}

func sameBound(a, b *decimal.Decimal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// SameStatistic tells whether two statistics are one; avg and mean are.
func SameStatistic(a, b string) bool {
	if a == Avg {
		a = Mean
	}
	if b == Avg {
		b = Mean
	}
	return a == b
}

// Ordered tells whether the warn bound lies on the worse side of the pass
// bound or on it. A band with a missing bound is ordered.
func (b Band) Ordered() bool {
	if b.Pass == nil || b.Warn == nil {
		return true
	}
	if b.Better == Lower {
		return b.Warn.Cmp(*b.Pass) >= 0
	}
	return b.Warn.Cmp(*b.Pass) <= 0
}

// Empty tells whether the band has no bound at all.
func (b Band) Empty() bool { return b.Pass == nil && b.Warn == nil }

// String prints the band as plans do, with the digits that it was given:
// "≥0.88 pass / ≥0.80 warn". A band without bounds prints "—".
func (b Band) String() string {
	sign := "≥"
	if b.Better == Lower {
		sign = "≤"
	}
	var parts []string
	if b.Pass != nil {
		parts = append(parts, sign+asGiven(*b.Pass)+" pass")
	}
	if b.Warn != nil {
		parts = append(parts, sign+asGiven(*b.Warn)+" warn")
	}
	if len(parts) == 0 {
		return "—"
	}
	return strings.Join(parts, " / ")
}

// asGiven keeps the trailing zeros that Decimal.String drops.
func asGiven(d decimal.Decimal) string {
	if d.Exponent() >= 0 {
		return d.String()
	}
	return d.StringFixed(-d.Exponent())
}
