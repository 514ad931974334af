package dataset

import (
	"bytes"

	"github.com/pilotgate/pilotgate/internal/dataset/pii"
)

// field checks a value that has a role in the record.
func (in *inspector) field(w *walker, n *node, t *token) {
	r := &in.rec
	r.have[n.role] = t.kind
	switch n.role {
	case roleID:
		if t.kind == kindString && len(t.text) > 0 {
			r.entry.id, r.entry.idHash = t.span, hashBytes(t.text)
		}
	case roleSource:
		if t.kind == kindString && len(t.text) > 0 {
			r.source, r.sourceChars = t.span, in.script.Chars
			r.entry.source = t.span
			in.source(w, t)
		}
	case roleSummaryMarkdown, roleSummaryText:
		if t.kind == kindString && len(t.text) > 0 && r.summaryRole != roleSummaryMarkdown {
			r.summary, r.summaryChars, r.summaryRole = t.span, in.script.Chars, n.role
			r.entry.summary, r.entry.summaryRole = t.span, n.role
			if in.o.Evaluation != nil || in.o.KeepIndex {
				r.entry.sumHash = in.normalHash(t.text)
			}
		}
	case roleLanguage:
		switch {
		case t.kind != kindString:
		case t.known && in.t.languages.known(t.text): // the right one, or it would have been told
		default:
			if isLanguageTag(t.text) {
				in.name(&in.t.languages, t.text, pii.Context{})
			} else {
				in.t.languages.other++
			}
			if !sameLanguage(t.text, in.o.Locale) {
				in.tell(languageField)
			}
		}
	case roleChannel:
		switch {
		case t.kind == kindNull:
			in.tell(provChannelNull)
		case t.kind == kindString:
			r.entry.chanHash = hashBytes(t.text)
			in.name(&in.t.channels, t.text, pii.Context{Channel: true})
			if len(in.o.Channels) > 0 && !listed(in.o.Channels, t.text) {
				in.tell(provChannelUndeclared)
			}
		}
	case roleTimestamp:
		in.timestamp(t)
	case roleModel:
		if t.kind == kindString && len(t.text) > 0 {
			in.name(&in.t.models, t.text, pii.Context{})
		}
	case roleJudgeModel:
		if t.kind == kindString && len(t.text) > 0 {
			in.name(&in.t.judges, t.text, pii.Context{})
		} else {
			r.have[n.role] = 0
		}
	case rolePromptVersion:
		if t.kind == kindString && len(t.text) > 0 {
			in.name(&in.t.prompts, t.text, pii.Context{})
		} else {
			r.have[n.role] = 0
		}
	case roleVerdict:
		switch {
		case t.kind == kindString && in.t.verdicts.known(t.text):
		case t.kind == kindString && isVerdict(t.text):
			in.t.verdicts.add(string(t.text), 1)
		default:
			in.t.verdicts.other++
			if !in.broken(t) {
				in.tell(judgeVerdict)
			}
		}
	case roleCoverage, roleAccuracy, roleCoherence, roleInformativeness:
		if t.kind != kindNumber {
			r.have[n.role] = 0
			break
		}
		r.scores++
		if !t.num.isShare() && (t.num.compare(decimal{}) < 0 || t.num.compare(decimal{m: 1}) > 0 || !t.num.usable()) {
			if !in.broken(t) {
				in.tell(judgeRange)
			}
			in.series[n.role-roleCoverage].missing++
			break
		}
		in.series[n.role-roleCoverage].add(&t.num)
	case roleLatency:
		if t.kind != kindNumber {
			r.have[n.role] = 0
			break
		}
		s := &in.series[len(MetricNames)-1]
		if t.num.wide && (t.num.compare(decimal{}) <= 0 || !t.num.usable()) || !t.num.wide && (t.num.neg || t.num.m == 0) {
			if !in.broken(t) {
				in.tell(schemaRange)
			}
			s.missing++
			break
		}
		s.add(&t.num)
	}
}

func (in *inspector) timestamp(t *token) {
	switch t.kind {
	case kindNull:
		in.tell(provTimestampNull)
	case kindString:
		at := in.at
		if !in.atOK {
			in.tell(provTimestampForm)
			return
		}
		if in.naive {
			in.tell(provTimestampNaive)
		}
		in.rec.entry.at = at
		if !in.t.first.set || at.before(in.t.first) {
			in.t.first = at
		}
		if !in.t.last.set || in.t.last.before(at) {
			in.t.last, in.t.lastLine = at, in.no
		}
	default:
		if !in.broken(t) {
			in.tell(provTimestampForm)
		}
	}
}

// broken says whether the schema was broken there: then it is told already.
func (in *inspector) broken(t *token) bool {
	at := in.rec.broke
	return at == t.span || at == (span{t.start - 1, t.end + 1})
}

// name counts a value as Facts may show it: short, in the letters of names,
// without personal data; any other under OtherName.
func (in *inspector) name(list *names, value []byte, ctx pii.Context) {
	if list.known(value) {
		return
	}
	if len(value) > maxNameBytes {
		list.other++
		return
	}
	k := 0
	if ctx.Channel {
		k = 1
	}
	name, judged := in.shown[k][string(value)]
	if !judged {
		if in.shown[k] == nil || len(in.shown[k]) >= maxShown {
			in.shown[k] = make(map[string]string)
		}
		if in.mayShow(value, ctx) {
			name = string(value)
		}
		in.shown[k][string(value)] = name
	}
	if name == "" {
		list.other++
		return
	}
	list.add(name, 1)
}

// maxShown caps the names whose judgement an inspector remembers.
const maxShown = 1 << 10

func (in *inspector) mayShow(value []byte, ctx pii.Context) bool {
	for _, c := range value {
		if c-'0' > 9 && (c|0x20)-'a' > 25 && bytes.IndexByte([]byte("._:/@+-"), c) < 0 {
			return false
		}
	}
	ctx.Declared = in.o.Channels
	return len(in.text.Scan(value, ctx)) == 0
}

// isLanguageTag: two or three letters and at most one short subtag.
func isLanguageTag(b []byte) bool {
	if i := bytes.IndexAny(b, "-_"); i >= 0 {
		if len(b)-i-1 > 4 {
			return false
		}
		b = b[:i]
	}
	return len(b) == 2 || len(b) == 3
}

func isVerdict(b []byte) bool {
	switch string(b) {
	case "BELOW_EXPECTATIONS", "MEETS_EXPECTATIONS", "EXCEEDS_EXPECTATIONS":
		return true
	}
	return false
}

func listed(list []string, b []byte) bool {
	for _, s := range list {
		if s == string(b) {
			return true
		}
	}
	return false
}
