package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

func TestSnapshotCap(t *testing.T) {
	const text = `{"schema": 1, "pull_request": {"number": 7}}`
	p, ok := readSnapshot(strings.NewReader(text), int64(len(text)))
	require.True(t, ok)
	assert.Equal(t, 7, p.Number)
	_, ok = readSnapshot(strings.NewReader(text), int64(len(text))-1)
	assert.False(t, ok, "one byte over the cap")
	_, ok = readSnapshot(strings.NewReader(text+" {}"), 1<<20)
	assert.False(t, ok, "something behind it")
	_, ok = readSnapshot(strings.NewReader(`{"schema": 2}`), 1<<20)
	assert.False(t, ok, "another form")
}

func TestScriptOutputCap(t *testing.T) {
	var c capped
	_, err := c.Write(make([]byte, benchmark.MaxResultBytes))
	require.NoError(t, err)
	_, err = c.Write([]byte{'x'})
	assert.Error(t, err)
}

func FuzzReadSnapshot(f *testing.F) {
	f.Add(`{"schema": 1, "pull_request": {"number": 7}}`)
	f.Add(`[1]`)
	f.Add(`{"schema": 1, "pull_request": {"git": {"trees": {"a": {"truncated": true}}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := readSnapshot(strings.NewReader(text), 100); ok && len(strings.TrimRight(text, " \t\r\n")) > 100 {
			t.Fatalf("%d bytes were read", len(text))
		}
	})
}
