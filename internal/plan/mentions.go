package plan

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/text"
)

// MentionKind is what a name in the text refers to.
type MentionKind string

// The kinds.
const (
	MentionPath      MentionKind = "path" // a file or folder of no kind below
	MentionLink      MentionKind = "link" // a Markdown link inside the repository
	MentionURL       MentionKind = "url"
	MentionURI       MentionKind = "uri" // an object store
	MentionScript    MentionKind = "script"
	MentionConfig    MentionKind = "config"
	MentionWorkflow  MentionKind = "workflow"
	MentionPrompt    MentionKind = "prompt"
	MentionDashboard MentionKind = "dashboard"
	MentionMetric    MentionKind = "metric" // a time series
	MentionRelease   MentionKind = "release"
	MentionCommit    MentionKind = "commit"
)

// Mention is a name that must lead somewhere.
type Mention struct {
	Kind MentionKind `json:"kind"`
	Value
	Anchor  string `json:"anchor,omitempty"`  // of a link: what stands behind #
	Output  bool   `json:"output,omitempty"`  // written by a run: need not exist
	Pattern bool   `json:"pattern,omitempty"` // holds a placeholder or wildcard: names no one file
	Bare    bool   `json:"bare,omitempty"`    // a file name without a folder
	Group   string `json:"group,omitempty"`   // what the lines around it are about
}

// OfRelease tells whether the lines around speak of releases or rollbacks.
func (m Mention) OfRelease() bool {
	return m.Group == string(inRelease) || m.Group == string(inRollback)
}

func (r *reader) mention(ctx context, m Mention) {
	if !r.room("mentions", len(r.mentions), maxMentions, m.At) {
		return
	}
	m.FromFrontMatter = r.front
	m.Output = m.Output || ctx.group == inOutput
	m.Group = string(ctx.group)
	r.mentions = append(r.mentions, m)
}

// mentionsIn finds what a text names: in code, as a bare path, as a link.
func (r *reader) mentionsIn(ctx context, p phrase) {
	for _, l := range p.linksIn() {
		r.mentionLink(ctx, l)
	}
	output := false
	for _, w := range p.words() {
		t := w.text()
		code := p.run.code[w.lo]
		if m, ok := classify(t, code); ok {
			m.Value = w.value()
			m.Output = output
			if m.Kind == MentionRelease && (ctx.group == inBaseline || ctx.group == inTarget || ctx.group == inPrompt || ctx.group == inHyper) {
				continue // the version of a model, a prompt or a library
			}
			if w.linked() && m.Kind != MentionRelease {
				continue // the link itself is told
			}
			r.mention(ctx, m)
		}
		output = isOutputWord(t)
	}
}

func (p phrase) linked() bool {
	for _, l := range p.run.links {
		if p.lo >= l.lo && p.hi <= l.hi {
			return true
		}
	}
	return false
}

// isOutputWord tells words and flags that are followed by a place to write to.
func isOutputWord(s string) bool {
	switch strings.ToLower(s) {
	case "--output", "--out", "-o", "--output-dir", "--output_dir", "--out-dir", "--report", "--save", "--log-dir", "--logdir", "--results", "tee", ">>", ">",
		"output", "outputs", "writes", "produces", "into", "пишет", "сохраняет", "вывод", "результат":
		return true
	}
	return false
}

func (r *reader) mentionLink(ctx context, l link) {
	v := r.doc.valueOf(l.dest, l.url)
	switch {
	case l.url == "":
		return
	case strings.HasPrefix(l.url, "http://"), strings.HasPrefix(l.url, "https://"):
		r.mention(ctx, Mention{Kind: MentionURL, Value: v})
		return
	case strings.Contains(l.url, "://"):
		r.mention(ctx, Mention{Kind: MentionURI, Value: v})
		return
	case strings.HasPrefix(l.url, "mailto:"):
		return
	}
	target, anchor, _ := strings.Cut(l.url, "#")
	v.Text = r.doc.path
	if target != "" {
		target, _, _ = strings.Cut(target, "?")
		v.Text = resolve(r.doc.path, target)
	}
	r.mention(ctx, Mention{Kind: MentionLink, Value: v, Anchor: anchor, Pattern: isPattern(target)})
}

// mentionsInCode finds what a code block names; its lines are commands.
func (r *reader) mentionsInCode(lines *text.Segments) {
	for i := range lines.Len() {
		seg := lines.At(i)
		r.mentionsInLine(seg.Start, seg.Stop)
	}
}

// redirected tells whether a shell's ">" stands before the word.
func (p phrase) redirected() bool {
	i := p.lo
	for i > 0 && p.run.text[i-1] == ' ' {
		i--
	}
	return i > 0 && p.run.text[i-1] == '>'
}

func (r *reader) mentionsInYAML(at span) {
	r.front = true
	r.mentionsInLine(at.start, at.end)
	r.front = false
}

func (r *reader) mentionsInLine(start, stop int) {
	p := r.verbatimRun(start, stop)
	for i := range p.run.code {
		p.run.code[i] = true
	}
	output := false
	for _, w := range p.words() {
		t := w.text()
		if k, v, ok := strings.Cut(t, "="); ok && strings.HasPrefix(k, "-") {
			w = w.slice(len(k)+1, len(t)).unwrap()
			output = isOutputWord(k)
			t = v
		}
		if m, ok := classify(w.text(), true); ok {
			m.Value = w.value()
			m.Output = output || w.redirected()
			r.mention(context{}, m)
		}
		output = isOutputWord(t)
	}
}

