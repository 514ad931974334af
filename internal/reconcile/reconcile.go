// Package reconcile is the way through: for a subject it looks at GitHub,
// judges what it saw, compares GitHub with what is wanted, and writes the
// difference. Everything else in this program serves one of these steps.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/internal/effect"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/gh"
	"github.com/pilotgate/pilotgate/internal/judge"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// Loop reconciles one subject at a time; it is safe for concurrent use on
// different subjects, and the queue never runs one subject twice at once.
type Loop struct {
	GitHub *gh.Client
	Queue  queue.Queue
	Signer *ledger.Signer // nil: no sign-off can be written
	Log    zerolog.Logger
	// Exported is told what each look at a repository saw to be shown as
	// metrics; nil: nobody asks.
	Exported func(facts.Repository, judge.Export)
}

// kind is what the steps are for one kind of subject.
type kind[S any] struct {
	look    func(context.Context, facts.Subject) (S, error)
	common  func(*S) *facts.Common
	missing func(*S) []facts.Need
	// decide judges, wants and compares; again is when time alone changes that.
	decide func(*S) (effects []effect.Effect, again time.Time, err error)
	// unable is what GitHub should show when we could not decide.
	unable func(s *S, why error) []effect.Effect
}

// Reconcile brings GitHub to what is wanted for the subject of a key.
func (l *Loop) Reconcile(ctx context.Context, k queue.Key) error {
	s := facts.Subject(k)
	switch k.Kind {
	case facts.KindPullRequest:
		return steps(ctx, l, s, l.pullRequests())
	case facts.KindPilot:
		return steps(ctx, l, s, l.pilots())
	case facts.KindRepository:
		return steps(ctx, l, s, l.repositories())
	case facts.KindMergeGroup:
		return steps(ctx, l, s, l.mergeGroups())
	case queue.KindInstallation:
		return l.installation(ctx, s)
	}
	return queue.Gone(fmt.Errorf("no such kind of subject: %q", k.Kind))
}

// steps is the loop: look, judge, want, compare, write. A look that was
// overtaken while it was judged is thrown away and made again.
func steps[S any](ctx context.Context, l *Loop, s facts.Subject, k kind[S]) error {
	const looks = 3
	var err error
	for range looks {
		var snapshot S
		if snapshot, err = k.look(ctx, s); err != nil {
			return err
		}
		// gofail: var afterLook struct{}
		// crash()
		common := k.common(&snapshot)
		var effects []effect.Effect
		var again time.Time
		var seen gh.Sight
		if seen, err = l.fill(ctx, s, common, func() []facts.Need { return k.missing(&snapshot) }); err == nil {
			effects, again, err = safely(func() ([]effect.Effect, time.Time, error) { return k.decide(&snapshot) })
		}
		if err != nil {
			if k.unable != nil && ctx.Err() == nil {
				err = errors.Join(err, l.write(ctx, s, common.Repository, k.unable(&snapshot, err), l.guard(s, "", gh.Sight{})))
			}
			return err
		}
		if !again.IsZero() {
			if err = l.Queue.Add(ctx, queue.Key(s), queue.AddOptions{NotBefore: again}); err != nil {
				return fmt.Errorf("set a time to look again: %w", err)
			}
		}
		// gofail: var beforeWrite struct{}
		// crash()
		err = l.write(ctx, s, common.Repository, effects, l.guard(s, head(&snapshot), seen))
		l.report(s, common, effects, err)
		switch {
		case gh.OnlyRefused(err):
			return nil // doing it again changes nothing; the next look tries once more
		case !gh.Overtaken(err):
			return err
		}
	}
	return queue.Transient(err, 0)
}

// fill answers needs in rounds: what to read next depends on what was read.
// What is known already takes no round, and comes first, so that each round
// asks for as much as possible. More rounds than any document can ask for are
// an error of ours. The sight is the last one of a pull request's head.
func (l *Loop) fill(ctx context.Context, s facts.Subject, c *facts.Common, missing func() []facts.Need) (seen gh.Sight, err error) {
	const rounds, steps = 12, 96
	for round, step := 0, 0; ; step++ {
		needs, _, err := safely(func() ([]facts.Need, struct{}, error) { return missing(), struct{}{}, nil })
		if err != nil || len(needs) == 0 {
			return seen, err
		}
		if round == rounds || step == steps {
			return seen, fmt.Errorf("facts still missing after %d rounds: %v", round, needs[0])
		}
		if l.GitHub.Recall(ctx, s, c, needs) {
			continue
		}
		if seen, err = l.GitHub.Fill(ctx, s, c, needs); err != nil {
			return seen, fmt.Errorf("fill in facts: %w", err)
		}
		round++
	}
}

