package rules_test

import (
	"bytes"
	"cmp"
	"crypto/sha1" // git's object ids
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// Each case is the sample's pull request with something changed. The archive's
// comment says what in prose, then in directives:
//
//	expect: [RULE] SEVERITY CASE PATH[:LINE]   a finding that must be there (in passes: that may be)
//	profile: full                              of the base branch's policy
//	tag: v1.4.0                                a tag that exists
//	base: release                              the branch merged into
//	cut: commits                               a listing that GitHub gave in part
//	truncated: yes                             the head's tree was cut
//	mode: PATH 120000                          an entry's mode at head
//	signed: head | base | second               a signed record in the ledger, see sign
//	evaluated: go | no-go | none               a signed evaluation, and the report of it
//	reported: JSON                             results beside the report, the manifest merged with this
//	statement: JSON                            signed and put among the records
//	writes: summary | runbook                  what the server would find when it writes there
//	repository: 8                              the repository's numeric id
//	made: HEX40 2025-11-20                     when a commit was made; its tree is base's, and then's
//	lacks: PATH                                what the tree of such a commit has not
//	elsewhere: HEX40                           a commit that is not on the base branch
//	fork: write | read                         the head is a fork's; what its author may do here
//	ran: CONCLUSION [by LOGIN] [better 0.02]   a confirming run, see confirm_cases_test.go
//
// and its files change the two sides: "head/PATH" and "base/PATH" are whole
// files (base's are head's, too), "then/PATH" is one of an earlier commit, "remove/PATH" and "remove-base/PATH" take one
// away, "edit/PATH" replaces lines ("< old" by the "> new" below it), and
// "record/N" merges JSON into the training dataset's Nth record (RFC 7386),
// "evaluation/N" into the evaluation dataset's. "raw/N" is a whole line.
// PATH may be plan, card, dataset, evaluation, log or record for the sample's own.
// "DATASET_SHA256" in the policy stands for the hash of the training dataset.
const casesDir = "../../testdata/cases"

func TestEveryRowHasItsCases(t *testing.T) {
	var ids []string
	for _, row := range rules.Catalogue() {
		ids = append(ids, row.ID)
		t.Run(row.ID, func(t *testing.T) {
			t.Parallel()
			for _, name := range casesOf(t, row.ID) {
				t.Run(name, func(t *testing.T) {
					raw, err := os.ReadFile(filepath.Join(casesDir, row.ID, name+".txtar"))
					require.NoError(t, err)
					c := readCase(t, raw)
					judged, found := c.run(t)
					require.Contains(t, judged, row.Check, "the case does not reach the check")
					if strings.HasPrefix(name, "fails") {
						require.NotEmpty(t, c.expects, "a failing case says what it expects")
					}
					for _, want := range c.expects {
						assert.True(t, slices.ContainsFunc(found, want.is), "%s is not among\n%s", want, list(found))
					}
					if strings.HasPrefix(name, "passes") {
						for _, f := range found {
							if f.Rule == row.ID && !slices.ContainsFunc(c.expects, func(e expect) bool { return e.is(f) }) {
								assert.Fail(t, "the passing case breaks the rule", list([]finding.Finding{f}))
							}
						}
					}
				})
			}
		})
	}
	folders, err := os.ReadDir(casesDir)
	require.NoError(t, err)
	for _, f := range folders {
		assert.Contains(t, ids, f.Name(), "a case without a rule")
	}
}

// casesOf lists a rule's cases: fails, passes, and others that begin so.
func casesOf(t *testing.T, rule string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(casesDir, rule, "*.txtar"))
	require.NoError(t, err)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".txtar")
		require.True(t, strings.HasPrefix(name, "fails") || strings.HasPrefix(name, "passes"), "%s: a case fails or passes", f)
		names = append(names, name)
	}
	require.Contains(t, names, "fails", "each row of the catalogue has a failing case")
	require.Contains(t, names, "passes", "each row of the catalogue has a passing case")
	return names
}

func list(fs []finding.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s %s %s %s:%d\n", f.Rule, f.Severity, f.Case, f.At.Path, f.At.Line)
	}
	return b.String()
}

type expect struct {
	rule, severity, kase, path string
	line                       int // 0: any
}

