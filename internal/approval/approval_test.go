package approval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/policy"
)

const planPath = "docs/specs/epic_05/pilots/ru-digest.md"

var (
	noon   = time.Date(2026, 1, 14, 12, 0, 0, 0, time.UTC)
	digest = strings.Repeat("ab", 32)
	other  = strings.Repeat("cd", 32)

	dana  = facts.Account{ID: 1, Login: "dana", Type: "User"}
	irina = facts.Account{ID: 2, Login: "irina-ml", Type: "User"}
	oleg  = facts.Account{ID: 3, Login: "oleg-ops", Type: "User"}
	vera  = facts.Account{ID: 4, Login: "vera-sre", Type: "User"}
	max   = facts.Account{ID: 5, Login: "max", Type: "User"}
	lena  = facts.Account{ID: 7, Login: "lena-ml", Type: "User"}
)

func person(a facts.Account) facts.Person { return facts.Person{Name: a.Login, Account: &a} }

// pushed makes the answer to who pushed the head be these pushes.
func pushed(p *facts.PullRequest, pushes ...facts.Push) {
	n, _ := p.PushersNeed()
	p.Pushers = map[string]facts.Pushers{n.Key(): {Pushes: pushes}}
}

func run(id int64, head, digest string, at time.Time) facts.CheckRun {
	return facts.CheckRun{
		ID: id, Name: approval.CheckName, Head: head, StartedAt: at, Status: "in_progress",
		ExternalID: approval.ExternalID{Number: 42, Base: "main", Digest: digest}.String(),
	}
}

func approve(id int64, by facts.Account, minutes int) facts.Review {
	return facts.Review{ID: id, Author: by, State: "APPROVED", SubmittedAt: noon.Add(time.Duration(minutes) * time.Minute), Commit: "h2"}
}

// tree is a commit's files by path, the content standing for the blob id.
func tree(files ...string) facts.Tree {
	t := facts.Tree{Entries: map[string]facts.Entry{}}
	for i := 0; i+1 < len(files); i += 2 {
		t.Entries[files[i]] = facts.Entry{Mode: "100644", OID: files[i+1]}
	}
	return t
}

// input is a pull request that both roles approved: Dana's two commits, the
// digest published at noon, Irina and Oleg a little later.
func input(t *testing.T) approval.Input {
	t.Helper()
	roles, problems := policy.ParseRoles(policy.RolesPath, []byte("[ML Lead]\n* @irina-ml @acme/leads\n[Operations Owner]\n* @oleg-ops @acme/ops\n"))
	require.Empty(t, problems)
	pull := &facts.PullRequest{
		Number: 42, Open: true, Author: dana,
		Head: facts.Head{OID: "h2", Ref: "pilot", Repo: 7}, Base: facts.Base{Ref: "main", OID: "b"},
		Commits: []facts.Commit{
			{OID: "h1", Parents: []string{"b"}, Author: person(dana), Committer: person(dana)},
			{OID: "h2", Parents: []string{"h1"}, Author: person(dana), Committer: person(dana)},
		},
		Runs:    []facts.CheckRun{run(1, "h1", other, noon.Add(-time.Hour)), run(2, "h2", digest, noon)},
		Reviews: []facts.Review{approve(11, irina, 1), approve(12, oleg, 2)},
	}
	pull.Now = noon.Add(time.Hour)
	pull.App = facts.App{ID: 9, Login: "pilotgate[bot]"}
	pull.Git.Trees = map[string]facts.Tree{
		"b": tree("README.md", "r1"), "h1": tree("README.md", "r1", planPath, "p1"), "h2": tree("README.md", "r1", planPath, "p2"),
	}
	pull.Teams = map[string]facts.Team{"acme/leads": {Members: []facts.Account{lena}}, "acme/ops": {Members: []facts.Account{vera}}}
	pull.Access = map[string]facts.Access{"irina-ml": {Account: irina, Collaborator: true}, "oleg-ops": {Account: oleg, Collaborator: true}}
	pushed(pull)
	return approval.Input{
		Pull: pull, Roles: roles, Required: roles.Required(), Paths: []string{planPath},
		Governed: func(p string) bool { return p == planPath }, Initiator: "dana", Digest: digest,
		MaxAge: 30 * 24 * time.Hour, Distinct: true,
	}
}

