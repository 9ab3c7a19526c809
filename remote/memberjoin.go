package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"
)

// How joining is tried. Healed cuts are found by it too: memberlist itself forgets
// the dead after half a minute.
const (
	joinEvery    = 250 * time.Millisecond // how often it is looked who is missing
	joinMin      = 250 * time.Millisecond // between two attempts at an address, doubled
	joinMax      = 2 * time.Second        // up to this
	joinIdle     = 15 * time.Second       // between looks at a name whose addresses are all members
	joinFirst    = time.Second            // OpenMembers waits for so long at most
	resolveLimit = 2 * time.Second
)

// errNoneMissing is the result of an attempt at an address that has joined.
var errNoneMissing = errors.New("all of them are members")

// attempt is what is known of joining by one address.
type attempt struct {
	next time.Time
	back time.Duration
	busy chan error // the result of the attempt under way, nil if none is
}

// firstJoin tries all addresses once, waits for the first success, and then for
// proof that this node's id is not taken.
func (m *Members) firstJoin() error {
	first := make(chan struct{})
	m.spawn(func() { m.keepJoining(first) })
	limit := time.NewTimer(joinFirst)
	defer limit.Stop()
	select {
	case <-first:
	case <-limit.C:
	}
	for _, d := range m.doubles() {
		m.checkDuplicate(d.name, d.addr, d.meta)
	}
	select {
	case err := <-m.dup:
		// Leave, so that the others stop at once to take this one for the node.
		return firstErr(err, m.Leave(joinFirst))
	default:
	}
	m.spawn(m.reportDuplicate)
	return nil
}

// keepJoining tries every join address and every dead member that is not among
// the living, until the membership closes. It closes first when one attempt has
// succeeded or all have been made once.
func (m *Members) keepJoining(first chan struct{}) {
	tries := map[string]*attempt{}
	results := make(chan struct{}, 1)
	tick := time.NewTicker(joinEvery)
	defer tick.Stop()
	for {
		targets := m.missing()
		for _, addr := range targets {
			if tries[addr] == nil {
				tries[addr] = &attempt{}
			}
			m.try(addr, tries[addr], results)
		}
		open, joined := collect(tries, targets)
		if first != nil && (joined || open == 0) {
			close(first)
			first = nil
		}
		select {
		case <-tick.C:
		case <-results:
		case <-m.ctx.Done():
			return
		}
	}
}

// try begins an attempt if it is time. When it is over, results is poked.
func (m *Members) try(addr string, a *attempt, results chan struct{}) {
	if a.busy != nil || time.Now().Before(a.next) {
		return
	}
	done := make(chan error, 1)
	a.busy = done
	m.spawn(func() {
		err := m.join(addr)
		if err != nil && !errors.Is(err, errNoneMissing) {
			m.cfg.Logger.Debug("join", "addr", addr, "err", err)
		}
		done <- err
		select {
		case results <- struct{}{}:
		default:
		}
	})
}

// join meets those behind an address who are not members.
func (m *Members) join(addr string) error {
	addrs, err := m.resolve(addr)
	if err != nil {
		return err
	}
	addrs = m.strangers(addrs)
	if len(addrs) == 0 {
		return errNoneMissing
	}
	_, err = m.ml.Join(addrs)
	return err
}

// collect takes the results that have come, and forgets addresses that are no
// longer wanted. It tells how many attempts are under way.
func collect(tries map[string]*attempt, targets []string) (open int, joined bool) {
	for addr, a := range tries {
		select {
		case err := <-a.busy:
			joined = joined || err == nil
			a.finished(err)
		default:
		}
		if a.busy != nil {
			open++
		} else if !slices.Contains(targets, addr) {
			delete(tries, addr)
		}
	}
	return open, joined
}

func (a *attempt) finished(err error) {
	a.busy = nil
	a.back = min(max(2*a.back, joinMin), joinMax)
	pause := a.back
	if errors.Is(err, errNoneMissing) {
		a.back, pause = 0, joinIdle
	}
	a.next = time.Now().Add(pause)
}

