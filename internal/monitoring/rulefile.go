// Package monitoring writes what watches a released model: Prometheus rules
// from the bands of a pilot's plan, unit tests that hold each threshold, and a
// Grafana dashboard that draws the bands.
//
// It is given bands and gives the bytes of files. It reads no files, knows no
// Prometheus server and judges no measurement: the same bands always make the
// same bytes, so that a rule file in a repository can be compared with its
// plan.
package monitoring

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// RuleFile is a file of Prometheus rules, with the keys that we write; see
// https://prometheus.io/docs/prometheus/latest/configuration/recording_rules.
type RuleFile struct {
	Groups []RuleGroup `yaml:"groups"`
}

// RuleGroup is evaluated in order: an alert sees what was recorded before it.
type RuleGroup struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []Rule `yaml:"rules"`
}

// Rule records a series or raises an alert; exactly one of Record and Alert is
// set. Durations are Prometheus', as "5m".
type Rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// encode is v as YAML below a comment of whole lines.
func encode(comment string, v any) ([]byte, error) {
	body, err := yaml.MarshalWithOptions(v, yaml.Indent(2), yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	var b strings.Builder
	for line := range strings.Lines(comment) {
		b.WriteString("# " + line)
	}
	b.Write(body)
	return []byte(b.String()), nil
}

// YAML is the file as Prometheus reads it, below a comment of whole lines.
func (f RuleFile) YAML(comment string) ([]byte, error) { return encode(comment, f) }
