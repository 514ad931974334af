package judge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/judge"
)

func TestAboutDeployed(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := since.Add(time.Hour)
	deployed := judge.Deployed{Scenario: "channel_digest_ru", Model: "qwen-7b-digest", Version: "1.4.0", Pilot: "ru-digest-2026-01", Since: since}
	good := facts.Alert{
		Fingerprint: "a5331b0da5a9d842", Name: "PilotMetricBelowBand", Scenario: "channel_digest_ru", Model: "qwen-7b-digest", Version: "1.4.0",
		Pilot: "ru-digest-2026-01", StartsAt: since.Add(time.Second), Status: facts.Firing, Received: now,
	}
	for _, c := range []struct {
		name   string
		change func(*facts.Alert, *judge.Deployed)
		want   judge.AlertStanding
	}{
		{"as it should be", func(*facts.Alert, *judge.Deployed) {}, judge.AlertCounts},
		{"without a version", func(a *facts.Alert, _ *judge.Deployed) { a.Version = "" }, judge.AlertCounts},
		{"a clock that is a little ahead", func(a *facts.Alert, _ *judge.Deployed) { a.StartsAt = now.Add(5 * time.Minute) }, judge.AlertCounts},
		{"over", func(a *facts.Alert, _ *judge.Deployed) { a.Status = facts.Resolved }, judge.AlertResolved},
		{"a status of its own", func(a *facts.Alert, _ *judge.Deployed) { a.Status = "" }, judge.AlertResolved},
		{"another scenario", func(a *facts.Alert, _ *judge.Deployed) { a.Scenario = "review_summary_ru" }, judge.AlertOtherScenario},
		{"no scenario on either side", func(a *facts.Alert, d *judge.Deployed) { a.Scenario, d.Scenario = "", "" }, judge.AlertOtherScenario},
		{"the model that ran before", func(a *facts.Alert, _ *judge.Deployed) { a.Model = "qwen-7b" }, judge.AlertOtherModel},
		{"no model on either side", func(a *facts.Alert, d *judge.Deployed) { a.Model, d.Model = "", "" }, judge.AlertOtherModel},
		{"another version", func(a *facts.Alert, _ *judge.Deployed) { a.Version = "1.3.0" }, judge.AlertOtherModel},
		{"another pilot", func(a *facts.Alert, _ *judge.Deployed) { a.Pilot = "ru-digest-2025-11" }, judge.AlertOtherModel},
		{"the pointer went back meanwhile", func(_ *facts.Alert, d *judge.Deployed) { d.Model, d.Version, d.Pilot = "qwen-7b", "1.3.0", "" }, judge.AlertOtherModel},
		{"began when the pointer changed", func(a *facts.Alert, _ *judge.Deployed) { a.StartsAt = since }, judge.AlertBeforeRelease},
		{"replayed from an earlier release", func(a *facts.Alert, _ *judge.Deployed) { a.StartsAt = since.Add(-time.Hour) }, judge.AlertBeforeRelease},
		{"nobody knows since when", func(_ *facts.Alert, d *judge.Deployed) { d.Since = time.Time{} }, judge.AlertBeforeRelease},
		{"begins tomorrow", func(a *facts.Alert, _ *judge.Deployed) { a.StartsAt = now.Add(5*time.Minute + time.Second) }, judge.AlertInFuture},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, d := good, deployed
			c.change(&a, &d)
			assert.Equal(t, c.want, judge.AboutDeployed(a, d, now))
		})
	}
}
