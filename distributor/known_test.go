package distributor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Zeebe issue #46675: what works with three partitions fails with twenty.
func TestKnown46675_TwentyPartitions(t *testing.T) {
	r := newRealm(t, 20)
	r.seats[7].away = true
	var keys []protocol.Key
	for i := range 30 {
		keys = append(keys, r.deploy(fmt.Sprintf("p%d", i%4), i).Key)
	}
	for _, key := range keys[:10] {
		r.remove(key)
	}
	r.run(soon)
	for p, s := range r.seats {
		if got := r.survey(p); p != 7 && got.Digest != r.survey(1).Digest {
			t.Errorf("partition %d lacks something although only partition 7 is away", s.id)
		}
	}
	r.seats[7].away = false
	r.run(soon)
	r.mustEqual("all are back")
}

// Zeebe issue #33960: what was queued for a partition that was being started was
// never sent when it was there.
func TestKnown33960_DrainsOnceItIsThere(t *testing.T) {
	r := newRealm(t, 3)
	r.seats[3].away = true
	for i := range 300 {
		r.deploy("a", i)
	}
	r.run(time.Minute)
	r.lead(3) // another leader, of another node
	r.run(soon)
	r.mustEqual("the new leader")
}

// Zeebe issue #7062 and #8525: pending pushes were lost with the leader, or tried
// only once more.
func TestKnown7062And8525_LeaderAfterLeader(t *testing.T) {
	r := newRealm(t, 3)
	r.seats[2].away = true
	r.deploy("a", 1)
	for range 30 {
		r.run(700 * time.Millisecond)
		r.lead(1)
	}
	r.run(10 * time.Minute)
	r.seats[2].away = false
	r.run(soon)
	r.mustEqual("after 30 leaders and ten minutes")
}

// Zeebe issue #15960: concurrent deployments gave a form other keys on other
// partitions. Here one partition gives all keys.
func TestKnown15960_EqualKeysEverywhere(t *testing.T) {
	r := newRealm(t, 3)
	for i := range 10 {
		form := fmt.Sprintf(`{"id":"f","n":%d}`, i)
		if _, err := r.seats[1].do(&protocol.Deploy{Resources: []protocol.Resource{{Name: "f.form", Content: []byte(form)}}}); err != nil {
			t.Fatal(err)
		}
		r.deploy("a", i)
		r.run(time.Duration(i) * time.Millisecond)
		if i == 5 {
			r.lead(2)
		}
	}
	r.run(soon)
	r.mustEqual("forms and processes") // the digest has the keys
	if d := r.survey(3).Digest; d[protocol.FormDefinition-1].Count != 10 || d[0].Count != 10 {
		t.Errorf("%+v", d)
	}
}