func (e expect) String() string {
	return fmt.Sprintf("%s %s %s %s:%d", e.rule, e.severity, e.kase, e.path, e.line)
}

func (e expect) is(f finding.Finding) bool {
	return f.Rule == e.rule && string(f.Severity) == e.severity && f.Case == e.kase && f.At.Path == e.path && (e.line == 0 || f.At.Line == e.line)
}

// testCase is one archive, applied to the sample.
type testCase struct {
	base, head sample.Files
	then       sample.Files // what commits of "made" have beside base's files
	expects    []expect
	directives map[string][]string
	record     string                // path of the signed record
	scans      map[string]facts.Scan // by the datasets' ids, for cases that are judged often
}

const (
	headID = "cccccccccccccccccccccccccccccccccccccccc"
	baseID = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// named spells the sample's own paths out.
func (c *testCase) named(path string) string {
	names := map[string]string{
		"plan": sample.Plan, "card": sample.DataCard, "dataset": sample.Dataset, "evaluation": sample.EvaluationData,
		"log": sample.Signoff, "record": c.record, "report": reportFile,
	}
	if full, ok := names[path]; ok {
		return full
	}
	return path
}

// sign appends the sign-off of the sample's pilot, "head", to both sides,
// "base", or as the second of two of which the first is not there, "second".
func (c *testCase) sign(t *testing.T, story sample.Story, where string) {
	t.Helper()
	before := c.base.With(story.Pilot())
	if where == "second" {
		first, err := story.Signoff(before, "ru-digest-2025-09")
		require.NoError(t, err)
		before = before.With(first)
	}
	added, err := story.Signoff(before, sample.Pilot)
	require.NoError(t, err)
	for path := range added {
		if path != sample.Signoff {
			c.record = path
		}
	}
	if where == "base" {
		c.base = c.base.With(added)
	}
	c.head = c.head.With(added)
}

func readCase(t *testing.T, raw []byte) *testCase {
	t.Helper()
	archive := txtar.Parse(raw)
	c := &testCase{directives: map[string][]string{}, then: sample.Files{}}
	rule := strings.Split(t.Name(), "/")[1] // Test/RULE/fails
	prose := false
	for line := range strings.Lines(string(archive.Comment)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, ": ")
		switch {
		case line == "":
		case !ok || strings.Contains(key, " "):
			prose = true
		case key == "expect":
			c.expects = append(c.expects, readExpect(t, rule, value))
		default:
			c.directives[key] = append(c.directives[key], value)
		}
	}
	require.True(t, prose, "a case says in words what it is")

	story := sample.Story{Records: 12, Evaluation: 6, Commit: baseID, LoginsOnly: true}
	if p := c.directives["profile"]; len(p) > 0 {
		story.Profile = p[0]
	}
	_, story.SigningKey = sample.ServerKey()
	c.base, c.head = story.Repository(), story.Repository().With(story.Pilot())
	for _, where := range c.directives["signed"] {
		c.sign(t, story, where)
	}
	for _, recommends := range c.directives["evaluated"] {
		c.evaluate(t, recommends)
	}
	for _, patch := range c.directives["reported"] {
		c.report(t, patch)
	}
	for _, payload := range c.directives["statement"] {
		c.state(t, payload)
	}
	for i := range c.expects {
		c.expects[i].path = c.named(c.expects[i].path)
	}
	for _, f := range archive.Files {
		c.apply(t, f)
	}
	sum := sha256.Sum256(c.head[sample.Dataset])
	for _, side := range []sample.Files{c.base, c.head} {
		side[policy.Path] = bytes.ReplaceAll(side[policy.Path], []byte("DATASET_SHA256"), []byte(hex.EncodeToString(sum[:])))
	}
	return c
}

// state signs a statement, whatever it says, and puts it among the records.
func (c *testCase) state(t *testing.T, payload string) {
	t.Helper()
	signer, _ := sample.ServerKey()
	envelope, err := ledger.Sign([]byte(payload), signer)
	require.NoError(t, err)
	c.record = "docs/specs/epic_05/evidence/ru-digest-2025-10/signoff-" + strings.Repeat("9f2c41aa77ab01cc", 4) + ".json"
	c.head[c.record] = envelope
}

