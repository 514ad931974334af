package demo

import (
	"context"
	"os"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func TestTheStoryEndsAsTold(t *testing.T) {
	ctx := context.Background()
	log := zerolog.Nop()
	if testing.Verbose() {
		log = zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true})
	}
	w, err := New(ctx, Options{Log: log})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	require.NoError(t, Play(ctx, w, func(n int, title string, s Scene) { t.Log(n, title) }))
}
