// Package pii finds identifiers of people in Russian and English text: phones,
// mail addresses, tax and insurance numbers, documents, cards, accounts,
// postal addresses, names, secrets.
//
// It looks at one decoded string at a time, tells places and kinds, and must
// never keep, print or return a value in any form that leaves the process: a
// match's Value exists so that its caller can group equal values by a keyed
// hash, and is overwritten by the next scan.
package pii

import "github.com/pilotgate/pilotgate/internal/finding"

// Identifier is a kind of personal data together with how it was met.
type Identifier uint8

// The identifiers, in the order of Rows.
const (
	Phone Identifier = iota
	PhoneTollFree
	Email
	EmailExample
	INNPerson
	INNOrganisation
	SNILS
	OGRN
	OGRNIP
	Passport
	DrivingLicence
	Card
	Account
	IBAN
	IPPublic
	IPPrivate
	Handle
	Address
	NameAlone
	NameFull
	NameNear
	Secret
	BirthDate
	CarPlate
	MedicalPolicy
	NumberAlone
	Identifiers // how many there are
)

// Row is the rule, case and natural severity of an identifier.
type Row struct {
	Rule, Case string
	Severity   finding.Severity
}

// Rows is the table of identifiers.
var Rows = [Identifiers]Row{
	Phone:           {"PII101", "found", finding.Error},
	PhoneTollFree:   {"PII101", "toll_free", finding.Note},
	Email:           {"PII102", "found", finding.Error},
	EmailExample:    {"PII102", "example", finding.Note},
	INNPerson:       {"PII103", "person", finding.Error},
	INNOrganisation: {"PII103", "organisation", finding.Note},
	SNILS:           {"PII104", "found", finding.Error},
	OGRN:            {"PII105", "organisation", finding.Note},
	OGRNIP:          {"PII105", "entrepreneur", finding.Warning},
	Passport:        {"PII106", "found", finding.Error},
	DrivingLicence:  {"PII107", "found", finding.Error},
	Card:            {"PII108", "found", finding.Error},
	Account:         {"PII109", "found", finding.Error},
	IBAN:            {"PII110", "found", finding.Error},
	IPPublic:        {"PII111", "public", finding.Warning},
	IPPrivate:       {"PII111", "private", finding.Note},
	Handle:          {"PII112", "found", finding.Warning},
	Address:         {"PII113", "found", finding.Error},
	NameAlone:       {"PII114", "name", finding.Note},
	NameFull:        {"PII114", "full", finding.Warning},
	NameNear:        {"PII114", "near", finding.Error},
	Secret:          {"PII115", "found", finding.Error},
	BirthDate:       {"PII116", "found", finding.Warning},
	CarPlate:        {"PII117", "found", finding.Warning},
	MedicalPolicy:   {"PII118", "found", finding.Error},
	NumberAlone:     {"PII199", "found", finding.Note},
}

// Match is a place in the scanned text, in bytes, the end exclusive.
type Match struct {
	ID         Identifier
	Start, End int
	// Value is the identifier without separators, for grouping equal ones. It is
	// valid until the next scan.
	Value []byte
}