func readExpect(t *testing.T, rule, text string) expect {
	t.Helper()
	f := strings.Fields(text)
	if len(f) == 4 {
		rule, f = f[0], f[1:]
	}
	if len(f) == 2 {
		f = append(f, "")
	}
	require.Len(t, f, 3, "expect: [RULE] SEVERITY CASE [PATH[:LINE]]")
	e := expect{rule: rule, severity: f[0], kase: f[1], path: f[2]}
	if path, line, ok := strings.Cut(f[2], ":"); ok {
		n, err := strconv.Atoi(line)
		require.NoError(t, err)
		e.path, e.line = path, n
	}
	return e
}

func (c *testCase) apply(t *testing.T, f txtar.File) {
	t.Helper()
	kind, path, _ := strings.Cut(f.Name, "/")
	path = c.named(path)
	switch kind {
	case "head":
		c.head[path] = f.Data
	case "base":
		c.base[path], c.head[path] = f.Data, f.Data
	case "then":
		c.then = c.then.With(sample.Files{path: f.Data})
	case "remove":
		delete(c.head, path)
	case "remove-base":
		delete(c.base, path)
		delete(c.head, path)
	case "edit":
		c.head[path] = edit(t, path, c.head[path], string(f.Data))
	case "record", "evaluation":
		file := sample.Dataset
		if kind == "evaluation" {
			file = sample.EvaluationData
		}
		c.head[file] = onLine(t, c.head[file], path, func(line []byte) []byte { return merge(t, line, f.Data) })
	case "raw":
		c.head[sample.Dataset] = onLine(t, c.head[sample.Dataset], path, func([]byte) []byte { return bytes.TrimSuffix(f.Data, []byte("\n")) })
	default:
		require.Fail(t, "no such kind of file", f.Name)
	}
}

// edit replaces lines: "< old" lines, one below the other, by the "> new" lines
// that follow. An old line that ends in "…" is only the line's beginning.
func edit(t *testing.T, path string, src []byte, script string) []byte {
	t.Helper()
	lines := strings.Split(string(src), "\n")
	var old, fresh []string
	flush := func() {
		if old == nil {
			return
		}
		at := -1
		for i := range lines[:len(lines)-len(old)+1] {
			if slices.EqualFunc(lines[i:i+len(old)], old, matches) {
				require.Negative(t, at, "%s holds %q more than once", path, old)
				at = i
			}
		}
		require.GreaterOrEqual(t, at, 0, "%s holds %q", path, old)
		for i := range fresh {
			if n, ok := strings.CutPrefix(fresh[i], "…"); ok {
				which, err := strconv.Atoi(n)
				require.NoError(t, err)
				fresh[i] = lines[at+which-1]
			}
		}
		lines = slices.Concat(lines[:at], fresh, lines[at+len(old):])
		old, fresh = nil, nil
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(script, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "< "):
			if fresh != nil {
				flush()
			}
			old = append(old, line[2:])
		case strings.HasPrefix(line, "> "):
			fresh = append(fresh, line[2:])
		case line == ">":
			fresh = append(fresh, "")
		case line == "":
			flush()
		default:
			require.Fail(t, "an edit's line begins with < or >", line)
		}
	}
	flush()
	return []byte(strings.Join(lines, "\n"))
}

func matches(line, pattern string) bool {
	if beginning, ok := strings.CutSuffix(pattern, "…"); ok {
		return strings.HasPrefix(line, beginning)
	}
	return line == pattern
}

func onLine(t *testing.T, src []byte, number string, change func([]byte) []byte) []byte {
	t.Helper()
	n, err := strconv.Atoi(number)
	require.NoError(t, err)
	lines := bytes.Split(src, []byte("\n"))
	require.Less(t, n, len(lines))
	lines[n-1] = change(lines[n-1])
	return bytes.Join(lines, []byte("\n"))
}

// merge applies an RFC 7386 merge patch.
func merge(t *testing.T, line, patch []byte) []byte {
	t.Helper()
	var target, with any
	require.NoError(t, json.Unmarshal(line, &target))
	require.NoError(t, json.Unmarshal(patch, &with), "%s", patch)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	require.NoError(t, enc.Encode(merged(target, with)))
	return bytes.TrimSpace(b.Bytes())
}

