package distributor_test

import (
	"errors"
	"testing"
	"time"
)

// A table that cannot be read is said to be the reason, and nothing is sent as if
// by another sender: its receiver would begin anew with all that it has.
func TestPush_TableCannotBeRead(t *testing.T) {
	r := newRealm(t, 2)
	r.deploy("a", 1)
	r.run(soon)
	r.seats[1].broken = errors.New("input/output error")
	before := r.survey(2)
	r.deploy("a", 2)
	r.run(soon)
	if now := r.survey(2); now.Seq != before.Seq || now.Epoch != before.Epoch {
		t.Errorf("partition 2 was at %+v, is at %+v", before, now)
	}
	lanes := r.lanes(1)
	if len(lanes) != 1 || lanes[0].Pending != 1 || lanes[0].Error != "failed: input/output error" {
		t.Errorf("%+v", lanes)
	}
	r.seats[1].broken = nil
	r.run(10 * time.Second)
	r.mustEqual("it can be read again")
}
