package chaos

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// begin begins a fault. It returns what ends it, nil if there is nothing to end,
// and tells what was done.
func (r *run) begin(f fault) (heal func(), what string) {
	heal, whom, err := r.do(f)
	switch {
	case errors.Is(err, errSkipped):
		r.report.skipped++
		return nil, fmt.Sprintf("%s: left out, %v", f.kind, err)
	case err != nil:
		r.h.Violation("%s: %v", f, err)
		return nil, fmt.Sprintf("%s: %v", f.kind, err)
	}
	r.report.fault(f.kind)
	return heal, fmt.Sprintf("%s: %s", f.kind, whom)
}

func (r *run) do(f fault) (heal func(), whom string, err error) {
	switch f.kind {
	case killAll:
		heal = r.killAll()
		return heal, "all nodes", nil
	case churn:
		return nil, "leaders, one after the other", r.churn(f.amount)
	case clocks:
		return r.clocks(f.amount, r.c.Nodes...), "all nodes", nil
	case rebalance, changeSize:
		whom, err = r.beginChange(f.kind)
		return nil, whom, err
	case fillDisk, noDisk:
		return r.fill(f.kind)
	case apart:
		return r.apart(f)
	}
	n := r.victim(f)
	whom = fmt.Sprintf("node %d", n.ID)
	if f.kind == clock {
		return r.clocks(f.amount, n), whom, nil
	}
	if lines := r.linkRules(f, n); lines != nil {
		r.blind(f, n)
		return r.rule(lines...), whom, nil
	}
	if !r.up(n.ID) {
		return nil, whom, fmt.Errorf("%w: node %d is away already", errSkipped, n.ID)
	}
	switch f.kind {
	case kill:
		heal = r.kill(n)
	case restart:
		heal = r.stop(n)
	case pause:
		heal, err = r.pause(n)
	case wipe:
		err = r.wipe(n)
	case starve:
		heal = r.starve(n)
	default:
		err = fmt.Errorf("nobody knows how to do this")
	}
	return heal, whom, err
}

// victim is whom a fault hits.
func (r *run) victim(f fault) *cluster.Node {
	if f.leader > 0 {
		if n := r.leader(f.leader); n != nil {
			return n
		}
	}
	return r.c.Nodes[f.node]
}

func (r *run) start(n *cluster.Node) {
	n.Start()
	r.states[n.ID].Store(stateUp)
}

// gone notes that a node leads no more from now on. How long the partitions that it
// led take no writes is looked at when all has recovered.
func (r *run) gone(n *cluster.Node, how string) {
	led, at := r.leads(n), r.h.Now()
	r.after = append(r.after, func() {
		for _, p := range led {
			if d, ok := r.probe.firstAfter(p, at); ok {
				r.report.failover(how, d)
			}
		}
	})
}

func (r *run) kill(n *cluster.Node) (heal func()) {
	r.gone(n, "killed")
	r.states[n.ID].Store(stateDown)
	n.Kill()
	return func() { r.start(n) }
}

func (r *run) stop(n *cluster.Node) (heal func()) {
	r.gone(n, "stopped with SIGTERM")
	r.states[n.ID].Store(stateDown)
	n.Stop()
	return func() { r.start(n) }
}

func (r *run) pause(n *cluster.Node) (heal func(), err error) {
	r.gone(n, "paused")
	r.states[n.ID].Store(statePaused)
	if err := n.Pause(); err != nil {
		return nil, err
	}
	return func() {
		if !r.states[n.ID].CompareAndSwap(statePaused, stateUp) {
			return // killed meanwhile
		}
		if err := n.Resume(); err != nil {
			r.h.Violation("let node %d go on: %v", n.ID, err)
		}
	}, nil
}

func (r *run) killAll() (heal func()) {
	for i := range r.states {
		r.states[i].Store(stateDown)
	}
	r.c.KillAll()
	return func() {
		for _, n := range r.c.Nodes[:r.nodes] {
			r.start(n)
		}
		if r.spare != nil && r.spareIn() {
			r.spare.Start()
		}
	}
}

// wipe kills a node and lets it come back with nothing.
func (r *run) wipe(n *cluster.Node) error {
	n.Kill()
	if err := os.RemoveAll(n.Dir); err != nil {
		return err
	}
	n.Start()
	return nil
}

