package pii_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/dataset/pii"
)

// TestCostIsLinear scans megabytes that are made of beginnings. Each place must
// be looked at a bounded number of times: where it is not, one of these texts
// takes hours and the test's own limit ends it.
func TestCostIsLinear(t *testing.T) {
	for _, piece := range []string{
		"sk-", "eyJabcdefgh.", "a://", "a://b:c", "-----BEGIN PRIVATE KEY", "t.me/a.", "@a.", "1.", "8-", "А", "И. ", "Иван ", "Иванов Иван ",
		"ул. Лесная, ", "д. 5, ", "(at)", "8 912 345-67-89 Иван Сидоров ", "04452522 ", "пароль: ", "::", "а-", "GB82",
	} {
		text := []byte(strings.Repeat(piece, (1<<19)/len(piece)))
		var s pii.Scanner
		assert.LessOrEqual(t, len(s.Scan(text, pii.Context{})), len(text)/2, piece)
	}
}
