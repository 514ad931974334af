package plan_test

import (
	"github.com/pilotgate/pilotgate/internal/plan"
)

// cases lists what is told of a plan as "rule case".
func cases(p plan.Plan) []string {
	var told []string
	for _, f := range p.Problems {
		told = append(told, f.Rule+" "+f.Case)
	}
	return told
}
