package rules

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// said puts a change of the policy into the words of its key; what has none of
// its own is told as the key with both values.
func said(before, after policy.Policy, c policy.Change) Statement {
	parts := strings.Split(c.Key, ".")
	switch {
	case len(parts) == 5 && parts[0] == "scenarios" && parts[2] == "metrics" && (parts[4] == "pass" || parts[4] == "warn"):
		return bandSaid(after, c, parts[1], parts[3], parts[4])
	case len(parts) == 3 && parts[0] == "checks" && parts[2] == "severity":
		return statement("severity_"+presence(c), "rule", parts[1], "from", c.From, "to", c.To, "reason", after.Checks[parts[1]].Reason)
	case len(parts) == 3 && parts[0] == "checks" && parts[2] == "reason":
		if before.Checks[parts[1]].Severity != after.Checks[parts[1]].Severity {
			return Statement{} // told with the severity
		}
	case strings.HasPrefix(c.Key, "waivers["):
		return entrySaid(c, "waiver", ".rule")
	case strings.HasPrefix(c.Key, "signing.keys["):
		return entrySaid(c, "key", ".ed25519")
	}
	if key, ok := plainly[c.Key]; ok {
		return statement(key(c), "from", orNothing(c.From), "to", orNothing(c.To))
	}
	return statement("policy_change", "key", c.Key, "from", orNothing(c.From), "to", orNothing(c.To))
}

// plainly are the keys whose change has a sentence of its own.
var plainly = map[string]func(policy.Change) string{
	"enforcement":               func(c policy.Change) string { return "enforcement_" + c.To },
	"profile":                   func(c policy.Change) string { return "profile_" + c.To },
	"approvals.distinct_people": func(c policy.Change) string { return "distinct_" + c.To },
	"approvals.after_evidence":  func(c policy.Change) string { return "after_evidence_" + c.To },
	"approvals.max_age_days":    func(policy.Change) string { return "max_age" },
	"baseline.confirm":          func(c policy.Change) string { return "confirm_" + c.To },
	"rollback.tolerance":        func(policy.Change) string { return "tolerance" },
	"datasets.buckets":          func(policy.Change) string { return "buckets" },
}

func statement(key string, args ...string) Statement { return Statement{Key: key, Args: pairs(args)} }

// presence tells whether something comes, goes or changes.
func presence(c policy.Change) string {
	switch {
	case c.From == "":
		return "added"
	case c.To == "":
		return "removed"
	}
	return "changed"
}

// bandSaid tells which way a bound moves and whom that favours.
func bandSaid(after policy.Policy, c policy.Change, scenario, metric, bound string) Statement {
	args := []string{"scenario", scenario, "metric", metric, "bound", bound, "from", orNothing(c.From), "to", orNothing(c.To)}
	if c.From == "" || c.To == "" {
		return statement("band_"+presence(c), args...)
	}
	was, err1 := decimal.NewFromString(c.From)
	is, err2 := decimal.NewFromString(c.To)
	if err1 != nil || err2 != nil {
		return statement("band_changed", args...)
	}
	lowers := is.LessThan(was)
	band := after.Scenarios[scenario].Metrics[metric]
	way := map[bool]string{true: "band_lowers", false: "band_raises"}[lowers]
	if lowers == (band.Better != benchmark.Lower) {
		return statement(way+"_looser", args...)
	}
	return statement(way+"_stricter", args...)
}

// entrySaid tells an entry of a list once, by the field that every entry has.
func entrySaid(c policy.Change, what, field string) Statement {
	name, rest, _ := strings.Cut(c.Key[strings.Index(c.Key, "[")+1:], "]")
	switch {
	case presence(c) == "changed":
		return statement("policy_change", "key", c.Key, "from", orNothing(c.From), "to", orNothing(c.To))
	case rest != field:
		return Statement{}
	}
	return statement(what+"_"+presence(c), "name", name)
}

// rolesSaid puts a change of the role file into words: who comes and who goes,
// for which paths.
func rolesSaid(before, after policy.Roles, c policy.Change) []Statement {
	role, pattern, _ := strings.Cut(c.Key, " · ")
	has := func(r policy.Roles) bool {
		return slices.ContainsFunc(r.Sections, func(s policy.Section) bool { return s.Role == role })
	}
	switch {
	case pattern == "order":
		return []Statement{statement("roles_order", "role", role, "from", c.From, "to", c.To)}
	case has(before) && !has(after):
		return []Statement{statement("role_removed", "role", role, "pattern", pattern, "owners", c.From)}
	case !has(before):
		return []Statement{statement("role_added", "role", role, "pattern", pattern, "owners", c.To)}
	}
	var out []Statement
	was, is := owners(c.From), owners(c.To)
	for _, o := range is {
		if !slices.Contains(was, o) {
			out = append(out, statement("owner_added", "role", role, "pattern", pattern, "owner", o))
		}
	}
	for _, o := range was {
		if !slices.Contains(is, o) {
			out = append(out, statement("owner_removed", "role", role, "pattern", pattern, "owner", o))
		}
	}
	if len(is) == 0 {
		out = append(out, statement("nobody", "role", role, "pattern", pattern))
	}
	return out
}

func owners(text string) []string {
	if text == "" || text == "nobody" {
		return nil
	}
	return strings.Split(text, ", ")
}
