// Package docs is what people read about Pilotgate. It holds no code: its tests
// run the examples, so that the documents cannot say what the program does not.
package docs
