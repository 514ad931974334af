package threats

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli"
	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// TestCheckAndCommandFindTheSame: the check at GitHub and the command line give
// the same findings for the same bytes: rule, line, bytes, severity.
func TestCheckAndCommandFindTheSame(t *testing.T) {
	on(t, "in records with defects of many kinds", func(t *testing.T, s *stage) {
		lines := strings.Split(strings.TrimSuffix(string(files(s.Story.Pilot())[sample.Dataset].Data), "\n"), "\n")
		for i, text := range []string{"Тел. +7 903 555-01-42", "почта (\\u0430) ivan@zavod.ru", "карта 4111 1111 1111 1111", "паспорт 45 09 123456", "сервер 95.173.136.70", "ул. Лесная, д. 5, кв. 12"} {
			lines[3*i+2] = strings.Replace(lines[3*i+2], `"source_text":"`, `"source_text":"`+text+". ", 1)
			require.Contains(t, lines[3*i+2], text)
		}
		lines[20] = strings.Replace(lines[20], `"ru"`, `"en"`, 1)
		lines[22] = lines[22][:len(lines[22])-2]
		lines[24] = lines[23]
		require.Greater(t, sameByBothDoors(t, s, strings.Join(lines, "\n")+"\n"), 8)
	})
	// What is no dataset at all, or hardly one.
	for name, spoil := range map[string]func(string) string{
		"nothing":          func(string) string { return "" },
		"cut off":          func(d string) string { return d[:len(d)-len(d)/3] },
		"gzip":             func(d string) string { return "\x1f\x8b\x08\x00" + d },
		"a mark in front":  func(d string) string { return "\uFEFF" + d },
		"CRLF":             func(d string) string { return strings.ReplaceAll(d, "\n", "\r\n") },
		"NUL":              func(d string) string { return strings.Replace(d, `"source_text":"`, `"source_text":"`+"\x00", 3) },
		"no UTF-8":         func(d string) string { return strings.Replace(d, `"source_text":"`, `"source_text":"`+"\xff", 3) },
		"UTF-16":           func(d string) string { return "\xff\xfe" + strings.Join(strings.Split(d, ""), "\x00") },
		"keys twice":       func(d string) string { return strings.Replace(d, "{", `{"channel":"x",`, 3) },
		"too deep":         func(d string) string { return strings.Repeat(`{"a":`, 5000) + "\n" + d },
		"lone surrogates":  func(d string) string { return strings.Replace(d, `"source_text":"`, `"source_text":"\ud800`, 3) },
		"nothing but ends": func(d string) string { return d + "\n\n\n" },
		"a list":           func(d string) string { return "[" + strings.Join(strings.SplitN(d, "\n", 9)[:8], ",\n") + "]\n" },
	} {
		on(t, "in bytes that are spoiled: "+name, func(t *testing.T, s *stage) {
			assert.Positive(t, sameByBothDoors(t, s, spoil(string(files(s.Story.Pilot())[sample.Dataset].Data))))
		})
	}
}

// TestALineOf70MBIsFoundByEveryDoor; one of 2 GB stands in a file of its own.
func TestALineOf70MBIsFoundByEveryDoor(t *testing.T) { oneLongLine(t, 70<<20) }