// classify tells what a word names, if anything.
func classify(word string, code bool) (Mention, bool) {
	lower := strings.ToLower(word)
	switch {
	case len(word) > 1024 || word == "":
		return Mention{}, false
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		return Mention{Kind: MentionURL}, true
	case strings.Contains(word, "://"):
		return Mention{Kind: MentionURI}, true
	case lower[0] == 'v' && isRelease(word) && strings.Count(word, ".") >= 2:
		return Mention{Kind: MentionRelease}, true
	case len(word) == 40 && isHex(word):
		return Mention{Kind: MentionCommit}, true
	case code && isSeriesName(word):
		return Mention{Kind: MentionMetric}, true
	case isPath(word, code):
		m := Mention{Kind: kindOfPath(lower), Pattern: isPattern(word), Bare: !strings.Contains(word, "/")}
		return m, true
	}
	return Mention{}, false
}

// seriesSuffixes end the names of time series by Prometheus' convention.
var seriesSuffixes = []string{"_seconds", "_total", "_bytes", "_ratio", "_count", "_sum", "_bucket", "_value", "_outcome", "_score", "_info"}

func isSeriesName(s string) bool {
	s, _, _ = strings.Cut(s, "{")
	if strings.Count(s, "_") < 2 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != ':' && !isDigit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	for _, suffix := range seriesSuffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return strings.HasPrefix(s, "benchmark_") && strings.Count(s, "_") >= 2 && !strings.HasSuffix(s, "_v1") && !strings.Contains(s, "_ru_")
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*<>{}$?…") }

// rootFolders are the folders by which a path without an extension is known.
var rootFolders = map[string]bool{
	"scripts": true, "src": true, "data": true, "configs": true, "config": true, "docs": true, "models": true, "deploy": true, "prompts": true, "prometheus": true,
	"grafana": true, "tests": true, ".github": true, "tools": true, "notebooks": true, "training": true, "app": true, "services": true, "dashboards": true,
	"monitoring": true, "artifacts": true, "outputs": true, "results": true, "reports": true, "runs": true, "benchmarks": true, "eval": true, "infra": true, "alerts": true,
}

// fileExtensions are those of files that plans name. Outside code a word is a
// path only with one of them.
var fileExtensions = map[string]bool{
	".py": true, ".sh": true, ".yaml": true, ".yml": true, ".json": true, ".jsonl": true, ".md": true, ".toml": true, ".txt": true, ".csv": true, ".parquet": true,
	".ipynb": true, ".cfg": true, ".ini": true, ".js": true, ".ts": true, ".go": true, ".rs": true, ".sql": true, ".svg": true, ".png": true, ".html": true, ".j2": true,
	".jinja": true, ".jinja2": true, ".tmpl": true, ".prompt": true, ".safetensors": true, ".gguf": true, ".bin": true, ".pt": true, ".ckpt": true, ".gz": true, ".zst": true, ".tsv": true, ".log": true, ".rules": true, ".mk": true, ".lock": true, ".pdf": true, ".xml": true,
}

// isPath tells whether a word is a path of a repository or an object's URI.
func isPath(word string, code bool) bool {
	if i := strings.Index(word, "://"); i > 0 {
		scheme := word[:i]
		return len(word) > i+3 && scheme != "http" && scheme != "https"
	}
	if len(word) < 3 || len(word) > 1024 || strings.ContainsAny(word, "@=|\"'`,;") || !utf8.ValidString(word) {
		return false
	}
	ext := strings.ToLower(path.Ext(word))
	slash := strings.IndexByte(word, '/')
	if slash < 0 {
		stem := strings.TrimSuffix(word, path.Ext(word))
		return fileExtensions[ext] && stem != "" && (code || ext != ".go" && ext != ".js" && ext != ".ts")
	}
	if fileExtensions[ext] {
		return true
	}
	first := strings.TrimPrefix(strings.TrimPrefix(word, "./"), "/")
	first, rest, more := strings.Cut(first, "/")
	if !more {
		return false
	}
	return rootFolders[strings.ToLower(first)] && (code || strings.HasSuffix(word, "/") || strings.Count(rest, "/") > 0)
}

// kindOfPath tells a file's kind by its folder and extension.
func kindOfPath(p string) MentionKind {
	ext := path.Ext(p)
	switch {
	case strings.Contains(p, ".github/workflows/"):
		return MentionWorkflow
	case strings.Contains(p, "grafana/") || strings.Contains(p, "dashboards/"):
		return MentionDashboard
	case strings.Contains(p, "prompts/") || ext == ".prompt" || ext == ".j2" || ext == ".jinja" || ext == ".jinja2":
		return MentionPrompt
	case ext == ".py" || ext == ".sh" || ext == ".ipynb" || ext == ".js" || ext == ".ts":
		return MentionScript
	case ext == ".yaml" || ext == ".yml" || ext == ".toml" || ext == ".ini" || ext == ".cfg" || strings.Contains(p, "configs/") || strings.HasPrefix(p, "config/"):
		return MentionConfig
	}
	return MentionPath
}
