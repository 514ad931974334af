package scan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/scan"
)

var (
	ctx    = context.Background()
	pull   = facts.Subject{Installation: 1, Repository: 10, Kind: facts.KindPullRequest, ID: "1"}
	second = facts.Subject{Installation: 1, Repository: 10, Kind: facts.KindPullRequest, ID: "2"}
	other  = facts.Subject{Installation: 1, Repository: 11, Kind: facts.KindPullRequest, ID: "1"}
)

func record(n int) string {
	return fmt.Sprintf(`{"sample_id": "s-%d", "source_text": "Городской совет утвердил бюджет номер %d.", "summary_markdown": "Итог %d."}`+"\n", n, n, n)
}

// shelf is a place that counts how often it was opened.
type shelf struct {
	files  map[string]string // by blob id
	opened atomic.Int32
	mu     sync.Mutex
	order  []string
	before func() // waits before the bytes come
}

func (s *shelf) open(ctx context.Context, r facts.ScanRequest) (io.ReadCloser, int64, error) {
	s.opened.Add(1)
	s.mu.Lock()
	s.order = append(s.order, r.OID)
	s.mu.Unlock()
	if s.before != nil {
		s.before()
	}
	text, ok := s.files[r.OID]
	if !ok {
		return nil, 0, bytestore.ErrAbsent
	}
	return io.NopCloser(strings.NewReader(text)), int64(len(text)), nil
}

func request(oid string) facts.ScanRequest {
	return facts.ScanRequest{Path: "data/" + oid + ".jsonl", OID: oid, Locale: "ru"}
}

func TestScanOnce(t *testing.T) {
	s := &shelf{files: map[string]string{"a": record(1) + record(2)}}
	p := scan.New(scan.Options{})
	defer p.Close()
	first, err := p.Scan(ctx, pull, request("a"), s.open)
	require.NoError(t, err)
	require.NotNil(t, first.Facts)
	assert.Equal(t, 2, first.Facts.Records)
	again, err := p.Scan(ctx, second, request("a"), s.open)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.EqualValues(t, 1, s.opened.Load(), "the result was kept")

	_, err = p.Scan(ctx, other, request("a"), s.open)
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.opened.Load(), "another repository opens for itself")
}

func TestPendingThenDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &shelf{files: map[string]string{"a": record(1)}, before: func() { <-release }}
		told := make(chan facts.Subject, 10)
		p := scan.New(scan.Options{Wait: 2 * time.Second, Done: func(s facts.Subject) { told <- s }})
		defer p.Close()
		req := request("a")
		req.Size = 77
		start := time.Now()
		got, err := p.Scan(ctx, pull, req, s.open)
		require.NoError(t, err)
		assert.Equal(t, facts.Scan{Pending: true, Total: 77}, got)
		assert.Equal(t, 2*time.Second, time.Since(start))
		got, err = p.Scan(ctx, second, req, s.open)
		require.NoError(t, err)
		assert.True(t, got.Pending)

		close(release)
		synctest.Wait()
		assert.ElementsMatch(t, []facts.Subject{pull, second}, []facts.Subject{<-told, <-told})
		assert.EqualValues(t, 1, s.opened.Load(), "one flight for both")
		got, err = p.Scan(ctx, pull, req, s.open)
		require.NoError(t, err)
		assert.NotNil(t, got.Facts)
	})
}

func TestEvaluationGoesFirst(t *testing.T) {
	shared := record(1)
	s := &shelf{files: map[string]string{"train": shared + record(2), "eval": shared}}
	p := scan.New(scan.Options{Workers: 1})
	defer p.Close()
	both := request("train")
	eval := request("eval")
	both.Evaluation = &eval
	_, err := p.Scan(ctx, pull, both, s.open)
	require.NoError(t, err)
	assert.Equal(t, []string{"eval", "train"}, s.order)
	before := s.opened.Load()
	_, err = p.Scan(ctx, pull, eval, s.open)
	require.NoError(t, err)
	assert.Equal(t, before, s.opened.Load(), "the evaluation dataset was scanned once for both")
}

func TestAnswersForGood(t *testing.T) {
	sha := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		err  error
		want facts.Scan
	}{
		"absent":    {bytestore.ErrAbsent, facts.Scan{Absent: true}},
		"too large": {bytestore.ErrTooLarge, facts.Scan{TooLarge: true}},
		"no store":  {bytestore.ErrNoStore, facts.Scan{Refused: "no store"}},
		"pointer":   {&bytestore.Pointer{OID: sha, Size: 5}, facts.Scan{Pointer: sha}},
	} {
		t.Run(name, func(t *testing.T) {
			p := scan.New(scan.Options{})
			defer p.Close()
			got, err := p.Scan(ctx, pull, request("a"), func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
				return nil, 0, fmt.Errorf("open: %w", c.err)
			})
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	down := errors.New("line is down")
	s := &shelf{files: map[string]string{"a": record(1)}}
	fail := true
	open := func(ctx context.Context, r facts.ScanRequest) (io.ReadCloser, int64, error) {
		if fail {
			return nil, 0, down
		}
		return s.open(ctx, r)
	}
	p := scan.New(scan.Options{})
	defer p.Close()
	_, err := p.Scan(ctx, pull, request("a"), open)
	require.ErrorIs(t, err, down)
	fail = false
	got, err := p.Scan(ctx, pull, request("a"), open)
	require.NoError(t, err)
	assert.NotNil(t, got.Facts)
}

// A scan that fails after its look went on is told to the next look, or it
// would start over for ever without anybody counting.
func TestLateErrorReachesTheNextLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("line is down")
		p := scan.New(scan.Options{Wait: time.Second})
		defer p.Close()
		open := func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
			time.Sleep(time.Minute)
			return nil, 0, down
		}
		got, err := p.Scan(ctx, pull, request("a"), open)
		require.NoError(t, err)
		require.True(t, got.Pending)
		time.Sleep(2 * time.Minute)
		_, err = p.Scan(ctx, pull, request("a"), open)
		assert.ErrorIs(t, err, down)
	})
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("secret value of a record") }

