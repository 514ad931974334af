package plan

import (
	"path"
	"strings"
	"unicode"
)

// refine takes out of a value what the field is, and what else it says.
func (r *reader) refine(ctx context, f Field, p phrase) {
	p = p.unquote()
	if absent(p.text()) && f != cardPII {
		r.add(f, p.value())
		return
	}
	switch f {
	case Dataset, EvaluationDataset, DatasetID, BaselineModel, TargetModel, RollbackTarget, PromptVersion, cardPII: // more of them stands behind a comma
	default:
		if first := p.split(",;")[0]; absent(first.text()) {
			r.add(f, first.value()) // "Epochs TBD, batch size 8" is not 8 epochs
			return
		}
	}
	if r.kind == cardDocument {
		r.refineCard(f, p)
		return
	}
	switch f {
	case Dataset, EvaluationDataset, DatasetID:
		r.dataset(ctx, f, p)
	case DataCard, Pointer, Config, Script, PromptFile, Workflow:
		r.file(f, p)
	case DatasetSHA256, EvaluationSHA256, BaselineDigest:
		if h, ok := hexDigest(p); ok {
			p = h
		}
		r.add(f, p.value())
	case Records, EvaluationRecords, Seed, Epochs, BatchSize, MaxInputTokens, HardwareCount, LearningRate:
		v := numberIn(f, p).value()
		if _, err := v.Decimal(); err != nil && r.weak {
			return // "Context: we have two editors" is no length
		}
		r.add(f, v)
	case BaselineModel, TargetModel, RollbackTarget:
		r.model(f, p)
	case PromptVersion:
		r.prompt(p)
	case Hardware:
		r.compute(p)
	case Hours:
		r.add(f, hoursIn(p).value())
	case Optimiser, Locale, Scenario, Pilot:
		r.add(f, firstPart(p).value())
	case Commit, Revision:
		r.commit(f, p)
	case TargetRelease:
		r.add(f, releaseIn(p).value())
	case Initiator:
		v := loginIn(p).value()
		if r.weak && !strings.HasPrefix(v.Text, "@") {
			return // "Owner: the platform team" is no person
		}
		r.add(f, v)
	default:
		r.add(f, p.value())
	}
}

// firstPart is a value up to a remark in brackets or behind a comma. A value in
// code ends with it.
func firstPart(p phrase) phrase {
	if !p.empty() && p.run.code[p.lo] {
		return codeSpan(p)
	}
	for i, c := range p.text() {
		if i > 0 && (c == '(' || c == ',' || c == ';') {
			return p.slice(0, i).trimSpace()
		}
	}
	return p
}

// words cuts a phrase at blanks and brackets, marks around words taken off.
func (p phrase) words() []phrase {
	var words []phrase
	from := -1
	text := p.text()
	put := func(hi int) {
		if from >= 0 {
			if w := p.slice(from, hi).unwrap(); !w.empty() {
				words = append(words, w)
			}
			from = -1
		}
	}
	for i, c := range text {
		if unicode.IsSpace(c) || strings.ContainsRune("()[],;|", c) && !(c == ',' && decimalComma(text, i)) {
			put(i)
		} else if from < 0 {
			from = i
		}
	}
	put(len(text))
	return words
}

// unwrap takes marks off a word. A dot in front stays: it begins ".github".
func (p phrase) unwrap() phrase {
	p = p.trim(func(c rune) bool { return c != '.' && isWrapping(c) })
	return p.slice(0, len(strings.TrimRightFunc(p.text(), isWrapping)))
}

func isWrapping(r rune) bool { return strings.ContainsRune("\"'`«»“”„‘’<>*.:!?", r) }

// dataset reads a path or URI with what stands beside it:
// "data/x.jsonl (sha256 `…`, 40 records)".
func (r *reader) dataset(ctx context, f Field, p phrase) {
	sha, count := DatasetSHA256, Records
	if f == EvaluationDataset {
		sha, count = EvaluationSHA256, EvaluationRecords
	}
	found, card := false, false
	for _, part := range pathsIn(p) {
		switch {
		case strings.HasSuffix(strings.ToLower(part.Text), ".md"):
			if !card && f != EvaluationDataset {
				r.add(DataCard, part)
				card = true
			}
		case !found:
			r.add(f.datasetPath(), part)
			found = true
		}
	}
	if h, ok := hexDigest(p); ok {
		r.add(sha, h.value())
	}
	if n, ok := recordsIn(p); ok {
		r.add(count, n.value())
	}
	if found {
		return
	}
	v := firstPart(p).value()
	switch {
	case v.Text == "":
		r.add(f.datasetPath(), v)
	case f == EvaluationDataset:
		r.add(f, v)
	case ctx.group == inDataset || f == DatasetID:
		r.add(DatasetID, v)
	default:
		r.add(f, v)
	}
}

func (f Field) datasetPath() Field {
	if f == DatasetID {
		return Dataset
	}
	return f
}

