package policy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hmarr/codeowners"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
)

// The roles; both must approve.
const (
	MLLead          = "ML Lead"
	OperationsOwner = "Operations Owner"
)

// Caps of the role file.
const (
	maxRolesBytes  = 64 << 10
	maxRolesLines  = 1_000
	maxOwners      = 50 // of one line
	maxPatternSize = 300
)

// Roles is a role file: CODEOWNERS lines in one [Section] a role.
type Roles struct {
	Path     string
	Sections []Section
	// Home is the sign-off log's path. Who owns it owns what is governed outside
	// its folder (the policy, the roles, registry, pointer, workflows), as far as no
	// line of the section names it; "": then nobody does.
	Home string
}

// Section is one role.
type Section struct {
	Role string
	Line int
	// Lines in order; the last one whose pattern matches a path decides.
	Lines []OwnerLine
}

// OwnerLine gives the owners of the paths that match a pattern. Without owners
// it takes the paths away from everybody.
type OwnerLine struct {
	Pattern string
	Owners  []Owner
	Line    int

	rule codeowners.Rule
}

// Owner is a user ("@login": Login) or a team ("@org/team": Org and Team) as
// the file writes it. GitHub compares both without regard to case.
type Owner struct {
	Login string
	Org   string
	Team  string
	Line  int
}

// String writes the owner as the file does.
func (o Owner) String() string {
	if o.Team != "" {
		return "@" + o.Org + "/" + o.Team
	}
	return "@" + o.Login
}

// same ignores where the owner stands.
func (o Owner) same(p Owner) bool { return strings.EqualFold(o.String(), p.String()) }

// Required lists the roles that must be filled, in the order shown. It does
// not depend on the file: a file cannot drop a role by leaving it out.
func (Roles) Required() []string { return []string{MLLead, OperationsOwner} }

// Owners lists who owns a path in a role: the owners of the last line that
// matches. None is nobody.
func (r Roles) Owners(role, path string) []Owner {
	owners, named := r.named(role, path)
	if home := r.Home[:strings.LastIndex(r.Home, "/")+1]; !named && r.Home != "" && !strings.HasPrefix(path, home) {
		owners, _ = r.named(role, r.Home)
	}
	return owners
}

// named are the owners of the last line that matches, and whether one does.
func (r Roles) named(role, path string) (owners []Owner, named bool) {
	for _, s := range r.Sections {
		if s.Role != role {
			continue
		}
		for _, l := range s.Lines {
			if ok, err := l.rule.Match(path); err == nil && ok {
				owners, named = l.Owners, true
			}
		}
	}
	return slices.Clone(owners), named
}

// Teams lists every team that the file names, once each.
func (r Roles) Teams() []Owner {
	var teams []Owner
	for _, s := range r.Sections {
		for _, l := range s.Lines {
			for _, o := range l.Owners {
				if o.Team != "" && !slices.ContainsFunc(teams, o.same) {
					teams = append(teams, o)
				}
			}
		}
	}
	return teams
}

var (
	sectionShape = regexp.MustCompile(`^\[([^\[\]]*)\]$`)
	teamLetters  = form.Of("A-Za-z0-9_", "A-Za-z0-9_.-", 100)
	emailShape   = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
)

// isTeamSlug tells whether a text is what a team is called in a path.
func isTeamSlug(s string) bool {
	return teamLetters(s) && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "-")
}

// isOwner tells whether a text names one account: "@login".
func isOwner(s string) bool {
	login, ok := strings.CutPrefix(s, "@")
	return ok && form.Login(login)
}

// ParseRoles reads a role file. A line that cannot be read is a finding and
// gives nobody a role.
func ParseRoles(path string, src []byte) (Roles, []finding.Finding) {
	p := &rolesReader{reading: reading{path: path}, roles: Roles{Path: path}}
	p.read(src)
	finding.Sort(p.findings)
	return p.roles, p.findings
}

