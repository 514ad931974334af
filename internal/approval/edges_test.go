package approval_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/policy"
)

func TestCommandsAreRead(t *testing.T) {
	long := "/pilot recheck\n" + strings.Repeat("a", 65536-len("/pilot recheck\n"))
	for _, c := range []struct {
		name, body string
		want       []approval.Command // verb, item, digest, reason
	}{
		{"a plain one", "/pilot recheck", []approval.Command{{Verb: "recheck"}}},
		{"with the other line ends, and space behind", "/pilot recheck \t\r\nThanks", []approval.Command{{Verb: "recheck"}}},
		{"an item, a digest and words", "/pilot confirm rollback ABCDEF012345 I tried it", []approval.Command{{Verb: "confirm", Item: "rollback", Digest: "abcdef012345", Reason: "I tried it"}}},
		{"a digest with its name", "/pilot override sha256:abcdef012345 It burns", []approval.Command{{Verb: "override", Digest: "abcdef012345", Reason: "It burns"}}},
		{"words that are no digest", "/pilot override because I say so", []approval.Command{{Verb: "override", Reason: "because I say so"}}},
		{"a rollback's reason that begins like a digest", "/pilot rollback dead digests everywhere", []approval.Command{{Verb: "rollback", Reason: "dead digests everywhere"}}},
		{"a digest's name without one", "/pilot override sha256: it burns", []approval.Command{{Verb: "override", Reason: "sha256: it burns"}}},
		{"an item that is missing", "/pilot confirm", []approval.Command{{Verb: "confirm"}}},
		{"an unknown one, to be answered", "/pilot dance abcdef012345", []approval.Command{{Verb: "dance"}}},
		{"nothing after the word", "/pilot ", nil},
		{"nothing but space after the word", "/pilot \t \n", nil},
		{"not at the start of a line", " /pilot recheck", nil},
		{"another word", "/pilotrecheck", nil},
		{"between fences", "```\n/pilot recheck\n```\n~~~\n/pilot recheck\n~~~", nil},
		{"between fences, the other mark inside", "```\n~~~\n/pilot recheck\n```", nil},
		{"after a fence is closed", "```\nx\n```\n/pilot recheck", []approval.Command{{Verb: "recheck"}}},
		{"the first ten", strings.Repeat("/pilot recheck\n", 11), slicesOf(approval.Command{Verb: "recheck"}, 10)},
		{"in a comment of the longest length", long, []approval.Command{{Verb: "recheck"}}},
		{"not in a longer one", long + "a", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []approval.Command
			for _, x := range approval.Commands([]facts.Comment{{Body: c.body}}) {
				got = append(got, approval.Command{Verb: x.Verb, Item: x.Item, Digest: x.Digest, Reason: x.Reason})
			}
			assert.Equal(t, c.want, got)
		})
	}
	assert.Empty(t, approval.Commands([]facts.Comment{{Body: "/pilot recheck", Ours: true}}), "ours")
	named := approval.Command{Digest: digest[:12]}
	assert.True(t, named.Names(digest))
	assert.False(t, named.Names(other))
	named.Edited = true
	assert.False(t, named.Names(digest))
}

func slicesOf(c approval.Command, n int) (out []approval.Command) {
	for range n {
		out = append(out, c)
	}
	return out
}

