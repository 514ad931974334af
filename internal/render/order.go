package render

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// ReplyMarker is the hidden first line of an answer to the commands of a comment.
func ReplyMarker(comment int64) string {
	return "<!-- pilotgate:reply " + strconv.FormatInt(comment, 10) + " -->"
}

// IsReply tells such a line from others.
func IsReply(line string) bool { return strings.HasPrefix(line, "<!-- pilotgate:reply ") }

// Refusal says to whoever gave a command why it does not count. It mentions
// nobody else: nobody else has to act.
func (w *Words) Refusal(v judge.Verdict, o approval.Order) string {
	roles := []string{o.Role}
	if o.Role == "" {
		roles = v.Dossier.Roles.Required()
	}
	var takes []holding
	for _, r := range roles {
		takes = append(takes, holding{r, approval.Holders(v.Dossier.Roles, r, v.Dossier.ApprovalPaths())})
	}
	return w.refusal(o, v.Digest, takes)
}

// RefusedAfterMerge is Refusal for the commands about a pilot, `/pilot renew`
// and `/pilot rollback`. Holders are of the command's role.
func (w *Words) RefusedAfterMerge(v judge.PilotVerdict, o approval.Order, holders []string) string {
	return w.refusal(o, v.Digest, []holding{{o.Role, holders}})
}

// holding is who holds a role.
type holding struct {
	role   string
	people []string
}

// refusal is a sentence; takes are the roles that the command is for.
func (w *Words) refusal(o approval.Order, digest string, takes []holding) string {
	args := map[string]string{"command": "/pilot " + o.Verb, "login": o.By.Login, "digest": shortDigest(digest)}
	if o.Verb == "confirm" && o.Item != "" {
		args["command"] += " " + o.Item
	}
	for k, x := range o.Refused.Args {
		args[k] = x
	}
	who := "`@" + escape(o.By.Login, markdown, true) + "`"
	if plainLogin(o.By.Login) {
		who = "@" + o.By.Login
	}
	return who + ", " + w.refused(o, args, takes) + " " + w.texts["refused"]["unchanged"]
}

func (w *Words) refused(o approval.Order, args map[string]string, takes []holding) string {
	if o.Refused.Key == "no_role" {
		var held []string
		for _, h := range takes {
			held = append(held, w.raw("refused", "role", "role", escape(h.role, markdown, false), "people", names(h.people)))
		}
		args["roles"] = "{}" // filled in afterwards: it is Markdown of our own
		return strings.Replace(w.sayMap(markdown, "refused", "for_role", args), "{}", strings.Join(held, w.texts["say"]["and"]), 1)
	}
	if _, ok := w.texts["refused"][o.Refused.Key]; ok {
		return w.sayMap(markdown, "refused", o.Refused.Key, args)
	}
	why := w.reviewLine(approval.Review{Reason: o.Refused})
	_, why, _ = strings.Cut(why, " ")
	args["why"] = "{}"
	return strings.Replace(w.sayMap(markdown, "refused", "condition", args), "{}", why, 1)
}

func plainLogin(login string) bool {
	return login != "" && strings.Trim(login, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// override says of an override who gave it, how long it holds and why; or, of one
// person's, who is waited for.
func (w *Words) override(v judge.Verdict) string {
	if v.Pilot == "" {
		return ""
	}
	if o := v.People.Override; o != nil {
		return w.raw("override", "holds", "people", orderers(o.Orders), "until", w.time(o.Until), "reason", code(o.Orders[0].Reason)) + "\n"
	}
	for _, o := range v.People.Orders {
		if o.Verb == "override" && o.Refused.Key == "" {
			return w.raw("override", "asked", "people", orderers([]approval.Order{o}), "reason", code(o.Reason),
				"digest", shortDigest(v.Digest)) + "\n"
		}
	}
	return ""
}

func orderers(orders []approval.Order) string {
	var out []string
	for _, o := range orders {
		out = append(out, "`@"+escape(o.By.Login, markdown, true)+"` ("+escape(o.Role, markdown, false)+")")
	}
	return strings.Join(out, ", ")
}

// code is what people wrote, as code.
func code(s string) string { return "`" + escape(cut(s, 300), markdown, true) + "`" }

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// OverrideIssue is title and body of the incident issue of an override.
func (w *Words) OverrideIssue(v judge.Verdict) (title, body string) {
	o := v.People.Override
	var lifted []string
	for _, c := range v.Checks {
		if c.Lifted {
			lifted = append(lifted, "`"+c.Name+"`")
		}
	}
	checks := strings.Join(lifted, ", ")
	if checks == "" {
		checks = w.texts["override"]["no_check"]
	}
	number := strconv.Itoa(v.Dossier.Pull.Number)
	var reasons []string
	for _, x := range o.Orders {
		reasons = append(reasons, "- `@"+escape(x.By.Login, markdown, true)+"`, "+escape(x.Role, markdown, false)+", "+w.time(x.At)+": "+code(x.Reason))
	}
	return w.say(plain, "override", "issue_title", "pilot", v.Pilot, "number", number),
		w.raw("override", "issue_body", "pilot", escape(v.Pilot, markdown, true), "number", number, "digest", v.Digest, "until", w.time(o.Until),
			"checks", checks, "reasons", strings.Join(reasons, "\n"))
}
