package threats

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noticed names, for each condition under which an approval counts, a threat
// that succeeds where the condition is left out.
var noticed = map[int]string{
	1: "reviewer: COMMENTED, pending, dismissed, later CHANGES_REQUESTED, edited body; approval by a bot or App; role lost after approving; pending invitation; renamed team; `ghost`/a dismissed one",
	2: "reviewer: COMMENTED, pending, dismissed, later CHANGES_REQUESTED, edited body; approval by a bot or App; role lost after approving; pending invitation; renamed team; `ghost`/a role lost",
	3: "author: approves own PR, by a second account that is co-author or committer, or hidden behind a merge's second parent; unattributable commits/the commit's author",
	4: "author: approve A, push B, merge/an approval that speaks of A does not count for B",
	5: "reviewer: COMMENTED, pending, dismissed, later CHANGES_REQUESTED, edited body; approval by a bot or App; role lost after approving; pending invitation; renamed team; `ghost`/an approval that was early, where the policy wants the evidence first",
	6: "reviewer: COMMENTED, pending, dismissed, later CHANGES_REQUESTED, edited body; approval by a bot or App; role lost after approving; pending invitation; renamed team; `ghost`/one older than the policy's limit",
	7: "one person in both roles: approves once, or twice/fills one",
	8: "commenter: edited, quoted, old-digest or forged commands/not of an old digest",
}

const conditionsFile = "../approval/conditions.go"

// row is a condition's row in the source, and where it stands there, in bytes.
type row struct{ number, from, to int }

// conditionRows reads the table of conditions out of the source.
func conditionRows(t *testing.T) (source []byte, rows []row) {
	t.Helper()
	source, err := os.ReadFile(filepath.FromSlash(conditionsFile))
	require.NoError(t, err)
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, conditionsFile, source, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		v, is := n.(*ast.ValueSpec)
		if !is || v.Names[0].Name != "conditions" {
			return true
		}
		for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
			number, err := strconv.Atoi(e.(*ast.CompositeLit).Elts[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			rows = append(rows, row{number, set.Position(e.Pos()).Offset, set.Position(e.End()).Offset + 1}) // and its comma
		}
		return false
	})
	return source, rows
}

// The table holds the eight conditions, and each has its threat. That the threat
// succeeds without the condition is tested with the real parts, since the
// program is compiled anew for each.
func TestEveryConditionHasAThreatThatNoticesItsAbsence(t *testing.T) {
	_, rows := conditionRows(t)
	var numbers []int
	for _, r := range rows {
		numbers = append(numbers, r.number)
		assert.NotEmpty(t, noticed[r.number], "condition %d", r.number)
	}
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8}, numbers)
	assert.Len(t, noticed, len(rows))
}