type rolesReader struct {
	reading
	roles   Roles
	section *Section // nil: before the first, or in one that is not read
	inside  bool     // a section has begun
}

func (p *rolesReader) at(line, column, length int) finding.Position {
	at := finding.Position{Path: p.path, Line: line, Column: column}
	if length > 0 {
		at.EndLine, at.EndColumn = line, column+length-1
	}
	return at
}

func (p *rolesReader) read(src []byte) {
	switch {
	case len(src) > maxRolesBytes:
		p.find("PO020", "too_large", p.at(1, 1, 0), "limit", strconv.Itoa(maxRolesBytes))
		return
	case !utf8.Valid(src) || strings.ContainsAny(string(src), "\x00\uFEFF"):
		p.find("PO020", "not_utf8", p.at(1, 1, 0))
		return
	}
	lines := strings.Split(string(src), "\n")
	if len(lines) > maxRolesLines {
		p.find("PO020", "too_many", p.at(maxRolesLines+1, 1, 0), "limit", strconv.Itoa(maxRolesLines))
		return
	}
	for i, line := range lines {
		p.line(i+1, strings.TrimSuffix(line, "\r"))
	}
	for _, s := range p.roles.Sections {
		if !slices.ContainsFunc(s.Lines, func(l OwnerLine) bool { return len(l.Owners) > 0 }) {
			p.find("PO021", "empty", p.at(s.Line, 1, 0), "role", s.Role)
		}
	}
	for _, role := range p.roles.Required() {
		if !slices.ContainsFunc(p.roles.Sections, func(s Section) bool { return s.Role == role }) {
			p.find("PO021", "missing", p.at(1, 1, 0), "role", role)
		}
	}
}

// word is a part of a line between white space, with its column.
type word struct {
	text   string
	column int
}

// words splits a line up to its comment. A backslash keeps the next character
// in the word, as CODEOWNERS has it.
func words(line string) []word {
	var out []word
	var current strings.Builder
	column, start, escaped := 0, 0, false
	flush := func() {
		if current.Len() > 0 {
			out = append(out, word{current.String(), start})
			current.Reset()
		}
	}
	for _, c := range line {
		column++
		switch {
		case escaped:
			escaped = false
		case c == '#':
			flush()
			return out
		case c == ' ' || c == '\t':
			flush()
			continue
		case c == '\\':
			escaped = true
		}
		if current.Len() == 0 {
			start = column
		}
		current.WriteRune(c)
	}
	flush()
	return out
}

func (p *rolesReader) line(n int, line string) {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || strings.HasPrefix(trimmed, "#") {
		return
	}
	if column := foreign(line); column > 0 {
		// A Cyrillic letter that looks Latin would name another account.
		p.find("PO022", "not_ascii", p.at(n, column, 1))
		if strings.HasPrefix(trimmed, "[") {
			p.section, p.inside = nil, true
		}
		return
	}
	if strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "^[") {
		p.begin(n, line)
		return
	}
	if !p.inside {
		p.find("PO021", "outside", p.at(n, 1, len(line)))
		return
	}
	parts := words(line)
	if p.section == nil || len(parts) == 0 {
		return // the section was refused already
	}
	p.owners(n, parts)
}

// foreign returns the column of the first character beyond printable ASCII in
// what is not a comment, 0 if there is none.
func foreign(line string) int {
	column, escaped := 0, false
	for _, c := range line {
		column++
		switch {
		case c == '#' && !escaped:
			return 0
		case c != '\t' && (c < ' ' || c > '~'):
			return column
		}
		escaped = c == '\\' && !escaped
	}
	return 0
}

