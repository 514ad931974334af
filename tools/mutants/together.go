package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Compiling a package's tests takes longer than running them. So all mutants of
// a package are compiled into one test binary: each changed function stands
// beside the original under a name of its own, and the environment says which
// of them is called.

const variable = "MUTANT"

// binary is a package's tests with all its mutants in them.
type binary struct {
	path  string
	dir   string        // where its tests run
	limit time.Duration // of the tests of one mutant
}

// together compiles the mutants of one package. It leaves out those that do not
// compile, and answers those that stand in no function, which are tried one by
// one.
func together(root, tmp string, t target, ms []mutant) (b *binary, in, broken, alone []mutant, err error) {
	files := map[string][]mutant{}
	for i := range ms {
		ms[i].number = i + 1
		if ms[i].Func == "-" {
			alone = append(alone, ms[i])
			continue
		}
		files[ms[i].File] = append(files[ms[i].File], ms[i])
	}
	out := filepath.Join(tmp, "together-"+strings.ReplaceAll(t.dir, "/", "_"))
	if err := os.Mkdir(out, 0o700); err != nil {
		return nil, nil, nil, nil, err
	}
	b = &binary{path: filepath.Join(out, "tests"), dir: filepath.Join(root, t.dir)}
	bad := map[int]bool{}
	for {
		overlay := map[string]string{}
		lines := map[string][]int{} // of each written file, whose line it is
		name := ""
		for file, of := range files {
			text, pkg, whose, err := written(filepath.Join(root, file), of, bad)
			if err != nil {
				return nil, nil, nil, nil, fmt.Errorf("%s: %w", file, err)
			}
			to := filepath.Join(out, filepath.Base(file))
			if err := os.WriteFile(to, text, 0o600); err != nil {
				return nil, nil, nil, nil, err
			}
			name, overlay[filepath.Join(root, file)], lines[filepath.Base(file)] = pkg, to, whose
		}
		if name == "" {
			return nil, nil, nil, alone, nil
		}
		which := filepath.Join(out, "which_mutant.go")
		text := "package " + name + "\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\nvar mutantNow, _ = strconv.Atoi(os.Getenv(\"" + variable + "\"))\n"
		if err := os.WriteFile(which, []byte(text), 0o600); err != nil {
			return nil, nil, nil, nil, err
		}
		overlay[filepath.Join(b.dir, "which_mutant.go")] = which
		raw, err := json.Marshal(map[string]map[string]string{"Replace": overlay})
		if err != nil {
			return nil, nil, nil, nil, err
		}
		list := filepath.Join(out, "overlay.json")
		if err := os.WriteFile(list, raw, 0o600); err != nil {
			return nil, nil, nil, nil, err
		}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-gcflags=-e", "-ldflags=-s -w", "-overlay="+list, "-o", b.path, "./"+t.dir)
		cmd.Dir = root
		said, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if !blame(said, lines, bad) {
			return nil, nil, nil, nil, fmt.Errorf("compile the mutants of %s: %w\n%s", t.dir, err, said)
		}
	}
	for _, of := range files {
		for _, m := range of {
			if bad[m.number] {
				broken = append(broken, m)
			} else {
				in = append(in, m)
			}
		}
	}
	return b, in, broken, alone, nil
}

var compileError = regexp.MustCompile(`(?m)([\w.-]+\.go):(\d+):\d+: `)

// blame marks the mutants whose lines the compiler complains about.
func blame(said []byte, lines map[string][]int, bad map[int]bool) (found bool) {
	for _, m := range compileError.FindAllSubmatch(said, -1) {
		line, _ := strconv.Atoi(string(m[2]))
		if whose := lines[string(m[1])]; line < len(whose) && whose[line] > 0 {
			found = found || !bad[whose[line]]
			bad[whose[line]] = true
		}
	}
	return found
}

