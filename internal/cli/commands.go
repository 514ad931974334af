package cli

import (
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// commands is the command table, in the order of the help.
type commands struct {
	Demo       story      `cmd:"" help:"Play the whole story on a GitHub that lives in this process."`
	Serve      serve      `cmd:"" help:"Run the GitHub App server."`
	Queue      queues     `cmd:"" help:"Look into a server's queue: dead letters, and their fresh start."`
	Check      check      `cmd:"" help:"Judge a plan with its dataset, config, baseline and operations in a local git checkout."`
	Dataset    datasets   `cmd:"" help:"Look into datasets."`
	Benchmark  benchmarks `cmd:"" help:"Recompute the benchmark's dry run from the scores in a dataset."`
	Verify     verify     `cmd:"" help:"Derive the sign-off log and its evidence chain again, offline."`
	Monitoring monitors   `cmd:"" help:"Write Prometheus rules, their unit tests and a Grafana dashboard from a plan's bands."`
	Init       initialise `cmd:"" help:"Write what a repository starts with: policy, approvers, plan and data-card templates, workflows, registry."`
	Explain    explain    `cmd:"" help:"Say what a rule means and how to mend it."`
	Checks     checks     `cmd:"" help:"List the rules."`
	Replay     replay     `cmd:"" help:"Judge a saved snapshot again."`
	Version    version    `cmd:"" help:"Print the version."`
}

func newParser(options ...kong.Option) (*kong.Kong, error) {
	return kong.New(&commands{}, append([]kong.Option{
		kong.Name("pilotgate"),
		kong.Description("The gate for fine-tuning pilots: checks the plan, collects the approvals, keeps the evidence.\n\n" +
			"Exit codes: 0 nothing at error level, 1 findings at error level, 2 wrong usage or it could not be carried out."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	}, options...)...)
}

func commandNames() []string {
	var out []string
	t := reflect.TypeFor[commands]()
	for i := range t.NumField() {
		out = append(out, strings.ToLower(t.Field(i).Name))
	}
	return out
}
