package cli

import "testing"

func FuzzSupposition(f *testing.F) {
	for _, s := range []string{"approve:@irina-ml,role=ML Lead", "reject:@oleg-ops", "approve:@a,role=b,confirm=release+rollback", "approve:", "x", "approve:@a,b=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, fact string) {
		s, err := parseSupposition(fact)
		if err == nil && (s.login == "" || s.state == "") {
			t.Fatalf("%q was read as %+v", fact, s)
		}
	})
}