// safely turns a panic of the core into an error: what cannot be evaluated is
// red, not down.
func safely[A, B any](f func() (A, B, error)) (a A, b B, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Panic{What: fmt.Sprintf("%T", p), Stack: string(debug.Stack())}
		}
	}()
	return f()
}

// Panic is an error of ours. It holds the panic's type and where it came from,
// not its value, which may be a document's.
type Panic struct{ What, Stack string }

func (p *Panic) Error() string { return "panic while judging: " + p.What + "\n" + p.Stack }

// write applies effects, then puts the other subjects among them into the queue:
// they write beside what was written, in the same comment for one, and must see it.
// What GitHub refuses does not keep them back, and a look that ends before is made
// again. The subject itself is looked at again only after its writes were taken:
// what is refused is not tried for ever.
func (l *Loop) write(ctx context.Context, s facts.Subject, repo facts.Repository, effects []effect.Effect, guard func(context.Context) error) error {
	var at []effect.Effect
	var looks []effect.Look
	again := false
	for _, e := range effects {
		look, ok := e.(effect.Look)
		if !ok {
			at = append(at, e)
			continue
		}
		look.Subject.Installation = s.Installation
		l.GitHub.HintPilot(look.Subject, look.Plan, look.Pull)
		if look.Subject == s {
			again = true
			continue
		}
		looks = append(looks, look)
	}
	var err error
	if len(at) > 0 {
		err = l.GitHub.Apply(ctx, s, repo, at, guard)
	}
	for _, look := range looks {
		if add := l.Queue.Add(ctx, queue.Key(look.Subject), queue.AddOptions{}); add != nil {
			return errors.Join(err, fmt.Errorf("hand over to %s: %w", look.Subject.Kind, add))
		}
	}
	if err != nil || !again {
		return err
	}
	if err := l.Queue.Add(ctx, queue.Key(s), queue.AddOptions{}); err != nil {
		return fmt.Errorf("look again: %w", err)
	}
	return nil
}

// guard is asked before each write: the lease must hold, and a pull request's
// head, read once more after the look, must be the judged one. One read serves
// the writes that follow it within a second or two; that may be the one which
// came with the last facts.
func (l *Loop) guard(s facts.Subject, head string, seen gh.Sight) func(context.Context) error {
	const fresh = 2 * time.Second
	return func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("lease lost: %w", err)
		}
		if head == "" {
			return nil
		}
		if seen.Head == "" || time.Since(seen.At) >= fresh {
			at := time.Now()
			tip, err := l.GitHub.Head(ctx, s)
			if err != nil {
				return err
			}
			seen = gh.Sight{Head: tip.Head, At: at}
		}
		if seen.Head != head {
			return &gh.Moved{From: head, To: seen.Head}
		}
		return nil
	}
}

// head is the judged head of what has one of its own and may move. That of a
// merged request does not, and a commit to the default branch carries its
// expected parent itself.
func head[S any](s *S) string {
	switch x := any(s).(type) {
	case *facts.PullRequest:
		if x.Merge != nil {
			return ""
		}
		return x.Head.OID
	case *facts.MergeGroup:
		return x.HeadOID
	}
	return ""
}

func (l *Loop) pullRequests() kind[facts.PullRequest] {
	return kind[facts.PullRequest]{
		look: func(ctx context.Context, s facts.Subject) (facts.PullRequest, error) {
			p, err := l.GitHub.LookPullRequest(ctx, s)
			p.Clicks = clicks(ctx)
			return p, err
		},
		common:  func(p *facts.PullRequest) *facts.Common { return &p.Common },
		missing: judge.Missing,
		decide: func(p *facts.PullRequest) ([]effect.Effect, time.Time, error) {
			v := judge.PullRequest(p)
			if mend := effect.Mend(p, v); len(mend) > 0 {
				return mend, time.Time{}, nil
			}
			return effect.Diff(p, effect.Want(p, v)), v.LookAgainAt, nil
		},
		unable: func(p *facts.PullRequest, why error) []effect.Effect {
			if !p.Open {
				return nil
			}
			class, _ := queue.Classify(why)
			var out []effect.Effect
			for _, r := range effect.CouldNotEvaluate(p, "en", string(class), class == queue.ClassOurs) {
				out = append(out, r)
			}
			return out
		},
	}
}

