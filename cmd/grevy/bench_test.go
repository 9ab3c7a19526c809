package main

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
)

func TestBench_EveryMode(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{})
	for mode := range benchModes {
		t.Run(mode, func(t *testing.T) {
			r := grevyRun(t, "bench", mode, "-c", "4", "-d", "300ms", "--address", gatewayOf(b)+","+gatewayOf(b), "-o", "json").ok(t)
			var got benchSummary
			r.decode(t, &got)
			if got.Mode != mode || got.Callers != 4 || got.Seconds < 0.3 || got.Count < 4 || len(got.Errors) > 0 ||
				got.P50 <= 0 || got.P99 < got.P50 || got.Max < got.P99*0.99 || got.Rate < float64(got.Count)/got.Seconds*0.99 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestBench_ALineEachSecond(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{Partitions: 1})
	r := grevyRun(t, "bench", "-c", "1", "-d", "1100ms", "--address", gatewayOf(b)).ok(t)
	line := ` +[\d,]+/s   p50 \S+   p99 \S+   max \S+`
	r.matches(t, `  1s`+line, `create, 1 caller, 1\.[1-9]s: [\d,]+ calls`, line)

	r = grevyRun(t, "bench", "-c", "1", "-d", "1100ms", "--address", gatewayOf(b), "-o", "json").ok(t)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var second benchSecond
	if err := json.Unmarshal([]byte(lines[0]), &second); err != nil || len(lines) != 2 || second.Second != 1 || second.Count == 0 {
		t.Errorf("%v: %s", err, r.out)
	}
}

func TestBench_NoGateway(t *testing.T) {
	t.Parallel()
	grevyRun(t, "bench", "-d", "100ms", "--address", localhost+":1").nobody(t, "127.0.0.1:1: connection refused")
}

// A gateway that goes during a run is counted, not waited for.
func TestBench_CountsErrorsByCode(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{Partitions: 1})
	results := make(chan result, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { results <- grevyRunWith(ctx, "", "bench", "-c", "2", "-d", "3s", "--address", gatewayOf(b)) }()
	await(t, "calls", func() error {
		s := b.Status(t.Context())
		if s.Partitions[0].Applied < 100 {
			return errNotYet
		}
		return nil
	})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	r := <-results
	if r.code != exitOK || !regexp.MustCompile(`calls   errors: .*[\d,]+ UNAVAILABLE`).MatchString(r.out) {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
}

// A signal ends a run early, with a report of what there is.
func TestBench_ASignalEndsIt(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{Partitions: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	r := grevyRunWith(ctx, "", "bench", "-c", "2", "-d", "10m", "--address", gatewayOf(b)).ok(t)
	if !strings.HasPrefix(r.out, "create, 2 callers, ") {
		t.Error(r.out)
	}
}
