package policy

import (
	"crypto/ed25519"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

// Caps of the policy file beyond those of strictyaml.
const (
	maxList   = 200 // entries of a list or map
	maxText   = 300 // characters of a value
	maxAge    = 365 // days
	maxSecond = 86_400
	maxLine   = 1 << 31
)

// Parse reads a policy file. Keys that the file leaves out have their default;
// a key that cannot be read keeps its default too and is a finding at error
// level, so a caller that goes on must not let anything pass.
func Parse(path string, src []byte) (Policy, []finding.Finding) {
	p := Default()
	r := &reading{path: path}
	root, problem := strictyaml.Parse(path, src)
	if problem != nil {
		r.add("PO001", problem.Case, problem.At, problem.Args)
		return p, r.findings
	}
	if root.Kind != strictyaml.Map {
		r.find("PO001", "not_a_map", root.At)
		return p, r.findings
	}
	r.policy(root, &p)
	finding.Sort(r.findings)
	return p, r.findings
}

// reading collects findings while a tree is read.
type reading struct {
	path     string
	findings []finding.Finding
}

// value is a node with the key that it stands under, as people would write it.
type value struct {
	*strictyaml.Node
	key   string
	keyAt finding.Position
}

func (r *reading) add(rule, kase string, at finding.Position, args map[string]string) {
	r.findings = append(r.findings, finding.Finding{Rule: rule, Case: kase, Severity: finding.Error, At: at, Args: args})
}

func (r *reading) find(rule, kase string, at finding.Position, args ...string) {
	m := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	r.add(rule, kase, at, m)
}

// field is one key of a map and what reads its value.
type field struct {
	key  string
	read func(value)
}

// each reads a map by a table of its keys.
func (r *reading) each(v value, table []field) {
	if v.Kind != strictyaml.Map {
		r.find("PO003", "not_map", v.At, "key", v.key)
		return
	}
	for _, e := range v.Entries {
		key := e.Key
		if v.key != "" {
			key = v.key + "." + e.Key
		}
		known := false
		for _, f := range table {
			if f.key == e.Key {
				known = true
				f.read(value{e.Value, key, e.At})
			}
		}
		if !known {
			r.unknown(key, e, table)
		}
	}
}

func (r *reading) unknown(key string, e strictyaml.Entry, table []field) {
	words := make([]string, len(table))
	for i, f := range table {
		words[i] = f.key
	}
	if s := nearest(e.Key, words); s != "" {
		r.find("PO002", "unknown_key", e.At, "key", clip(key), "suggestion", s)
		return
	}
	r.find("PO002", "unknown_key_alone", e.At, "key", clip(key), "allowed", strings.Join(words, ", "))
}

func (r *reading) policy(root *strictyaml.Node, p *Policy) {
	r.each(value{Node: root}, []field{
		{"version", func(v value) {
			if v.Kind != strictyaml.Number || v.Text != "1" {
				r.find("PO003", "version", v.At, "value", clip(v.Text))
			}
		}},
		{"language", r.word(&p.Language, "en", "ru")},
		{"locale", r.shaped(&p.Locale, localeShape.MatchString, "locale_shape")},
		{"profile", r.word(&p.Profile, ProfileStarter, ProfileFull)},
		{"enforcement", r.word(&p.Enforcement, Enforce, Observe)},
		{"paths", func(v value) { r.paths(v, &p.Paths) }},
		{"scenarios", func(v value) { r.scenarios(v, p.Scenarios) }},
		{"datasets", func(v value) {
			r.each(v, []field{
				{"schema", func(v value) { r.schema(v, &p.Datasets.Schema) }},
				{"buckets", r.list(&p.Datasets.Buckets, r.bucket)},
				{"exporters", r.list(&p.Datasets.Exporters, r.pattern)},
				{"channels", r.list(&p.Datasets.Channels, r.plain)},
			})
		}},
		{"approvals", func(v value) {
			r.each(v, []field{
				{"distinct_people", r.yes(&p.Approvals.DistinctPeople)},
				{"max_age_days", r.integer(&p.Approvals.MaxAgeDays, 1, maxAge)},
				{"after_evidence", r.yes(&p.Approvals.AfterEvidence)},
			})
		}},
		{"checks", func(v value) { r.checks(v, p.Checks) }},
		{"waivers", func(v value) { r.waivers(v, &p.Waivers) }},
		{"signing", func(v value) { r.each(v, []field{{"keys", func(v value) { r.keys(v, &p.Signing.Keys) }}}) }},
		{"trainers", func(v value) { r.keys(v, &p.Trainers) }},
		{"drift", func(v value) {
			r.each(v, []field{
				{"psi", r.number(&p.Drift.PSI, "0.01", "10")},
				{"ks_p", r.number(&p.Drift.KSP, "0.000001", "0.5")},
			})
		}},
		{"baseline", func(v value) {
			r.each(v, []field{{"confirm", r.word(&p.Baseline.Confirm, ConfirmOptional, ConfirmRequired)}})
		}},
		{"commit", func(v value) {
			r.each(v, []field{{"mode", r.word(&p.Commit.Mode, CommitAuto, CommitDirect, CommitPullRequest)}})
		}},
		{"workflows", func(v value) {
			r.each(v, []field{
				{"benchmark", r.workflow(&p.Workflows.Benchmark)},
				{"training", r.workflow(&p.Workflows.Training)},
			})
		}},
		{"environment", r.shaped(&p.Environment, environmentShape, "environment_shape")},
		{"rollback", func(v value) {
			r.each(v, []field{{"tolerance", r.number(&p.Rollback.Tolerance, "0", "0.5")}})
		}},
	})
}

var (
	localeShape      = regexp.MustCompile(`^[a-z]{2,3}$`)
	nameShape        = form.Of("A-Za-z0-9", "A-Za-z0-9_.-", 100)
	environmentShape = form.Of("A-Za-z0-9", "A-Za-z0-9_. -", 100)
	bucketShape      = regexp.MustCompile(`^(s3|gs|azblob)://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._=-]*)*/?$`)
	workflowShape    = regexp.MustCompile(`^\.github/workflows/[A-Za-z0-9_][A-Za-z0-9_.-]*\.ya?ml$`)
	ruleShape        = regexp.MustCompile(`^[A-Z]{2,3}[0-9]{3}$`)
	// pointerShape is RFC 6901, not the whole document.
	pointerShape = regexp.MustCompile(`^(/([^~/]|~0|~1)*)+$`)
)

// text reads a scalar as text. A number is taken as written: a hash may be all
// digits, an id may be a year.
func (r *reading) text(v value) (string, bool) {
	switch v.Kind {
	case strictyaml.Text, strictyaml.Number:
	default:
		r.find("PO003", "not_text", v.At, "key", v.key)
		return "", false
	}
	switch {
	case strings.TrimSpace(v.Text) == "":
		r.find("PO003", "empty", v.At, "key", v.key)
	case utf8.RuneCountInString(v.Text) > maxText:
		r.find("PO003", "too_long", v.At, "key", v.key, "limit", strconv.Itoa(maxText))
	case strings.ContainsFunc(v.Text, unicode.IsControl):
		r.find("PO003", "one_line", v.At, "key", v.key)
	default:
		return v.Text, true
	}
	return "", false
}

// word reads one of a few words.
func (r *reading) word(to *string, allowed ...string) func(value) {
	return func(v value) {
		if v.Kind == strictyaml.Text || v.Kind == strictyaml.Bool || v.Kind == strictyaml.Number {
			for _, a := range allowed {
				if v.Text == a {
					*to = a
					return
				}
			}
		}
		r.find("PO003", "not_one_of", v.At, "key", v.key, "value", clip(v.Text), "allowed", strings.Join(allowed, ", "))
	}
}

func (r *reading) shaped(to *string, shape func(string) bool, kase string) func(value) {
	return func(v value) {
		text, ok := r.text(v)
		if !ok {
			return
		}
		if !shape(text) {
			r.find("PO003", kase, v.At, "key", v.key, "value", clip(text))
			return
		}
		*to = text
	}
}

func (r *reading) yes(to *bool) func(value) {
	return func(v value) {
		switch {
		case v.Kind == strictyaml.Bool && v.Text == "true":
			*to = true
		case v.Kind == strictyaml.Bool && v.Text == "false":
			*to = false
		default:
			r.find("PO003", "not_boolean", v.At, "key", v.key, "value", clip(v.Text))
		}
	}
}

func (r *reading) integer(to *int, low, high int) func(value) {
	return func(v value) {
		n, err := strconv.Atoi(v.Text)
		switch {
		case v.Kind != strictyaml.Number || err != nil:
			r.find("PO003", "not_integer", v.At, "key", v.key, "value", clip(v.Text))
		case n < low || n > high:
			r.find("PO003", "range", v.At, "key", v.key, "value", clip(v.Text), "low", strconv.Itoa(low), "high", strconv.Itoa(high))
		default:
			*to = n
		}
	}
}

func (r *reading) number(to *decimal.Decimal, low, high string) func(value) {
	return func(v value) {
		if d, ok := r.decimal(v, low, high); ok {
			*to = d
		}
	}
}

func (r *reading) decimal(v value, low, high string) (decimal.Decimal, bool) {
	d, ok := benchmark.ParseNumber(v.Text)
	if v.Kind != strictyaml.Number || !ok {
		r.find("PO003", "not_number", v.At, "key", v.key, "value", clip(v.Text))
		return d, false
	}
	if d.LessThan(decimal.RequireFromString(low)) || d.GreaterThan(decimal.RequireFromString(high)) {
		r.find("PO003", "range", v.At, "key", v.key, "value", clip(v.Text), "low", low, "high", high)
		return d, false
	}
	return d, true
}

// items gives the values of a list within the cap.
func (r *reading) items(v value) []value {
	if v.Kind != strictyaml.List {
		r.find("PO003", "not_list", v.At, "key", v.key)
		return nil
	}
	if len(v.Items) > maxList {
		r.find("PO003", "too_many", v.Items[maxList].At, "key", v.key, "limit", strconv.Itoa(maxList))
		return nil
	}
	out := make([]value, 0, len(v.Items))
	for _, n := range v.Items {
		out = append(out, value{n, v.key, n.At})
	}
	return out
}

// list reads a list of texts; it is taken whole or not at all.
func (r *reading) list(to *[]string, check func(value) (string, bool)) func(value) {
	return func(v value) {
		before := len(r.findings)
		out := []string{}
		seen := map[string]bool{}
		for _, item := range r.items(v) {
			text, ok := check(item)
			if ok && seen[text] {
				r.find("PO003", "duplicate", item.At, "key", v.key, "value", clip(text))
			}
			seen[text] = true
			out = append(out, text)
		}
		if len(r.findings) == before {
			*to = out
		}
	}
}

func (r *reading) plain(v value) (string, bool) { return r.text(v) }

func (r *reading) bucket(v value) (string, bool) {
	text, ok := r.text(v)
	if ok && !bucketShape.MatchString(text) {
		r.find("PO009", "bucket_shape", v.At, "key", v.key, "value", clip(text))
		return "", false
	}
	return text, ok
}

// pattern reads a path pattern.
func (r *reading) pattern(v value) (string, bool) {
	text, ok := r.repositoryPath(v, false)
	if ok && !readablePattern(text) {
		r.find("PO004", "glob", v.At, "key", v.key, "value", clip(text))
		return "", false
	}
	return text, ok
}

// repositoryPath reads a path inside the repository, in ASCII, so that no
// look-alike can stand in it.
func (r *reading) repositoryPath(v value, folder bool) (string, bool) {
	text, ok := r.text(v)
	if !ok {
		return "", false
	}
	bare := text
	if folder {
		if bare, ok = strings.CutSuffix(text, "/"); !ok {
			r.find("PO004", "no_slash", v.At, "key", v.key, "value", clip(text))
			return "", false
		}
	}
	switch {
	case !printableASCII(text):
		r.find("PO004", "not_ascii", v.At, "key", v.key)
	case !plainSegments(bare):
		r.find("PO004", "shape", v.At, "key", v.key, "value", clip(text))
	default:
		return text, true
	}
	return "", false
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

func (r *reading) schema(v value, to *string) {
	text, ok := r.text(v)
	switch {
	case !ok:
	case text == BuiltinSchema:
		*to = text
	case strings.HasPrefix(text, "builtin:"):
		r.find("PO009", "schema_unknown", v.At, "value", clip(text), "suggestion", BuiltinSchema)
	default:
		if p, ok := r.repositoryPath(v, false); ok {
			*to = p
		}
	}
}

// workflow reads a workflow's path; an empty text is "none".
func (r *reading) workflow(to *string) func(value) {
	return func(v value) {
		if v.Kind == strictyaml.Text && v.Text == "" {
			*to = ""
			return
		}
		text, ok := r.text(v)
		if !ok {
			return
		}
		if !workflowShape.MatchString(text) {
			r.find("PO004", "workflow_shape", v.At, "key", v.key, "value", clip(text))
			return
		}
		*to = text
	}
}

// day reads a date, as written or quoted. It begins at midnight UTC.
func (r *reading) day(v value, to *time.Time) {
	text, ok := r.text(v)
	if !ok {
		return
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		r.find("PO003", "not_a_day", v.At, "key", v.key, "value", clip(text))
		return
	}
	*to = t
}

func (r *reading) checks(v value, to map[string]Override) {
	if v.Kind != strictyaml.Map {
		r.find("PO003", "not_map", v.At, "key", v.key)
		return
	}
	if len(v.Entries) > maxList {
		r.find("PO003", "too_many", v.Entries[maxList].At, "key", v.key, "limit", strconv.Itoa(maxList))
		return
	}
	for _, e := range v.Entries {
		key := v.key + "." + e.Key
		if !ruleShape.MatchString(e.Key) {
			r.find("PO006", "rule_shape", e.At, "rule", clip(e.Key))
			continue
		}
		before := len(r.findings)
		o := Override{At: e.At}
		severity := ""
		r.each(value{e.Value, key, e.At}, []field{
			{"severity", r.word(&severity, string(finding.Error), string(finding.Warning), string(finding.Note))},
			{"reason", func(v value) { o.Reason, _ = r.text(v) }},
		})
		o.Severity = finding.Severity(severity)
		if len(r.findings) > before {
			continue
		}
		switch {
		case o.Severity == "":
			r.find("PO006", "no_severity", e.At, "rule", e.Key)
		case o.Reason == "":
			r.find("PO006", "no_reason", e.At, "rule", e.Key)
		case Protected(e.Key) && o.Severity != finding.Error:
			r.find("PO006", "protected", e.At, "rule", e.Key, "severity", severity)
		default:
			to[e.Key] = o
		}
	}
}

func (r *reading) waivers(v value, to *[]Waiver) {
	out := []Waiver{}
	seen := map[string]bool{}
	for _, item := range r.items(v) {
		before := len(r.findings)
		w := Waiver{At: item.At}
		r.each(item, []field{
			{"rule", r.part(&w.Rule, ruleShape.MatchString, "rule_shape")},
			{"file_sha256", r.part(&w.FileSHA256, form.SHA256, "hash_shape")},
			{"line", r.integer(&w.Line, 1, maxLine)},
			{"pointer", r.part(&w.Pointer, pointerShape.MatchString, "pointer_shape")},
			{"owner", r.part(&w.Owner, isOwner, "owner_shape")},
			{"reason", func(v value) { w.Reason, _ = r.text(v) }},
			{"expires", func(v value) { r.day(v, &w.Expires) }},
		})
		if len(r.findings) > before {
			continue
		}
		for _, need := range []struct {
			key     string
			missing bool
		}{
			{"rule", w.Rule == ""},
			{"file_sha256", w.FileSHA256 == ""},
			{"line", w.Line == 0},
			{"owner", w.Owner == ""},
			{"reason", w.Reason == ""},
			{"expires", w.Expires.IsZero()},
		} {
			if need.missing {
				r.find("PO007", "missing", item.At, "field", need.key)
			}
		}
		place := w.Rule + " " + w.FileSHA256 + " " + strconv.Itoa(w.Line) + " " + w.Pointer
		if len(r.findings) == before && seen[place] {
			r.find("PO007", "duplicate", item.At, "rule", w.Rule, "line", strconv.Itoa(w.Line))
		}
		seen[place] = true
		if len(r.findings) == before {
			out = append(out, w)
		}
	}
	*to = out
}

// part is shaped for the parts of a waiver or key: the sentence names the part.
func (r *reading) part(to *string, shape func(string) bool, kase string) func(value) {
	return func(v value) {
		text, ok := r.text(v)
		if !ok {
			return
		}
		if !shape(text) {
			r.find("PO007", kase, v.At, "value", clip(text))
			return
		}
		*to = text
	}
}

func (r *reading) keys(v value, to *[]Key) {
	out := []Key{}
	for _, item := range r.items(v) {
		before := len(r.findings)
		k := Key{At: item.At}
		r.each(item, []field{
			{"id", r.shaped(&k.ID, nameShape, "name_shape")},
			{"ed25519", func(v value) { k.Public = r.public(v) }},
			{"from", func(v value) { r.day(v, &k.From) }},
			{"until", func(v value) { r.day(v, &k.Until) }},
		})
		if len(r.findings) > before {
			continue
		}
		switch {
		case k.ID == "":
			r.find("PO008", "missing", item.At, "key", v.key, "field", "id")
		case len(k.Public) == 0:
			r.find("PO008", "missing", item.At, "key", v.key, "field", "ed25519")
		case k.From.IsZero():
			r.find("PO008", "missing", item.At, "key", v.key, "field", "from")
		case !k.Until.IsZero() && k.Until.Before(k.From):
			r.find("PO008", "window", item.At, "id", k.ID)
		default:
			for _, o := range out {
				switch {
				case o.ID == k.ID:
					r.find("PO008", "same_id", item.At, "id", k.ID)
				case o.Public.Equal(k.Public):
					r.find("PO008", "same_key", item.At, "id", k.ID, "other", o.ID)
				}
			}
		}
		if len(r.findings) == before {
			out = append(out, k)
		}
	}
	*to = out
}

// public reads the base64 of the 32 bytes of an Ed25519 public key.
func (r *reading) public(v value) ed25519.PublicKey {
	text, ok := r.text(v)
	if !ok {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		r.find("PO008", "key_shape", v.At, "key", v.key)
		return nil
	}
	// A file that was filled with zeros is not a key.
	if string(raw) == string(make([]byte, ed25519.PublicKeySize)) {
		r.find("PO008", "key_shape", v.At, "key", v.key)
		return nil
	}
	return raw
}

// clip shortens what an author wrote to what a sentence can hold.
func clip(s string) string {
	const most = 60
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
