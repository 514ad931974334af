package rules

import (
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// releaseVersion: releases are minor or major, vX.Y.0.
func releaseVersion(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := b.given(plan.TargetRelease)
	if !ok {
		return
	}
	version, err := semver.StrictNewVersion(strings.TrimPrefix(v.Text, "v"))
	switch {
	case err == nil && !strings.HasPrefix(v.Text, "v") && version.Patch() == 0 && version.Prerelease() == "":
		f := b.Find("no_v", v.At, "value", v.Text, "next", "v"+v.Text)
		f.Severity, f.Mend = finding.Error, replace(v, "v"+v.Text)
	case err != nil || !strings.HasPrefix(v.Text, "v"):
		b.Find("not_a_version", v.At, "value", v.Text).Severity = finding.Error
	case version.Prerelease() != "" || version.Metadata() != "":
		b.Find("prerelease", v.At, "value", v.Text).Severity = finding.Error
	case version.Patch() != 0:
		next := version.IncMinor()
		f := b.Find("patch", v.At, "value", v.Text, "next", "v"+next.String())
		f.Severity, f.Mend = finding.Error, replace(v, "v"+next.String())
	}
}

// releaseFree: a tag that exists was somebody else's release.
func releaseFree(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.TargetRelease)
	if !ok || v.Text == "" {
		return
	}
	tag, known := b.Pull.Tags[v.Text]
	switch {
	case known && !tag.Absent:
		b.Find("taken", v.At, "tag", v.Text)
	case known:
		b.Verified("release_free", "tag", v.Text)
	}
}

// namedReleases: a release that was before is a tag.
func namedReleases(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	for _, m := range q.NamedReleases() {
		if tag, known := b.Pull.Tags[m.Text]; known && tag.Absent {
			b.Find("no_tag", m.At, "tag", m.Text)
		}
	}
}

// rollbackTarget: an entry of the registry with a digest, to go back to.
func rollbackTarget(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := b.given(plan.RollbackTarget)
	if !ok {
		return
	}
	if !q.RegistryFile.Found {
		b.Find("no_registry", v.At, "target", v.Text, "registry", b.Policy.Paths.Registry)
		return
	}
	entry, found := q.Registry.Find(v.Text)
	switch several := b.versionsOf(v.Text); {
	case !found && len(several) > 1:
		b.Find("several", v.At, "target", v.Text, "registry", b.Policy.Paths.Registry, "versions", strings.Join(several, ", "))
	case !found:
		b.Find("unknown", v.At, "target", v.Text, "registry", b.Policy.Paths.Registry)
	case entry.Digest == "":
		b.Find("no_digest", v.At, "target", v.Text, "registry", b.Policy.Paths.Registry)
	case !entry.Usable():
		b.Find("not_usable", v.At, "target", v.Text, "status", string(entry.Status))
	default:
		b.Verified("rollback", "target", v.Text)
	}
}

// versionsOf are the models of the registry that have this name.
func (b *Bench) versionsOf(name string) (ids []string) {
	for _, e := range b.Request.Registry.Entries {
		if e.Name == name {
			ids = append(ids, e.ID())
		}
	}
	return ids
}

// pointerFile: the deployment pointer that a rollback would move exists.
func pointerFile(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	v, ok := q.Plan.Get(plan.Pointer)
	path := b.Policy.Paths.Pointer
	at := b.place(plan.Pointer)
	if ok && v.Text != "" {
		at = v.At
		if v.Text != path {
			b.Find("other_path", v.At, "value", v.Text, "pointer", path)
			return
		}
	}
	switch {
	case !q.PointerFile.Found:
		b.Find("absent", at, "pointer", path)
	case !ok:
		b.Find("missing", at, "pointer", path)
	default:
		b.Verified("pointer", "pointer", path)
	}
}
