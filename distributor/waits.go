package distributor

import (
	"slices"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/distributor/saga"
)

// waits are those who want to know when something is everywhere.
type waits struct {
	list  []actors.AwaitDistributed
	timed bool // a look is to come
}

// lookEvery is how often who waits is looked after, beside every deletion of
// rows: time goes on, and what was reachable is not any more.
const lookEvery = 20 * time.Millisecond

func (w *waits) fail() {
	for _, m := range w.list {
		m.Reply(nil, false)
	}
	w.list = nil
}

func (d *Carrier) await(m actors.AwaitDistributed) {
	if d.saga == nil {
		m.Reply(nil, false) // its start has failed
		return
	}
	d.waits.list = append(d.waits.list, m)
	d.settle()
}

// settle answers those whose wait is over.
func (d *Carrier) settle() {
	if len(d.waits.list) == 0 {
		return
	}
	now := d.host.Now()
	d.waits.list = slices.DeleteFunc(d.waits.list, func(m actors.AwaitDistributed) bool {
		behind := d.saga.Behind(saga.Deployments, saga.Seq(m.Seq))
		over := len(behind) == 0 || !now.Before(m.Until) || m.Reachable && !d.anyReachable(behind)
		if over {
			m.Reply(d.explain(behind), true)
		}
		return over
	})
	if len(d.waits.list) > 0 && !d.waits.timed {
		d.waits.timed = true
		d.host.After(lookEvery, func() {
			d.waits.timed = false
			d.settle()
		})
	}
}

func (d *Carrier) anyReachable(list []saga.Status) bool {
	return slices.ContainsFunc(list, func(s saga.Status) bool { return d.config.Reachable(s.Channel.Target) })
}

// explain says why, as far as that is known before a push has failed.
func (d *Carrier) explain(behind []saga.Status) []actors.LaneStatus {
	list := laneStatus(behind)
	for i := range list {
		if list[i].Oldest == 0 { // acknowledged, and about to be deleted
			list[i].Oldest = d.host.Now().UnixMilli()
		}
		if list[i].Error == "" && !d.config.Reachable(list[i].Target) {
			list[i].Error = "unreachable"
		}
	}
	return list
}
