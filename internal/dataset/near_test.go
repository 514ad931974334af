package dataset_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// prose is made-up text of n words.
func prose(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(seed, 9))
	words := make([]string, n)
	for i := range words {
		var b strings.Builder
		for range 3 + r.IntN(6) {
			b.WriteRune('а' + rune(r.IntN(32)))
		}
		words[i] = b.String() + "ы"
	}
	return words
}

// changed replaces every k-th word.
func changed(words []string, k int) string {
	out := append([]string(nil), words...)
	for i := k - 1; i < len(out); i += k {
		out[i] = fmt.Sprintf("другой%dы", i)
	}
	return strings.Join(out, " ")
}

func count(f dataset.Facts, rule, name string) int {
	for _, c := range f.Counts {
		if c.Rule == rule && c.Case == name {
			return c.N
		}
	}
	return 0
}

func TestNearDuplicates(t *testing.T) {
	words := prose(1, 400)
	whole := strings.Join(words, " ")
	for name, c := range map[string]struct {
		other string
		want  int
	}{
		"one word in 200 differs: Jaccard 0.95":    {changed(words, 200), 1},
		"one word in 8 differs: Jaccard below 0.3": {changed(words, 8), 0},
		"another text": {strings.Join(prose(2, 400), " "), 0},
		"the same words, other white space and signs": {strings.Join(words, ",  "), 1},
	} {
		t.Run(name, func(t *testing.T) {
			text := lines(good("a", set("source_text", whole)), good("b", set("source_text", c.other)))
			f := scan(t, text, dataset.Options{NearDuplicates: true})
			assert.Equal(t, c.want, count(f, "DS032", "near"))
			assert.Zero(t, count(f, "DS031", "repeated"))
			assert.Zero(t, count(scan(t, text, dataset.Options{}), "DS032", "near"), "only when asked for")
		})
	}
}

// TestNearFollowsTheSimilarity counts pairs found of many made at a similarity:
// nearly all well above the limit, nearly none well below.
func TestNearFollowsTheSimilarity(t *testing.T) {
	for _, c := range []struct {
		every    int // 500 words: each change breaks five runs
		min, max int // of 40 pairs
	}{{150, 38, 40}, {60, 30, 40}, {14, 0, 6}, {8, 0, 1}} {
		var records []string
		for i := range 40 {
			words := prose(uint64(100+i), 500)
			records = append(records,
				good(fmt.Sprintf("a%d", i), set("source_text", strings.Join(words, " "))),
				good(fmt.Sprintf("b%d", i), set("source_text", changed(words, c.every))))
		}
		got := count(scan(t, lines(records...), dataset.Options{NearDuplicates: true}), "DS032", "near")
		assert.GreaterOrEqual(t, got, c.min, "a change every %d words", c.every)
		assert.LessOrEqual(t, got, c.max, "a change every %d words", c.every)
	}
}

func TestEvaluationAgainstTraining(t *testing.T) {
	words := prose(3, 300)
	source, summary := strings.Join(words, " "), "Сводка новостей города за неделю."
	eval := scan(t, lines(
		good("e1", set("source_text", source), set("summary_markdown", summary), set("timestamp", "2026-01-10T00:00:00Z")),
		good("e2", set("timestamp", "2026-03-01T00:00:00Z")),
	), dataset.Options{KeepIndex: true, NearDuplicates: true})
	require.NotNil(t, eval.Index)
	plain := func(id string, change ...func(map[string]any)) string {
		return good(id, append([]func(map[string]any){
			set("source_text", strings.Join(prose(uint64(len(id)+50), 300), " ")),
			set("summary_markdown", "Иная сводка "+id), set("timestamp", "2026-02-20T00:00:00Z"), set("channel", "other"),
		}, change...)...)
	}
	for name, c := range map[string]struct {
		record string
		want   []string
	}{
		"nothing in common":  {plain("t"), []string{}},
		"the same id":        {plain("e1"), []string{"DS040/id/error=1"}},
		"the same source":    {plain("t", set("source_text", source+" ")), []string{"DS040/source/error=1"}},
		"the same summary":   {plain("t", set("summary_markdown", summary)), []string{"DS040/summary/error=1"}},
		"a near source":      {plain("t", set("source_text", changed(words, 150))), []string{"DS041/near/error=1"}},
		"at the time":        {plain("t", set("channel", "city_news"), set("timestamp", "2026-01-10T00:00:00Z")), []string{"DS042/window/warning=1"}},
		"at the time, apart": {plain("t", set("channel", "city_news"), set("timestamp", "2026-01-09T00:00:00Z")), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := scan(t, lines(c.record), dataset.Options{Evaluation: eval.Index, NearDuplicates: true})
			assert.Equal(t, c.want, counted(f))
			for _, got := range f.Findings {
				assert.Equal(t, "1", got.Args["evaluation_line"])
			}
		})
	}
}