// Each case changes one thing at the edge of a condition.
func TestAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*approval.Input)
		complete bool
	}{
		{"a commit of an account without a number that is called the same", func(in *approval.Input) {
			in.Pull.Commits[1].Author = person(facts.Account{Login: "irina-ml"})
		}, true},
		{"a request of an account without a number that is called the same", func(in *approval.Input) {
			in.Pull.Author = facts.Account{Login: "irina-ml"}
		}, true},
		{"nobody told what is governed: all of it", func(in *approval.Input) {
			in.Governed = nil
			in.Pull.Commits[1].Author = person(irina)
			in.Pull.Git.Trees["h2"] = tree("README.md", "r2", planPath, "p1")
		}, false},
		{"a commit that GitHub signed and the reviewer committed", func(in *approval.Input) {
			in.Pull.Commits[1].Committer, in.Pull.Commits[1].SignedByGitHub = person(irina), true
		}, false},
		{"a suggestion in a commit of nobody's", func(in *approval.Input) {
			in.Pull.Commits[1].Author.Account, in.Pull.Commits[1].CoAuthors, in.Pull.Commits[1].SignedByGitHub = nil, []facts.Person{person(irina)}, true
		}, false},
		{"an update whose merge GitHub did not sign", func(in *approval.Input) { updated(in).SignedByGitHub = false }, false},
		{"an update that changes the plan", func(in *approval.Input) {
			updated(in)
			in.Pull.Git.Trees["m"] = tree("README.md", "r2", planPath, "p3")
		}, false},
		{"an update in somebody else's name, that changes the plan", func(in *approval.Input) {
			m := updated(in)
			m.Author, m.Committer = person(dana), person(dana)
			in.Pull.Git.Trees["m"] = tree("README.md", "r2", planPath, "p3")
		}, false},
		{"a merge by hand in somebody else's name, of what is as governed as before", func(in *approval.Input) {
			m := updated(in)
			m.Author, m.Committer, m.SignedByGitHub = person(dana), person(dana), false
			in.Pull.Git.Trees["b2"] = in.Pull.Git.Trees["m"]
		}, false},
		{"a push of more than an update", func(in *approval.Input) {
			updated(in)
			pushed(in.Pull, facts.Push{By: irina, Before: "h1", After: "m"})
		}, false},
		{"an update with a commit beside it", func(in *approval.Input) {
			m := updated(in)
			m.Parents = append(m.Parents, "b3")
			in.Pull.Git.Trees["b3"] = tree("README.md", "r2")
		}, false},
		{"a commit that is no merge, after which the plan is as it was", func(in *approval.Input) {
			m := updated(in)
			m.Parents, in.Pull.Git.Trees["m"] = m.Parents[:1], tree("README.md", "r2", planPath, "p2")
		}, false},
		{"a push of what is not there any more", func(in *approval.Input) {
			pushed(in.Pull, facts.Push{By: irina, Before: "h1", After: "gone"})
		}, false},
		{"an older verdict that came with a higher number", func(in *approval.Input) {
			was := approve(99, irina, -5)
			was.State = "CHANGES_REQUESTED"
			in.Pull.Reviews = append(in.Pull.Reviews, was)
		}, true},
		{"a review of a head that was forced before it and never judged", func(in *approval.Input) {
			in.Pull.Reviews[0].Commit = "u"
			in.Pull.Timeline = []facts.Event{{Kind: "force_pushed", At: noon, Before: "h1", After: "u"}}
		}, false},
		{"a review of a head that was never judged, before others were forced", func(in *approval.Input) {
			in.Pull.Reviews[0].Commit = "u"
			in.Pull.Timeline = []facts.Event{{Kind: "force_pushed", At: noon.Add(5 * time.Minute), Before: "h2", After: "h3"}}
		}, false},
		{"a team of the role without access to the repository", func(in *approval.Input) {
			in.Pull.Reviews[1].Author = vera
			in.Pull.Teams["acme/ops"] = facts.Team{Members: []facts.Account{vera}, Outside: true}
		}, false},
		{"a team of the role that is not there", func(in *approval.Input) {
			in.Pull.Reviews[1].Author = vera
			in.Pull.Teams["acme/ops"] = facts.Team{Members: []facts.Account{vera}, Absent: true}
		}, false},
		{"a second on the day the limit ends", func(in *approval.Input) {
			in.Pull.Now = in.Pull.Reviews[0].SubmittedAt.Add(in.MaxAge)
		}, true},
		{"no limit of age", func(in *approval.Input) { in.MaxAge, in.Pull.Now = 0, noon.AddDate(9, 0, 0) }, true},
		{"evidence that never came, where it is asked for", func(in *approval.Input) { in.AfterEvidence = true }, false},
		{"two people of one role fill only one", func(in *approval.Input) {
			in.Pull.Reviews[0].Author = vera
		}, false},
		{"a namesake with another id", func(in *approval.Input) {
			in.Pull.Author = facts.Account{ID: 99, Login: "irina-ml", Type: "User"}
			in.Initiator = ""
		}, true},
		{"no initiator named", func(in *approval.Input) { in.Initiator = "" }, true},
		{"a run of another check", func(in *approval.Input) {
			r := run(3, "h2", other, noon.Add(30*time.Second))
			r.Name = "pilot/plan"
			in.Pull.Runs = append(in.Pull.Runs, r)
		}, true},
		{"two runs in one second: the later id speaks", func(in *approval.Input) {
			in.Pull.Runs = append([]facts.CheckRun{run(9, "h2", digest, noon)}, append(in.Pull.Runs, run(3, "h2", other, noon))...)
		}, true},
		{"two runs in one second, the later one of another digest", func(in *approval.Input) {
			in.Pull.Runs = append(in.Pull.Runs, run(3, "h2", other, noon))
		}, false},
		{"an earlier run of another digest", func(in *approval.Input) {
			in.Pull.Runs = append(in.Pull.Runs, run(9, "h2", other, noon.Add(-time.Minute)))
		}, true},
		{"a commit whose tree was cut", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Truncated = true }, "h2") }, false},
		{"a commit whose tree is not there", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Absent = true }, "h2") }, false},
		{"a commit whose parent's tree was cut", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Truncated = true }, "h1") }, false},
		{"a commit whose parent's tree is not there", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Absent = true }, "h1") }, false},
		{"a commit without parents that brings the plan", func(in *approval.Input) {
			in.Pull.Commits[1].Parents, in.Pull.Commits[1].Author = nil, person(irina)
		}, false},
		{"a commit of one parent that GitHub signed", func(in *approval.Input) {
			in.Pull.Commits[1].Author, in.Pull.Commits[1].SignedByGitHub = person(irina), true
		}, false},
		{"a merge that GitHub did not sign and that takes the base's files", func(in *approval.Input) {
			in.Pull.Commits = append(in.Pull.Commits, facts.Commit{OID: "m", Parents: []string{"h2", "b"}, Author: person(irina), Committer: person(irina)})
			in.Pull.Git.Trees["m"] = in.Pull.Git.Trees["h2"]
		}, false},
		{"a suggestion in somebody else's commit", func(in *approval.Input) {
			in.Pull.Commits[1].Author, in.Pull.Commits[1].CoAuthors, in.Pull.Commits[1].SignedByGitHub = person(max), []facts.Person{person(irina)}, true
		}, false},
		{"a co-author who is nobody", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{{Name: "x"}} }, false},
		{"a committer who is nobody", func(in *approval.Input) { in.Pull.Commits[1].Committer.Account = nil }, false},
		{"a co-author who is somebody, after one who is nobody", func(in *approval.Input) {
			in.Pull.Commits[1].CoAuthors = []facts.Person{{Name: "x"}, person(max)}
		}, false},
		{"nobody's commit in a checkout", func(in *approval.Input) { in.Pull.Local, in.Pull.Commits[1].Committer.Account = true, nil }, true},
		{"no role to fill", func(in *approval.Input) { in.Required = nil }, false},
		{"a request for changes that its author took back", func(in *approval.Input) {
			was := approve(1, oleg, -5)
			was.State = "CHANGES_REQUESTED"
			in.Pull.Reviews = append([]facts.Review{was}, in.Pull.Reviews...)
		}, true},
		{"a verdict of somebody else that was dismissed later", func(in *approval.Input) {
			was := approve(13, vera, 5)
			was.State = "DISMISSED"
			in.Pull.Reviews = append(in.Pull.Reviews, was)
		}, true},
		{"a verdict that was dismissed before", func(in *approval.Input) {
			was := approve(1, irina, -5)
			was.State = "DISMISSED"
			in.Pull.Reviews = append([]facts.Review{was}, in.Pull.Reviews...)
		}, true},
		{"a verdict of the same second, that was dismissed", func(in *approval.Input) {
			was := approve(14, irina, 1)
			was.State = "DISMISSED"
			in.Pull.Reviews = append(in.Pull.Reviews, was)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			c.change(&in)
			assert.Equal(t, c.complete, approval.Judge(in).Complete())
		})
	}
}

