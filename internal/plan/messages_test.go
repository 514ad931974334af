package plan_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

type message struct {
	Title, Harm, Fails, Passes string
	Cases                      map[string]struct{ What, Mend string }
}

func messages(t *testing.T, language string) map[string]message {
	t.Helper()
	src, err := os.ReadFile("../../templates/messages/plan_language." + language + ".yaml")
	require.NoError(t, err)
	var m map[string]message
	require.NoError(t, yaml.UnmarshalWithOptions(src, &m, yaml.DisallowUnknownField()))
	return m
}

// told has one document for each case that reading can tell.
var told = []string{
	strings.Repeat("x", plan.MaxBytes+1), "\xff", "\x00", "<<<<<<< a\n", strings.Repeat("> ", 30) + "a\n", strings.Repeat("[", 5000), " \n",
	"---\nseed: 1\n", "---\nseed: [\n---\n", "---\nseed: &a 1\n---\n", "---\nseed: " + strings.Repeat("[", 20) + "\n---\n", "---\n" + strings.Repeat("seed: 42\n", 4000) + "---\n", strings.Repeat("- Manual QA: a\n", 65),
	"---\npilot: A b\n---\n", "---\nseed: 1\n---\n- Seed: 2\n", "- Seed: 1\n- Seed: 2\n", "## Baseline\n\n- Coverage: 0.1\n- Coverage: 0.2\n", "---\nshoe_size: 1\nepohcs: 1\n---\n",
	"## Acceptance\n\n- Coverage: > 0.9\n- Accuracy: ≤ 0.9\n- Coherence: ≥ 0.8 pass / ≥ 0.9 warn\n- Informativeness: baseline + 1\n- Latency: fast\n",
	"## Acceptance\n\n- Coverage: pass ≥ 0.9, warn 0.8–0.89\n- Accuracy: ≥ 0.9 pass / ≥ 0.8 pass\n", "- Records: a few\n- Hours: some\n",
	"## Waivers\n\n- because, owner @a\n- PII101, owner @a, reason: b, expires soon\n- PII102\n",
}

func TestEveryCaseHasItsSentencesAndTheirValues(t *testing.T) {
	english, russian := messages(t, "en"), messages(t, "ru")
	seen := map[string]bool{}
	problems := plan.Parse("план.md", []byte("# a\n")).Problems
	for _, src := range told {
		problems = append(problems, plan.Parse("a.md", []byte(src)).Problems...)
	}
	hole := regexp.MustCompile(`\{(\w+)\}`)
	for _, f := range problems {
		name := f.Rule + " " + f.Case
		if seen[name] {
			continue
		}
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, finding.Severity(""), f.Severity)
			for language, m := range map[string]map[string]message{"en": english, "ru": russian} {
				c, ok := m[f.Rule].Cases[f.Case]
				require.True(t, ok, "no sentence in %s", language)
				for _, h := range hole.FindAllStringSubmatch(c.What+c.Mend, -1) {
					assert.Contains(t, f.Args, h[1], language)
				}
			}
		})
	}
	for rule, m := range english {
		assert.Equal(t, slices.Sorted(maps.Keys(m.Cases)), slices.Sorted(maps.Keys(russian[rule].Cases)), rule)
		for name, c := range m.Cases {
			assert.True(t, seen[rule+" "+name], "%s %s is never told", rule, name)
			assert.NotEmpty(t, c.What)
			assert.NotEmpty(t, c.Mend)
		}
		for _, text := range []string{m.Title, m.Harm, m.Fails, m.Passes, russian[rule].Title, russian[rule].Harm, russian[rule].Fails, russian[rule].Passes} {
			assert.NotEmpty(t, text, rule)
		}
	}
	assert.Len(t, russian, len(english))
}
