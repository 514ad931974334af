// Package bench measures how fast datasets are checked, against other tools on
// the same bytes. It makes the dataset up; it must not be imported by anything.
package bench

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// Russian words in the proportions of news: the endings and lengths are what
// matters to a scanner, not the sense.
var vocabulary = strings.Fields(`и в на с что по для не из как это от за к о до при после также который которые было были будет
	может сообщили заявил отметил рассказал считает решение проект работа развитие производство строительство ремонт дороги школа больница
	жители город район область страна правительство министерство компания завод предприятие рынок цены рост снижение доходы расходы бюджет
	программа поддержка помощь семьи дети молодёжь студенты учёные исследование данные технологии система модель качество безопасность
	экология вода воздух лес река море погода снег дождь температура движение транспорт автобус поезд самолёт аэропорт вокзал маршрут
	культура музей театр выставка концерт фестиваль праздник спорт команда матч победа чемпионат игроки тренер зрители билеты
	новый новая новые большой крупный важный первый последний текущий местный городской областной государственный частный современный
	открыли закрыли построили провели подготовили планируют обсудили утвердили выделили получили увеличили сократили начали завершили
	сегодня вчера завтра утром вечером весной летом осенью зимой ежегодно впервые снова ещё уже только более менее около почти
	объём съезд подъезд этап вопрос ответ участники организаторы специалисты эксперты представители журналисты читатели покупатели`)

var latin = strings.Fields("IT GPT iPhone Windows Telegram YouTube online WiFi NASA BMW Python")

type maker struct {
	*rand.Rand
	sentences []string
	personal  []string
}

func newMaker(seed uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 1))}
	for range 1 << 14 {
		m.sentences = append(m.sentences, m.sentence())
	}
	for range 1 << 10 {
		m.personal = append(m.personal, m.identifier())
	}
	return m
}

func (m *maker) word() string { return vocabulary[m.IntN(len(vocabulary))] }

func (m *maker) sentence() string {
	var b strings.Builder
	n := 7 + m.IntN(12)
	for i := range n {
		w := m.word()
		if i == 0 {
			r := []rune(w)
			w = strings.ToUpper(string(r[0])) + string(r[1:])
		} else {
			b.WriteByte(' ')
		}
		switch m.IntN(60) {
		case 0:
			fmt.Fprintf(&b, "%d ", 1+m.IntN(40))
		case 1:
			fmt.Fprintf(&b, "в %d году ", 2000+m.IntN(26))
		case 2:
			b.WriteString(latin[m.IntN(len(latin))] + " ")
		case 3:
			b.WriteString("на " + []string{"Урале", "Волге", "Кавказе", "Дальнем Востоке"}[m.IntN(4)] + " ")
		}
		b.WriteString(w)
		if i < n-1 && m.IntN(9) == 0 {
			b.WriteByte(',')
		}
	}
	b.WriteByte(".!?...."[m.IntN(7)])
	return b.String()
}

func (m *maker) identifier() string {
	switch m.IntN(6) {
	case 0:
		return fmt.Sprintf("Телефон +7 (9%02d) %03d-%02d-%02d.", m.IntN(100), 100+m.IntN(900), m.IntN(100), m.IntN(100))
	case 1:
		return fmt.Sprintf("Почта user%d@mail.ru.", m.IntN(1e6))
	case 2:
		return fmt.Sprintf("Карта 4276 38%02d 1234 5678.", m.IntN(100))
	case 3:
		return fmt.Sprintf("Пишите в телеграм @name_%d.", m.IntN(1e6))
	case 4:
		return fmt.Sprintf("Адрес: ул. Лесная, д. %d, кв. %d.", 1+m.IntN(99), 1+m.IntN(200))
	}
	return "Заявил Сидоров Иван Петрович."
}

// Write writes whole records until at least size bytes are written, 1 % of them
// with personal data. The same seed gives the same bytes.
func Write(w io.Writer, seed uint64, size int64) error {
	m := newMaker(seed)
	out := bufio.NewWriterSize(w, 1<<20)
	var done int64
	for i := 0; done < size; i++ {
		line := m.record(i)
		done += int64(len(line))
		if _, err := out.WriteString(line); err != nil {
			return fmt.Errorf("write dataset: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write dataset: %w", err)
	}
	return nil
}

func (m *maker) record(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"sample_id":"digest-%08d","source_text":"`, i)
	n := 6 + m.IntN(12)
	for k := range n {
		if k > 0 {
			b.WriteString([]string{" ", " ", " ", `\n\n`}[m.IntN(4)])
		}
		b.WriteString(m.sentences[m.IntN(len(m.sentences))])
	}
	if m.IntN(100) == 0 {
		b.WriteString(" " + m.personal[m.IntN(len(m.personal))])
	}
	b.WriteString(`","summary_markdown":"`)
	b.WriteString("- " + m.sentences[m.IntN(len(m.sentences))] + `\n- ` + m.sentences[m.IntN(len(m.sentences))])
	fmt.Fprintf(&b, `","language":"ru","channel":"news_%d","timestamp":"2026-01-%02dT%02d:%02d:00Z","metadata":{"posts_count":%d,"time_range_hours":24,"llm_model":"qwen-7b","feature_flags":{"dedup":true}},`,
		m.IntN(20), 1+m.IntN(28), m.IntN(24), m.IntN(60), 1+m.IntN(30))
	fmt.Fprintf(&b, `"ground_truth":{"llm_judge":{"judge_model":"judge-1","prompt_version":"v3","scores":{"coverage":0.%02d,"accuracy":0.%02d,"coherence":0.%02d,"informativeness":0.%02d},"verdict":"MEETS_EXPECTATIONS","notes":"ok"}},"latency_seconds":%d.%d}`+"\n",
		80+m.IntN(20), 80+m.IntN(20), 80+m.IntN(20), 80+m.IntN(20), 1+m.IntN(200), m.IntN(1000))
	return b.String()
}
