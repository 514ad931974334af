package monitoring

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// Board is a Grafana dashboard, as far as we write one; see
// https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model.
type Board struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Description   string     `json:"description,omitempty"`
	Tags          []string   `json:"tags"`
	Timezone      string     `json:"timezone"`
	Editable      bool       `json:"editable"`
	SchemaVersion int        `json:"schemaVersion"`
	Version       int        `json:"version"`
	Refresh       string     `json:"refresh"`
	Time          TimeRange  `json:"time"`
	Templating    Templating `json:"templating"`
	Panels        []Panel    `json:"panels"`
}

// TimeRange is what the board shows when it is opened.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating holds the board's variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a choice at the top of the board.
type Variable struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Type  string `json:"type"`
	Query string `json:"query"`
}

// Panel is one graph.
type Panel struct {
	ID          int         `json:"id"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	Type        string      `json:"type"`
	Datasource  Datasource  `json:"datasource"`
	GridPos     GridPos     `json:"gridPos"`
	FieldConfig FieldConfig `json:"fieldConfig"`
	Options     Options     `json:"options"`
	Targets     []Target    `json:"targets"`
}

// Datasource names where the panel's data is.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// GridPos is a panel's place; a board is 24 wide.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// FieldConfig says how values are drawn.
type FieldConfig struct {
	Defaults  FieldDefaults `json:"defaults"`
	Overrides []struct{}    `json:"overrides"` // never any
}

// FieldDefaults hold for all series of a panel.
type FieldDefaults struct {
	Unit       string     `json:"unit"`
	Min        *float64   `json:"min,omitempty"`
	Max        *float64   `json:"max,omitempty"`
	Thresholds Thresholds `json:"thresholds"`
	Custom     Custom     `json:"custom"`
}

// Thresholds are the band's lines: each step holds from its value upwards.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is a colour from a value on; the first one has none.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Custom is the graph's own part.
type Custom struct {
	DrawStyle       string          `json:"drawStyle"`
	LineWidth       int             `json:"lineWidth"`
	SpanNulls       bool            `json:"spanNulls"`
	ThresholdsStyle ThresholdsStyle `json:"thresholdsStyle"`
}

// ThresholdsStyle says that the thresholds are drawn.
type ThresholdsStyle struct {
	Mode string `json:"mode"`
}

// Options are a panel's legend and tooltip.
type Options struct {
	Legend  Legend  `json:"legend"`
	Tooltip Tooltip `json:"tooltip"`
}

// Legend names the series.
type Legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

// Tooltip is what pointing at the graph shows.
type Tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// Target is one query.
type Target struct {
	RefID        string     `json:"refId"`
	Datasource   Datasource `json:"datasource"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat"`
}

const (
	boardSchema = 39 // Grafana 10 and later
	boardWidth  = 24
	panelWidth  = 8
	panelHeight = 8
	source      = "source" // the variable
)

// JSON is the board as Grafana imports it.
func (b Board) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(b); err != nil {
		return nil, fmt.Errorf("write dashboard: %w", err)
	}
	return out.Bytes(), nil
}

