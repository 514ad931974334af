package threats

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
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
	level := map[string]string{"error": "failure", "warning": "warning", "note": "notice"}
	var offline []string
	for _, f := range report.Findings {
		if !scannedElsewhere(f.Rule) {
			offline = append(offline, fmt.Sprintf("%s line %d bytes %d to %d %s", f.Rule, f.Line, f.ByteStart, f.ByteEnd, level[f.Severity]))
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