func merged(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	t = maps.Clone(t)
	for k, v := range p {
		if v == nil {
			delete(t, k)
		} else {
			t[k] = merged(t[k], v)
		}
	}
	return t
}

// run judges the pull request and gives the checks that ran with all findings.
func (c *testCase) run(t *testing.T) (judged []string, found []finding.Finding) {
	t.Helper()
	p := c.pull()
	var d dossier.Dossier
	for range 8 {
		var needs []facts.Need
		if d, needs = dossier.Open(&p); len(needs) == 0 {
			break
		}
		for _, n := range needs {
			c.answer(t, &p, n)
		}
	}
	_, needs := dossier.Open(&p)
	require.Empty(t, needs)
	if ran := c.directives["ran"]; len(ran) > 0 {
		d = c.confirm(t, &p, ran)
	}
	for _, check := range rules.Run(&d) {
		judged = append(judged, check.Name)
		found = append(found, check.Findings...)
	}
	for _, where := range c.directives["writes"] {
		found = append(found, c.writes(t, d, where)...)
	}
	return judged, found
}

// writes is what the server finds when it writes into a document of people.
func (c *testCase) writes(t *testing.T, d dossier.Dossier, where string) []finding.Finding {
	t.Helper()
	path := d.Policy.Paths.Summary
	var found []finding.Finding
	if where == "runbook" {
		path = d.Policy.Paths.Runbook
		_, found = ledger.ParseIncidents(path, c.head[path])
	} else {
		_, found = ledger.LinkPilot(path, c.head[path], ledger.PilotLinks{Pilot: sample.Pilot, Plan: sample.Plan})
	}
	for i := range found {
		row, ok := rules.Find(found[i].Rule)
		require.True(t, ok)
		found[i].Severity = cmp.Or(found[i].Severity, row.Starter)
	}
	return found
}

func (c *testCase) pull() facts.PullRequest {
	p := facts.PullRequest{
		Common: facts.Common{
			Now:        time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC),
			Repository: facts.Repository{ID: 7, Owner: "acme", Name: "digest-pilots", DefaultBranch: "main", DefaultOID: baseID},
			Git:        facts.Git{Trees: map[string]facts.Tree{}, Blobs: map[string]facts.Blob{}},
			Bases:      map[string]string{}, Made: map[string]facts.Made{}, Reach: map[string]facts.Reach{}, Tags: map[string]facts.TagFacts{},
			Teams: map[string]facts.Team{}, Access: map[string]facts.Access{}, Scans: map[string]facts.Scan{}, Pushers: map[string]facts.Pushers{},
		},
		Number: 42, Open: true, Author: facts.Account{ID: 1, Login: sample.Initiator, Type: "User"},
		Head: facts.Head{OID: headID, Ref: "pilot", Repo: 7, Name: "acme/digest-pilots"},
		Base: facts.Base{Ref: "main", OID: baseID},
	}
	if id := c.directives["repository"]; len(id) > 0 {
		p.Repository.ID, _ = strconv.ParseInt(id[0], 10, 64) // 0 fails the case
	}
	if b := c.directives["base"]; len(b) > 0 {
		p.Base.Ref = b[0]
	}
	if may := c.directives["fork"]; len(may) > 0 {
		p.Head.Fork, p.Head.Repo = true, 8
		p.Access = map[string]facts.Access{sample.Initiator: {Account: p.Author, Write: may[0] == "write"}}
	}
	p.Cut = c.directives["cut"]
	p.Git.Trees[baseID], p.Git.Trees[headID] = c.tree(c.base), c.tree(c.head)
	head := p.Git.Trees[headID]
	head.Truncated = len(c.directives["truncated"]) > 0
	for _, m := range c.directives["mode"] {
		path, mode, _ := strings.Cut(m, " ")
		e := head.Entries[c.named(path)]
		e.Mode = mode
		head.Entries[c.named(path)] = e
	}
	p.Git.Trees[headID] = head
	return p
}

func (c *testCase) tree(files sample.Files) facts.Tree {
	tree := facts.Tree{Entries: map[string]facts.Entry{}}
	for path, b := range files {
		tree.Entries[path] = facts.Entry{OID: oid(b), Mode: "100644", Size: int64(len(b))}
	}
	return tree
}