func (p *rolesReader) begin(n int, line string) {
	p.section, p.inside = nil, true
	head, _, _ := strings.Cut(line, "#")
	head = strings.TrimSpace(head)
	column := strings.Index(line, head) + 1
	at := p.at(n, column, len(head))
	m := sectionShape.FindStringSubmatch(head)
	if m == nil {
		p.find("PO021", "shape", at, "section", clip(head))
		return
	}
	role := strings.TrimSpace(m[1])
	switch {
	case role == "":
		p.find("PO021", "no_name", at)
		return
	case !slices.Contains(p.roles.Required(), role):
		for _, known := range p.roles.Required() {
			if strings.EqualFold(known, role) || distance(strings.ToLower(known), strings.ToLower(role)) <= len(known)/3 {
				p.find("PO021", "unknown_near", at, "role", clip(role), "suggestion", known)
				return
			}
		}
		p.find("PO021", "unknown", at, "role", clip(role), "allowed", strings.Join(p.roles.Required(), ", "))
		return
	}
	for _, s := range p.roles.Sections {
		if s.Role == role {
			p.find("PO021", "duplicate", at, "role", role, "first", strconv.Itoa(s.Line))
			return
		}
	}
	p.roles.Sections = append(p.roles.Sections, Section{Role: role, Line: n})
	p.section = &p.roles.Sections[len(p.roles.Sections)-1]
}

func (p *rolesReader) owners(n int, parts []word) {
	pattern := parts[0]
	at := p.at(n, pattern.column, len(pattern.text))
	if strings.HasPrefix(pattern.text, "@") || emailShape.MatchString(pattern.text) {
		p.find("PO023", "no_pattern", at)
		return
	}
	if !matchable(pattern.text) {
		p.find("PO023", "pattern", at, "pattern", clip(pattern.text))
		return
	}
	rules, err := codeowners.ParseFile(strings.NewReader(pattern.text))
	if err != nil || len(rules) != 1 {
		p.find("PO023", "pattern", at, "pattern", clip(pattern.text))
		return
	}
	l := OwnerLine{Pattern: pattern.text, Line: n, rule: rules[0]}
	if len(parts)-1 > maxOwners {
		p.find("PO022", "too_many", p.at(n, parts[maxOwners+1].column, 0), "limit", strconv.Itoa(maxOwners))
		return
	}
	for _, w := range parts[1:] {
		o, kase := owner(w.text)
		at := p.at(n, w.column, len(w.text))
		switch kase {
		case "":
		case "email": // an address is personal data: the place is enough
			p.find("PO022", kase, at)
			continue
		default:
			p.find("PO022", kase, at, "owner", clip(w.text))
			continue
		}
		o.Line = n
		if slices.ContainsFunc(l.Owners, o.same) {
			p.find("PO022", "twice", at, "owner", o.String())
			continue
		}
		l.Owners = append(l.Owners, o)
	}
	if len(parts) == 1 {
		p.find("PO022", "nobody", at, "pattern", clip(pattern.text), "role", p.section.Role)
		p.findings[len(p.findings)-1].Severity = finding.Warning
	}
	p.section.Lines = append(p.section.Lines, l)
}

// matchable refuses what CODEOWNERS does not have (negation, classes), what can
// match no path of a repository, and "/", on which the matching library panics.
func matchable(pattern string) bool {
	if strings.HasPrefix(pattern, "!") || len(pattern) > maxPatternSize || strings.ContainsAny(pattern, "[]") {
		return false
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(pattern, "/"), "/")
	for s := range strings.SplitSeq(inner, "/") {
		if s == "" || s == "." || s == ".." {
			return false
		}
	}
	return true
}

// owner reads "@login" or "@org/team"; else it says which case it is.
func owner(text string) (Owner, string) {
	name, ok := strings.CutPrefix(text, "@")
	switch {
	case !ok && emailShape.MatchString(text):
		return Owner{}, "email"
	case !ok:
		return Owner{}, "no_at"
	case strings.HasSuffix(strings.ToLower(name), "[bot]"):
		return Owner{}, "bot"
	}
	org, team, isTeam := strings.Cut(name, "/")
	switch {
	case isTeam && form.Login(org) && isTeamSlug(team):
		return Owner{Org: org, Team: team}, ""
	case !isTeam && form.Login(name):
		return Owner{Login: name}, ""
	}
	return Owner{}, "shape"
}