// file reads a path, from a link if the label is not one itself.
func (r *reader) file(f Field, p phrase) {
	if paths := pathsIn(p); len(paths) > 0 {
		r.add(f, paths[0])
		return
	}
	r.add(f, firstPart(p).value())
}

// pathsIn finds paths and URIs. The label of a link that is a path counts as
// it stands; otherwise the link's target, resolved against the document.
func pathsIn(p phrase) []Value {
	var found []Value
	links := p.linksIn()
	covered := func(w phrase) *link {
		for i := range links {
			if w.lo >= links[i].lo && w.hi <= links[i].hi {
				return &links[i]
			}
		}
		return nil
	}
	used := map[*link]bool{}
	for _, w := range p.words() {
		l := covered(w)
		switch {
		case l != nil && !used[l] && !strings.Contains(w.text(), "/") && strings.HasSuffix(l.url, "/"+w.text()):
			// The label is the file's name, the target says where it is.
			used[l] = true
			if v, ok := linkedPath(p.run.doc, *l); ok {
				found = append(found, v)
			}
		case isPath(w.text(), true):
			found = append(found, w.value())
			if l != nil {
				used[l] = true
			}
		case l != nil && !used[l]:
			used[l] = true
			if v, ok := linkedPath(p.run.doc, *l); ok {
				found = append(found, v)
			}
		}
	}
	return found
}

// linkedPath is the file of the repository that a link leads to.
func linkedPath(doc *source, l link) (Value, bool) {
	target, _, _ := strings.Cut(l.url, "#")
	if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return Value{}, false
	}
	return doc.valueOf(l.dest, resolve(doc.path, target)), true
}

// resolve reads a link as GitHub does: against the document's folder, or from
// the repository's root if it begins with a slash.
func resolve(from, target string) string {
	if strings.HasPrefix(target, "/") {
		return strings.TrimPrefix(path.Clean(target), "/")
	}
	return path.Join(path.Dir(from), target)
}