// cut makes Irina the author of the second commit and spoils one tree.
func cut(in *approval.Input, spoil func(*facts.Tree), oid string) {
	in.Pull.Commits[1].Author = person(irina)
	// As far as can be seen nothing governed changes.
	in.Pull.Git.Trees["h2"] = tree("README.md", "r1", planPath, "p1")
	x := in.Pull.Git.Trees[oid]
	spoil(&x)
	in.Pull.Git.Trees[oid] = x
}

func TestOnlyVerdictsAreWeighed(t *testing.T) {
	in := input(t)
	for i, state := range []string{"PENDING", "COMMENTED"} {
		r := approve(int64(20+i), vera, 3)
		r.State = state
		in.Pull.Reviews = append(in.Pull.Reviews, r)
	}
	own := approve(22, facts.Account{ID: 9, Login: "PilotGate[bot]", Type: "Bot"}, 3)
	in.Pull.Reviews = append(in.Pull.Reviews, own)
	got := approval.Judge(in)
	require.Len(t, got.Reviews, 2)
	assert.False(t, got.Reviews[0].Carried, "both saw the head as it is")
	in.MaxAge = 0
	assert.Zero(t, approval.Judge(in).LookAgainAt, "nothing expires")
}

func TestWhoCanStillApprove(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*approval.Input)
		want   []string
	}{
		{"everybody the file names", func(*approval.Input) {}, []string{"irina-ml", "acme/leads"}},
		{"not the initiator", func(in *approval.Input) { in.Initiator = "irina-ml" }, []string{"acme/leads"}},
		{"not the author", func(in *approval.Input) { in.Initiator, in.Pull.Author = "", irina }, []string{"acme/leads"}},
		{"not who had a hand in it", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{person(irina)} }, []string{"acme/leads"}},
		{"not who pushed", func(in *approval.Input) { pushed(in.Pull, facts.Push{By: irina}) }, []string{"acme/leads"}},
		{"nor a team of which nobody else is left", func(in *approval.Input) { pushed(in.Pull, facts.Push{By: lena}) }, []string{"irina-ml"}},
		{"a team of which somebody else is left", func(in *approval.Input) {
			pushed(in.Pull, facts.Push{By: lena})
			in.Pull.Teams["acme/leads"] = facts.Team{Members: []facts.Account{lena, max}}
		}, []string{"irina-ml", "acme/leads"}},
		{"nor an empty team", func(in *approval.Input) { in.Pull.Teams["acme/leads"] = facts.Team{} }, []string{"irina-ml"}},
		{"nor a team without access", func(in *approval.Input) {
			in.Pull.Teams["acme/leads"] = facts.Team{Members: []facts.Account{lena}, Outside: true}
		}, []string{"irina-ml"}},
		{"nor who has no access", func(in *approval.Input) { in.Pull.Access = nil }, []string{"acme/leads"}},
		{"a namesake, with another number, of whom the other role has", func(in *approval.Input) {
			in.Pull.Teams["acme/leads"] = facts.Team{Members: []facts.Account{{ID: 77, Login: oleg.Login}}}
		}, []string{"irina-ml", "acme/leads"}},
		{"in a checkout, not whom the other role has", func(in *approval.Input) {
			in.Roles, _ = policy.ParseRoles(policy.RolesPath, []byte("[ML Lead]\n* @irina-ml @vera-sre\n[Operations Owner]\n* @oleg-ops @vera-sre\n"))
			in.Pull.Local, in.Pull.Access, in.Pull.Teams = true, nil, nil
			in.Pull.Reviews[0].Author, in.Required = vera, []string{approval.Operations, "ML Lead"}
		}, []string{"irina-ml"}},
		{"nobody where it is not told who pushed", func(in *approval.Input) { in.Pull.Pushers = nil }, nil},
		{"in a checkout, whoever the file names", func(in *approval.Input) {
			in.Pull.Local, in.Pull.Access, in.Pull.Teams, in.Pull.Pushers = true, nil, nil, nil
		}, []string{"irina-ml", "acme/leads"}},
		{"but the initiator, in a checkout too", func(in *approval.Input) {
			in.Pull.Local, in.Pull.Access, in.Pull.Teams, in.Initiator = true, nil, nil, "Irina-ML"
		}, []string{"acme/leads"}},
		{"somebody, beside a commit of nobody's", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{{Name: "x"}} }, []string{"irina-ml", "acme/leads"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Pull.Reviews = in.Pull.Reviews[1:]
			c.change(&in)
			roles := approval.Judge(in).Roles
			i := slices.IndexFunc(roles, func(r approval.Role) bool { return r.Name == "ML Lead" })
			assert.Equal(t, c.want, roles[i].Can)
		})
	}
}

