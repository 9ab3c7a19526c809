package saga_test

import (
	"fmt"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
)

// A new leader finds two rows for partition 2, sends them, and deletes them
// when the receiver has applied them.
func ExampleState_Step() {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	to2 := saga.Channel{Target: 2, Lane: saga.Deployments}
	s := saga.New(saga.Config{})
	show := func(ev saga.Event) {
		for _, a := range s.Step(ev) {
			fmt.Println(a)
		}
	}
	show(saga.Started{Now: now, Tables: []saga.Rows{{Channel: to2, Rows: []saga.Row{
		{Seq: 7, Size: 1200, Since: now},
		{Seq: 8, Size: 300, Since: now},
	}}}})
	show(saga.Answer{Now: now, Channel: to2, Attempt: 1, Result: saga.Acked{
		UpTo:    8,
		Refused: []saga.Refusal{{Seq: 8, Reason: "definition is unknown"}},
	}})
	// Output:
	// send p2/deployments #1 rows 7..8 (1500 bytes)
	// wake at 2026-01-01T12:00:05Z
	// delete p2/deployments up to 8 (8 refused: definition is unknown)
}
