package partitionactor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/grevy-io/grevy/protocol"
)

// The first deployments of a leader of partition 1 wait until it has compared with
// the others, or for some time; everything else does not wait.
func TestDeploy_WaitsForTheFirstComparisons(t *testing.T) {
	later := func(s *stage) { s.mail, s.due = append(s.mail, s.due...), nil }
	for name, over := range map[string]func(*stage){
		"compared":  func(s *stage) { s.outbox.Compared() },
		"too late":  later,
		"both come": func(s *stage) { s.outbox.Compared(); later(s) },
		"it ends":   func(s *stage) { s.driven.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStageOf(t, 3)
			s.commit(3, s.proposed[0])
			s.run()
			var deployed []error
			for range 2 {
				c := &protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}}
				s.driven.Execute(context.Background(), c, func(_ protocol.Reply, err error) { deployed = append(deployed, err) })
			}
			s.driven.Execute(context.Background(), &protocol.PublishMessage{Name: "m", TimeToLive: 60_000}, func(protocol.Reply, error) {})
			s.run()
			if len(s.proposed) != 2 {
				t.Fatalf("%d entries before it has compared", len(s.proposed)-1)
			}
			s.commit(3, s.proposed[1])
			s.run()
			if len(deployed) != 0 || len(s.proposed) != 2 {
				t.Fatalf("deployed before it has compared: %v", deployed)
			}
			over(s)
			s.run()
			if len(s.proposed) == 3 {
				s.commit(3, s.proposed[2])
				s.run()
			}
			var refusal *protocol.Refusal
			for _, err := range deployed {
				if ended := name == "it ends"; ended != errors.As(err, &refusal) || !ended && err != nil {
					t.Errorf("answered with %v", err)
				}
			}
			if len(deployed) != 2 {
				t.Errorf("%d of 2 are answered", len(deployed))
			}
		})
	}
}