// churn restarts leaders, one each second.
func (r *run) churn(times int) error {
	for i := range times {
		begun := time.Now()
		if n := r.leader(i%r.partitions + 1); n != nil {
			r.states[n.ID].Store(stateDown)
			n.Stop()
			r.start(n)
			r.report.churned++
		}
		r.rest(time.Second - time.Since(begun))
	}
	return nil
}

// starve gives a node a fifth of the time, in pieces of 20 ms.
func (r *run) starve(n *cluster.Node) (heal func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			// It may be killed, and be another process, at any moment.
			if i%5 == 0 {
				_ = n.Resume()
			} else {
				_ = n.Pause()
			}
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
		if r.states[n.ID].Load() != statePaused {
			_ = n.Resume() // it may be away
		}
	}
}

// rule puts lines into the fault switch, and returns what takes them out.
func (r *run) rule(lines ...string) (heal func()) {
	r.faults++
	id := r.faults
	r.rules[id] = lines
	r.putRules()
	return func() {
		delete(r.rules, id)
		r.putRules()
	}
}

func (r *run) putRules() {
	var all []string
	for _, lines := range r.rules {
		all = append(all, lines...)
	}
	r.c.SetRules(all...)
}

// others are the nodes beside one.
func (r *run) others(n *cluster.Node) (list []*cluster.Node) {
	for _, m := range r.c.Nodes {
		if m != n {
			list = append(list, m)
		}
	}
	return list
}

// lines are a rule of one verb in the directions that a fault names.
func lines(f fault, verb, arg string, a, b *cluster.Node) (list []string) {
	line := func(from, to int) string {
		return strings.Join(strings.Fields(fmt.Sprintf("%s %d %d %s %s", verb, from, to, arg, f.port)), " ")
	}
	if f.way != "in" {
		list = append(list, line(a.ID, b.ID))
	}
	if f.way != "out" {
		list = append(list, line(b.ID, a.ID))
	}
	return list
}

// linkRules are the rules for faults of links, none for other faults.
func (r *run) linkRules(f fault, n *cluster.Node) (list []string) {
	verb, arg := "", ""
	switch f.kind {
	case cut:
		other := r.c.Nodes[(n.ID+f.other)%r.nodes]
		return lines(f, "drop", "", n, other)
	case isolate:
		verb = "drop"
	case reset:
		verb = "reset"
	case delay:
		verb, arg = "delay", fmt.Sprintf("%dms", f.amount)
	case loss:
		verb, arg = "loss", fmt.Sprintf("%d%%", f.amount)
	case slow:
		verb, arg = "slow", fmt.Sprint(f.amount<<10)
	default:
		return nil
	}
	for _, m := range r.others(n) {
		list = append(list, lines(f, verb, arg, n, m)...)
	}
	return list
}

// blind notes which gateways may reach nobody who has what was deployed. A node that
// is cut off from all others is, and so is everybody if the post alone is at fault:
// then partition 1 goes on, and cannot be asked.
func (r *run) blind(f fault, n *cluster.Node) {
	if f.kind == cut || f.port == "raft" || f.port == "gossip" {
		return // there is a way round
	}
	for g := range r.load.clients {
		if g == n.ID || f.port == "post" || f.kind == delay || f.kind == loss || f.kind == slow {
			r.after = append(r.after, r.h.Versions(rolledProcess).Blind(gatewayName(g)))
		}
	}
}

// apart cuts the leaders of two partitions from each other.
func (r *run) apart(f fault) (heal func(), whom string, err error) {
	a, b := r.leader(f.leader), r.leader(f.other)
	if a == nil || b == nil || a == b {
		return nil, "", fmt.Errorf("%w: they are not two", errSkipped)
	}
	return r.rule(lines(f, "drop", "", a, b)...), fmt.Sprintf("node %d and node %d", a.ID, b.ID), nil
}

// clocks sets clocks. Until all has recovered no lock is judged by them.
func (r *run) clocks(minutes int, all ...*cluster.Node) (heal func()) {
	r.skewed = true
	r.after = append(r.after, r.h.Skewed())
	var list []string
	for _, n := range all {
		list = append(list, fmt.Sprintf("clock %d %s", n.ID, time.Duration(minutes)*time.Minute))
	}
	return r.rule(list...)
}
