//go:build real

package oracle_test

// The long search begins somewhere else each time.
var searchFlags = map[string]string{"rapid.checks": "40", "rapid.shrinktime": "5m", "rapid.nofailfile": "true"}