func TestBothRolesFillTheirPlaces(t *testing.T) {
	r := approval.Judge(input(t))
	require.True(t, r.Complete())
	assert.Equal(t, "irina-ml", r.Roles[0].By.Author.Login)
	assert.Equal(t, "oleg-ops", r.Roles[1].By.Author.Login)
	assert.Equal(t, noon.Add(time.Minute).Add(30*24*time.Hour), r.LookAgainAt, "the older of the two expires first")
}

// Each case spoils Irina's approval in one way; the reason must be that one.
func TestAnApprovalThatDoesNotCountSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name      string
		spoil     func(*approval.Input)
		condition int
		reason    string
	}{
		{"dismissed", func(in *approval.Input) { in.Pull.Reviews[0].State = "DISMISSED" }, 1, "dismissed"},
		{"dismissed, of nothing that was published", func(in *approval.Input) {
			in.Pull.Reviews[0].State, in.Pull.Reviews[0].SubmittedAt = "DISMISSED", noon.Add(-2*time.Hour)
		}, 1, "dismissed"},
		{"dismissed for another digest", func(in *approval.Input) {
			in.Pull.Reviews[0].State, in.Pull.Reviews[0].Commit = "DISMISSED", "h1"
		}, 1, "other_digest"},
		{"changes requested", func(in *approval.Input) { in.Pull.Reviews[0].State = "CHANGES_REQUESTED" }, 1, "changes_requested"},
		{"changes requested later by the same person", func(in *approval.Input) {
			later := approve(13, irina, 3)
			later.State = "CHANGES_REQUESTED"
			in.Pull.Reviews = append(in.Pull.Reviews, later)
		}, 1, "superseded"},
		{"changes requested later, which somebody dismissed", func(in *approval.Input) {
			later := approve(13, irina, 3)
			later.State = "DISMISSED"
			in.Pull.Reviews = append(in.Pull.Reviews, later)
		}, 1, "later_dismissed"},
		{"holds no role", func(in *approval.Input) { in.Pull.Reviews[0].Author = max }, 2, "no_role"},
		{"a bot in the role file's place", func(in *approval.Input) {
			in.Pull.Reviews[0].Author = facts.Account{ID: 6, Login: "irina-ml", Type: "Bot"}
		}, 2, "not_a_person"},
		{"deleted account", func(in *approval.Input) { in.Pull.Reviews[0].Author = facts.Account{Login: "ghost"} }, 2, "ghost"},
		{"initiator by another account's pull request", func(in *approval.Input) { in.Initiator = "Irina-ML" }, 3, "initiator"},
		{"opened the pull request", func(in *approval.Input) { in.Pull.Author = irina }, 3, "author"},
		{"author of a commit to the plan", func(in *approval.Input) { in.Pull.Commits[1].Author = person(irina) }, 3, "commit_author"},
		{"committer of a commit to the plan", func(in *approval.Input) { in.Pull.Commits[1].Committer = person(irina) }, 3, "committer"},
		{"co-author of a commit to the plan", func(in *approval.Input) {
			in.Pull.Commits[1].CoAuthors = []facts.Person{person(irina)}
		}, 3, "co_author"},
		{"author behind a merge's second parent", func(in *approval.Input) {
			in.Pull.Commits[1].Parents = []string{"h1", "s"}
			in.Pull.Commits = append(in.Pull.Commits, facts.Commit{OID: "s", Parents: []string{"b"}, Author: person(irina), Committer: person(irina)})
			in.Pull.Git.Trees["s"] = tree("README.md", "r1", planPath, "p2")
		}, 3, "commit_author"},
		{"a commit whose tree is not known", func(in *approval.Input) {
			in.Pull.Commits[1].Author = person(irina)
			delete(in.Pull.Git.Trees, "h2")
		}, 3, "commit_author"},
		{"pushed to the branch", func(in *approval.Input) {
			pushed(in.Pull, facts.Push{By: irina})
		}, 3, "pusher"},
		{"pushes that GitHub does not tell", func(in *approval.Input) {
			for key := range in.Pull.Pushers {
				in.Pull.Pushers[key] = facts.Pushers{Unknown: true}
			}
		}, 3, "pushers_unknown"},
		{"pushes that nobody asked about", func(in *approval.Input) { in.Pull.Pushers = nil }, 3, "pushers_unknown"},
		{"a fork that is gone, and its pushes with it", func(in *approval.Input) { in.Pull.Head.Repo, in.Pull.Head.Fork = 0, true }, 3, "pushers_unknown"},
		{"named one by one, without access", func(in *approval.Input) {
			in.Pull.Access["irina-ml"] = facts.Access{Account: irina}
		}, 2, "no_role"},
		{"another digest", func(in *approval.Input) { in.Pull.Reviews[0].Commit = "h1" }, 4, "other_digest"},
		{"before anything was published", func(in *approval.Input) {
			in.Pull.Reviews[0].SubmittedAt = noon.Add(-2 * time.Hour)
		}, 4, "no_digest"},
		{"in the very second of publication", func(in *approval.Input) { in.Pull.Reviews[0].SubmittedAt = noon }, 4, "no_digest"},
		{"published for another pull request with the same head", func(in *approval.Input) {
			in.Pull.Runs[1].ExternalID = approval.ExternalID{Number: 43, Base: "main", Digest: digest}.String()
		}, 4, "no_digest"},
		{"before the evidence, where the policy asks for it", func(in *approval.Input) {
			in.AfterEvidence, in.EvidenceAt = true, noon.Add(90*time.Second)
		}, 5, "before_evidence"},
		{"too old", func(in *approval.Input) { in.Pull.Now = noon.AddDate(0, 0, 31) }, 6, "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			c.spoil(&in)
			r := approval.Judge(in)
			assert.False(t, r.Complete())
			require.NotEmpty(t, r.Reviews)
			assert.False(t, r.Reviews[0].Counts)
			assert.Equal(t, c.reason, r.Reviews[0].Reason.Key)
			assert.Equal(t, c.reason == "pushers_unknown", r.PushersUnknown)
			assert.Equal(t, c.condition, r.Reviews[0].Reason.Condition)
		})
	}
}

