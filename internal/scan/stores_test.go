package scan_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/scan"
)

// store is a bucket with one object, and counts what was read of it.
type store struct {
	text    string
	version string
	opened  atomic.Int32
	read    atomic.Int64
	before  func()
}

type object struct {
	io.Reader
	*store
}

func (o object) Read(b []byte) (int, error) {
	n, err := o.Reader.Read(b)
	o.read.Add(int64(n))
	return n, err
}
func (object) Close() error      { return nil }
func (o object) Version() string { return o.version }

func (s *store) open(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
	s.opened.Add(1)
	if s.before != nil {
		s.before()
	}
	return object{strings.NewReader(s.text), s}, int64(len(s.text)), nil
}

var there = facts.ScanRequest{Path: "s3://acme/a.jsonl", URI: "s3://acme/a.jsonl", Locale: "ru"}

func TestAVersionIsScannedOnce(t *testing.T) {
	s := &store{text: record(1), version: "v1"}
	p := scan.New(scan.Options{})
	defer p.Close()
	first, err := p.Scan(ctx, pull, there, s.open)
	require.NoError(t, err)
	require.NotNil(t, first.Facts)
	assert.Equal(t, "v1", first.Version)
	again, err := p.Scan(ctx, second, there, s.open)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.EqualValues(t, 2, s.opened.Load(), "the store is asked what the address stands for")
	assert.EqualValues(t, len(s.text), s.read.Load(), "and read once")

	s.text, s.version = record(1)+record(2), "v2"
	third, err := p.Scan(ctx, pull, there, s.open)
	require.NoError(t, err)
	assert.Equal(t, 2, third.Facts.Records, "replaced at the same address")
}

func TestWithoutVersionsEachLookScans(t *testing.T) {
	s := &store{text: record(1)}
	p := scan.New(scan.Options{})
	defer p.Close()
	_, err := p.Scan(ctx, pull, there, s.open)
	require.NoError(t, err)
	s.text = record(3) + record(4)
	got, err := p.Scan(ctx, pull, there, s.open)
	require.NoError(t, err)
	assert.Equal(t, 2, got.Facts.Records)
}

func TestALookThatWaitedGetsTheResultThatItWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: record(1), before: func() { time.Sleep(10 * time.Second) }}
		p := scan.New(scan.Options{Wait: 2 * time.Second})
		defer p.Close()
		for _, subject := range []facts.Subject{pull, second} {
			got, err := p.Scan(ctx, subject, there, s.open)
			require.NoError(t, err)
			require.True(t, got.Pending)
		}
		time.Sleep(time.Minute)
		for _, subject := range []facts.Subject{second, pull} {
			got, err := p.Scan(ctx, subject, there, s.open)
			require.NoError(t, err)
			require.NotNil(t, got.Facts)
		}
		assert.EqualValues(t, 1, s.opened.Load())
		got, err := p.Scan(ctx, pull, there, s.open)
		require.NoError(t, err)
		assert.True(t, got.Pending, "the next look reads for itself")
	})
}

func TestTrainingIsComparedWithTheVersionOfItsEvaluation(t *testing.T) {
	eval := there
	both := request("train")
	both.Evaluation = &eval
	training := &shelf{files: map[string]string{"train": record(1) + record(2)}}
	s := &store{text: record(7), version: "v1"}
	open := func(ctx context.Context, r facts.ScanRequest) (io.ReadCloser, int64, error) {
		if r.URI != "" {
			return s.open(ctx, r)
		}
		return training.open(ctx, r)
	}
	shared := func(p *scan.Pool) bool {
		got, err := p.Scan(ctx, pull, both, open)
		require.NoError(t, err)
		for _, c := range got.Facts.Counts {
			if c.Rule == "DS040" {
				return true
			}
		}
		return false
	}
	p := scan.New(scan.Options{})
	defer p.Close()
	assert.False(t, shared(p))
	_, err := p.Scan(ctx, pull, eval, open)
	require.NoError(t, err)
	assert.EqualValues(t, len(s.text), s.read.Load(), "one reading for both")
	s.text, s.version = record(1), "v2"
	assert.True(t, shared(p), "the kept result was of another evaluation dataset")
}

func TestWhatAStoreSaysForGood(t *testing.T) {
	for answer, reason := range map[error]string{
		bytestore.ErrNoStore: facts.RefusedNoStore, bytestore.ErrRefused: facts.RefusedByStore, bytestore.ErrAddress: facts.RefusedAddress,
		bytestore.ErrDiffers: facts.RefusedDiffers, bytestore.ErrChanged: facts.RefusedChanged,
	} {
		t.Run(reason, func(t *testing.T) {
			p := scan.New(scan.Options{})
			defer p.Close()
			said := fmt.Errorf("object store: %w", answer)
			got, err := p.Scan(ctx, pull, there, func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) { return nil, 0, said })
			require.NoError(t, err)
			assert.Equal(t, facts.Scan{Refused: reason}, got, "on opening")
			got, err = p.Scan(ctx, pull, there, func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader(record(1)), iotest.ErrReader(said))), -1, nil
			})
			require.NoError(t, err)
			assert.Equal(t, facts.Scan{Refused: reason}, got, "while it is read")
		})
	}
}
