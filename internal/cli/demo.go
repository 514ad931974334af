package cli

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/internal/demo"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/localgit"
)

type story struct {
	Port int    `default:"0" help:"Port of the page on 127.0.0.1; 0 chooses one."`
	Exit bool   `help:"Stop after the story instead of serving its page."`
	Repo string `placeholder:"DIR" help:"Play it on a copy, in memory, of this checkout."`
	Logs bool   `help:"Show the server's own log on stderr."`
}

// Run plays the story; the exit code is 0 only if every step ended as told.
func (s story) Run(c *call) error {
	o := demo.Options{Log: zerolog.Nop()}
	if s.Logs {
		o.Log = zerolog.New(zerolog.ConsoleWriter{Out: c.Stderr, NoColor: c.Plain || !c.StderrTerminal, TimeFormat: time.TimeOnly})
	}
	if s.Repo != "" {
		var err error
		if o.Base, err = inMemory(c, s.Repo); err != nil {
			return err
		}
	}
	ctx := c.Context
	w, err := demo.New(ctx, o)
	if err != nil {
		return fmt.Errorf("start the demo: %w", err)
	}
	fmt.Fprintln(c.Stdout, "A pilot on a GitHub that lives in this process: the real server and checks, made-up people.")
	teller := &demo.Teller{Out: c.Stdout, Color: c.StdoutTerminal && !c.Plain}
	if err := demo.Play(ctx, w, teller.Scene); err != nil {
		return errors.Join(err, w.Close())
	}
	aside := &demo.Teller{Out: c.Stdout, Color: teller.Color}
	if err := demo.PlayAsides(ctx, o, aside.Scene); err != nil {
		return errors.Join(err, w.Close())
	}
	fmt.Fprintln(c.Stdout, "\nEvery step ended as told.")
	if s.Exit {
		return w.Close()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)))
	if err != nil {
		return errors.Join(advise("choose another --port", "serve the page: %w", err), w.Close())
	}
	fmt.Fprintf(c.Stdout, "See it as GitHub shows it: http://%s/ (Ctrl-C ends it)\n", listener.Addr())
	page := &http.Server{Handler: w.Page(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = page.Close()
	}()
	if err := page.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("serve the page: %w", err), w.Close())
	}
	return w.Close()
}

// Caps of a checkout that is played on.
const (
	maxPlayedFiles = 20_000
	maxPlayedBytes = 512 << 20
)

// inMemory reads the committed files of a checkout. Links, submodules and
// files over 1 MiB are left out: the story needs none of them.
func inMemory(c *call, dir string) (map[string]fakegithub.File, error) {
	ctx := c.Context
	repo, err := localgit.Open(ctx, dir, nil)
	if err != nil {
		return nil, advise("name a git checkout with --repo", "read %s: %w", dir, err)
	}
	defer repo.Close()
	tree, err := repo.Files(ctx, "HEAD")
	if err != nil {
		return nil, advise("commit something first", "read %s: %w", dir, err)
	}
	out := map[string]fakegithub.File{}
	total := int64(0)
	for path, e := range tree.Entries {
		if !e.Regular() || e.Size > facts.MaxBlob {
			continue
		}
		if total += e.Size; len(out) == maxPlayedFiles || total > maxPlayedBytes {
			return nil, advise("play it without --repo", "%s has more than %d files or %d MB", dir, maxPlayedFiles, maxPlayedBytes>>20)
		}
		blob, err := repo.Blob(ctx, e.OID)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		out[path] = fakegithub.File{Mode: e.Mode, Data: blob.Bytes}
	}
	return out, nil
}
