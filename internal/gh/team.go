package gh

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
)

type teamKey struct {
	installation, repository int64
	team                     string // lower-case "org/slug"
}

type teamAnswer struct {
	team  facts.Team
	until time.Time
}

const (
	teamLifetime = 60 * time.Second
	maxTeamPages = 100 // 100 people each
)

// knownTeam is a team that was asked for a moment ago, or that has no name.
func (f *filling) knownTeam(name string) (facts.Team, bool) {
	if org, slug, ok := strings.Cut(name, "/"); !ok || org == "" || slug == "" {
		return facts.Team{Absent: true}, true
	}
	a, ok := f.client.teams.get(teamKey{f.inst.id, f.to.Repository.ID, strings.ToLower(name)})
	return a.team, ok && f.client.now().Before(a.until)
}

func (f *filling) keepTeam(name string, t facts.Team) {
	f.client.teams.put(teamKey{f.inst.id, f.to.Repository.ID, strings.ToLower(name)}, teamAnswer{t, f.client.now().Add(teamLifetime)}, 4)
}

// team reads a team of any size; one of at most 100 people is asked for together
// with other facts.
func (f *filling) team(ctx context.Context, name string) (facts.Team, error) {
	org, slug, _ := strings.Cut(name, "/")
	var out facts.Team
	for page, pages := 1, 0; page != 0; pages++ {
		if pages == maxTeamPages {
			return facts.Team{}, fmt.Errorf("team of more than %d people", maxTeamPages*100)
		}
		var people []*github.User
		var resp *github.Response
		err := f.call("GET /orgs/{org}/teams/{team_slug}/members").send(ctx, func(ctx context.Context, rest *github.Client) (err error) {
			people, resp, err = rest.Teams.ListTeamMembersBySlug(ctx, org, slug,
				&github.TeamListTeamMembersOptions{ListOptions: github.ListOptions{Page: page, PerPage: 100}})
			return err
		})
		if isAbsent(err) || isRefused(err) {
			out = facts.Team{Absent: true}
			break
		}
		if err != nil {
			return facts.Team{}, err
		}
		for _, u := range people {
			out.Members = append(out.Members, facts.Account{ID: u.GetID(), Login: u.GetLogin(), Type: u.GetType()})
		}
		page = resp.NextPage
	}
	f.mu.Lock()
	out.Outside = f.outside[strings.ToLower(name)]
	f.mu.Unlock()
	f.keepTeam(name, out)
	return out, nil
}
