package history

import (
	"testing"
	"time"
)

// TestVersions_Blind: only the gateway that reaches nobody, and only while that
// lasts, may give an older version; nobody may give one that does not exist.
func TestVersions_Blind(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		by      string
		at      time.Duration
		version int32
		wrong   bool
	}{
		{"it, meanwhile", "a", 25 * ms, 1, false},
		{"another one, meanwhile", "b", 25 * ms, 1, true},
		{"it, before", "a", 15 * ms, 1, true},
		{"it, afterwards", "a", 35 * ms, 1, true},
		{"it, one of nobody", "a", 25 * ms, 9, true},
		{"the newest", "b", 25 * ms, 2, false},
	} {
		r := NewRecorder()
		var now time.Duration
		r.now = func() time.Duration { return now }
		v := r.Versions("p")
		for version := int32(1); version <= 2; version++ {
			done := v.Deploying()
			now += ms
			done(version, int64(version), nil)
			now += ms
		}
		now = 20 * ms
		sees := v.Blind("a")
		now = 30 * ms
		sees()
		now = c.at
		seen := v.Looking(c.by)
		now += ms
		seen(c.version)
		if wrong := v.check(); (len(wrong) > 0) != c.wrong {
			t.Errorf("%s: %v", c.name, wrong)
		}
	}
}