func TestWhatLeavesAnApprovalAlone(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*approval.Input)
	}{
		{"a rebase that keeps the digest", func(in *approval.Input) {
			in.Pull.Head.OID = "h3"
			in.Pull.Runs = append(in.Pull.Runs, run(3, "h3", digest, noon.Add(30*time.Minute)))
		}},
		{"a review bound anew to a commit that never had a run", func(in *approval.Input) {
			in.Pull.Head.OID, in.Pull.Reviews[0].Commit = "h3", "h3"
			in.Pull.Timeline = []facts.Event{{Kind: "force_pushed", At: noon.Add(5 * time.Minute), Before: "h2", After: "h3"}}
		}},
		{"a review bound anew, once that commit has a run", func(in *approval.Input) {
			in.Pull.Head.OID, in.Pull.Reviews[0].Commit = "h3", "h3"
			in.Pull.Timeline = []facts.Event{{Kind: "force_pushed", At: noon.Add(5 * time.Minute), Before: "h2", After: "h3"}}
			in.Pull.Runs = append(in.Pull.Runs, run(3, "h3", in.Digest, noon.Add(6*time.Minute)))
		}},
		{"a run that could not be evaluated in between", func(in *approval.Input) {
			in.Pull.Runs = append(in.Pull.Runs, run(3, "h2", "", noon.Add(30*time.Second)))
		}},
		{"authorship of a commit to other files", func(in *approval.Input) {
			in.Pull.Commits = append(in.Pull.Commits, facts.Commit{OID: "x", Parents: []string{"h2"}, Author: person(irina), Committer: person(irina)})
			in.Pull.Git.Trees["x"] = tree("README.md", "r2", planPath, "p2")
		}},
		{"GitHub's own merge of the base", func(in *approval.Input) {
			in.Pull.Commits = append(in.Pull.Commits, facts.Commit{OID: "m", Parents: []string{"h2", "b2"}, Author: person(irina), Committer: person(irina), SignedByGitHub: true})
			in.Pull.Git.Trees["m"], in.Pull.Git.Trees["b2"] = tree("README.md", "r2", planPath, "p2"), tree("README.md", "r2")
		}},
		{"a suggestion that the author applied", func(in *approval.Input) {
			in.Pull.Commits[1].CoAuthors, in.Pull.Commits[1].SignedByGitHub = []facts.Person{person(irina)}, true
		}},
		{"a later comment", func(in *approval.Input) {
			c := approve(13, irina, 5)
			c.State = "COMMENTED"
			in.Pull.Reviews = append(in.Pull.Reviews, c)
		}},
		{"a push by somebody else", func(in *approval.Input) { pushed(in.Pull, facts.Push{By: dana}) }},
		{"a push to another request's branch", func(in *approval.Input) {
			in.Pull.Pushers["acme/pilots:report@h9"] = facts.Pushers{Pushes: []facts.Push{{By: irina}}}
		}},
		{"GitHub's own merge of the base, pressed by the reviewer", func(in *approval.Input) { updated(in) }},
		{"the same, first of the commits", func(in *approval.Input) {
			updated(in)
			in.Pull.Commits[0], in.Pull.Commits[2] = in.Pull.Commits[2], in.Pull.Commits[0]
		}},
		{"membership in a team of the role", func(in *approval.Input) {
			in.Pull.Reviews[1].Author = vera
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			head := in.Pull.Head
			c.change(&in)
			if in.Pull.Head.OID == "h3" {
				pushed(in.Pull, facts.Push{By: dana, Before: head.OID, After: "h3"})
			}
			assert.True(t, approval.Judge(in).Complete(), "%+v", approval.Judge(in).Reviews)
		})
	}
}

