package dataset

// Options say what one scan needs to know. The zero value is the full check of
// a Russian Stage 05_02 dataset without near duplicates.
type Options struct {
	Path   string  // shown in positions
	Locale string  // BCP 47 primary language of the texts; "": "ru"
	Schema *Schema // nil: the built-in Stage 05_02 record schema

	MaxFindings int // cap of listed findings (counts are always complete); 0: 1000

	Evaluation     *Index // an evaluation dataset scanned before, for DS040 to DS042; nil: none
	KeepIndex      bool   // fill Facts.Index
	NearDuplicates bool   // DS032 and, with Evaluation, DS041

	Channels []string // declared channels: their handles are exempt, others are DS050; empty: any

	// Key is the HMAC key of fingerprints, made for one run; nil: no
	// fingerprints, so that texts are the same after a restart.
	Key []byte

	Without Exclusions // leaves out parts, for measurements only

	Workers int // scanning goroutines; 0: one a processor

	// Progress is called with the bytes done, from one of the scan's goroutines at a
	// time; nil: nobody.
	Progress func(bytesDone int64)
}

// Exclusions leave out a part of the check. A verdict needs all of them, so
// only benchmarks set any.
type Exclusions struct {
	Hash         bool // no SHA256
	Records      bool // no structure, schema, locale, metrics, duplicates: identifiers alone
	PersonalData bool // no PII rules
	Locale       bool // no DS010, DS011
	Duplicates   bool // no DS030, DS031
}

const defaultMaxFindings = 1000

func (o Options) withDefaults() Options {
	if o.Locale == "" {
		o.Locale = "ru"
	}
	if o.MaxFindings <= 0 {
		o.MaxFindings = defaultMaxFindings
	}
	if o.Schema == nil {
		o.Schema = BuiltinSchema()
	}
	return o
}
