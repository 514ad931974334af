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
		in := files(s.Story.Pilot())
		data := strings.TrimSuffix(string(in[sample.Dataset].Data), "\n")
		lines := strings.Split(data, "\n")
		for i, text := range []string{"Тел. +7 903 555-01-42", "почта (\\u0430) ivan@zavod.ru", "карта 4111 1111 1111 1111", "паспорт 45 09 123456", "сервер 95.173.136.70", "ул. Лесная, д. 5, кв. 12"} {
			lines[3*i+2] = strings.Replace(lines[3*i+2], `"source_text":"`, `"source_text":"`+text+". ", 1)
			require.Contains(t, lines[3*i+2], text)
		}
		lines[20] = strings.Replace(lines[20], `"ru"`, `"en"`, 1)
		lines[22] = lines[22][:len(lines[22])-2]
		lines[24] = lines[23]
		text := strings.Join(lines, "\n") + "\n"
		in[sample.Dataset] = fakegithub.Text(text)
		pr := s.request(in)
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
		check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
		at := regexp.MustCompile(`(\d+)\D+(\d+)\D*$`)
		var online []string
		for _, a := range check.Annotations {
			rule, _, _ := strings.Cut(a.Title, " ")
			if a.Path != sample.Dataset || scannedElsewhere(rule) {
				continue
			}
			m := at.FindStringSubmatch(a.Message)
			require.NotNil(t, m, a.Message)
			online = append(online, fmt.Sprintf("%s line %d bytes %s to %s %s", rule, a.StartLine, m[1], m[2], a.Level))
		}

		path := filepath.Join(t.TempDir(), "records.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		var out bytes.Buffer
		code := cli.Run(t.Context(), []string{"dataset", "scan", path, "--format", "json"}, cli.Streams{Stdout: &out, Stderr: &out, Now: time.Now})
		require.Equal(t, 1, code, out.String())
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
		require.Greater(t, len(offline), 8)
		assert.Equal(t, offline, online)
	})
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