func oid(b []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
	return hex.EncodeToString(sum[:])
}

func (c *testCase) blob(id string) ([]byte, bool) {
	for _, files := range []sample.Files{c.head, c.base} {
		for _, b := range files {
			if oid(b) == id {
				return b, true
			}
		}
	}
	return nil, false
}

// answer is what GitHub would say.
func (c *testCase) answer(t *testing.T, p *facts.PullRequest, n facts.Need) {
	t.Helper()
	switch n.Kind {
	case facts.NeedTree:
		tree := facts.Tree{Absent: !slices.Contains(c.directives["elsewhere"], n.Commit)}
		if slices.ContainsFunc(c.directives["made"], func(m string) bool { return strings.HasPrefix(m, n.Commit+" ") }) {
			tree = c.tree(c.base.With(c.then))
			for _, path := range c.directives["lacks"] {
				delete(tree.Entries, path)
			}
		}
		p.Git.Trees[n.Key()] = tree
	case facts.NeedBlob:
		b, ok := c.blob(n.OID)
		blob := facts.Blob{Bytes: b, Absent: !ok, TooLarge: len(b) > facts.MaxBlob}
		if blob.TooLarge {
			blob.Bytes = nil
		}
		p.Git.Blobs[n.Key()] = blob.Keeping(nil)
	case facts.NeedMergeBase:
		p.Bases[n.Key()] = baseID
	case facts.NeedReach:
		elsewhere := slices.Contains(c.directives["elsewhere"], n.Commit)
		p.Reach[n.Key()] = facts.Reach{Reachable: n.Commit == baseID, Absent: n.Commit != baseID && !elsewhere}
	case facts.NeedMade:
		made := facts.Made{Absent: true}
		for _, m := range c.directives["made"] {
			if id, day, _ := strings.Cut(m, " "); id == n.Commit {
				at, err := time.Parse(time.DateOnly, day)
				require.NoError(t, err)
				made = facts.Made{At: at}
			}
		}
		p.Made[n.Key()] = made
	case facts.NeedTag:
		p.Tags[n.Key()] = facts.TagFacts{Absent: !slices.Contains(c.directives["tag"], n.Tag)}
	case facts.NeedTeam:
		p.Teams[n.Key()] = facts.Team{}
	case facts.NeedAccess:
		p.Access[n.Key()] = facts.Access{Account: facts.Account{ID: 1, Login: n.Login, Type: "User"}, Collaborator: true}
	case facts.NeedPushers:
		p.Pushers[n.Key()] = facts.Pushers{}
	case facts.NeedScan:
		p.Scans[n.Key()] = c.scan(t, n.Scan)
	default:
		require.Fail(t, "an unexpected need", n.String())
	}
}

func (c *testCase) scan(t *testing.T, req *facts.ScanRequest) facts.Scan {
	t.Helper()
	b, ok := c.blob(req.OID)
	if !ok {
		return facts.Scan{Absent: true}
	}
	key := req.OID
	if req.Evaluation != nil {
		key += " " + req.Evaluation.OID
	}
	if s, done := c.scans[key]; done {
		return s
	}
	if bytes.HasPrefix(b, []byte("version https://git-lfs.github.com/spec/v1\n")) {
		return facts.Scan{Pointer: "an object that is not there"}
	}
	o := dataset.Options{Path: req.Path, Locale: req.Locale, Channels: req.Channels, NearDuplicates: true, Workers: 1}
	if req.Evaluation != nil {
		pair, found := c.blob(req.Evaluation.OID)
		require.True(t, found)
		f, err := dataset.Scan(bytes.NewReader(pair), dataset.Options{Path: req.Evaluation.Path, KeepIndex: true, NearDuplicates: true, Workers: 1})
		require.NoError(t, err)
		o.Evaluation = f.Index
	}
	f, err := dataset.Scan(bytes.NewReader(b), o)
	require.NoError(t, err)
	f.Index = nil
	if c.scans == nil {
		c.scans = map[string]facts.Scan{}
	}
	c.scans[key] = facts.Scan{Facts: &f}
	return c.scans[key]
}