func (l *Loop) pilots() kind[facts.Pilot] {
	return kind[facts.Pilot]{
		look:   l.lookPilot,
		common: func(s *facts.Pilot) *facts.Common { return &s.Common },
		missing: func(s *facts.Pilot) []facts.Need {
			if needs := judge.MissingPilot(s); len(needs) > 0 {
				return needs
			}
			return effect.PilotNeeds(s, judge.Pilot(s))
		},
		decide: func(s *facts.Pilot) ([]effect.Effect, time.Time, error) {
			v := judge.Pilot(s)
			effects, err := effect.DiffPilot(s, v, l.Signer)
			return effects, v.LookAgainAt, err
		},
	}
}

// lookPilot finds the plan on the default branch: only the documents there say
// which file is which pilot's.
func (l *Loop) lookPilot(ctx context.Context, s facts.Subject) (facts.Pilot, error) {
	p, err := l.GitHub.LookPilot(ctx, s, func(c *facts.Common) (paths []string, err error) {
		_, err = l.fill(ctx, s, c, func() (needs []facts.Need) {
			paths, needs = judge.PlanPaths(c, s.ID)
			return needs
		})
		return paths, err
	})
	p.Alerts = alerts(ctx, s.ID)
	return p, err
}

func (l *Loop) repositories() kind[facts.RepositoryState] {
	return kind[facts.RepositoryState]{
		look: func(ctx context.Context, s facts.Subject) (facts.RepositoryState, error) {
			return l.GitHub.LookRepository(ctx, s, judge.RolesPath)
		},
		common: func(s *facts.RepositoryState) *facts.Common { return &s.Common },
		missing: func(s *facts.RepositoryState) []facts.Need {
			if needs := judge.MissingRepository(s); len(needs) > 0 {
				return needs
			}
			return effect.RepositoryNeeds(s, judge.Repository(s))
		},
		decide: func(s *facts.RepositoryState) ([]effect.Effect, time.Time, error) {
			v := judge.Repository(s)
			if l.Exported != nil {
				l.Exported(s.Repository, v.Export)
			}
			effects, err := effect.DiffRepository(s, v, l.Signer)
			return effects, time.Time{}, err
		},
	}
}

func (l *Loop) mergeGroups() kind[facts.MergeGroup] {
	return kind[facts.MergeGroup]{
		look:    l.GitHub.LookMergeGroup,
		common:  func(g *facts.MergeGroup) *facts.Common { return &g.Common },
		missing: judge.MissingGroup,
		decide: func(g *facts.MergeGroup) ([]effect.Effect, time.Time, error) {
			return effect.DiffMergeGroup(g, judge.MergeGroup(g)), time.Time{}, nil
		},
	}
}

// installation adds a key for every repository that the installation sees.
func (l *Loop) installation(ctx context.Context, s facts.Subject) error {
	repos, err := l.GitHub.Repositories(ctx, s.Installation)
	if err != nil {
		return err
	}
	l.GitHub.ForgetPeople(s.Installation)
	for _, r := range repos {
		k := queue.Key{Installation: s.Installation, Repository: r, Kind: facts.KindRepository}
		if err := l.Queue.Add(ctx, k, queue.AddOptions{}); err != nil {
			return fmt.Errorf("hand over to repository %d: %w", r, err)
		}
	}
	return nil
}

// report logs an outcome, once.
func (l *Loop) report(s facts.Subject, c *facts.Common, effects []effect.Effect, err error) {
	e := l.Log.Info()
	if err != nil {
		e = l.Log.Warn().Err(err)
	}
	e = e.Str("repo", c.Repository.FullName()).Str("subject", s.Kind+" "+s.ID).Int("effects", len(effects))
	if n, bad := strconv.Atoi(s.ID); bad == nil && s.Kind == facts.KindPullRequest {
		e = e.Int("pr", n)
	}
	if len(effects) > 0 {
		keys := make([]string, 0, len(effects))
		for _, x := range effects {
			keys = append(keys, x.Key())
		}
		e = e.Strs("wrote", keys)
	}
	e.Msg("reconciled")
}
