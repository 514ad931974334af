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
	if !loginName(login) {
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
	out := facts.Access{
		Account: facts.Account{ID: u.GetID(), Login: u.GetLogin(), Type: u.GetType()},
		Write:   got.GetPermission() == "write" || got.GetPermission() == "admin", // "maintain" is told as write
		Admin:   got.GetPermission() == "admin",
	}
	out.Collaborator = out.Write
	if got.GetPermission() == "read" { // which everybody has of a public repository
		out.Collaborator, err = f.letIn(ctx, login)
	}
	return out, err
}

func (f *filling) letIn(ctx context.Context, login string) (bool, error) {
	_, err := f.call("GET /repos/{owner}/{repo}/collaborators/{username}").get(ctx, f.path("collaborators/%s", login), nil)
	if isAbsent(err) || isRefused(err) {
		return false, nil
	}
	return err == nil, err
}

// loginName tells whether a login is one by which people can be asked for.
func loginName(login string) bool {
	const shape = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return login != "" && strings.Trim(login, shape) == ""
}

// wireCollaborators are those whom a repository lets in, asked for one by login.
type wireCollaborators struct {
	Edges []struct {
		Permission string
		Node       *struct {
			DatabaseID int64
			Login      string
		}
	}
}

// access is the one that was asked for; a zero one is nobody's.
func (w wireCollaborators) access(login string) facts.Access {
	for _, e := range w.Edges {
		if e.Node != nil && strings.EqualFold(e.Node.Login, login) {
			return facts.Access{
				Account:      facts.Account{ID: e.Node.DatabaseID, Login: e.Node.Login, Type: "User"},
				Collaborator: true,
				Write:        e.Permission == "WRITE" || e.Permission == "MAINTAIN" || e.Permission == "ADMIN",
				Admin:        e.Permission == "ADMIN",
			}
		}
	}
	return facts.Access{}
}
