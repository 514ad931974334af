// Package githubcontract states each behaviour of GitHub that the program
// relies upon, one named test each, with a link to where GitHub documents it or
// a note that it was only observed.
//
// The tests speak HTTP alone, so that the same lines run against the stand-in,
// always, and against a real repository when one is configured:
//
//	PILOTGATE_CONTRACT_REPO   owner/name of a repository that may be scribbled in
//	PILOTGATE_CONTRACT_TOKEN  an installation token: checks, contents, issues, pull requests: write
//	PILOTGATE_CONTRACT_API    the REST root; https://api.github.com if empty
//
// A real run leaves nothing but closed issues and pull requests and deleted
// branches behind. The package must not import any room but the stand-in.
package githubcontract
