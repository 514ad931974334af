package registry_test

import (
	"testing"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy/messagetest"
	"github.com/pilotgate/pilotgate/internal/registry"
)

func TestEveryFindingHasItsSentence(t *testing.T) {
	var all []finding.Finding
	for _, c := range registryCases {
		all = append(all, registry.Parse(path, []byte(c.src)).Problems...)
	}
	for _, c := range pointerCases {
		all = append(all, registry.ParsePointer(path, []byte(c.src)).Problems...)
	}
	for _, c := range registryChanges {
		all = append(all, registry.CheckRegistry(models(t, c.before...), models(t, c.after...), c.on)...)
	}
	for _, c := range pointerStandings {
		all = append(all, registry.CheckPointer(pointer(t, c.pointer), models(t, c.models...))...)
	}
	for _, c := range moves {
		all = append(all, registry.CheckMoves(pointer(t, c.before), pointer(t, c.after),
			models(t, entry("a", "1", base, "baseline"), entry("b", "1", tuned, c.status), entry("c", "1", third, "baseline")), c.on)...)
	}
	messagetest.Covers(t, "../../templates/messages", "RL", all, "RL001 not_a_file")
}
