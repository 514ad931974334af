// Package workflows holds the GitHub Actions workflows that a repository with
// pilots starts with: the benchmark's dry run, the training of a signed-off
// pilot, and its evaluation. It decides nothing; `pilotgate init` writes the
// files into .github/workflows, docs/adoption.md says what they ask of a team's
// own scripts.
package workflows

import "embed"

// Folder is where GitHub reads workflows.
const Folder = ".github/workflows/"

// Names are the files, as they are called here and in Folder.
var Names = []string{"stage05_benchmark_smoke.yml", "pilot_finetune.yml", "pilot_evaluate.yml"}

// Files are the workflows by name.
//
//go:embed *.yml
var Files embed.FS
