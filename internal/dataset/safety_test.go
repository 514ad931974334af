package dataset_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/dataset/accuracy"
)

// planted values stand in every part of a record that a finding could quote.
var planted = []string{
	"+7 912 345-67-89", "79123456789", "ivan.petrov@mail.ru", "500100732259", "4276 3801 2345 6787", "Сидоров Иван Петрович",
	"ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ул. Лесная, д. 5, кв. 12", "А123ВС77",
}

// TestNoPlantedValueLeavesTheScan puts each value wherever a record has room for
// it, valid and broken, and looks for it in everything that comes out.
func TestNoPlantedValueLeavesTheScan(t *testing.T) {
	for _, v := range planted {
		var records []string
		for _, field := range []string{"sample_id", "source_text", "summary_markdown", "language", "channel", "timestamp", "unknown"} {
			records = append(records, good("a", set(field, v)), good("b", set(field, "тел. "+v+" пароль: "+v)))
		}
		records = append(
			records,
			good("c", set(v, 1)),
			good("d", set("metadata", map[string]any{v: map[string]any{v: []any{v}}, "llm_model": v, "feature_flags": map[string]any{v: v}})),
			good("e", judge("judge_model", v), judge("prompt_version", v), judge("verdict", v), judge("notes", v)),
			good("f", set("latency_seconds", v)),
			strings.Replace(good("g"), `{`, `{"`+v+`":1,"`+v+`":2,`, 1),
			good("h")[:40]+v,
			v,
			good("i", set("source_text", v))[:60]+"\x00"+v,
			good("j")+v,
			good("k", set("source_text", strings.Repeat("я", 60)+v+"\xff"+v)),
		)
		for _, o := range []dataset.Options{{Path: "d.jsonl"}, {Path: "d.jsonl", Key: []byte("key of one run"), NearDuplicates: true, Channels: []string{"city_news"}}} {
			facts := scan(t, lines(records...), o)
			out, err := json.Marshal(facts)
			require.NoError(t, err)
			seen := string(out) + fmt.Sprintf("%+v", facts)
			require.NotEmpty(t, facts.Findings)
			for _, secret := range []string{v, strings.ReplaceAll(v, " ", ""), strings.ToLower(v)} {
				assert.NotContains(t, seen, secret)
			}
			// Nor its first or last characters.
			r := []rune(v)
			assert.NotContains(t, seen, string(r[:6]))
			assert.NotContains(t, seen, string(r[len(r)-6:]))
		}
	}
}

func TestErrorHoldsNoValue(t *testing.T) {
	broken := fmt.Errorf("connection lost")
	_, err := dataset.Scan(io.MultiReader(strings.NewReader(good("a", set("source_text", planted[0]))), iotest.ErrReader(broken)), dataset.Options{})
	require.ErrorIs(t, err, broken)
	assert.Equal(t, "read dataset: connection lost", err.Error())
}

type panicking struct{ io.Reader }

func (r panicking) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil {
		panic(string(b[:8]))
	}
	return n, nil
}

// TestAPanicEndsTheScanAlone: the reader runs in a goroutine of the scan, where a
// panic would end the process.
func TestAPanicEndsTheScanAlone(t *testing.T) {
	for name, o := range map[string]dataset.Options{
		"of the reader":     {},
		"of the one called": {Progress: func(int64) { panic(planted[0]) }},
	} {
		t.Run(name, func(t *testing.T) {
			var r io.Reader = strings.NewReader(strings.Repeat(good("a", set("source_text", planted[0]))+"\n", 5000))
			if o.Progress == nil {
				r = panicking{r}
			}
			_, err := dataset.Scan(r, o)
			var panicked *dataset.PanicError
			require.ErrorAs(t, err, &panicked)
			assert.Equal(t, "the scanner panicked", err.Error())
			assert.NotContains(t, string(panicked.Stack), planted[0])
		})
	}
}

// TestSameFactsHoweverItIsRead: neither the pieces that a reader gives nor the
// number of workers change anything.
func TestSameFactsHoweverItIsRead(t *testing.T) {
	var text bytes.Buffer
	for i, r := range accuracy.Generate(7, 900) {
		text.Write(r.Line)
		text.WriteByte('\n')
		if i%50 == 0 {
			text.WriteString(good("same") + "\n\n{broken\n" + strings.Repeat("x", i*300) + "\n")
		}
	}
	want := scan(t, text.String(), dataset.Options{Workers: 1, NearDuplicates: true})
	require.NotEmpty(t, want.Findings)
	for name, r := range map[string]io.Reader{
		"halves":    iotest.HalfReader(bytes.NewReader(text.Bytes())),
		"data, EOF": iotest.DataErrReader(bytes.NewReader(text.Bytes())),
		"plain":     bytes.NewReader(text.Bytes()),
	} {
		for _, workers := range []int{1, 2, 5} {
			got, err := dataset.Scan(r, dataset.Options{Workers: workers, NearDuplicates: true})
			require.NoError(t, err)
			if seeker, ok := r.(io.Seeker); ok {
				_, err = seeker.Seek(0, io.SeekStart)
				require.NoError(t, err)
			} else if workers > 1 {
				continue // it has been read to its end
			}
			assert.Equal(t, want, got, "%s, %d workers", name, workers)
		}
	}
}

