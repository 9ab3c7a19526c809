package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"google.golang.org/grpc/status"
)

// recorder keeps how long calls took, in total and since the last second.
type recorder struct {
	mu          sync.Mutex
	total, part *hdrhistogram.Histogram // µs
	errors      map[string]int          // by code
	first       map[string]string       // by code: the text of the first
}

// longest is the longest call that is told from longer ones.
const longest = 10 * time.Minute

func newRecorder() *recorder {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest.Microseconds(), 3) }
	return &recorder{total: h(), part: h(), errors: map[string]int{}, first: map[string]string{}}
}

func (r *recorder) add(d time.Duration) {
	us := min(d, longest).Microseconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(r.total.RecordValue(us), r.part.RecordValue(us)); err != nil {
		r.errors["not recorded"]++
	}
}

// fail counts an error; who is "" for a caller.
func (r *recorder) fail(who string, err error) {
	s := status.Convert(errors.Unwrap(err))
	code := who + codeName(s.Code())
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.errors[code]++; r.errors[code] == 1 {
		r.first[code] = s.Message()
	}
}

// latency is what a histogram says, in milliseconds.
type latency struct {
	Count int64   `json:"count"`
	Rate  float64 `json:"rate"` // per second
	P50   float64 `json:"p50Ms"`
	P99   float64 `json:"p99Ms"`
	Max   float64 `json:"maxMs"`
}

func summary(h *hdrhistogram.Histogram, took time.Duration) latency {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return latency{
		Count: h.TotalCount(), Rate: rate(int(h.TotalCount()), took),
		P50: ms(h.ValueAtQuantile(50)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max()),
	}
}

func (l latency) String() string {
	return fmt.Sprintf("%8s/s   p50 %s   p99 %s   max %s", grouped(int64(l.Rate)), millis(l.P50), millis(l.P99), millis(l.Max))
}

func millis(ms float64) string { return span(time.Duration(ms * float64(time.Millisecond))) }

// benchSecond is one line of progress as JSON.
type benchSecond struct {
	Second float64 `json:"second"`
	latency
	Errors map[string]int `json:"errors"` // since the beginning
}

// benchSummary is the last line as JSON.
type benchSummary struct {
	Mode    string  `json:"mode"`
	Callers int     `json:"callers"`
	Seconds float64 `json:"seconds"`
	latency
	Errors map[string]int    `json:"errors"`
	First  map[string]string `json:"firstErrors"` // what the first of each code said
}

// second shows the last second.
func (b *bench) second(since time.Duration) {
	b.recorder.mu.Lock()
	l, failed := summary(b.recorder.part, time.Second), maps.Clone(b.recorder.errors)
	b.recorder.part.Reset()
	b.recorder.mu.Unlock()
	if b.a.json() {
		_ = b.a.document(benchSecond{since.Round(time.Second).Seconds(), l, failed}) // the report says it
		return
	}
	fmt.Fprintf(b.a.out, "%4s %s%s\n", since.Round(time.Second), l, failures(failed))
}

// report shows all of it. A run in which no call succeeded has failed.
func (b *bench) report(took time.Duration) error {
	r := b.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	l := summary(r.total, took)
	if b.a.json() {
		if err := b.a.document(benchSummary{b.mode, b.callers, took.Seconds(), l, r.errors, r.first}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(b.a.out, "%s, %s, %s: %s calls%s\n", b.mode, count(b.callers, "caller"), span(took), grouped(l.Count), failures(r.errors))
		fmt.Fprintf(b.a.out, "     %s\n", l)
		for _, code := range slices.Sorted(maps.Keys(r.first)) {
			fmt.Fprintf(b.a.out, "first %s: %s\n", code, r.first[code])
		}
	}
	if l.Count == 0 {
		return errors.New("no call succeeded")
	}
	return nil
}

func failures(byCode map[string]int) string {
	var list []string
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		list = append(list, fmt.Sprintf("%s %s", grouped(byCode[code]), code))
	}
	if len(list) == 0 {
		return ""
	}
	return "   errors: " + strings.Join(list, ", ")
}
