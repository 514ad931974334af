package report

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/sentence"
)

// The chart has a row a metric, each on its own axis: the bands as a strip, the
// baseline above, the candidate with its 95 % interval below. It brings its own
// background, so that it reads alike on a light and a dark page, and marks the
// two models by form as well as by colour.
const (
	chartWidth  = 620
	rowHeight   = 74
	chartMargin = 8
	nameWidth   = 118
	valueWidth  = 104
	legend      = 26
	maxRows     = 20
)

var (
	paper     = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink       = color.RGBA{0x1f, 0x23, 0x28, 0xff}
	faint     = color.RGBA{0x59, 0x63, 0x6e, 0xff}
	passBand  = color.RGBA{0xd3, 0xf0, 0xd9, 0xff}
	warnBand  = color.RGBA{0xff, 0xf0, 0xc2, 0xff}
	failBand  = color.RGBA{0xff, 0xdc, 0xd8, 0xff}
	before    = color.RGBA{0x59, 0x63, 0x6e, 0xff}
	candidate = color.RGBA{0x05, 0x50, 0xae, 0xff}
)

// ErrNoChart says that there is nothing to draw.
var ErrNoChart = errors.New("the evaluation has no metric with a figure")

// Chart draws an evaluation as SVG, the same bytes for the same evaluation and
// language. ErrNoChart where no metric has a figure.
func Chart(e *evaluation.Evaluation, language string) ([]byte, error) {
	texts := sentence.Speak(language)
	var rows []evaluation.Metric
	for _, m := range e.Metrics {
		if m.Candidate.Value != "" || m.Baseline.Value != "" {
			rows = append(rows, m)
		}
	}
	if len(rows) == 0 {
		return nil, ErrNoChart
	}
	rows = rows[:min(len(rows), maxRows)]
	height := legend + rowHeight*vg.Length(len(rows)) + chartMargin
	svg := vgsvg.New(chartWidth, height)
	all := draw.New(svg)
	all.SetColor(paper)
	all.Fill(all.Rectangle.Path())
	drawLegend(draw.Crop(all, chartMargin, -chartMargin, height-legend, 0), texts)
	for i, m := range rows {
		top := height - legend - rowHeight*vg.Length(i)
		drawRow(draw.Crop(all, chartMargin, -chartMargin, top-rowHeight, top-height), m)
	}
	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write chart: %w", err)
	}
	return b.Bytes(), nil
}

func style(size vg.Length, c color.Color) draw.TextStyle {
	return draw.TextStyle{Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, Handler: plot.DefaultTextHandler}
}

func drawLegend(c draw.Canvas, texts *sentence.Texts) {
	y := (c.Min.Y + c.Max.Y) / 2
	x := c.Min.X + 2
	put := func(key string, half vg.Length, shape func(vg.Point)) {
		shape(vg.Point{X: x + half, Y: y})
		s := style(10, ink)
		s.YAlign = draw.YCenter
		text := texts.Text("report", key)
		c.FillText(s, vg.Point{X: x + 2*half + 4, Y: y}, text)
		x += 2*half + 4 + s.Width(text) + 16
	}
	put("chart_baseline", 5, func(p vg.Point) { ring(c, p) })
	put("chart_candidate", 9, func(p vg.Point) { bar(c, p.X-8, p.X+8, p.Y); diamond(c, p) })
	for _, band := range []struct {
		key string
		c   color.Color
	}{{"chart_pass", passBand}, {"chart_warn", warnBand}, {"chart_fail", failBand}} {
		put(band.key, 5, func(p vg.Point) {
			c.SetColor(band.c)
			c.Fill(vg.Rectangle{Min: vg.Point{X: p.X - 5, Y: p.Y - 5}, Max: vg.Point{X: p.X + 5, Y: p.Y + 5}}.Path())
		})
	}
}

// marks are a row's figures as points on its axis.
type marks struct {
	metric              evaluation.Metric
	baseline, candidate []float64 // one figure, or none
	low, high           []float64 // the interval, laid from the baseline
	pass, warn          []float64
}

func read(figure string) []float64 {
	f, err := strconv.ParseFloat(figure, 64)
	if err != nil {
		return nil
	}
	return []float64{f}
}

func marksOf(m evaluation.Metric) marks {
	out := marks{metric: m, baseline: read(m.Baseline.Value), candidate: read(m.Candidate.Value), pass: read(m.Pass), warn: read(m.Warn)}
	if low, high := read(m.Low), read(m.High); len(low)+len(high)+len(out.baseline) == 3 {
		out.low, out.high = []float64{out.baseline[0] + low[0]}, []float64{out.baseline[0] + high[0]}
	}
	return out
}