// written is a file with its mutants beside the functions that they change, and
// of each of its lines the mutant whose it is.
func written(path string, of []mutant, bad map[int]bool) (text []byte, pkg string, whose []int, err error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, "", nil, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.ParseComments)
	if err != nil {
		return nil, "", nil, err
	}
	at := func(p token.Pos) int { return set.Position(p).Offset }
	variants := map[int][]mutant{} // by the declaration's place in the file
	for _, m := range of {
		i, err := declaration(m, set, file)
		if err != nil {
			return nil, "", nil, err
		}
		if !bad[m.number] {
			variants[i] = append(variants[i], m)
		}
	}
	var b bytes.Buffer
	done := 0
	var spans [][3]int // first line, last line, mutant
	for i, d := range file.Decls {
		ms := variants[i]
		if len(ms) == 0 {
			continue
		}
		fn := d.(*ast.FuncDecl)
		b.Write(source[done:at(fn.Pos())])
		b.WriteString(dispatcher(set, fn, ms))
		b.WriteString(renamed(source, at(fn.Pos()), at(fn.Name.Pos()), at(fn.End()), fn.Name.Name, 0))
		for _, m := range ms {
			from := bytes.Count(b.Bytes(), []byte("\n")) + 1
			text, err := variant(m, i)
			if err != nil {
				return nil, "", nil, err
			}
			b.WriteString(text)
			spans = append(spans, [3]int{from, bytes.Count(b.Bytes(), []byte("\n")) + 1, m.number})
		}
		done = at(fn.End())
	}
	b.Write(source[done:])
	whose = make([]int, bytes.Count(b.Bytes(), []byte("\n"))+2)
	for _, s := range spans {
		for l := s[0]; l < s[1]; l++ {
			whose[l] = s[2]
		}
	}
	return b.Bytes(), file.Name.Name, whose, nil
}

// declaration is the place among its file's declarations of the function that a
// mutant changes.
func declaration(m mutant, set *token.FileSet, file *ast.File) (int, error) {
	for i, d := range file.Decls {
		if set.Position(d.Pos()).Line <= m.line && m.line <= set.Position(d.End()).Line {
			if fn, is := d.(*ast.FuncDecl); is && fn.Type.TypeParams == nil {
				return i, nil
			}
		}
	}
	return 0, errors.New("not in a plain function: " + m.String())
}

func variant(m mutant, i int) (string, error) {
	source, err := os.ReadFile(m.path)
	if err != nil {
		return "", err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, m.path, source, parser.ParseComments)
	if err != nil {
		return "", err
	}
	fn := file.Decls[i].(*ast.FuncDecl)
	at := func(p token.Pos) int { return set.Position(p).Offset }
	return renamed(source, at(fn.Pos()), at(fn.Name.Pos()), at(fn.End()), fn.Name.Name, m.number), nil
}

func variantName(name string, number int) string { return name + "_mutant" + strconv.Itoa(number) }

func renamed(source []byte, from, at, to int, name string, number int) string {
	return "\n" + string(source[from:at]) + variantName(name, number) + string(source[at+len(name):to]) + "\n"
}

// dispatcher has the function's name and calls the mutant that is asked for, or
// the original.
func dispatcher(set *token.FileSet, fn *ast.FuncDecl, ms []mutant) string {
	var params, args []string
	for _, f := range fn.Type.Params.List {
		for range max(1, len(f.Names)) {
			arg := "mutantArg" + strconv.Itoa(len(args))
			params = append(params, arg+" "+shown(set, f.Type))
			if _, variadic := f.Type.(*ast.Ellipsis); variadic {
				arg += "..."
			}
			args = append(args, arg)
		}
	}
	var b strings.Builder
	b.WriteString("func ")
	call := ""
	if fn.Recv != nil {
		b.WriteString("(mutantRecv " + shown(set, fn.Recv.List[0].Type) + ") ")
		call = "mutantRecv."
	}
	var results []string
	if fn.Type.Results != nil {
		for _, f := range fn.Type.Results.List {
			for range max(1, len(f.Names)) {
				results = append(results, shown(set, f.Type))
			}
		}
	}
	b.WriteString(fn.Name.Name + "(" + strings.Join(params, ", ") + ") (" + strings.Join(results, ", ") + ") {\n\tswitch mutantNow {\n")
	write := func(number int) {
		do := call + variantName(fn.Name.Name, number) + "(" + strings.Join(args, ", ") + ")"
		if len(results) > 0 {
			b.WriteString("\t\treturn " + do + "\n")
		} else {
			b.WriteString("\t\t" + do + "\n\t\treturn\n")
		}
	}
	for _, m := range ms {
		b.WriteString("\tcase " + strconv.Itoa(m.number) + ":\n")
		write(m.number)
	}
	b.WriteString("\t}\n")
	write(0)
	b.WriteString("}\n")
	return b.String()
}

func shown(set *token.FileSet, x ast.Expr) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, set, x); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.String()
}