// Somebody who reviewed a head that was never judged saw something else than
// what the runs before it speak of, also when the branch goes back to that.
func TestAReviewOfAHeadThatWasNeverJudgedDoesNotCount(t *testing.T) {
	for name, timeline := range map[string][]facts.Event{
		"gone back to by a push": nil,
		"left by a force-push":   {{Kind: "force_pushed", At: noon.Add(5 * time.Minute), Before: "unseen", After: "h2"}},
		"left and come back to": {
			{Kind: "force_pushed", At: noon.Add(5 * time.Minute), Before: "unseen", After: "h2"},
			{Kind: "force_pushed", At: noon.Add(6 * time.Minute), Before: "h2", After: "unseen"},
			{Kind: "force_pushed", At: noon.Add(7 * time.Minute), Before: "unseen", After: "h2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t)
			in.Pull.Reviews[0].Commit, in.Pull.Timeline = "unseen", timeline
			got := approval.Judge(in)
			assert.False(t, got.Complete())
			assert.Equal(t, "no_digest", got.Reviews[0].Reason.Key)
		})
	}
}

func TestOnePersonFillsOneRole(t *testing.T) {
	in := input(t)
	in.Pull.Teams["acme/ops"] = facts.Team{Members: []facts.Account{irina}}
	in.Pull.Reviews = in.Pull.Reviews[:1]
	r := approval.Judge(in)
	require.False(t, r.Complete())
	assert.Equal(t, []string{"oleg-ops"}, r.Roles[1].Can, "in the team is only who fills the other role")

	in.Distinct, in.Warned = false, []string{"release"}
	r = approval.Judge(in)
	require.False(t, r.Complete(), "she confirmed nothing")
	assert.Equal(t, []string{"oleg-ops", "acme/ops"}, r.Roles[1].Can, "and still can")

	in.Warned = nil
	r = approval.Judge(in)
	assert.True(t, r.Complete())
	assert.True(t, r.SamePerson, "the record must be able to say so")
}

