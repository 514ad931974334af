package dataset

import (
	"github.com/pilotgate/pilotgate/internal/dataset/pii"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// caseID is a row of the table of cases: what a scan can find, and how much it
// matters by nature. Policy may judge otherwise, elsewhere.
type caseID uint8

const (
	readEmpty caseID = iota
	readBOM
	readUTF16
	readArchive
	readLFSPointer
	readUTF8
	readNUL
	readCRLF
	readLineLength
	readFinalNewline
	jsonBlank
	jsonNotObject
	jsonSyntax
	jsonTruncated
	jsonTrailing
	jsonDuplicateKey
	jsonDepth
	jsonSurrogate
	schemaMissing
	schemaType
	schemaEmpty
	schemaValue
	schemaRange
	schemaInvalid
	schemaUnknown
	lengthSource
	lengthSummary
	lengthRatio
	judgeType
	judgeRange
	judgeVerdict
	judgeModel
	judgePrompt
	judgeScore
	numbersScores
	numbersLatency
	languageField
	languageText
	lookAlikes
	idRepeated
	sourceRepeated
	sourceNear
	nearPartial
	evalID
	evalSource
	evalSummary
	evalNear
	evalWindow
	provTimestampMissing
	provTimestampNull
	provTimestampForm
	provTimestampNaive
	provModel
	provChannelNull
	provChannelUndeclared
	ownCases
)

type caseRow struct {
	rule, name string
	severity   finding.Severity
	oncePerRun bool // the first place says it all; the rest is counted
}

var ownRows = [ownCases]caseRow{
	readEmpty:             {"DS001", "empty", finding.Error, true},
	readBOM:               {"DS001", "bom", finding.Error, true},
	readUTF16:             {"DS001", "utf16", finding.Error, true},
	readArchive:           {"DS001", "archive", finding.Error, true},
	readLFSPointer:        {"DS001", "lfs_pointer", finding.Error, true},
	readUTF8:              {"DS001", "utf8", finding.Error, false},
	readNUL:               {"DS001", "nul", finding.Error, false},
	readCRLF:              {"DS001", "crlf", finding.Warning, true},
	readLineLength:        {"DS001", "line_length", finding.Error, false},
	readFinalNewline:      {"DS001", "final_newline", finding.Warning, true},
	jsonBlank:             {"DS002", "blank", finding.Error, false},
	jsonNotObject:         {"DS002", "not_object", finding.Error, false},
	jsonSyntax:            {"DS002", "syntax", finding.Error, false},
	jsonTruncated:         {"DS002", "truncated", finding.Error, false},
	jsonTrailing:          {"DS002", "trailing", finding.Error, false},
	jsonDuplicateKey:      {"DS002", "duplicate_key", finding.Error, false},
	jsonDepth:             {"DS002", "depth", finding.Error, false},
	jsonSurrogate:         {"DS002", "surrogate", finding.Error, false},
	schemaMissing:         {"DS003", "missing", finding.Error, false},
	schemaType:            {"DS003", "type", finding.Error, false},
	schemaEmpty:           {"DS003", "empty", finding.Error, false},
	schemaValue:           {"DS003", "value", finding.Error, false},
	schemaRange:           {"DS003", "range", finding.Error, false},
	schemaInvalid:         {"DS003", "invalid", finding.Error, false},
	schemaUnknown:         {"DS003", "unknown", finding.Warning, false},
	lengthSource:          {"DS005", "source_short", finding.Error, false},
	lengthSummary:         {"DS005", "summary_short", finding.Error, false},
	lengthRatio:           {"DS005", "summary_long", finding.Error, false},
	judgeType:             {"DS006", "type", finding.Error, false},
	judgeRange:            {"DS006", "range", finding.Error, false},
	judgeVerdict:          {"DS006", "verdict", finding.Error, false},
	judgeModel:            {"DS006", "judge_model", finding.Error, false},
	judgePrompt:           {"DS006", "prompt_version", finding.Error, false},
	judgeScore:            {"DS006", "score_missing", finding.Error, false},
	numbersScores:         {"DS007", "scores", finding.Note, false},
	numbersLatency:        {"DS007", "latency", finding.Note, false},
	languageField:         {"DS010", "field", finding.Error, false},
	languageText:          {"DS010", "text", finding.Error, false},
	lookAlikes:            {"DS011", "mixed", finding.Warning, false},
	idRepeated:            {"DS030", "repeated", finding.Error, false},
	sourceRepeated:        {"DS031", "repeated", finding.Warning, false},
	sourceNear:            {"DS032", "near", finding.Warning, false},
	nearPartial:           {"DS032", "partial", finding.Warning, true},
	evalID:                {"DS040", "id", finding.Error, false},
	evalSource:            {"DS040", "source", finding.Error, false},
	evalSummary:           {"DS040", "summary", finding.Error, false},
	evalNear:              {"DS041", "near", finding.Error, false},
	evalWindow:            {"DS042", "window", finding.Warning, false},
	provTimestampMissing:  {"DS050", "timestamp_missing", finding.Error, false},
	provTimestampNull:     {"DS050", "timestamp_null", finding.Warning, false},
	provTimestampForm:     {"DS050", "timestamp_form", finding.Error, false},
	provTimestampNaive:    {"DS050", "timestamp_naive", finding.Warning, false},
	provModel:             {"DS050", "model_missing", finding.Error, false},
	provChannelNull:       {"DS050", "channel_null", finding.Warning, false},
	provChannelUndeclared: {"DS050", "channel_undeclared", finding.Error, false},
}

// allCases is the number of own cases and those of personal data, which follow
// in the order of package pii.
const allCases = int(ownCases) + int(pii.Identifiers)

func piiCase(id pii.Identifier) caseID { return ownCases + caseID(id) }

func (c caseID) row() caseRow {
	if c < ownCases {
		return ownRows[c]
	}
	r := pii.Rows[c-ownCases]
	return caseRow{rule: r.Rule, name: r.Case, severity: r.Severity}
}