func TestOwnersThatCannotBeReachedAreFound(t *testing.T) {
	in := input(t)
	assert.Empty(t, approval.Unreachable(in))
	in.Pull.Teams = map[string]facts.Team{"acme/leads": {}}
	in.Pull.Access = map[string]facts.Access{"irina-ml": {Account: irina}}
	var got []string
	for _, f := range approval.Unreachable(in) {
		got = append(got, f.Case)
	}
	assert.Equal(t, []string{"nobody", "nobody", "no_member", "outside", "no_team", "outside"}, got)
	in.Pull.Local = true
	assert.Empty(t, approval.Unreachable(in), "a checkout cannot ask")
	in.Paths = []string{"README.md"}
	in.Roles, _ = policy.ParseRoles(policy.RolesPath, []byte("[ML Lead]\ndocs/ @irina-ml\n[Operations Owner]\n* @oleg-ops\n"))
	assert.Len(t, approval.Unreachable(in), 1, "but sees that nobody owns a document")
	assert.Equal(t, []string{"irina-ml", "acme/leads"}, approval.Holders(input(t).Roles, "ML Lead", []string{planPath}))
}

func TestOwnersAreAskedAfter(t *testing.T) {
	in := input(t)
	assert.Empty(t, approval.Needs(in))
	in.Pull.Access, in.Pull.Teams = nil, nil
	var got []string
	for _, n := range approval.Needs(in) {
		got = append(got, n.String())
	}
	assert.Equal(t, []string{"access irina-ml", "team acme/leads", "access oleg-ops", "team acme/ops"}, got)
	in.Pull.Local = true
	assert.Empty(t, approval.Needs(in))
}

