package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pilotgate/pilotgate/internal/queue"
	"github.com/pilotgate/pilotgate/internal/server"
)

// queues is the operator's desk: what waits, and what was given up.
type queues struct {
	List    queueList    `cmd:"" help:"List dead letters: keys that failed too often."`
	Show    queueShow    `cmd:"" help:"Show one dead letter with its last error."`
	Requeue queueRequeue `cmd:"" help:"Give dead letters a fresh start."`
}

// desk is where the queue of a configuration is found.
type desk struct {
	Config string `placeholder:"FILE" help:"The server's settings; of them only the queue's are used."`
}

func (d desk) open(c *call) (server.Desk, error) {
	config, err := server.LoadQueue(d.Config)
	if err != nil {
		return nil, advise("see config/server.example.yml", "%w", err)
	}
	open, err := server.OpenDesk(c.Context, config)
	if err != nil {
		return nil, advise("run it where the server runs, as its user", "open the queue: %w", err)
	}
	return open, nil
}

type queueList struct {
	desk    `embed:""`
	Waiting bool `help:"List the keys that wait instead, at most 1000."`
}

// Run prints one line a key.
func (l queueList) Run(c *call) (err error) {
	q, err := l.open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 4, 2, ' ', 0)
	if l.Waiting {
		keys, err := q.Waiting(c.Context, 1000)
		if err != nil {
			return err
		}
		for _, k := range keys {
			fmt.Fprintf(table, "%s\t%s\n", k, subject(k))
		}
	} else {
		letters, err := q.Dead(c.Context)
		if err != nil {
			return err
		}
		for _, x := range letters {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d failures\n", x.Key, subject(x.Key), x.At.UTC().Format(time.RFC3339), x.Failures)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return c.print(cmp.Or(out.String(), "nothing\n"))
}

// subject is a key in people's words.
func subject(k queue.Key) string {
	if k.Kind == queue.KindInstallation {
		return fmt.Sprintf("installation %d", k.Installation)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", k.Kind, k.ID)) + fmt.Sprintf(" of repository %d", k.Repository)
}

type queueShow struct {
	desk `embed:""`
	Key  string `arg:"" help:"As listed."`
}

// Run prints a letter.
func (s queueShow) Run(c *call) (err error) {
	k, err := queue.ParseKey(s.Key)
	if err != nil {
		return advise("take it from `pilotgate queue list`", "%w", err)
	}
	q, err := s.open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	letters, err := q.Dead(c.Context)
	if err != nil {
		return err
	}
	for _, x := range letters {
		if x.Key == k {
			return c.print(fmt.Sprintf("key       %s\nsubject   %s\ngiven up  %s\nfailures  %d\nreason    %s\n",
				x.Key, subject(x.Key), x.At.UTC().Format(time.RFC3339), x.Failures, x.Reason))
		}
	}
	return advise("see `pilotgate queue list`", "%w", queue.ErrNotDead)
}

type queueRequeue struct {
	desk `embed:""`
	Keys []string `arg:"" optional:"" help:"As listed."`
	All  bool     `help:"Every dead letter."`
}

// Run gives each key a fresh start.
func (r queueRequeue) Run(c *call) (err error) {
	if r.All == (len(r.Keys) > 0) {
		return advise("give keys, or --all", "nothing to requeue, or too much")
	}
	var keys []queue.Key
	for _, text := range r.Keys {
		k, err := queue.ParseKey(text)
		if err != nil {
			return advise("take it from `pilotgate queue list`", "%w", err)
		}
		keys = append(keys, k)
	}
	q, err := r.open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	if r.All {
		letters, err := q.Dead(c.Context)
		if err != nil {
			return err
		}
		for _, x := range letters {
			keys = append(keys, x.Key)
		}
	}
	for _, k := range keys {
		if err := q.Requeue(c.Context, k); err != nil {
			return fmt.Errorf("requeue %s: %w", k, err)
		}
	}
	return c.print(fmt.Sprintf("%d requeued\n", len(keys)))
}
