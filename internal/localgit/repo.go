// Package localgit reads a checkout into the same snapshot that a pull request
// gives, so that the command line judges what GitHub would.
//
// It asks the git program and lets it run nothing: no hook, no filter, no
// fsmonitor, no textconv, no external diff, no fetch, whatever the checkout's
// own configuration says. The working tree (tracked and untracked, not ignored)
// becomes a commit in a private object directory with a private index; the
// repository is never written to.
//
// The package must not judge, must not reach the network, and must not pretend
// to know what only GitHub does: people, teams and reviews are absent.
package localgit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Scanner scans datasets; package scan has it.
type Scanner interface {
	Scan(ctx context.Context, waiting facts.Subject, req facts.ScanRequest, open bytestore.Opener) (facts.Scan, error)
}

// Repo is an opened checkout or bare repository. Close removes its private
// directory.
type Repo struct {
	dir     string // where git is run: the top of the working tree, or the git directory
	bare    bool
	shallow bool
	index   string // the user's index
	common  string // the git directory that all working trees of the repository share
	scratch string // private: index, objects
	env     []string
	flags   []string
	scanner Scanner
	notes   []string

	mu    sync.Mutex
	batch *batch // git cat-file --batch
}

// ShallowError says that a shallow clone does not hold the history that an
// answer needs.
type ShallowError struct{ What string }

func (e *ShallowError) Error() string {
	return "this clone is shallow and does not hold " + e.What + ": run `git fetch --unshallow`"
}

// ChangedError says that files were written while git read them, so that there
// is no one state of the working tree to judge.
type ChangedError struct{ Paths []string } // none: git did not tell which

func (e *ChangedError) Error() string {
	const most = 3
	switch n := len(e.Paths); {
	case n == 0:
		return "a file of the working tree changed while it was read"
	case n == 1:
		return e.Paths[0] + " changed while it was read"
	case n <= most:
		return strings.Join(e.Paths, ", ") + " changed while they were read"
	default:
		return fmt.Sprintf("%s and %d more changed while they were read", strings.Join(e.Paths[:most], ", "), n-most)
	}
}

// Open finds the repository that dir is in. scanner may be nil if no dataset is
// going to be asked for.
func Open(ctx context.Context, dir string, scanner Scanner) (*Repo, error) {
	r := &Repo{dir: dir, env: quiet(os.Environ()), flags: inert, scanner: scanner}
	out, err := r.git(ctx, nil, "rev-parse", "--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir", "--git-path", "objects", "--git-path", "index")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 5 {
		return nil, fmt.Errorf("open %s: git rev-parse gave %d lines, not 5", dir, len(lines))
	}
	r.bare, r.shallow = lines[0] == "true", lines[1] == "true"
	objects, err := absolute(dir, lines[3])
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	r.common = filepath.Dir(objects)
	if r.index, err = absolute(dir, lines[4]); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if r.bare {
		r.dir = lines[2]
	} else {
		top, err := r.git(ctx, nil, "rev-parse", "--show-toplevel")
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", dir, err)
		}
		r.dir = strings.TrimSuffix(string(top), "\n")
	}
	if err := r.muteFilters(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if r.scratch, err = os.MkdirTemp("", "pilotgate-git-"); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	private := filepath.Join(r.scratch, "objects")
	if err := os.Mkdir(private, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), r.Close())
	}
	r.env = append(r.env,
		"GIT_INDEX_FILE="+filepath.Join(r.scratch, "index"),
		"GIT_OBJECT_DIRECTORY="+private,
		"GIT_ALTERNATE_OBJECT_DIRECTORIES="+quoteAlternate(objects))
	return r, nil
}

// Close ends git and removes the private directory.
func (r *Repo) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.batch != nil {
		r.batch.close()
		r.batch = nil
	}
	if r.scratch == "" {
		return nil
	}
	return os.RemoveAll(r.scratch)
}

// Notes say, in short English sentences, what was chosen and what is missing.
func (r *Repo) Notes() []string { return r.notes }

func (r *Repo) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func absolute(dir, path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	return filepath.Abs(filepath.Join(dir, path))
}

