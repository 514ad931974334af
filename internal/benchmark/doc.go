// Package benchmark holds what Stage 05 measures and how it is judged: metric
// names, acceptance bands, the dry run recomputed from a dataset's scores, the
// runner's result file, and the statistics that compare a candidate with its
// baseline.
//
// Bands are compared as decimals, never as binary floats, and on unrounded
// values. The package runs nothing, reads no files and knows no clock; a run
// without evidence never passes here, whatever the runner printed.
package benchmark
