package remote_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRequest measures round trips of 200 B over loopback. "us-cpu/op" is the
// CPU time of the whole process, both ends, for each.
func BenchmarkRequest(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			x, y := start(b, 0), start(b, 1)
			y.Handle(kindEcho, echo)
			connect(b, x, y)
			payload := make([]byte, 200)
			var left atomic.Int64
			left.Store(int64(b.N))
			cpu := cpuTime()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := x.Request(context.Background(), 1, kindEcho, payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "us-cpu/op")
		})
	}
}

// BenchmarkGo is BenchmarkRequest in the callback form, 64 under way.
func BenchmarkGo(b *testing.B) {
	x, y := start(b, 0), start(b, 1)
	y.Handle(kindEcho, echo)
	connect(b, x, y)
	payload := make([]byte, 200)
	room := make(chan struct{}, 64)
	cpu := cpuTime()
	b.ResetTimer()
	for range b.N {
		room <- struct{}{}
		x.Go(context.Background(), 1, kindEcho, payload, func(_ []byte, err error) {
			if err != nil {
				b.Error(err)
			}
			<-room
		})
	}
	for range cap(room) {
		room <- struct{}{}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "us-cpu/op")
}

// BenchmarkLarge measures round trips of 1 MB.
func BenchmarkLarge(b *testing.B) {
	x, y := start(b, 0), start(b, 1)
	y.Handle(kindEcho, echo)
	connect(b, x, y)
	payload := make([]byte, 1<<20)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		x.mustEcho(b, 1, payload)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
