package plan

import "strings"

// besideKey reads a key with its value right behind it: "Commit `9505cac…`",
// "Ships in v1.4.0", "Compute 2x A100 80GB". The value must be of the field's
// kind, or any sentence that begins with a key would state something.
func (r *reader) besideKey(ctx context, p phrase) (key, value phrase, t term, ok bool) {
	if r.kind != planDocument || ctx.group == inNothing || p.empty() {
		return phrase{}, phrase{}, term{}, false
	}
	const longest = 5 // words of a key
	words := p.slice(0, min(len(p.text()), 2*maxKey)).wholeRunes().words()
	for n := min(longest, len(words)-1); n > 0; n-- {
		head := phrase{p.run, words[0].lo, words[n-1].hi}
		if head.lo != p.lo || !beside(head, words[n]) || p.run.code[head.lo] {
			continue
		}
		t, known := r.lookUp(ctx, head.text())
		if !known || t.field == "" {
			continue
		}
		value := phrase{p.run, words[n].lo, p.hi}
		if fits(t.field, value, words[n]) {
			return head, value, t, true
		}
	}
	return phrase{}, phrase{}, term{}, false
}

// beside tells whether nothing but blanks and opening quotes stands between a
// key and its value.
func beside(key, value phrase) bool {
	return key.run != nil && key.run == value.run && key.hi < value.lo && strings.Trim(key.run.text[key.hi:value.lo], " «\"“„'") == ""
}

// answers tells whether a text below a section's heading is the value that the
// heading names.
func answers(f Field, p phrase) bool {
	if absent(p.text()) {
		return true
	}
	words := p.words()
	switch {
	case len(words) == 0:
		return false
	case f == Dataset || f == EvaluationDataset:
		return len(pathsIn(p)) > 0
	case f == RollbackTarget && len(words) == 1:
		return !isPath(words[0].text(), true)
	}
	return fits(f, p, words[0])
}

// fits tells whether a value beside its key is of the field's kind: a path, a
// hash, a release, a machine, or a name in code or quotes.
func fits(f Field, rest, first phrase) bool {
	word := first.text()
	if word == "TBD" || word == "TODO" {
		return true
	}
	marked := first.run.code[first.lo] || first.lo > 0 && strings.ContainsAny(first.run.text[max(0, first.lo-3):first.lo], "«“„\"")
	switch f {
	case Dataset, EvaluationDataset, DataCard, Config, Script, PromptFile, Pointer, Workflow:
		return isPath(word, marked) && (marked || strings.Contains(word, "/"))
	case DatasetSHA256, EvaluationSHA256, BaselineDigest:
		return len(word) == 64 && isHex(word) || strings.HasPrefix(word, "sha256:")
	case Commit:
		return len(word) >= 7 && isHex(word) && strings.ContainsAny(word, "0123456789") || len(word) == 40 && isHex(word)
	case LatencyTolerance:
		return strings.ContainsRune("+±≤<~≈", firstOf(word)) || startsWithDigit(word)
	case TargetRelease:
		return strings.HasPrefix(word, "v") && isRelease(word)
	case Hardware:
		_, count := leadingCount(rest)
		return !count.empty() && namesHardware(rest.text()[:min(len(rest.text()), maxKey)])
	case Scenario, Locale, PromptVersion, BaselineModel, TargetModel, RollbackTarget, Optimiser:
		return marked && !isPath(word, true)
	}
	return false
}