func TestLineAtTheCap(t *testing.T) {
	const limit = 8 << 20
	fill := func(n int) string {
		rec := good("a", set("summary_text", "@"))
		return strings.Replace(rec, `"@"`, `"`+strings.Repeat("x", n-len(rec)+1)+`"`, 1)
	}
	for name, c := range map[string]struct {
		text    string
		length  int // findings of DS001 line_length
		records int
	}{
		"at the cap":         {fill(limit) + "\n", 0, 1},
		"one above":          {fill(limit+1) + "\n", 1, 1},
		"three times it":     {good("x") + "\n" + fill(3*limit) + "\n" + good("y") + "\n", 1, 3},
		"without a newline":  {strings.Repeat("x", 3*limit), 1, 1},
		"two, one after one": {fill(2*limit) + "\n" + fill(2*limit) + "\n", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := scan(t, c.text, dataset.Options{})
			assert.Equal(t, c.length, count(f, "DS001", "line_length"))
			assert.Equal(t, c.records, f.Records)
			assert.Equal(t, int64(len(c.text)), f.Bytes)
		})
	}
}

func TestLinesAreCountedPastALongOne(t *testing.T) {
	f := scan(t, good("x")+"\n"+strings.Repeat("x", 9<<20)+"\n"+"[]\n", dataset.Options{})
	var at []string
	for _, x := range f.Findings {
		at = append(at, fmt.Sprintf("%s/%s:%d", x.Rule, x.Case, x.At.Line))
	}
	assert.Equal(t, []string{"DS001/line_length:2", "DS002/not_object:3"}, at)
}

func TestFindingsAreCappedAndErrorsComeFirst(t *testing.T) {
	var records []string
	for i := range 50 {
		records = append(records, good(fmt.Sprint(i), drop("latency_seconds"), set("timestamp", nil)))
	}
	records = append(records, good("x", set("sample_id", "")))
	f := scan(t, lines(records...), dataset.Options{MaxFindings: 10})
	require.Len(t, f.Findings, 10)
	assert.Equal(t, "empty", f.Findings[9].Case, "the only error, at the end of the file")
	assert.Equal(t, 50, count(f, "DS007", "latency"), "counts are complete")
	assert.Equal(t, 50, count(f, "DS050", "timestamp_null"))
}

func TestEqualValuesAreGrouped(t *testing.T) {
	text := lines(
		good("a", set("source_text", longText+" Тел. +7 912 345-67-89.")),
		good("b", set("source_text", longText+" Тел. +7 913 345-67-89.")),
		good("c", set("source_text", longText+" Тел. 8 (912) 345-67-89.")),
	)
	groups := func(o dataset.Options) (groups []int, prints []string) {
		for _, f := range scan(t, text, o).Findings {
			if f.Rule == "PII101" {
				groups = append(groups, f.Record.Group)
				prints = append(prints, f.Record.Fingerprint)
			}
		}
		return groups, prints
	}
	g, prints := groups(dataset.Options{})
	assert.Equal(t, []int{1, 2, 1}, g, "+7 and 8 are one number")
	assert.Equal(t, []string{"", "", ""}, prints)
	_, prints = groups(dataset.Options{Key: []byte("one")})
	assert.Equal(t, prints[0], prints[2])
	assert.NotEqual(t, prints[0], prints[1])
	assert.Len(t, prints[0], 8)
	_, others := groups(dataset.Options{Key: []byte("two")})
	assert.NotEqual(t, prints, others)
}

// TestEscapesHideNothing writes the same value in ways that decode alike: the
// finding is the same and its span holds exactly the raw bytes.
func TestEscapesHideNothing(t *testing.T) {
	for _, raw := range []string{
		`+7 912 345-67-89`, `\u002b7 912 345-67-8\u0039`, `+7\u00a0912\u00a0345\u201167\u201189`, `+7 912 \u0033\u0034\u0035-67-89`,
	} {
		line := strings.Replace(good("a"), "Номер записи", `\n\"Тел.\" `+raw+` Номер записи`, 1)
		f := scan(t, lines(line), dataset.Options{})
		require.Len(t, f.Findings, 1, raw)
		at := f.Findings[0].Record
		assert.Equal(t, raw, line[at.ByteStart:at.ByteEnd])
		assert.Equal(t, "/source_text", at.Pointer)
	}
	// An escaped backslash before "u" is no escape: nothing is faked either.
	line := strings.Replace(good("a"), "Номер записи", `\\u002b7 9123 Номер записи`, 1)
	assert.Empty(t, scan(t, lines(line), dataset.Options{}).Findings)
}

