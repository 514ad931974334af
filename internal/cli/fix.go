package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// maxPasses: a mend may make another one possible (a value, then its status).
const maxPasses = 4

// fix writes the verdict's exact replacements into the working tree, looks
// again, and prints one difference of all that was changed.
func (k *check) fix(c *call, p facts.PullRequest) (facts.PullRequest, error) {
	if k.Head != "" {
		return p, advise("leave --head away", "mend %s: only the working tree can be changed", k.Head)
	}
	tree, err := root(k.Repo)
	if err != nil {
		return p, err
	}
	defer tree.Close() // only a handle
	before, after := map[string][]byte{}, map[string][]byte{}
	mended := 0
	for range maxPasses {
		mends := exact(judge.PullRequest(&p))
		if len(mends) == 0 {
			break
		}
		for _, path := range paths(mends) {
			was, err := readPlain(tree, path)
			if err != nil {
				return p, fmt.Errorf("mend %s: %w", path, err)
			}
			is, n := finding.Mended(was, path, mends)
			if err := writePlain(tree, path, is); err != nil {
				return p, fmt.Errorf("mend %s: %w", path, err)
			}
			if _, ok := before[path]; !ok {
				before[path] = was
			}
			after[path] = is
			mended += n
		}
		if p, _, err = k.snapshot(c); err != nil {
			return p, err
		}
	}
	if k.Format == "text" {
		err = c.print(c.words().Mended(mended) + "\n" + difference(before, after) + "\n")
	} else { // stdout is a document
		_, err = io.WriteString(c.Stderr, difference(before, after))
	}
	return p, err
}

// exact are the replacements of errors and warnings.
func exact(v judge.Verdict) []finding.Mend {
	var out []finding.Mend
	for _, check := range v.Checks {
		for _, f := range check.Findings {
			if f.Mend != nil && f.Severity.Rank() >= finding.Warning.Rank() {
				out = append(out, *f.Mend)
			}
		}
	}
	return out
}

func paths(mends []finding.Mend) []string {
	var out []string
	for _, m := range mends {
		out = append(out, m.Path)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// readPlain and writePlain refuse links: what is changed is the file itself.
func readPlain(tree *os.Root, path string) ([]byte, error) {
	info, err := tree.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a plain file")
	}
	if info.Size() > facts.MaxBlob {
		return nil, fmt.Errorf("over %d bytes", facts.MaxBlob)
	}
	return tree.ReadFile(path)
}

func writePlain(tree *os.Root, path string, b []byte) error {
	info, err := tree.Lstat(path)
	if err != nil {
		return err
	}
	return tree.WriteFile(path, b, info.Mode().Perm())
}

// difference is a unified one, file by file.
func difference(before, after map[string][]byte) string {
	var b bytes.Buffer
	for _, path := range sorted(after) {
		b.Write(diff.Diff("a/"+path, before[path], "b/"+path, after[path]))
	}
	return b.String()
}
