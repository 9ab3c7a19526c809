package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/grevy-io/grevy"
)

// start opens the three nodes at once, each waits for the others.
func (d *demo) start(ctx context.Context) error {
	if err := d.choosePorts(); err != nil {
		return err
	}
	d.progress.begin("three nodes, three partitions, each kept three times")
	if err := d.openNodes(ctx); err != nil {
		return err
	}
	var addresses []string
	for _, offset := range d.offsets {
		addresses = append(addresses, address(demoHost, grevy.GatewayPort+offset))
	}
	var err error
	d.gateways, err = dial(addresses)
	d.progress.done("")
	return err
}

// openNodes opens the nodes together. If one can not be opened, the others give up.
func (d *demo) openNodes(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.nodes = make([]*grevy.Broker, demoNodes)
	var wg sync.WaitGroup
	for n := range demoNodes {
		wg.Go(func() {
			var err error
			if d.nodes[n], err = grevy.OpenContext(ctx, d.config(n)); err != nil {
				cancel(fmt.Errorf("node %d: %w", n, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (d *demo) config(n int) grevy.Config {
	c := grevy.Config{
		NodeID: n, ClusterSize: demoNodes, Partitions: 3, ReplicationFactor: demoNodes, Host: demoHost, PortOffset: d.offsets[n],
		DataDir: filepath.Join(d.dir, fmt.Sprintf("node-%d", n)), StartTimeout: demoDeadline, Log: slog.New(slog.DiscardHandler),
	}
	for _, offset := range d.offsets {
		c.Join = append(c.Join, address(demoHost, grevy.GossipPort+offset))
	}
	if d.verbose {
		c.Log = slog.New(slog.NewTextHandler(d.a.err, nil)).With("node", n)
	}
	return c
}

// choosePorts takes the offsets 0, 10 and 20, or others if something else holds
// ports there. With --keep, clients were promised the default port.
func (d *demo) choosePorts() (err error) {
	if !d.keep {
		d.offsets, err = freeOffsets(demoHost, demoNodes, 0)
	} else if used := portsInUse(demoHost, 0); len(used) > 0 {
		return fmt.Errorf("keep: port %d is in use: end what holds it, or leave out --keep to run on other ports", used[0])
	} else if d.offsets, err = freeOffsets(demoHost, demoNodes-1, offsetStep); err == nil {
		d.offsets = append([]int{0}, d.offsets...)
	}
	if err != nil {
		return err
	}
	if d.offsets[demoNodes-1] != offsetStep*(demoNodes-1) {
		d.progress.say("ports of the default offsets are in use; port offsets %s instead", ints(d.offsets))
	}
	return nil
}

// stop closes what was opened, all nodes at once.
func (d *demo) stop() error {
	errs := make([]error, len(d.nodes)+1)
	if d.gateways != nil {
		errs[len(d.nodes)] = d.gateways.Close()
	}
	var wg sync.WaitGroup
	for i, b := range d.nodes {
		if b != nil {
			wg.Go(func() { errs[i] = b.Close() })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}
