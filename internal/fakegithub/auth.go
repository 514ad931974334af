package fakegithub

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tokenLife is how long GitHub lets an installation token live.
const tokenLife = time.Hour

// token is an installation's or, for stories told over HTTP, a person's.
type token struct {
	value        string
	installation *installation
	user         *account
	permissions  map[string]string
	repos        map[int64]bool // nil: all of the installation
	expires      time.Time
	revoked      bool
}

// actor is who a request is from.
type actor struct {
	app          *app // JWT, or the installation's
	jwt          bool
	installation *installation
	token        *token
	user         *account // who writes: the App's bot, or a person
}

var (
	errBadCredentials = &failure{status: http.StatusUnauthorized, message: "Bad credentials"}
	errNotIntegration = &failure{status: http.StatusForbidden, message: "Resource not accessible by integration"}
	errNotFound       = &failure{status: http.StatusNotFound, message: "Not Found"}
)

// authenticate reads the Authorization header.
func (s *Server) authenticate(r *http.Request) (actor, *failure) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case value == "":
		return actor{}, &failure{status: http.StatusUnauthorized, message: "Requires authentication"}
	case !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token"):
		return actor{}, errBadCredentials
	case strings.Count(value, ".") == 2:
		return s.authenticateApp(value)
	}
	t := s.tokens[value]
	if t == nil || t.revoked || (!t.expires.IsZero() && !s.tokenNow().Before(t.expires)) {
		return actor{}, errBadCredentials
	}
	if t.user != nil {
		return actor{user: t.user, token: t}, nil
	}
	in := t.installation
	if in.gone {
		return actor{}, errBadCredentials
	}
	if !in.suspended.IsZero() {
		return actor{}, &failure{status: http.StatusForbidden, message: "This installation has been suspended"}
	}
	return actor{app: in.app, installation: in, token: t, user: in.app.bot}, nil
}

// authenticateApp verifies an App's JWT: RS256, issued by id or client id, at
// most ten minutes long, not of the future.
func (s *Server) authenticateApp(raw string) (actor, *failure) {
	parts := strings.Split(raw, ".")
	var head struct{ Alg string }
	var claims struct {
		Iss      json.RawMessage
		Iat, Exp float64
	}
	if !decodePart(parts[0], &head) || !decodePart(parts[1], &claims) || head.Alg != "RS256" {
		return actor{}, &failure{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded"}
	}
	var a *app
	iss := strings.Trim(string(claims.Iss), `"`)
	for _, c := range s.apps {
		if iss == strconv.FormatInt(c.id, 10) || iss == c.clientID() {
			a = c
		}
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if a == nil || a.spec.Key == nil || err != nil || rsa.VerifyPKCS1v15(a.spec.Key, crypto.SHA256, sum[:], sig) != nil {
		return actor{}, &failure{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded"}
	}
	now := float64(s.tokenNow().Unix())
	switch {
	case claims.Exp <= now:
		return actor{}, &failure{status: http.StatusUnauthorized, message: "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"}
	case claims.Exp > now+600:
		return actor{}, &failure{status: http.StatusUnauthorized, message: "'Expiration time' claim ('exp') is too far in the future"}
	case claims.Iat > now+60:
		return actor{}, &failure{status: http.StatusUnauthorized, message: "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"}
	}
	return actor{app: a, jwt: true, user: a.bot}, nil
}

func decodePart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}

func (a *app) clientID() string { return "Iv1." + strconv.FormatInt(a.id, 16) }

// may tells whether the actor holds the permission, "checks:write" for example.
func (a actor) may(permission string) bool {
	if a.token == nil || a.token.user != nil {
		return a.token != nil
	}
	name, want, _ := strings.Cut(permission, ":")
	have := a.token.permissions[name]
	if name == "metadata" {
		have = "read"
	}
	return have == "write" || have == "admin" || (have == want && have != "")
}

// mayAny is may for endpoints that several permissions open.
func (a actor) mayAny(permissions string) bool {
	for _, p := range strings.Split(permissions, "|") {
		if a.may(p) {
			return true
		}
	}
	return false
}

// sees tells whether the actor can see the repository at all.
func (a actor) sees(r *repo) bool {
	if a.token == nil {
		return false
	}
	if a.token.user != nil {
		return !r.private || access(r, a.token.user) != ""
	}
	return a.installation.covers(r) && (a.token.repos == nil || a.token.repos[r.id])
}

func (in *installation) covers(r *repo) bool {
	return !in.gone && in.target == r.owner && (in.all || in.repos[r.id])
}

// newToken makes a token that looks like GitHub's; its value is derived, so that runs repeat.
func (s *Server) newToken(prefix string) *token {
	sum := sha256.Sum256([]byte(prefix + strconv.FormatInt(s.next("token"), 10) + strconv.FormatUint(s.opt.Seed, 10)))
	t := &token{value: prefix + hex.EncodeToString(sum[:18])}
	s.tokens[t.value] = t
	return t
}

// UserToken lets a person speak over HTTP, with all that their access allows.
func (s *Server) UserToken(login string) string {
	defer s.lock()()
	t := s.newToken("ghp_")
	t.user = s.account(login)
	return t.value
}

// RevokeTokens ends every installation token that was handed out.
func (s *Server) RevokeTokens() {
	defer s.lock()()
	for _, t := range s.tokens {
		t.revoked = t.revoked || t.installation != nil
	}
}
