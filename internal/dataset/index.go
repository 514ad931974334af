package dataset

// Index is what an evaluation dataset leaves behind so that a training dataset
// can be compared with it: hashes, no text.
type Index struct {
	ids, sources, summaries lineTable
}
