package cli

import (
	"strings"
)

type explain struct {
	Rule string `arg:"" help:"A rule's id, such as CF003, or checks for the list."`
}

// Run explains one rule, or lists them all.
func (e *explain) Run(c *call) error {
	if strings.EqualFold(e.Rule, "checks") {
		return (checks{}).Run(c)
	}
	text, ok := c.words().Explain(strings.ToUpper(e.Rule), c.paint())
	if !ok {
		return advise("`pilotgate checks` lists them", "explain %s: there is no such rule", e.Rule)
	}
	return c.print(text)
}

type checks struct{}

// Run lists the catalogue.
func (checks) Run(c *call) error { return c.print(c.words().RuleList(c.paint())) }