// reach is the axis: all figures and bounds with some room, within what the
// metric can be.
func (k marks) reach() (low, high float64) {
	all := slices.Concat(k.baseline, k.candidate, k.low, k.high, k.pass, k.warn)
	low, high = slices.Min(all), slices.Max(all)
	room := (high - low) * 0.12
	if room == 0 {
		room = max(0.01, high*0.05)
	}
	low, high = low-room, high+room
	if k.metric.Name != benchmark.Latency {
		return max(0, low), min(1.005, high)
	}
	return max(0, low), high
}

func drawRow(c draw.Canvas, m evaluation.Metric) {
	k := marksOf(m)
	p := plot.New()
	p.BackgroundColor = nil
	p.HideY()
	p.X.Min, p.X.Max = k.reach()
	p.X.LineStyle.Color, p.X.Tick.LineStyle.Color = faint, faint
	p.X.Tick.Label = style(8.5, faint)
	p.X.Tick.Label.XAlign = draw.XCenter
	p.X.Tick.Label.YAlign = draw.YTop
	p.X.Padding = 0
	p.Y.Min, p.Y.Max = 0, 1
	p.Add(k)

	title := style(10.5, ink)
	title.YAlign = draw.YCenter
	small := style(9, faint)
	small.YAlign = draw.YCenter
	middle := c.Min.Y + 0.62*(c.Max.Y-c.Min.Y)
	c.FillText(title, vg.Point{X: c.Min.X + 2, Y: middle + 6}, m.Name)
	c.FillText(small, vg.Point{X: c.Min.X + 2, Y: middle - 7}, name(m.Statistic)+", n "+strconv.Itoa(m.N))
	figures := style(9.5, before)
	figures.YAlign = draw.YCenter
	at := c.Max.X - valueWidth + 10
	c.FillText(figures, vg.Point{X: at, Y: middle + 6}, value(m.Name, m.Baseline.Value))
	figures.Color = candidate
	c.FillText(figures, vg.Point{X: at, Y: middle - 7}, value(m.Name, m.Candidate.Value)+" ("+delta(m.Name, m.Delta)+")")
	p.Draw(draw.Crop(c, nameWidth, -valueWidth, 4, -4))
}

// Plot draws the row: bands, baseline, interval, candidate.
func (k marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	strip := func(from, to float64, fill color.Color) {
		from, to = max(from, p.X.Min), min(to, p.X.Max)
		if to <= from {
			return
		}
		c.SetColor(fill)
		c.Fill(vg.Rectangle{Min: vg.Point{X: x(from), Y: y(0)}, Max: vg.Point{X: x(to), Y: y(1)}}.Path())
	}
	strip(p.X.Min, p.X.Max, failBand)
	better := func(bound []float64, fill color.Color) {
		switch {
		case len(bound) == 0:
		case k.metric.Better == benchmark.Lower:
			strip(p.X.Min, bound[0], fill)
		case k.metric.Better == benchmark.Higher:
			strip(bound[0], p.X.Max, fill)
		}
	}
	better(k.warn, warnBand)
	better(k.pass, passBand)
	if len(k.baseline) > 0 {
		ring(c, vg.Point{X: x(k.baseline[0]), Y: y(0.7)})
	}
	if len(k.low) > 0 {
		bar(c, x(k.low[0]), x(k.high[0]), y(0.3))
	}
	if len(k.candidate) > 0 {
		diamond(c, vg.Point{X: x(k.candidate[0]), Y: y(0.3)})
	}
}

func ring(c draw.Canvas, at vg.Point) {
	c.DrawGlyph(draw.GlyphStyle{Color: before, Radius: 4.5, Shape: draw.CircleGlyph{}}, at)
	c.DrawGlyph(draw.GlyphStyle{Color: paper, Radius: 2.2, Shape: draw.CircleGlyph{}}, at)
}

func diamond(c draw.Canvas, at vg.Point) {
	const r = 5
	c.FillPolygon(candidate, []vg.Point{{X: at.X, Y: at.Y + r}, {X: at.X + r, Y: at.Y}, {X: at.X, Y: at.Y - r}, {X: at.X - r, Y: at.Y}})
}

func bar(c draw.Canvas, from, to, y vg.Length) {
	line := draw.LineStyle{Color: candidate, Width: vg.Points(1.6)}
	c.StrokeLine2(line, from, y, to, y)
	for _, end := range []vg.Length{from, to} {
		c.StrokeLine2(line, end, y-3, end, y+3)
	}
}
