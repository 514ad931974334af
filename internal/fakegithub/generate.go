package fakegithub

// The packages are unpacked by hand, since generating must not reach out to a network.
//go:generate go run ./gen -openapi $OCTOKIT_OPENAPI -graphql $OCTOKIT_GRAPHQL
