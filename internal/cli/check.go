package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/render"
)

type check struct {
	Plan string `arg:"" optional:"" help:"The plan to judge (the one that differs from the base)."`
	side
	Format       string   `enum:"text,json,sarif,markdown" default:"text" placeholder:"FORMAT" help:"text, json, sarif or markdown."`
	Fix          bool     `help:"Write the exact replacements into the working tree and show the difference."`
	AsIf         []string `name:"as-if" sep:"none" placeholder:"FACT" help:"Judge as if: approve:@login,role=ROLE[,confirm=ITEM+ITEM] or reject:@login,role=ROLE. May be repeated."`
	SaveSnapshot string   `placeholder:"FILE" help:"Write what was read, for replay."`
}

func (k *check) Help() string {
	return `Reads the working tree (or --head) against the default branch (or --base) with policy and roles of the base, and judges it as
the checks of a pull request would be. Nothing of the checkout is run. Who approves is asked on GitHub only. A dataset in Git LFS is
read from the checkout's own store, where "git lfs pull" puts it.

  pilotgate check
  pilotgate check docs/specs/epic_05/stage_05_03_pilot.md --fix
  pilotgate check --format sarif > pilotgate.sarif
  pilotgate check --as-if "approve:@irina-ml,role=ML Lead"`
}

// Run judges the checkout.
func (k *check) Run(c *call) error {
	p, notes, err := k.snapshot(c)
	if err != nil {
		return err
	}
	if k.Fix {
		if p, err = k.fix(c, p); err != nil {
			return err
		}
	}
	v := judge.PullRequest(&p)
	for _, fact := range k.AsIf {
		if err := suppose(&p, v, fact); err != nil {
			return err
		}
		v = judge.PullRequest(&p)
	}
	if k.SaveSnapshot != "" {
		if err := save(k.SaveSnapshot, p); err != nil {
			return err
		}
	}
	shown := c.show(v, k.Format)
	if k.Format == "text" {
		if err := c.print(c.words().Notes(notes, c.paint())); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return shown
}

// snapshot reads the checkout, with the named plan as the request.
func (k *check) snapshot(c *call) (facts.PullRequest, []string, error) {
	plan := ""
	if k.Plan != "" {
		plan = k.inCheckout(k.Plan)
	}
	p, notes, err := k.look(c, plan)
	if err != nil || plan == "" {
		return p, notes, err
	}
	if e, ok := p.Git.Trees[p.Head.OID].Entries[plan]; !ok || !e.Regular() {
		return p, nil, advise("name a Markdown file of the checkout", "read plan %s: no such file at the judged head", plan)
	}
	return p, notes, nil
}

// show prints a verdict and answers errFindings where it fails.
func (c *call) show(v judge.Verdict, format string) error {
	w := c.words()
	var out []byte
	var err error
	switch format {
	case "json":
		out, err = w.JSON(v)
	case "sarif":
		out, err = w.SARIF(v, release())
	case "markdown":
		out = []byte(render.Speak(v.Dossier.Policy.Language).Markdown(v))
	default:
		out = []byte(w.Terminal(v, c.paint()))
		if v.State == judge.NotGoverned {
			if plan := anyPlan(v); plan != "" {
				out = append(out, w.NamePlan(plan, c.paint())+"\n"...)
			}
		}
	}
	if err != nil {
		return err
	}
	if err := c.print(string(out)); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if render.Fails(v) {
		return errFindings
	}
	return nil
}

// anyPlan is a plan of the judged tree, as an example of one.
func anyPlan(v judge.Verdict) string {
	var plans []string
	for path := range v.Dossier.HeadTree.Entries {
		if v.Dossier.Policy.Kind(path) == policy.Plan {
			plans = append(plans, path)
		}
	}
	if len(plans) == 0 {
		return ""
	}
	return slices.Min(plans)
}

// saved is a snapshot in a file.
type saved struct {
	Schema      int               `json:"schema"`
	PullRequest facts.PullRequest `json:"pull_request"`
}

const snapshotSchema = 1

func save(path string, p facts.PullRequest) error {
	raw, err := json.Marshal(saved{snapshotSchema, p})
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	if path == "-" {
		return advise("name a file", "write snapshot: - is the verdict's")
	}
	// It may hold documents of a private repository.
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return advise("name a file in a folder that is there", "write snapshot: %w", err)
	}
	return nil
}

// release is the program's version without "v", "" for a build of a checkout.
func release() string {
	v := strings.TrimPrefix(buildVersion().version, "v")
	if strings.HasPrefix(v, "(") {
		return ""
	}
	return v
}