func TestWhenToLookAgain(t *testing.T) {
	in := input(t)
	slices.Reverse(in.Pull.Reviews)
	old := approve(5, max, -20)
	in.Pull.Reviews = append(in.Pull.Reviews, old)
	assert.Equal(t, noon.Add(time.Minute).Add(in.MaxAge), approval.Judge(in).LookAgainAt, "when the older of those that count expires")
}

func TestWhatIsNotConfirmedIsTold(t *testing.T) {
	in := input(t)
	in.Warned = []string{"release"}
	assert.Equal(t, []string{"release"}, approval.Judge(in).Unconfirmed, "the other role is filled")
	in.Pull.Reviews[1].Body = "- [x] release"
	assert.Empty(t, approval.Judge(in).Unconfirmed)
	in.Required = []string{in.Required[1], in.Required[0]}
	assert.Empty(t, approval.Judge(in).Unconfirmed, "whichever role comes first")
}

func TestAnApprovalIsCarriedOverOnlyWithItsDigest(t *testing.T) {
	in := input(t)
	in.Pull.Head.OID = "h3"
	in.Pull.Runs = append(in.Pull.Runs, run(3, "h3", digest, noon.Add(30*time.Minute)))
	in.Pull.Reviews[1].Commit = "h1"
	pushed(in.Pull)
	got := approval.Judge(in).Reviews
	assert.True(t, got[0].Carried)
	assert.Equal(t, "h2", got[0].SeenAt)
	assert.False(t, got[1].Carried, "it approved something else")
	assert.Equal(t, other, got[1].Digest)
	assert.Equal(t, other[:8], got[1].Reason.Args["digest"])
}

func TestAuthorityNamesTheCondition(t *testing.T) {
	in := input(t)
	at := noon.Add(time.Minute)
	for _, c := range []struct {
		name string
		cmd  approval.Command
		want approval.Reason
	}{
		{"of the role", approval.Command{By: oleg, At: at}, approval.Reason{}},
		{"of another role", approval.Command{By: irina, At: at}, approval.Reason{Condition: 2, Key: "no_role"}},
		{"of an App", approval.Command{By: facts.Account{ID: oleg.ID, Login: oleg.Login, Type: "Bot"}, At: at}, approval.Reason{Condition: 2, Key: "not_a_person"}},
		{"too old", approval.Command{By: oleg, At: noon.AddDate(0, 0, -40)}, approval.Reason{Condition: 6, Key: "expired", Args: map[string]string{"days": "30"}}},
		{"edited", approval.Command{By: oleg, At: at, Edited: true}, approval.Reason{Key: "edited"}},
	} {
		why, ok := approval.MayCommand(in, c.cmd, approval.Operations)
		assert.Equal(t, c.want, why, c.name)
		assert.Equal(t, c.want.Key == "", ok, c.name)
	}
	in.Initiator = "oleg-ops"
	why, _ := approval.MayCommand(in, approval.Command{By: oleg, At: at}, approval.Operations)
	assert.Equal(t, approval.Reason{Condition: 3, Key: "initiator"}, why)
}