func TestPersonalDataIsFoundInBrokenRecordsToo(t *testing.T) {
	for name, line := range map[string]string{
		"truncated in a string": `{"sample_id":"a","source_text":"тел. +7 912 345-67-89 и`,
		"not JSON":              "тел. +7 912 345-67-89",
		"invalid UTF-8":         "\xff тел. +7 912 345-67-89",
		"duplicate key":         `{"a":"тел. +7 912 345-67-89","a":1}`,
		"in an unknown key":     `{"тел. +7 912 345-67-89":1}`,
		"as a number":           `{"phone":89123456789}`,
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, 1, count(scan(t, lines(line), dataset.Options{}), "PII101", "found"))
		})
	}
}

func TestChannelsAreDeclared(t *testing.T) {
	o := dataset.Options{Channels: []string{"@city_news"}}
	text := func(channel, source string) string {
		return lines(good("a", set("channel", channel), set("source_text", longText+source)))
	}
	assert.Equal(t, []string{}, counted(scan(t, text("@city_news", " Наш канал в телеграм @city_news."), o)))
	assert.Equal(t, []string{"DS050/channel_undeclared/error=1"}, counted(scan(t, text("@other_news", ""), o)))
	assert.Equal(t, []string{"PII112/found/warning=1"}, counted(scan(t, text("@city_news", " Пишите в телеграм @ivan_sidorov."), o)))
}

func TestLanguageOfTheText(t *testing.T) {
	long := func(s string) string { return strings.Repeat(s+" ", 4) }
	for name, c := range map[string]struct {
		source string
		want   bool // told as another language
	}{
		"Russian":                  {long("Городской совет утвердил бюджет на следующий год, и это было объяснимо."), false},
		"Russian with Latin names": {long("Компания Apple выпустила iPhone, а Google обновила Android для всех устройств."), false},
		"Russian without э, ы, ё":  {"Совет принял решение о том, что в городе построят школу, и жители за это проголосовали на собрании.", false},
		"English":                  {long("The city council approved the budget for the next year."), true},
		"Ukrainian":                {long("Міська рада затвердила бюджет на наступний рік і виділила кошти на ремонт шкіл."), true},
		"Belarusian":               {long("Гарадскі савет зацвердзіў бюджэт на наступны год і выдзеліў сродкі на рамонт школ."), true},
		"Kazakh":                   {long("Қалалық кеңес келесі жылға арналған бюджетті бекітті және мектептерге қаржы бөлді."), true},
		"Bulgarian":                {long("Градският съвет прие бюджета за следващата година и отпусна средства за ремонт на училищата, които са в града."), true},
		"Serbian":                  {long("Градско веће је усвојило буџет за наредну годину и издвојило средства за школе које су у граду."), true},
	} {
		t.Run(name, func(t *testing.T) {
			f := scan(t, lines(good("a", set("source_text", c.source))), dataset.Options{})
			assert.Equal(t, c.want, count(f, "DS010", "text") == 1)
		})
	}
}

func TestLookAlikes(t *testing.T) {
	for word, want := range map[string]int{
		"Mосква": 1, "пaспорт": 1, "СССP": 1, "SMMщик": 0, "IT-компания": 0, "«Apple»": 0, "Москва": 0, "iPhone": 0,
	} {
		f := scan(t, lines(good("a", set("source_text", longText+" "+word+" сегодня."))), dataset.Options{})
		assert.Equal(t, want, count(f, "DS011", "mixed"), word)
	}
}

func TestProgressReachesTheEnd(t *testing.T) {
	var last int64
	text := strings.Repeat(good("a")+"\n", 2000)
	scan(t, text, dataset.Options{Progress: func(done int64) {
		assert.GreaterOrEqual(t, done, last)
		last = done
	}})
	assert.Equal(t, int64(len(text)), last)
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(lines(good("a"), good("b"))), false)
	f.Add([]byte("\uFEFF{}\r\n\r\n[\n{\"a\":\"\\ud800\"}\n"), true)
	for _, v := range planted {
		f.Add([]byte(lines(good("a", set("source_text", v+longText)))), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, near bool) {
		facts, err := dataset.Scan(bytes.NewReader(data), dataset.Options{NearDuplicates: near, Workers: 1})
		require.NoError(t, err)
		assert.Equal(t, int64(len(data)), facts.Bytes)
		rows := bytes.Split(data, []byte("\n"))
		for _, x := range facts.Findings {
			if x.Record == nil || x.At.Line > len(rows) {
				continue
			}
			line := rows[x.At.Line-1]
			assert.LessOrEqual(t, 0, x.Record.ByteStart)
			assert.LessOrEqual(t, x.Record.ByteStart, x.Record.ByteEnd)
			assert.LessOrEqual(t, x.Record.ByteEnd, max(len(line), 4), "%s/%s", x.Rule, x.Case)
		}
	})
}