func TestAMatchingFindsTheOnlyAssignment(t *testing.T) {
	in := input(t)
	// Irina holds both roles, Oleg only Operations: Irina must be the ML Lead.
	in.Pull.Teams["acme/ops"] = facts.Team{Members: []facts.Account{irina}}
	r := approval.Judge(in)
	require.True(t, r.Complete())
	assert.Equal(t, "irina-ml", r.Roles[0].By.Author.Login)
	assert.Equal(t, "oleg-ops", r.Roles[1].By.Author.Login)
}

func TestAVetoBlocks(t *testing.T) {
	in := input(t)
	veto := approve(13, vera, 5)
	veto.State = "CHANGES_REQUESTED"
	in.Pull.Reviews = append(in.Pull.Reviews, veto)
	r := approval.Judge(in)
	assert.False(t, r.Complete())
	require.Len(t, r.Blocking, 1)

	in.Pull.Reviews[2].Author = max
	assert.True(t, approval.Judge(in).Complete(), "somebody without a role cannot block")
}

func TestACommitOfNobodyKeepsTheCheckRed(t *testing.T) {
	in := input(t)
	in.Pull.Commits[1].Author.Account = nil
	r := approval.Judge(in)
	assert.False(t, r.Complete())
	require.Len(t, r.Unattributed, 1)

	in.Pull.Git.Trees["h2"] = tree("README.md", "r2", planPath, "p1")
	assert.Empty(t, approval.Judge(in).Unattributed, "it does not touch governed files")
}

func TestOperationsConfirmsWhatIsWarned(t *testing.T) {
	for _, c := range []struct {
		name    string
		confirm func(*approval.Input)
		counts  bool
	}{
		{"nothing confirmed", func(*approval.Input) {}, false},
		{"ticked in the review", func(in *approval.Input) {
			in.Pull.Reviews[1].Body = "Fine.\n- [x] observability: I watch it\n- [X] `rollback`"
		}, true},
		{"one of two ticked", func(in *approval.Input) { in.Pull.Reviews[1].Body = "- [x] observability\n- [ ] rollback" }, false},
		{"ticked in a body that was edited", func(in *approval.Input) {
			in.Pull.Reviews[1].Body, in.Pull.Reviews[1].Edited = "- [x] observability\n- [x] rollback", true
		}, false},
		{"by commands that name the digest", func(in *approval.Input) {
			in.Pull.Comments = []facts.Comment{{ID: 1, Author: vera, CreatedAt: noon.Add(time.Minute), Body: "/pilot confirm observability " + digest[:12] + "\n/pilot confirm rollback " + digest}}
		}, true},
		{"by commands with too short a digest", func(in *approval.Input) {
			in.Pull.Comments = []facts.Comment{{ID: 1, Author: vera, CreatedAt: noon.Add(time.Minute), Body: "/pilot confirm observability " + digest[:11] + "\n/pilot confirm rollback " + digest[:11]}}
		}, false},
		{"by commands for other items", func(in *approval.Input) {
			in.Pull.Comments = []facts.Comment{{ID: 1, Author: vera, CreatedAt: noon.Add(time.Minute), Body: "/pilot confirm release " + digest}}
		}, false},
		{"ticked with the other bullet", func(in *approval.Input) {
			in.Pull.Reviews[1].Body = "* [x] observability\n* [x] rollback"
		}, true},
		{"by commands of another role", func(in *approval.Input) {
			in.Pull.Comments = []facts.Comment{{ID: 1, Author: irina, CreatedAt: noon.Add(time.Minute), Body: "/pilot confirm observability " + digest + "\n/pilot confirm rollback " + digest}}
		}, false},
		{"by commands that were edited in", func(in *approval.Input) {
			in.Pull.Comments = []facts.Comment{{ID: 1, Author: vera, Edited: true, CreatedAt: noon.Add(time.Minute), Body: "/pilot confirm observability " + digest + "\n/pilot confirm rollback " + digest}}
		}, false},
		{"by quoted and fenced commands", func(in *approval.Input) {
			in.Pull.Comments = []facts.Comment{{ID: 1, Author: vera, CreatedAt: noon.Add(time.Minute), Body: "> /pilot confirm observability " + digest + "\n```\n/pilot confirm rollback " + digest + "\n```"}}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Warned = []string{"observability", "rollback"}
			c.confirm(&in)
			r := approval.Judge(in)
			assert.Equal(t, c.counts, r.Complete())
			if !c.counts {
				assert.Equal(t, "unconfirmed", r.Reviews[1].Reason.Key)
				assert.Equal(t, 8, r.Reviews[1].Reason.Condition)
			}
		})
	}
}

