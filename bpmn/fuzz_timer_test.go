package bpmn_test

import (
	"testing"
	"time"

	"github.com/grevy-io/grevy/bpmn"
)

// FuzzTimers: a text is no time, or one whose next moments are later ones, found
// without a long search.
func FuzzTimers(f *testing.F) {
	for _, s := range []string{"PT1H", "P1Y2M3DT4H5M6.5S", "-P1D", "R3/PT5S", "R/2024-01-01T00:00:00Z/P1M", "0 0 9-17 * * MON-FRI", "@daily", "2024-02-30T25:00:00Z", "2024-01-01T10:00:00+02:00[Europe/Berlin]", "0 0 0 31 2 *", "P999999999999Y"} {
		f.Add(s)
	}
	now := time.Date(2024, 2, 28, 23, 59, 59, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		defer time.AfterFunc(5*time.Second, func() { panic("endless: " + s) }).Stop()
		bpmn.ParseInterval(s)
		bpmn.ParseDateTime(s)
		c, problem := bpmn.ParseCycle(s)
		if problem != "" {
			return
		}
		at := c.First(now.UnixMilli())
		for range 5 {
			next := c.Next(at, now.UnixMilli())
			if next < at {
				t.Fatalf("%q: %d comes after %d", s, next, at)
			}
			at = next
		}
	})
}