// sameByBothDoors gives how many findings check and command share for a dataset.
func sameByBothDoors(t *testing.T, s *stage, text string) int {
	t.Helper()
	in := files(s.Story.Pilot())
	in[sample.Dataset] = fakegithub.Text(text)
	pr := s.request(in)
	assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
	check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
	at := regexp.MustCompile(`bytes (\d+)\D+(\d+)\D*$`) // of the whole file there are none
	var online []string
	for _, a := range check.Annotations {
		rule, _, _ := strings.Cut(a.Title, " ")
		if a.Path != sample.Dataset || scannedElsewhere(rule) {
			continue
		}
		m := append(at.FindStringSubmatch(a.Message), "", "0", "0")
		online = append(online, fmt.Sprintf("%s line %d bytes %s to %s %s", rule, a.StartLine, m[1], m[2], a.Level))
	}

	assert.Equal(t, s.annotated(pr), s.checkedOut(pr, s.checkout()), "a checkout")

	path := filepath.Join(t.TempDir(), "records.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	var out bytes.Buffer
	code := cli.Run(t.Context(), []string{"dataset", "scan", path, "--format", "json"}, cli.Streams{Stdout: &out, Stderr: &out, Now: time.Now})
	require.Less(t, code, 2, out.String())
	var report struct {
		Findings []struct {
			Rule, Severity string
			Line           int
			ByteStart      int `json:"byte_start"`
			ByteEnd        int `json:"byte_end"`
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &report))
	var offline []string
	for _, f := range report.Findings {
		if !scannedElsewhere(f.Rule) {
			offline = append(offline, fmt.Sprintf("%s line %d bytes %d to %d %s", f.Rule, f.Line, f.ByteStart, f.ByteEnd, levels[f.Severity]))
		}
	}
	slices.SortFunc(online, cmp.Compare)
	slices.SortFunc(offline, cmp.Compare)
	assert.Equal(t, offline, online)
	return len(offline)
}

// scannedElsewhere are rules about the dataset's place among documents, which
// the command line does not see, or which it judges by other documents.
func scannedElsewhere(rule string) bool {
	switch rule {
	case "DS004", "DS007", "DS020", "DS021", "DS051", "DS060":
		return true
	}
	return !strings.HasPrefix(rule, "DS") && !strings.HasPrefix(rule, "PII")
}

// annotated are all findings of the dataset's check at GitHub: rule, place, level.
func (s *stage) annotated(pr *fakegithub.PR) []string {
	s.t.Helper()
	check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
	var out []string
	for _, a := range check.Annotations {
		rule, _, _ := strings.Cut(a.Title, " ")
		out = append(out, fmt.Sprintf("%s %s:%d %s", rule, a.Path, a.StartLine, a.Level))
		assert.Regexp(s.t, `^[A-Z`+"`"+`].*\. [A-Z].*[.)]$`, a.Message, "two sentences: what, and how to mend it")
	}
	slices.Sort(out)
	return out
}

// commandLine runs a command that must find something at error level.
func (s *stage) commandLine(args ...string) string {
	s.t.Helper()
	var out bytes.Buffer
	code := cli.Run(s.t.Context(), args, cli.Streams{Stdout: &out, Stderr: &out, Now: time.Now})
	require.Equal(s.t, 1, code, out.String())
	return out.String()
}

// checkout is the repository as git has it on a disk.
func (s *stage) checkout() (dir string) {
	s.t.Helper()
	dir = s.t.TempDir()
	require.NoError(s.t, s.Repo.Export(dir))
	return dir
}

// checkedOut are the findings of the command line for a pull request's commits.
func (s *stage) checkedOut(pr *fakegithub.PR, dir string) []string {
	s.t.Helper()
	var report struct {
		Checks []struct {
			Name     string
			Findings []struct {
				Rule, Severity, Path string
				Line                 int
			}
		}
	}
	out := s.commandLine("check", "--repo", dir, "--base", "main", "--head", pr.View().HeadRef, "--format", "json")
	require.NoError(s.t, json.Unmarshal([]byte(out), &report))
	var found []string
	for _, c := range report.Checks {
		if c.Name != "pilot/dataset" {
			continue
		}
		for _, f := range c.Findings {
			found = append(found, fmt.Sprintf("%s %s:%d %s", f.Rule, f.Path, f.Line, levels[f.Severity]))
		}
	}
	slices.Sort(found)
	return found
}

// levels are GitHub's words for ours.
var levels = map[string]string{"error": "failure", "warning": "warning", "note": "notice"}

// oneLongLine is a dataset with a line of so many bytes between two records; no
// door holds it whole. In Git LFS, for git at GitHub takes no such file.
func oneLongLine(t *testing.T, size int64) {
	store := &lfsStore{}
	on(t, fmt.Sprintf("in one line of %d MB", size>>20), func(t *testing.T, s *stage) {
		record, _, _ := strings.Cut(string(files(s.Story.Pilot())[sample.Dataset].Data), "\n")
		before, after := record+"\n", "\n"+strings.Replace(record, `"sample_id":"`, `"sample_id":"x`, 1)+"\n"
		whole := int64(len(before)) + size + int64(len(after))
		object := func() io.Reader {
			return io.MultiReader(strings.NewReader(before), io.LimitReader(zeros{}, size), strings.NewReader(after))
		}
		sum := sha256.New()
		_, err := io.Copy(sum, object())
		require.NoError(t, err)
		oid := hex.EncodeToString(sum.Sum(nil))
		store.stream = func(*http.Request) *http.Response {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: whole, Header: http.Header{}, Body: io.NopCloser(object())}
		}
		in := files(s.Story.Pilot())
		in[sample.Dataset] = lfsPointer(oid, whole)
		pr := s.request(in)
		require.Eventually(t, func() bool { return s.check(pr, "pilot/dataset") != "in_progress" }, 5*time.Minute, 10*time.Millisecond)
		s.settle()
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
		want := "DS001 " + sample.Dataset + ":2 failure"
		assert.Contains(t, s.annotated(pr), want)
		s.approve(pr, irina, oleg)
		assert.NotEqual(t, "success", s.check(pr, approvals))

		dir := s.checkout()
		path := filepath.Join(dir, "lfs", "objects", oid[:2], oid[2:4], oid)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		file, err := os.Create(path)
		require.NoError(t, err)
		_, err = file.WriteString(before)
		require.NoError(t, err)
		_, err = file.Seek(size, io.SeekCurrent) // takes no place on a disk
		require.NoError(t, err)
		_, err = file.WriteString(after)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		assert.Equal(t, s.annotated(pr), s.checkedOut(pr, dir), "a checkout")
		out := s.commandLine("dataset", "scan", path)
		assert.Contains(t, out, ":2:1: error DS001 ")
		assert.Equal(t, 1, strings.Count(out, ": error "), "one finding: %s", out)
	}, withLFS(store))
}

// zeros do not end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
