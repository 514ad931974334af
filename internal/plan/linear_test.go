package plan_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

// hostile are documents of one repeated unit that make careless readers slow.
var hostile = []hostileDocument{
	{name: "open brackets", unit: "["},
	{name: "links without end", unit: "[a]("},
	{name: "links with angle brackets", unit: "[a](<"},
	{name: "crossed emphasis", unit: "*a_ "},
	{name: "crossed emphasis in paragraphs", unit: strings.Repeat("*a_ ", 900) + "\n\n"},
	{name: "back-ticks", unit: "`` ` "},
	{name: "nested quotations", unit: "> "},
	{name: "nested lists", unit: "- "},
	{name: "numbered lists", unit: "1. "},
	{name: "many bullets", unit: "- Seed: 42\n"},
	{name: "many paragraphs", unit: "Seed: 42\n\n"},
	{name: "one long line of keys", head: "- ", unit: "Seed: 42, "},
	{name: "one long line of words", head: "- Dataset: ", unit: "a/b.md "},
	{name: "one long line of brackets", head: "- Dataset: ", unit: "(a "},
	{name: "one long threshold", head: "## Acceptance\n\n- Coverage: ", unit: "≥0.9 "},
	{name: "one long metric list", head: "## Acceptance\n\n- Acceptance: ", unit: "coverage ≥0.9, "},
	{name: "many metric lines", head: "## Acceptance\n\n", unit: "- Coverage: ≥0.9\n"},
	{name: "a wrapped paragraph of metrics", head: "## Acceptance\n\n", unit: "Coverage: ≥0.9\n"},
	{name: "links in one paragraph", unit: "[a](b.md) "},
	{name: "links in paragraphs", unit: "[a](b.md)\n\n"},
	{name: "definitions", unit: "[a]: b\n"},
	{name: "a wide table", head: "|" + strings.Repeat("a|", 2000) + "\n|" + strings.Repeat("-|", 2000) + "\n", unit: "|\n"},
	{name: "a long table", head: "|Metric|Value|\n|-|-|\n", unit: "|coverage|0.9|\n"},
	{name: "headings", unit: "# a\n"},
	{name: "run notes", unit: "## Run notes\n\nx\n\n"},
	{name: "entities", unit: "&ge;"},
	{name: "front matter of keys", head: "---\n", unit: "seed: 42\n", tail: "---\n"},
	{name: "front matter of brackets", head: "---\na: ", unit: "[", tail: "\n---\n"},
	{name: "front matter without end", head: "---\n", unit: "a: b\n"},
	{name: "waivers", head: "## Waivers\n\n", unit: "- PII101, owner @a\n"},
	{name: "one long waiver", head: "## Waivers\n\n- PII101", unit: ", a"},
	{name: "drift", head: "## Drift\n\n- ", unit: "psi, "},
	{name: "fenced words", head: "```\n", unit: "scripts/a.py "},
	{name: "quotes", head: "- Manual QA: ", unit: "'"},
	{name: "full stops", head: "- Manual QA: ", unit: ". "},
	{name: "dashes", head: "- ", unit: "a - "},
	{name: "strikes", unit: "~~a ~b "},
	{name: "tags", unit: "<a "},
	{name: "slashes", head: "- Epochs", unit: "/a", tail: ": 3"},
	{name: "times", head: "- Compute: ", unit: "2x "},
}

func (h hostileDocument) of(size int) []byte {
	n := max(0, (size-len(h.head)-len(h.tail))/len(h.unit))
	return []byte(h.head + strings.Repeat(h.unit, n) + h.tail)
}

type hostileDocument struct{ name, head, unit, tail string }

// allocated is what reading a document takes from the heap, in bytes.
func allocated(read func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Work that grows faster than the document shows in what it allocates, on any
// machine; the benchmark below shows the rest in time.
func TestHostileDocumentsTakeMemoryInProportion(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			small, large := h.of(64<<10), h.of(256<<10)
			one := allocated(func() { plan.Parse("a.md", small) })
			four := allocated(func() { plan.Parse("a.md", large) })
			assert.Less(t, float64(four), 4*1.6*float64(one)+1<<20, "four times the bytes took %d instead of %d bytes", four, one)
			assert.Less(t, four, uint64(len(large))*1200, "bytes of heap for a byte of document")
		})
	}
}

func TestLargestDocumentIsReadAndOneByteMoreIsNot(t *testing.T) {
	line := "- Seed: 42\n"
	src := []byte("# Pilot\n\n" + line + strings.Repeat("a\n\n", plan.MaxBytes))[:plan.MaxBytes]
	p := plan.Parse("a.md", src)
	seed, ok := p.Get(plan.Seed)
	require.True(t, ok)
	assert.Equal(t, "42", seed.Text)
	assert.Empty(t, p.Problems)

	p = plan.Parse("a.md", append(src, '\n'))
	assert.Equal(t, []string{"PL001 too_large"}, cases(p))
	_, ok = p.Get(plan.Seed)
	assert.False(t, ok)
}

func BenchmarkHostile(b *testing.B) {
	for _, h := range hostile {
		src := h.of(plan.MaxBytes)
		b.Run(h.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				plan.Parse("a.md", src)
			}
		})
	}
}