// missing lists the addresses that may lead to nodes that are no live members: of
// the join list, and of members that are dead but have not left.
func (m *Members) missing() []string {
	wanted := map[string]bool{}
	for _, a := range m.cfg.JoinAddrs {
		wanted[a] = true
	}
	m.mu.Lock()
	for _, i := range m.chosenLocked() {
		if !i.alive && !i.left() {
			wanted[i.addr] = true
		}
	}
	m.mu.Unlock()
	return m.strangers(slices.Sorted(maps.Keys(wanted)))
}

// strangers leaves out the addresses of live members and this node's own.
func (m *Members) strangers(addrs []string) []string {
	members := map[string]bool{m.net.ownAddr(): true}
	m.mu.Lock()
	for _, i := range m.known {
		if i.alive {
			members[i.addr] = true
		}
	}
	m.mu.Unlock()
	return slices.DeleteFunc(addrs, func(a string) bool { return members[a] })
}

// resolve turns host:port into IP:port of every address of the host.
func (m *Members) resolve(addr string) ([]string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	if net.ParseIP(host) != nil {
		return []string{addr}, nil
	}
	ctx, cancel := context.WithTimeout(m.ctx, resolveLimit)
	defer cancel()
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	var addrs []string
	for _, ip := range ips {
		addrs = append(addrs, net.JoinHostPort(ip.String(), port))
	}
	return addrs, nil
}

// double is another process with this node's id.
type double struct {
	name, addr string
	meta       meta
}

func (m *Members) doubles() []double {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ds []double
	for _, i := range m.known {
		if i.alive && i.name != m.name && i.meta != nil && i.meta.node == m.cfg.NodeID {
			ds = append(ds, double{i.name, i.addr, *i.meta})
		}
	}
	return ds
}

// checkDuplicate asks a process with this node's id whether it is really there: it
// may be this node's own past, which the others have not yet missed. It answers to
// its own name only. The younger of two living ones has to go.
func (m *Members) checkDuplicate(name, addr string, mt meta) {
	select {
	case <-m.ready:
	case <-m.ctx.Done():
		return
	}
	udp, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		m.cfg.Logger.Debug("check duplicate", "addr", addr, "err", err)
		return
	}
	for range 2 {
		if m.ctx.Err() != nil {
			return
		}
		if _, err = m.ml.Ping(name, udp); err == nil {
			break
		}
	}
	if err != nil {
		return
	}
	found := fmt.Errorf("node id %d is taken by a running node: %s, started %s",
		m.cfg.NodeID, net.JoinHostPort(mt.host, strconv.Itoa(mt.ports.Gossip)), mt.started.UTC().Format(time.RFC3339))
	m.mu.Lock()
	own := m.known[m.name]
	younger := own.younger(&instance{name: name, meta: &mt})
	m.mu.Unlock()
	if !younger {
		m.cfg.Logger.Warn("another process uses this node's id and has to end", "addr", addr)
		return
	}
	select {
	case m.dup <- errDuplicate{found}:
	default:
	}
}

// errDuplicate marks the error of a node id that is taken.
type errDuplicate struct{ error }

// ErrDuplicateNode is what errors.Is finds in the error of a node id that is taken.
var ErrDuplicateNode = errors.New("duplicate node id")

// Is lets errors.Is find ErrDuplicateNode.
func (errDuplicate) Is(target error) bool { return target == ErrDuplicateNode }

// reportDuplicate tells of a duplicate that was found after the start.
func (m *Members) reportDuplicate() {
	select {
	case err := <-m.dup:
		m.cfg.Logger.Error("this node has to end", "err", err)
		if m.cfg.OnDuplicate != nil {
			go m.cfg.OnDuplicate(err) // it will want to Close
		}
	case <-m.ctx.Done():
	}
}