// hexDigest finds 64 hex digits, or what stands behind "sha256".
func hexDigest(p phrase) (phrase, bool) {
	words := p.words()
	for _, w := range words {
		t := w.text()
		for _, prefix := range []string{"sha256:", "sha256=", "SHA256:", "sha-256:", "sha256-", "@sha256:"} {
			if i := strings.Index(t, prefix); i >= 0 && len(t) > i+len(prefix) {
				return w.slice(i+len(prefix), len(t)).unwrap(), true
			}
		}
		if len(t) == 64 && isHex(t) {
			return w, true
		}
	}
	for i, w := range words {
		if k := normalKey(w.text()); (k == "sha256" || k == "sha") && i+1 < len(words) && isHex(words[i+1].text()) {
			return words[i+1], true
		}
	}
	return phrase{}, false
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !isDigit(s[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// recordsIn finds a number beside a word for records.
func recordsIn(p phrase) (phrase, bool) {
	words := p.words()
	for i, w := range words {
		if !isRecordsWord(w.text()) {
			continue
		}
		if i > 0 && startsWithDigit(words[i-1].text()) {
			lo := i - 1
			for lo > 0 && groupedDigits(words[lo-1].text(), words[lo].text()) {
				lo--
			}
			return phrase{p.run, words[lo].lo, words[i-1].hi}, true
		}
		if i+1 < len(words) && startsWithDigit(words[i+1].text()) {
			return words[i+1], true
		}
	}
	for _, w := range words {
		if k, v, ok := strings.Cut(w.text(), "="); ok && (k == "n" || isRecordsWord(k)) && startsWithDigit(v) {
			return w.slice(len(k)+1, len(w.text())), true
		}
	}
	return phrase{}, false
}

// groupedDigits tells whether two words are one number with a blank between
// its thousands.
func groupedDigits(left, right string) bool {
	return len(right) == 3 && allDigits(right) && allDigits(left) && len(left) <= 3
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func startsWithDigit(s string) bool { return s != "" && isDigit(s[0]) }

func isRecordsWord(s string) bool {
	switch normalKey(s) {
	case "records", "record", "samples", "examples", "rows", "lines", "items", "recs",
		"записей", "записи", "запись", "примеров", "примера", "строк", "строки", "сэмплов", "образцов":
		return true
	}
	return false
}

// model reads "qwen-7b@1.2 (digest sha256:…)".
func (r *reader) model(f Field, p phrase) {
	if _, _, _, _, metric := cutMetric(p); metric || strings.ContainsRune("≥≤<>=+", firstOf(p.text())) {
		return // "Target: coverage ≥ 0.90" speaks of a figure
	}
	if f == RollbackTarget {
		for _, v := range pathsIn(p) {
			if pathLike := strings.HasSuffix(v.Text, ".yaml") || strings.HasSuffix(v.Text, ".yml") || strings.HasSuffix(v.Text, ".json"); pathLike {
				r.add(Pointer, v)
				break
			}
		}
	}
	if f == BaselineModel {
		if h, ok := hexDigest(p); ok {
			r.add(BaselineDigest, h.value())
		}
		if v, ok := versionIn(p); ok {
			r.add(BaselineVersion, v.value())
		}
	}
	name := firstPart(p)
	if i := codeSpan(p); i.hi > i.lo && i.start() < p.end() && !strings.HasPrefix(i.text(), "sha256:") && !isHex(i.text()) && !isPath(i.text(), true) && (f == RollbackTarget || i.lo <= name.lo) {
		name = i
	}
	text := name.text()
	for _, cut := range []string{"@sha256:", " digest", " sha256", " at digest", " дайджест", " via ", " from ", " через ", " by setting", " — ", " – "} {
		if i := strings.Index(text, cut); i > 0 {
			name = name.slice(0, i)
			text = name.text()
		}
	}
	r.add(f, name.value())
}

// codeSpan gives the first run of code in a phrase.
func codeSpan(p phrase) phrase {
	for i := p.lo; i < p.hi; i++ {
		if p.run.code[i] {
			j := i
			for j < p.hi && p.run.code[j] {
				j++
			}
			return phrase{p.run, i, j}
		}
	}
	return phrase{}
}

// versionIn finds the version of a model in brackets: "(v1.2)", "(version 3)".
func versionIn(p phrase) (phrase, bool) {
	words := p.words()
	for i, w := range words {
		k := normalKey(w.text())
		if (k == "version" || k == "версия" || k == "revision") && i+1 < len(words) {
			return words[i+1], true
		}
		t := w.text()
		if i > 0 && len(t) > 1 && (t[0] == 'v' || t[0] == 'V') && isDigit(t[1]) {
			return w, true
		}
		if j := strings.LastIndexByte(t, '@'); j > 0 && j+1 < len(t) && !strings.HasPrefix(t[j+1:], "sha256") {
			return w.slice(j+1, len(t)), true
		}
	}
	return phrase{}, false
}

// prompt reads "digest_v3 (prompts/digest_v3.md)" or a path alone.
func (r *reader) prompt(p phrase) {
	paths := pathsIn(p)
	if len(paths) > 0 {
		r.add(PromptFile, paths[0])
	}
	name := firstPart(p)
	if isPath(name.text(), true) || len(paths) > 0 && name.text() == "" {
		// The file's name is the version until the plan says another.
		base := path.Base(paths[0].Text)
		stem := strings.TrimSuffix(base, path.Ext(base))
		v := paths[0]
		if i := strings.LastIndex(v.Raw, stem); i >= 0 {
			v = p.run.doc.valueOf(span{v.Start + i, v.Start + i + len(stem)}, stem)
		} else {
			v.Text = stem
		}
		v.Derived = true
		r.add(PromptVersion, v)
		return
	}
	r.add(PromptVersion, name.value())
}

// commit reads a hash of git, or "this PR". A small number under "Revision" is
// the plan's own revision.
func (r *reader) commit(f Field, p phrase) {
	for _, w := range p.words() {
		t := w.text()
		if i := strings.LastIndexByte(t, '@'); i >= 0 && isHex(t[i+1:]) {
			w = w.slice(i+1, len(t))
			t = w.text()
		}
		if len(t) >= 7 && len(t) <= 64 && isHex(t) {
			r.add(Commit, w.value())
			return
		}
	}
	v := firstPart(p).value()
	switch k := normalKey(v.Text); {
	case f == Revision && allDigits(v.Text):
		r.add(Revision, v)
		return
	case k == "this pr" || k == "this pull request" || k == "этот pr" || k == "этот пр" || k == "этот пулл реквест" || k == "этот пул реквест" || k == "данный pr" || k == "текущий pr":
		v.Text = ThisPR
	}
	r.add(Commit, v)
}

// ThisPR is the text of Commit when the plan says, in any words, that the code
// comes with the pull request itself.
const ThisPR = "this PR"

// releaseIn finds vX.Y.Z; a value without one is kept whole.
func releaseIn(p phrase) phrase {
	for _, w := range p.words() {
		if isRelease(w.text()) {
			return w
		}
	}
	return firstPart(p)
}

// isRelease tells vX, vX.Y or vX.Y.Z, with what semver allows behind it.
func isRelease(s string) bool {
	rest, ok := strings.CutPrefix(s, "v")
	if !ok {
		rest, ok = strings.CutPrefix(s, "V")
	}
	if !ok && strings.Count(s, ".") != 2 {
		return false
	}
	core, _, _ := strings.Cut(rest, "-")
	core, _, _ = strings.Cut(core, "+")
	if strings.Count(core, ".") > 2 {
		return false
	}
	for part := range strings.SplitSeq(core, ".") {
		if !allDigits(part) {
			return false
		}
	}
	return true
}

// loginIn finds @login; a value without one is kept.
func loginIn(p phrase) phrase {
	for _, w := range p.words() {
		if t := w.text(); len(t) > 1 && t[0] == '@' {
			return w
		}
	}
	return firstPart(p)
}
