// Package fakegithub is a stateful stand-in for GitHub, spoken to over HTTP:
// REST under / and /api/v3, GraphQL under /graphql and /api/graphql, git data
// with true object ids, App tokens and permissions, and signed webhooks. The
// demo runs on it, and every test that asks "what does GitHub look like
// afterwards" asks it.
//
// People and GitHub's own acts come in through the story API (CreateRepo,
// Commit, OpenPR, Review, Merge, ...); the App comes in through HTTP only, so
// that what it may and may not do is decided here and nowhere else. By default
// the stand-in is a little unfriendly, as GitHub is: it pages, listings lag
// behind writes, and now and then a write is carried out but its answer lost.
//
// The package must not know anything of Pilotgate: no room of ours is
// imported, no check name, path or role appears in it. It must not import
// testing either, since it is part of the program. A behaviour that the program
// relies upon is stated as a test with a link in package githubcontract.
package fakegithub