func TestTreesAreAskedForOnlyWhereTheyMatter(t *testing.T) {
	in := input(t)
	in.Pull.Git.Trees = nil
	assert.Empty(t, approval.Needs(in), "all commits are the author's own")

	in.Pull.Commits[1].Committer = person(irina)
	var asked []string
	for _, n := range approval.Needs(in) {
		asked = append(asked, n.Commit)
	}
	assert.Equal(t, []string{"h2", "h1"}, asked)
}

func TestExternalIDsAreReadBack(t *testing.T) {
	id := approval.ExternalID{Number: 42, Base: "release/v1;pr=43", Digest: digest, Evidence: noon}
	got, ok := approval.ParseExternalID(id.String())
	require.True(t, ok)
	assert.Equal(t, id, got)
}

func FuzzParseExternalID(f *testing.F) {
	f.Add(approval.ExternalID{Number: 42, Base: "main", Digest: digest, Evidence: noon}.String())
	f.Add("v1;pr=1;digest=;evidence=0;base=main")
	f.Add("v2;pr=1;digest=;evidence=0;base=main")
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := approval.ParseExternalID(s)
		if !ok {
			return
		}
		again, ok := approval.ParseExternalID(id.String())
		require.True(t, ok, "%q", s)
		assert.Equal(t, id, again)
	})
}

func FuzzCommands(f *testing.F) {
	f.Add("/pilot confirm observability " + digest)
	f.Add("> /pilot recheck\n```\n/pilot override x\n```")
	f.Add("/pilot rollback it burns\n/pilot")
	f.Fuzz(func(t *testing.T, body string) {
		for _, c := range approval.Commands([]facts.Comment{{Body: body}}) {
			assert.Contains(t, body, "/pilot ")
			if c.Names(digest) {
				assert.GreaterOrEqual(t, len(c.Digest), 12)
			}
		}
		assert.Empty(t, approval.Commands([]facts.Comment{{Body: body, Ours: true}}))
	})
}

// updated is "Update branch", pressed by Irina: a merge of the base on top of the
// head, in her name, signed by GitHub. It answers the merge, to be spoiled.
func updated(in *approval.Input) *facts.Commit {
	p := in.Pull
	p.Commits = append(p.Commits, facts.Commit{OID: "m", Parents: []string{"h2", "b2"}, Author: person(irina), Committer: person(irina), SignedByGitHub: true})
	p.Git.Trees["m"], p.Git.Trees["b2"] = tree("README.md", "r2", planPath, "p2"), tree("README.md", "r2")
	p.Head.OID = "m"
	p.Runs = append(p.Runs, run(3, "m", digest, noon.Add(30*time.Minute)))
	pushed(p, facts.Push{By: irina, Before: "h2", After: "m"})
	return &p.Commits[len(p.Commits)-1]
}
