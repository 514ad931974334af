package plan_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/plan"
)

func TestDataCardsOfDifferentHands(t *testing.T) {
	for _, c := range []struct {
		file string
		want map[string]string
	}{
		{"01-bullets", map[string]string{
			"dataset": "data/benchmarks/benchmark_digest_ru_v1/2026-01_samples.jsonl", "origin": "Stage 05_02 export of public Telegram channels", "exporter": "scripts/stage_05/export_digests.py",
			"window from": "2026-01-01", "window to": "2026-01-14", "records": "40", "bytes": "31 204 bytes", "licence": "CC BY 4.0", "retention": "12 months, then deleted",
			"PII": "none; phone numbers and handles are masked by the exporter", "schema": "stage_05_02/v1", "channels": "2", "model": "qwen-7b",
		}},
		{"02-table", map[string]string{
			"exporter": "scripts/stage_05/export_digests.py", "window from": "2026-02-01T00:00:00Z", "window to": "2026-02-14T23:59:59Z", "records": "1,024", "bytes": "812345", "licence": "internal use only",
			"retention": "until 2027-01-01", "PII": "masked", "schema": "stage_05_02/v1", "model": "gpt-like-1",
		}},
		{"03-russian-sections", map[string]string{
			"exporter": "scripts/stage_05/export_digests.py", "window from": "01.03.2026", "window to": "14.03.2026", "records": "1 024", "bytes": "31 204 байта", "licence": "CC BY 4.0; хранение 12 месяцев",
			"retention": "хранение 12 месяцев", "PII": "Не содержит: номера и имена замаскированы", "channels": "2",
		}},
		{"04-front-matter", map[string]string{
			"dataset": "data/benchmarks/x/1_samples.jsonl", "exporter": "scripts/stage_05/export_review_reports.py", "window from": "2026-01-01", "window to": "2026-01-31", "records": "40", "bytes": "31204",
			"licence": "CC0-1.0", "retention": "6 months", "PII": "none", "schema": "stage_05_02/v1", "channels": "2", "model": "qwen-7b",
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			src, err := os.ReadFile(corpus + "/cards/" + c.file + ".md")
			require.NoError(t, err)
			card := plan.ParseCard("data/card.md", src)
			assert.Empty(t, card.Problems)
			got := map[string]string{
				"dataset": card.Dataset.Text, "origin": card.Origin.Text, "exporter": card.Exporter.Text, "window from": card.WindowFrom.Text, "window to": card.WindowTo.Text, "records": card.Records.Text,
				"bytes": card.Bytes.Text, "licence": card.Licence.Text, "retention": card.Retention.Text, "PII": card.PII.Text, "schema": card.Schema.Text, "model": card.Model.Text,
				"channels": string(rune('0' + len(card.Channels))),
			}
			for name, want := range c.want {
				assert.Equal(t, want, got[name], name)
			}
			assert.Len(t, card.SHA256.Text, 64)
			assert.Len(t, card.ExporterCommit.Text, 40)
		})
	}
}

func TestFiguresOfACardAreNumbers(t *testing.T) {
	src, err := os.ReadFile(corpus + "/cards/03-russian-sections.md")
	require.NoError(t, err)
	card := plan.ParseCard("card.md", src)
	n, err := card.Records.Integer()
	require.NoError(t, err)
	assert.Equal(t, int64(1024), n)
	size, ok := card.Bytes.Bytes()
	require.True(t, ok)
	assert.Equal(t, int64(31204), size)
}

func TestACardThatContradictsItself(t *testing.T) {
	src, err := os.ReadFile(corpus + "/cards/05-contradicting.md")
	require.NoError(t, err)
	card := plan.ParseCard("card.md", src)
	var told []string
	for _, f := range card.Problems {
		told = append(told, f.Case+" "+f.Args["field"])
	}
	assert.ElementsMatch(t, []string{"two_values records", "two_values sha256"}, told)
}

func TestAnUnreadableCard(t *testing.T) {
	card := plan.ParseCard("card.md", []byte("- Records: 40\n<<<<<<< HEAD\n"))
	require.Len(t, card.Problems, 1)
	assert.Equal(t, "PL001", card.Problems[0].Rule)
	assert.Empty(t, card.Records.Text)
	assert.NotEmpty(t, card.Unreadable)
}
