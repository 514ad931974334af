package cli

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/pilotgate/pilotgate/internal/render"
)

//go:generate sh -c "cd ../.. && go run ./internal/cli/gendocs"

// Docs are the generated documents, by path from the repository's top.
func Docs() map[string]string {
	return map[string]string{
		"docs/checks.md": render.Speak("en").RuleDocs(),
		"docs/cli.md":    commandDocs(),
	}
}

// commandDocs is each command's own help, in the order of the table.
func commandDocs() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the command table by internal/cli/gendocs. Do not edit. -->\n\n# Command line\n\n" +
		"Exit codes everywhere: 0 nothing at error level; 1 findings at error level; 2 wrong usage, or it could not be carried out (one\n" +
		"line on stderr: what, where, what to do). Progress and colour are for terminals only; `NO_COLOR` is obeyed.\n\n" +
		"```\n" + help() + "```\n")
	for _, path := range leaves(reflect.TypeFor[commands](), nil) {
		b.WriteString("\n## `pilotgate " + strings.Join(path, " ") + "`\n\n```\n" + help(path...) + "```\n")
	}
	return b.String()
}

// leaves are the commands that can be run, as the words that name them.
func leaves(t reflect.Type, under []string) [][]string {
	var out [][]string
	for i := range t.NumField() {
		f := t.Field(i)
		if _, ok := f.Tag.Lookup("cmd"); !ok {
			continue
		}
		path := slices.Concat(under, []string{strings.ToLower(f.Name)})
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if deeper := leaves(inner, path); len(deeper) > 0 {
			out = append(out, deeper...)
			continue
		}
		out = append(out, path)
	}
	return out
}

// helpWidth is for documents; a terminal has its own. It is also what kong
// assumes where there is no terminal.
const helpWidth = 80

// help is what --help prints.
func help(path ...string) string {
	var b strings.Builder
	parser, err := newParser(kong.Writers(&b, &b), kong.Exit(func(int) {}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: helpWidth}))
	if err != nil {
		return err.Error()
	}
	// The help flag prints before what is missing is complained of.
	_, _ = parser.Parse(slices.Concat(path, []string{"--help"}))
	return b.String()
}
