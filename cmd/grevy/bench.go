package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// bench is a closed loop: each caller begins its next call when the one before
// is answered. What a slow answer delays is not made up for, so the tail is
// that of a patient client.
type bench struct {
	a         *app
	addresses []string
	mode      string
	callers   int
	duration  time.Duration
	gateways  *gateways
	recorder  *recorder
}

func (a *app) benchCommand() *cobra.Command {
	b := &bench{a: a, recorder: newRecorder()}
	cmd := &cobra.Command{
		Use: "bench [MODE]", Short: "Measure calls against gateways, in a closed loop",
		Long: "Measure calls against gateways, in a closed loop. The modes:\n" +
			"  create  instances of a process that ends at once, answered when they are\n" +
			"          created (default)\n" +
			"  result  the same, answered with their variables when they have ended\n" +
			"  task    instances with one job that a worker in this program does, answered\n" +
			"          when they have ended\n" +
			"  deploy  new versions of a process\n" +
			"It deploys processes whose ids begin with grevy-bench-, and leaves them there.",
		Example: "  grevy bench\n  grevy bench task --callers 64 --duration 30s -o json",
		Args:    atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			b.mode = "create"
			if len(args) == 1 {
				b.mode = args[0]
			}
			return b.run(cmd.Context())
		},
	}
	addressFlag(cmd, &b.addresses)
	cmd.Flags().IntVarP(&b.callers, "callers", "c", 32, "how many calls are under way at once")
	cmd.Flags().DurationVarP(&b.duration, "duration", "d", 10*time.Second, "for how long")
	return cmd
}

func (b *bench) run(ctx context.Context) (err error) {
	mode, ok := benchModes[b.mode]
	switch {
	case !ok:
		return fmt.Errorf("no mode %q: create, result, task or deploy", b.mode)
	case b.callers < 1:
		return fmt.Errorf("callers: must be at least 1, not %d", b.callers)
	case b.duration <= 0:
		return fmt.Errorf("duration: must be above 0, not %s", b.duration)
	}
	if b.gateways, err = dial(b.addresses); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.gateways.Close()) }()
	if _, err := b.gateways.reachable(ctx); err != nil {
		return err
	}
	if err := mode.prepare(ctx, b); err != nil {
		return err
	}
	working, end := context.WithCancel(ctx)
	var workers sync.WaitGroup
	if mode.work != nil {
		workers.Go(func() { mode.work(working, b) })
	}
	took := b.loop(ctx, mode)
	end()
	workers.Wait()
	return b.report(took)
}

// loop calls until the time is over, or a signal comes, and gives how long it
// took until the last answer.
func (b *bench) loop(ctx context.Context, mode benchMode) time.Duration {
	begun := time.Now()
	calling, cancel := context.WithTimeout(ctx, b.duration)
	defer cancel()
	var callers sync.WaitGroup
	for range b.callers {
		callers.Go(func() {
			for calling.Err() == nil {
				b.once(ctx, mode)
			}
		})
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-calling.Done():
			callers.Wait()
			return time.Since(begun)
		case <-tick.C:
			b.second(time.Since(begun))
		}
	}
}

// afterError is how long a caller pauses after a call that failed, so that a
// gateway that is away is not asked in a tight loop.
const afterError = 10 * time.Millisecond

func (b *bench) once(ctx context.Context, mode benchMode) {
	begun := time.Now()
	err := mode.call(ctx, b)
	if err == nil {
		b.recorder.add(time.Since(begun))
		return
	}
	if ctx.Err() != nil {
		return // a signal: not the gateway's doing
	}
	b.recorder.fail("", err)
	select {
	case <-time.After(afterError):
	case <-ctx.Done():
	}
}
