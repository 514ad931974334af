package gh

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// branch tells what we may do on a branch. What GitHub does not tell is taken
// for guarded: a request instead of a push is never wrong.
func (f *filling) branch(ctx context.Context, name string) (facts.Branch, error) {
	if name == "" {
		return facts.Branch{Absent: true}, nil
	}
	var got struct {
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
		Protected bool `json:"protected"` // by classic protection, and perhaps by rulesets
	}
	_, err := f.call("GET /repos/{owner}/{repo}/branches/{branch}").get(ctx, f.path("branches/%s", url.PathEscape(name)), &got)
	switch {
	case isAbsent(err):
		return facts.Branch{Absent: true}, nil
	case err != nil:
		return facts.Branch{}, err
	}
	out := facts.Branch{OID: got.Commit.SHA}
	rules, err := f.rules(ctx, name)
	if err != nil {
		return facts.Branch{}, err
	}
	var classic facts.Branch
	if got.Protected {
		if classic, err = f.classic(ctx, name); err != nil {
			return facts.Branch{}, err
		}
	}
	out.Guarded = rules.Guarded || classic.Guarded
	out.ReviewRequired = rules.ReviewRequired || classic.ReviewRequired
	return out, nil
}

// stopping are the ruleset rules that refuse a plain push of one commit.
var stopping = []string{"pull_request", "required_status_checks", "update", "merge_queue", "required_deployments", "code_scanning", "workflows"}

func (f *filling) rules(ctx context.Context, branch string) (facts.Branch, error) {
	var out facts.Branch
	var rules []struct {
		Type       string `json:"type"`
		RulesetID  int64  `json:"ruleset_id"`
		Parameters struct {
			Approvals int `json:"required_approving_review_count"`
		} `json:"parameters"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/rules/branches/{branch}").get(ctx, f.path("rules/branches/%s?per_page=100", url.PathEscape(branch)), &rules)
	switch {
	case isAbsent(err):
		return out, nil // a server without rulesets
	case isRefused(err):
		return facts.Branch{Guarded: true, ReviewRequired: true}, nil
	case err != nil:
		return out, err
	}
	bypass := map[int64]bool{}
	for _, r := range rules {
		if !slices.Contains(stopping, r.Type) {
			continue
		}
		free, known := bypass[r.RulesetID]
		if !known {
			if free, err = f.mayBypass(ctx, r.RulesetID); err != nil {
				return out, err
			}
			bypass[r.RulesetID] = free
		}
		out.Guarded = out.Guarded || !free
		out.ReviewRequired = out.ReviewRequired || !free && r.Type == "pull_request" && r.Parameters.Approvals > 0
	}
	return out, nil
}

func (f *filling) mayBypass(ctx context.Context, ruleset int64) (bool, error) {
	var got struct {
		Mine string `json:"current_user_can_bypass"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/rulesets/{ruleset_id}").get(ctx, f.path("rulesets/%d?includes_parents=true", ruleset), &got)
	if isAbsent(err) || isRefused(err) {
		return false, nil
	}
	return got.Mine == "always", err
}

// classic reads classic branch protection. Its required checks and reviews bind
// an App without exception; without the permission to read it we take it for there.
func (f *filling) classic(ctx context.Context, branch string) (facts.Branch, error) {
	var got struct {
		Checks  *struct{} `json:"required_status_checks"`
		Reviews *struct {
			Count int `json:"required_approving_review_count"`
		} `json:"required_pull_request_reviews"`
		Restrictions *struct{} `json:"restrictions"`
		Lock         struct {
			Enabled bool `json:"enabled"`
		} `json:"lock_branch"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/branches/{branch}/protection").get(ctx, f.path("branches/%s/protection", url.PathEscape(branch)), &got)
	var gone *absent
	switch {
	case errors.As(err, &gone) && gone.status == http.StatusNotFound:
		return facts.Branch{}, nil // "Branch not protected": rulesets alone
	case isRefused(err):
		return facts.Branch{Guarded: true, ReviewRequired: true}, nil
	case err != nil:
		return facts.Branch{}, err
	}
	return facts.Branch{
		Guarded:        got.Checks != nil || got.Reviews != nil || got.Restrictions != nil || got.Lock.Enabled,
		ReviewRequired: got.Reviews != nil && got.Reviews.Count > 0,
	}, nil
}
