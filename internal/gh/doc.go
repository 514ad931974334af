// Package gh reads GitHub into snapshots and carries effects out. It is the
// only place that writes to GitHub, and the server's only place that reads it.
//
// A look at a pull request is one GraphQL query. What it names is read in rounds:
// trees, datasets and the log of pushes by REST, and documents, small datasets,
// teams and tags together in one query a round, which also tells where the head
// stands by then. What is written goes out in one mutation. What a query does not
// give whole is paged or named in Cut. An answer
// that GitHub gives for good (no such blob, no such team) is a fact; everything
// else is an error, sorted for the queue: time mends it (queue.Transient), the
// subject is no more (queue.Gone), GitHub will not do it (Refused), or ours.
// A write whose answer is lost is never repeated: the error is Unclear, and the
// loop looks again.
//
// The package must not judge, must not decide what to write, and must not let
// a token into an error or a log line.
//
// # Caches
//
// All of them live in memory, and a lost cache costs requests, never another
// result. No key is shared between repositories: who may see one repository
// learns nothing of another by its object ids.
//
//	cache          key                                lifetime             why it is safe
//	trees, blobs   repository, object id              for ever, by size    named by their content, which is checked
//	roots          repository, commit id              for ever, by number  a commit never changes its tree
//	merge bases    repository, two commit ids         for ever, by number  commits never change their history
//	reach          repository, two commit ids         for ever, by number  the same comparison answers it
//	pushers        branch, head, how often it moved   for ever, by number  kept once the log ends in that head
//	teams          installation, org/slug             60 s                 dropped on membership and team events
//	names          repository id                      until it is wrong    the id in each answer is compared
//	guards         repository, environment            60 s                 only that it is guarded; then nothing is started
//	artifacts      repository, artifact id            for ever, by size    an artifact never changes under its id
//	plans          pilot: path, pull request          until it is wrong    only asked for first, and proven
//	tags           subject: names of tags             until it is wrong    only asked for first; the answer is new
//	opened issues  repository                         10 min               only adds what a listing leaves out
//	REST answers   installation, URL, media type      until ETag differs   GitHub says 304, which costs no rate
//	tokens         installation                       one hour             go-githubapp's; dropped at the first 401
package gh