func TestADeletedAccountHoldsNoRole(t *testing.T) {
	in := input(t)
	in.Roles, _ = policy.ParseRoles(policy.RolesPath, []byte("[ML Lead]\n* @ghost\n[Operations Owner]\n* @oleg-ops\n"))
	in.Pull.Access["ghost"] = facts.Access{Collaborator: true}
	assert.Empty(t, approval.RolesOf(in, facts.Account{Login: "ghost"}))
	assert.Equal(t, []string{"ML Lead"}, approval.RolesOf(in, facts.Account{ID: 8, Login: "Ghost"}))
}

func TestWhatIsAskedAboutCommits(t *testing.T) {
	nobody := facts.Person{Name: "x"}
	for _, c := range []struct {
		name   string
		change func(*approval.Input)
		asked  bool
	}{
		{"the author's own, who commented as a reviewer", func(in *approval.Input) {
			in.Pull.Reviews = append(in.Pull.Reviews, approve(13, dana, 3))
		}, false},
		{"somebody's who reviewed nothing", func(in *approval.Input) {
			in.Pull.Commits[1].Author, in.Pull.Commits[1].Committer = person(max), person(max)
		}, false},
		{"a reviewer's, committed by the author", func(in *approval.Input) { in.Pull.Commits[1].Author = person(irina) }, true},
		{"a reviewer's together with others", func(in *approval.Input) {
			c := &in.Pull.Commits[1]
			c.Author, c.Committer, c.CoAuthors = person(max), person(max), []facts.Person{person(irina), person(max)}
		}, true},
		{"somebody's who gives a command", func(in *approval.Input) {
			in.Pull.Commits[1].Author = person(max)
			in.Pull.Comments = []facts.Comment{{Author: max, Body: "/pilot override " + digest + " x"}}
		}, true},
		{"nobody's", func(in *approval.Input) { in.Pull.Commits[1].Author = nobody }, true},
		{"nobody's beside the author's", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{nobody} }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Pull.Git.Trees = nil
			c.change(&in)
			asked := slices.ContainsFunc(approval.Needs(in), func(n facts.Need) bool { return n.Kind == facts.NeedTree && n.Commit == "h2" })
			assert.Equal(t, c.asked, asked)
		})
	}
}

func TestExternalIDsOfOthersAreNotRead(t *testing.T) {
	good := approval.ExternalID{Number: 42, Base: "main", Digest: digest}.String()
	got, ok := approval.ParseExternalID(good)
	require.True(t, ok)
	assert.True(t, got.Evidence.IsZero())
	none, ok := approval.ParseExternalID(approval.ExternalID{Number: 42, Base: "main"}.String())
	require.True(t, ok, "nothing governed has no digest")
	assert.Empty(t, none.Digest)
	for name, bad := range map[string]string{
		"empty":            "",
		"cut short":        strings.TrimSuffix(good, ";base=main"),
		"another version":  "v2" + strings.TrimPrefix(good, "v1"),
		"no number":        strings.Replace(good, "pr=42", "pr=x", 1),
		"other names":      strings.Replace(good, "pr=", "no=", 1),
		"no digest":        strings.Replace(good, "digest=", "sum=", 1),
		"no evidence":      strings.Replace(good, "evidence=", "at=", 1),
		"no base":          strings.Replace(good, "base=", "to=", 1),
		"no time":          strings.Replace(good, "evidence=0", "evidence=x", 1),
		"a digest too few": strings.Replace(good, digest, digest[1:], 1),
		"no hex digest":    strings.Replace(good, digest, "z"+digest[1:], 1),
	} {
		_, ok := approval.ParseExternalID(bad)
		assert.False(t, ok, name)
	}
}

func TestPublishedDigests(t *testing.T) {
	in := input(t)
	another := run(7, "h2", strings.Repeat("12", 32), noon)
	another.ExternalID = approval.ExternalID{Number: 43, Digest: strings.Repeat("12", 32)}.String()
	foreign := run(8, "h2", digest, noon)
	foreign.ExternalID = "theirs"
	in.Pull.Runs = append(in.Pull.Runs, run(5, "h2", "", noon), run(6, "h2", digest, noon), another, foreign)
	assert.Equal(t, []string{other, digest}, approval.Published(in.Pull))
}
