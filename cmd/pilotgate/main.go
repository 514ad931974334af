// Command pilotgate is the gate for fine-tuning pilots; internal/cli is all of it.
package main

import "github.com/pilotgate/pilotgate/internal/cli"

func main() { cli.Main() }
