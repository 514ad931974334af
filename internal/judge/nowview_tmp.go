package judge

import (
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

const dispatchTime = 10 * time.Minute

func nowView(s *facts.Pilot) *facts.PullRequest {
	var p facts.PullRequest
	if s.Plan != nil {
		p = *s.Plan
	}
	p.Common = s.Common
	p.Head = facts.Head{OID: s.Repository.DefaultOID, Ref: s.Repository.DefaultBranch}
	p.Base = facts.Base{Ref: s.Repository.DefaultBranch, OID: s.Repository.DefaultOID}
	return &p
}
