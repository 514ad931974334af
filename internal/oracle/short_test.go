//go:build !real

package oracle_test

var searchFlags = map[string]string{"rapid.checks": "12", "rapid.seed": "20251128", "rapid.shrinktime": "60s", "rapid.nofailfile": "true"}
