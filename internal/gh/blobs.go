package gh

import (
	"context"
	"fmt"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
)

const (
	// blobsAtOnce bounds one query. Documents are small; what GitHub cuts at
	// 512,000 bytes is read by itself.
	blobsAtOnce = 25
	// blobsWorthwhile is from how many on one query is less than one read each.
	blobsWorthwhile = 2
)

// prefetch reads the blobs among the needs into the cache, many in a query.
// What does not arrive whole (cut, not UTF-8, not there) stays out of it and is
// read by itself: only a blob whose git id comes out right is kept.
func (f *filling) prefetch(ctx context.Context, needs []facts.Need) error {
	var ids []string
	for _, n := range needs {
		if n.Kind != facts.NeedBlob || !isOID(n.OID) {
			continue
		}
		if _, ok := f.client.blobs.get(object{f.to.Repository.ID, n.OID}); !ok {
			ids = append(ids, n.OID)
		}
	}
	if len(ids) < blobsWorthwhile {
		return nil
	}
	for len(ids) > 0 {
		n := min(len(ids), blobsAtOnce)
		if err := f.blobs(ctx, ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func (f *filling) blobs(ctx context.Context, ids []string) error {
	var declared, fields strings.Builder
	vars := map[string]any{"owner": f.to.Repository.Owner, "name": f.to.Repository.Name}
	for i, id := range ids {
		vars[fmt.Sprintf("o%d", i)] = id
		fmt.Fprintf(&declared, ", $o%d: GitObjectID!", i)
		fmt.Fprintf(&fields, "    b%d: object(oid: $o%d) { __typename ... on Blob { isBinary isTruncated text } }\n", i, i)
	}
	text := "query Blobs($owner: String!, $name: String!" + declared.String() + ") {\n" +
		"  repository(owner: $owner, name: $name) {\n" + fields.String() + "  }\n}"
	var answer struct {
		Repository map[string]*struct{ Text *string }
	}
	// An error of one field leaves that blob for its own read; so does any other
	// that is not about the whole.
	if _, err := f.call("graphql blobs").exchange(ctx, text, vars, &answer); err != nil {
		if isAbsent(err) || isRefused(err) {
			return nil
		}
		return fmt.Errorf("read documents: %w", err)
	}
	for i, id := range ids {
		got := answer.Repository[fmt.Sprintf("b%d", i)]
		if got == nil || got.Text == nil || len(*got.Text) > facts.MaxBlob || blobID([]byte(*got.Text), len(id)) != id {
			continue
		}
		f.client.blobs.put(object{f.to.Repository.ID, id}, facts.Blob{Bytes: []byte(*got.Text)}, int64(len(*got.Text))+256)
	}
	return nil
}