// Dashboard draws every watched metric of the deployed model with its band, the
// drift with its limits, and the runs. It reads what Rules records.
func Dashboard(w Watch) Board {
	d := drawing{w: w, board: Board{
		UID: uid(w), Title: w.Say("board", "pilot", w.Pilot, "scenario", w.Scenario), Description: w.Say("board_about", "plan", w.Plan),
		Tags: []string{"pilotgate", "pilot"}, Timezone: "utc", Editable: true, SchemaVersion: boardSchema, Version: 1, Refresh: "5m",
		Time:       TimeRange{"now-30d", "now"},
		Templating: Templating{[]Variable{{source, w.Say("source"), "datasource", "prometheus"}}},
	}}
	// What people ask about first comes first.
	for _, m := range []string{benchmark.Latency, benchmark.Accuracy, benchmark.Coverage, benchmark.Coherence, benchmark.Informativeness} {
		if !w.Bands[m].Empty() {
			d.metric(m)
		}
	}
	if l := w.Drift.PSI; l != nil {
		d.add(w.Say("panel_psi"), "short", above(l.InexactFloat64()), target(w.ofPilot(deployedPSI), "{{quantity}}"))
	}
	if l := w.Drift.KSP; l != nil {
		d.add(w.Say("panel_ks"), "short", below(l.InexactFloat64()), target(w.ofPilot(deployedKSP), "{{quantity}}"))
	}
	d.add(w.Say("panel_outcome"), "short", []Step{{green, nil}, {orange, new(1.0)}, {red, new(2.0)}},
		target(w.measured(MetricOutcome), "{{metric}}"), target(w.measured(RunOutcome), w.Say("run")))
	d.add(w.Say("panel_duration"), "s", []Step{{green, nil}}, target(w.ofPilot(deployedDuration), "{{model}}@{{version}}"))
	d.add(w.Say("panel_age"), "s", above(staleAfter.Seconds()), target("time() - "+w.ofPilot(deployedMeasured), "{{model}}@{{version}}"))
	return d.board
}

// uid is the same for one pilot, and another for another repository's.
func uid(w Watch) string {
	sum := sha256.Sum256([]byte(w.Repository + "\n" + w.Pilot))
	return "pilot-" + hex.EncodeToString(sum[:8])
}

const (
	green  = "green"
	orange = "orange"
	red    = "red"
)

func above(limit float64) []Step { return []Step{{green, nil}, {orange, &limit}} }

func below(limit float64) []Step { return []Step{{orange, nil}, {green, &limit}} }

type drawing struct {
	w     Watch
	board Board
}

func target(expr, legend string) Target { return Target{Expr: expr, LegendFormat: legend} }

func (d *drawing) add(title, unit string, steps []Step, targets ...Target) *Panel {
	n := len(d.board.Panels)
	perRow := boardWidth / panelWidth
	data := Datasource{"prometheus", "${" + source + "}"}
	for i := range targets {
		targets[i].RefID, targets[i].Datasource = string(rune('A'+i)), data
	}
	d.board.Panels = append(d.board.Panels, Panel{
		ID: n + 1, Title: title, Type: "timeseries", Datasource: data,
		GridPos: GridPos{panelHeight, panelWidth, n % perRow * panelWidth, n / perRow * panelHeight},
		FieldConfig: FieldConfig{
			Defaults: FieldDefaults{
				Unit: unit, Thresholds: Thresholds{"absolute", steps},
				Custom: Custom{DrawStyle: "line", LineWidth: 2, SpanNulls: true, ThresholdsStyle: ThresholdsStyle{"line+area"}},
			},
			Overrides: []struct{}{},
		},
		Options: Options{
			Legend:  Legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{"lastNotNull"}},
			Tooltip: Tooltip{Mode: "multi", Sort: "none"},
		},
		Targets: targets,
	})
	return &d.board.Panels[n]
}

func (d *drawing) metric(metric string) {
	b := d.w.Bands[metric]
	unit := "percentunit"
	if metric == benchmark.Latency {
		unit = "s"
	}
	p := d.add(d.w.Say("panel_metric", "metric", d.w.Say(metric), "statistic", d.w.statistic(metric)), unit, steps(b),
		target(d.w.ofPilot(deployedValue, "metric", metric), "{{model}}@{{version}}"))
	p.Description = d.w.Say("panel_band", "band", b.String())
	if metric != benchmark.Latency {
		p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = new(0.0), new(1.0)
	}
}

// steps are a band's bounds from the lowest value up.
func steps(b benchmark.Band) []Step {
	all := limits(b)
	worst := all[len(all)-1].bound.InexactFloat64()
	first := all[0].bound.InexactFloat64()
	two := len(all) == 2
	switch {
	case b.Better == benchmark.Lower && two:
		return []Step{{green, nil}, {orange, &first}, {red, &worst}}
	case b.Better == benchmark.Lower:
		return []Step{{green, nil}, {red, &worst}}
	case two:
		return []Step{{red, nil}, {orange, &worst}, {green, &first}}
	}
	return []Step{{red, nil}, {green, &worst}}
}
