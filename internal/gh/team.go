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
	installation int64
	team         string // lower-case "org/slug"
}

type teamAnswer struct {
	team  facts.Team
	until time.Time
}

const (
	teamLifetime = 60 * time.Second
	maxTeamPages = 100 // 100 people each
)

func (f *filling) team(ctx context.Context, name string) (facts.Team, error) {
	org, slug, ok := strings.Cut(name, "/")
	if !ok || org == "" || slug == "" {
		return facts.Team{Absent: true}, nil
	}
	key := teamKey{f.inst.id, strings.ToLower(name)}
	if a, ok := f.client.teams.get(key); ok && f.client.now().Before(a.until) {
		return a.team, nil
	}
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
	f.client.teams.put(key, teamAnswer{out, f.client.now().Add(teamLifetime)}, 4)
	return out, nil
}

// ForgetTeams drops what is known about an organization's teams; slug "" means
// all of them. Membership and team events call it.
func (c *Client) ForgetTeams(org, slug string) {
	want := strings.ToLower(org + "/" + slug)
	c.teams.removeIf(func(k teamKey) bool {
		return k.team == want || slug == "" && strings.HasPrefix(k.team, want)
	})
}