func TestPanicSaysNothingOfTheData(t *testing.T) {
	for name, open := range map[string]bytestore.Opener{
		"of the place": func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
			panic("secret value of a record")
		},
		"while it is read": func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
			return io.NopCloser(panicking{}), 1, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := scan.New(scan.Options{})
			defer p.Close()
			_, err := p.Scan(ctx, pull, request("a"), open)
			var panicked *scan.PanicError
			require.ErrorAs(t, err, &panicked)
			assert.Contains(t, err.Error(), "could not evaluate")
			assert.NotContains(t, err.Error()+string(panicked.Stack), "secret value")
		})
	}
}

func TestCutAnswerIsAnError(t *testing.T) {
	p := scan.New(scan.Options{})
	defer p.Close()
	_, err := p.Scan(ctx, pull, request("a"), func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
		return io.NopCloser(strings.NewReader(record(1))), 1000, nil
	})
	assert.ErrorContains(t, err, "of 1000")
}

func TestWorkersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		s := &shelf{files: map[string]string{}, before: func() {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
		}}
		p := scan.New(scan.Options{Workers: 3, Wait: time.Millisecond})
		for i := range 12 {
			s.files[fmt.Sprint(i)] = record(i)
		}
		for i := range 12 {
			oid := fmt.Sprint(i)
			_, err := p.Scan(ctx, pull, request(oid), s.open)
			require.NoError(t, err)
		}
		time.Sleep(time.Hour)
		assert.EqualValues(t, 3, most.Load())
		p.Close()
	})
}

func TestCloseAwaitsScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		p := scan.New(scan.Options{Wait: time.Millisecond, Done: func(facts.Subject) { told++ }})
		got, err := p.Scan(ctx, pull, request("a"), func(ctx context.Context, _ facts.ScanRequest) (io.ReadCloser, int64, error) {
			<-ctx.Done()
			return nil, 0, ctx.Err()
		})
		require.NoError(t, err)
		require.True(t, got.Pending)
		p.Close() // synctest fails the test if a goroutine stays
		assert.Zero(t, told)
		_, err = p.Scan(ctx, pull, request("b"), nil)
		assert.ErrorIs(t, err, scan.ErrClosed)
	})
}

func TestResultsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{files: map[string]string{"a": record(1)}}
	first := scan.New(scan.Options{Dir: dir})
	want, err := first.Scan(ctx, pull, request("a"), s.open)
	require.NoError(t, err)
	first.Close()

	next := scan.New(scan.Options{Dir: dir})
	got, err := next.Scan(ctx, pull, request("a"), s.open)
	require.NoError(t, err)
	next.Close()
	assert.Equal(t, want.Facts.SHA256, got.Facts.SHA256)
	assert.Equal(t, want.Facts.Counts, got.Facts.Counts)
	assert.EqualValues(t, 1, s.opened.Load())

	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	raw, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], bytes.TrimSuffix(raw, []byte("}")), 0o600))
	broken := scan.New(scan.Options{Dir: dir})
	defer broken.Close()
	_, err = broken.Scan(ctx, pull, request("a"), s.open)
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.opened.Load(), "a broken file is no result")
}

func TestWhatIsNotNamedByContentIsNotKept(t *testing.T) {
	s := &shelf{files: map[string]string{"": record(1)}}
	p := scan.New(scan.Options{Dir: t.TempDir()})
	defer p.Close()
	req := facts.ScanRequest{Path: "x", URI: "s3://bucket/key"}
	for range 2 {
		_, err := p.Scan(ctx, pull, req, s.open)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 2, s.opened.Load())
}

func TestSchemaThatIsNone(t *testing.T) {
	s := &shelf{files: map[string]string{"a": record(1), "schema": "{not json"}}
	p := scan.New(scan.Options{})
	defer p.Close()
	for _, oid := range []string{"schema", "nowhere"} {
		req := request("a")
		req.SchemaOID = oid
		got, err := p.Scan(ctx, pull, req, s.open)
		require.NoError(t, err)
		assert.Equal(t, facts.Scan{Refused: "schema"}, got, oid)
	}
}
