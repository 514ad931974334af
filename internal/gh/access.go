package gh

import (
	"context"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// access is what an account may do here. The login is a webhook's: it is a name
// by which to ask, and who answers to it today comes back with the answer.
func (f *filling) access(ctx context.Context, login string) (facts.Access, error) {
	const shape = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if login == "" || strings.Trim(login, shape) != "" {
		return facts.Access{}, nil
	}
	var got github.RepositoryPermissionLevel
	_, err := f.call("GET /repos/{owner}/{repo}/collaborators/{username}/permission").get(ctx, f.path("collaborators/%s/permission", login), &got)
	switch {
	case isAbsent(err), isRefused(err), isInvalid(err):
		return facts.Access{}, nil
	case err != nil:
		return facts.Access{}, err
	}
	u := got.GetUser()
	return facts.Access{
		Account: facts.Account{ID: u.GetID(), Login: u.GetLogin(), Type: u.GetType()},
		Write:   got.GetPermission() == "write" || got.GetPermission() == "admin", // "maintain" is told as write
		Admin:   got.GetPermission() == "admin",
	}, nil
}
