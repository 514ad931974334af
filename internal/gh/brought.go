package gh

import (
	"context"
	"net/http"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue"
)

// brought is the merged request that brought a path of the default branch to
// what it is now; 0 where none did, or where there is no such path.
func (f *filling) brought(ctx context.Context, path string) (int, error) {
	r := f.to.Repository
	var answer struct{ Repository *wirePilot }
	if err := f.client.query(ctx, f.inst, "brought", map[string]any{"owner": r.Owner, "name": r.Name, "path": path}, &answer); err != nil {
		return 0, err
	}
	switch a := answer.Repository; {
	case a == nil || a.DatabaseID != r.ID:
		return 0, &absent{what: "repository", status: http.StatusNotFound}
	case a.facts().DefaultOID != r.DefaultOID: // the answer is of another tip than what is judged
		return 0, queue.Transient(&Moved{r.DefaultOID, a.facts().DefaultOID}, time.Second)
	default:
		number, _ := a.brought()
		return number, nil
	}
}
