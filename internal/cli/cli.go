// Package cli is the command line: one file a command, over the same core that
// the server judges with.
//
// A command reads files and a checkout, calls the core and prints what render
// made of it. It must not judge by itself, must not write anywhere but where it
// is told to, and asks GitHub nothing.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/pilotgate/pilotgate/internal/render"
	"github.com/pilotgate/pilotgate/internal/sentence"
)

// Exit codes, the same for every command.
const (
	exitOK       = 0
	exitFindings = 1 // something at error level
	exitUsage    = 2 // wrong usage, or it could not be carried out
)

// Streams is what a command talks through.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// A person looks at them:
	StdoutTerminal, StderrTerminal bool

	Plain bool // no colour, whatever looks at it: no-color.org
	Now   func() time.Time
}

// call is one invocation: the context ends with the first interrupt.
type call struct {
	context.Context
	Streams
}

func (c *call) paint() render.Paint { return render.Paint{Colour: c.StdoutTerminal && !c.Plain} }

func (c *call) print(text string) error {
	_, err := io.WriteString(c.Stdout, text)
	return err
}

// words are the sentences of the terminal; the policy's language is for GitHub.
func (c *call) words() *render.Words { return render.Speak("en") }

// errFindings ends a command that did its work and found something at error
// level; everything is printed already.
var errFindings = errors.New("findings at error level")

// mendable is an error with what to do about it, which the one line on stderr
// ends with.
type mendable struct {
	err  error
	mend string
}

func (m *mendable) Error() string { return m.err.Error() + "; " + m.mend }

func (m *mendable) Unwrap() error { return m.err }

func advise(mend string, format string, args ...any) error {
	return &mendable{fmt.Errorf(format, args...), mend}
}

// Main runs the process's own command line.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, os.Args[1:], Streams{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdoutTerminal: isatty.IsTerminal(os.Stdout.Fd()), StderrTerminal: isatty.IsTerminal(os.Stderr.Fd()),
		Plain: os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb",
		Now:   time.Now,
	})
	stop()
	os.Exit(code)
}

// Run is one command line; its answer is the exit code.
func Run(ctx context.Context, args []string, s Streams) int {
	asked := -1 // --help and the like end the program for kong
	parser, err := newParser(kong.Writers(s.Stdout, s.Stderr), kong.Exit(func(code int) { asked = code }))
	if err != nil { // a mistake in the command table: its test refuses it
		return fail(s, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if asked >= 0 {
		return asked
	}
	if err != nil {
		return fail(s, &mendable{err, "see `" + strings.TrimSpace("pilotgate "+known(args)) + " --help`"})
	}
	switch err := parsed.Run(&call{ctx, s}); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	default:
		return fail(s, err)
	}
}

// fail prints the one line that exit code 2 comes with. Names of files in it may be
// those of somebody's pull request.
func fail(s Streams, err error) int {
	line := strings.Join(strings.Fields(sentence.Visible(err.Error())), " ")
	_, _ = fmt.Fprintln(s.Stderr, "pilotgate: "+line) // there is nowhere left to tell
	return exitUsage
}

// known is the command that a faulty command line began with, for the hint.
func known(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return ""
	}
	for _, name := range commandNames() {
		if name == args[0] {
			return name
		}
	}
	return ""
}