// quoteAlternate writes a path as the variable wants it: quoted where it holds
// the list's separator or begins with a quote (gitenvironment(7)).
func quoteAlternate(path string) string {
	if !strings.Contains(path, string(os.PathListSeparator)) && !strings.HasPrefix(path, `"`) {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// inert are the settings under which git runs nothing that the checkout names.
var inert = []string{
	"--no-optional-locks", "--no-replace-objects", "--literal-pathspecs", "--no-pager",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.sshCommand=false", "-c", "credential.helper=", "-c", "protocol.allow=never",
	"-c", "core.attributesFile=" + os.DevNull,
	"-c", "core.untrackedCache=false", "-c", "core.splitIndex=false",
	"-c", "core.compression=0", "-c", "core.fsync=none", // private objects live for seconds
	"-c", "core.safecrlf=false", "-c", "core.quotePath=false",
	"-c", "log.showSignature=false", "-c", "log.mailmap=false", "-c", "commit.gpgSign=false",
	"-c", "diff.ignoreSubmodules=all", "-c", "submodule.recurse=false",
	"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.addEmbeddedRepo=false",
}

// quiet is the environment without what would redirect git, and with what keeps
// it from the network, the terminal and the machine's configuration.
func quiet(environ []string) []string {
	var out []string
	for _, e := range environ {
		if !strings.HasPrefix(e, "GIT_") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			out = append(out, e)
		}
	}
	return append(out, "GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=none",
		"GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "GIT_ASKPASS=false", "SSH_ASKPASS=false", "LC_ALL=C")
}

// muteFilters turns every filter driver off that the configuration knows, so
// that hashing a file runs nothing.
func (r *Repo) muteFilters(ctx context.Context) error {
	out, err := r.git(ctx, nil, "config", "--null", "--name-only", "--get-regexp", `^filter\..*\.(clean|smudge|process|required)$`)
	if code := exitCode(err); err != nil && code != 1 { // 1: none
		return err
	}
	seen := map[string]bool{}
	flags := r.flags[:len(r.flags):len(r.flags)]
	for key := range strings.SplitSeq(string(out), "\x00") {
		last := strings.LastIndexByte(key, '.')
		if last < 0 || seen[key[:last]] {
			continue
		}
		driver := key[:last]
		seen[driver] = true
		if strings.ContainsAny(driver, "=\n") { // cannot be named by -c
			return fmt.Errorf("filter driver %q cannot be switched off", driver)
		}
		for _, k := range []string{".clean=", ".smudge=", ".process=", ".required=false"} {
			flags = append(flags, "-c", driver+k)
		}
	}
	r.flags = flags
	return nil
}

// maxOutput caps what one git command may say, in bytes.
const maxOutput = 512 << 20

// git runs one command to its end.
func (r *Repo) git(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	return r.gitAs(ctx, nil, stdin, args...)
}

// gitAs runs one command with more in its environment.
func (r *Repo) gitAs(ctx context.Context, env []string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := r.command(ctx, args...)
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], env...)
	cmd.Stdin = stdin
	var out capped
	var errs tail
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return out.Bytes(), &gitError{args[0], errs.line(), err}
	}
	return out.Bytes(), nil
}

func (r *Repo) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append(append(r.flags[:len(r.flags):len(r.flags)], "-C", r.dir), args...)...) //nolint:gosec // git, with flags of ours first
	cmd.Env = r.env
	return cmd
}

// gitError is git's own last words.
type gitError struct {
	command, says string
	err           error
}

func (e *gitError) Error() string {
	if errors.Is(e.err, exec.ErrNotFound) {
		return "git is not installed, or not on PATH"
	}
	if e.says == "" {
		return "git " + e.command + ": " + e.err.Error()
	}
	return "git " + e.command + ": " + e.says
}

func (e *gitError) Unwrap() error { return e.err }

// exitCode is git's, -1 if it did not end by itself, 0 for no error.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// capped refuses more than maxOutput bytes.
type capped struct{ bytes.Buffer }

func (c *capped) Write(b []byte) (int, error) {
	if c.Len()+len(b) > maxOutput {
		return 0, fmt.Errorf("git says more than %d bytes", maxOutput)
	}
	return c.Buffer.Write(b)
}

// tail keeps the first 4 KiB of git's complaints.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b[:min(len(b), 4096-len(t.text))]...)
	return len(b), nil
}

// line is the complaint that matters: the first fatal one, else the first.
func (t *tail) line() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	for _, l := range lines {
		if s, ok := strings.CutPrefix(l, "fatal: "); ok {
			return s
		}
	}
	return lines[0]
}
