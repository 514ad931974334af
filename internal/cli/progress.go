package cli

import (
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// progress shows long reading on a terminal's stderr and is silent in a pipe.
type progress struct {
	all   *mpb.Progress
	bar   *mpb.Bar
	total int64
}

func newProgress(c *call) *progress {
	if !c.StderrTerminal {
		return &progress{}
	}
	return &progress{all: mpb.NewWithContext(c, mpb.WithOutput(c.Stderr), mpb.WithAutoRefresh(), mpb.WithWidth(80))}
}

// leastShown is below what nobody waits for a bar: bytes.
const leastShown = 32 << 20

// expect adds the datasets that are to be read to the total.
func (p *progress) expect(needs []facts.Need) {
	for _, n := range needs {
		if n.Kind == facts.NeedScan {
			p.total += n.Scan.Size
		}
	}
	p.show()
}

func (p *progress) show() {
	switch {
	case p.all == nil || p.total < leastShown:
	case p.bar == nil:
		p.bar = p.all.AddBar(p.total, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name("reading "), decor.CountersKibiByte("% .0f / % .0f")),
			mpb.AppendDecorators(decor.Percentage(), decor.AverageSpeed(decor.SizeB1024(0), " % .0f"), decor.Name(", "),
				decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 1}), decor.Name(" left")))
	default:
		p.bar.SetTotal(p.total, false)
	}
}

func (p *progress) add(n int64) {
	if p.bar != nil {
		p.bar.IncrInt64(n)
	}
}

func (p *progress) done() {
	if p.bar != nil {
		p.bar.Abort(true)
	}
	if p.all != nil {
		p.all.Wait()
	}
}
