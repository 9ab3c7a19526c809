package distributor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

// soon is within what a new leadership needs to compare, long before the next
// minute.
const soon = 15 * time.Second

func TestCompare_NothingIsWrittenWhileAllAreEqual(t *testing.T) {
	r := newRealm(t, 3)
	for i := range 5 {
		r.deploy("a", i)
	}
	r.run(soon)
	r.mustEqual("deployed")
	before := []int{len(r.save(1)), len(r.save(2)), len(r.save(3))}
	r.run(10 * time.Minute)
	for p := 1; p <= 3; p++ {
		if n := len(r.save(protocol.PartitionID(p))); n != before[p-1] {
			t.Errorf("partition %d had %d rows, has %d", p, before[p-1], n)
		}
	}
	for _, pair := range [][2]protocol.PartitionID{{1, 2}, {1, 3}, {2, 1}, {3, 1}} {
		c := r.comparison(pair[0], pair[1])
		if c.At < r.now.Add(-61*time.Second).UnixMilli() || c.Differs != 0 || c.Repaired != 0 || c.Error != "" {
			t.Errorf("%d with %d: %+v", pair[0], pair[1], c)
		}
	}
}

// Zeebe issue #63712: a partition stays on an old version and nobody sends it
// what it lacks. Here it finds out when a leadership begins, without anything new being deployed.
func TestCompare_OldCopyOfAPartition(t *testing.T) {
	r := newRealm(t, 3)
	r.deploy("a", 1)
	r.run(soon)
	old := r.save(3)
	r.deploy("a", 2)
	b := r.deploy("b", 1)
	r.deploy("c", 1)
	r.run(soon)
	r.remove(b.Key)
	r.run(soon)
	r.mustEqual("deployed")
	r.restore(3, old)
	if r.equal() == nil {
		t.Fatal("the old copy makes no difference")
	}
	r.run(soon)
	r.mustEqual("old copy of partition 3")
	if c := r.comparison(3, 1); c.Repaired != 3 || c.Differs != 0 {
		t.Errorf("%+v", c)
	}
	r.deploy("a", 3)
	r.run(time.Second)
	r.mustEqual("deployed afterwards")
}

func TestCompare_EmptyPartition(t *testing.T) {
	r := newRealm(t, 3)
	for i := range 120 {
		r.deploy("a", i)
	}
	r.run(soon)
	r.restore(2, nil)
	r.run(soon)
	r.mustEqual("empty partition 2")
}

// Large resources go in parts that fit into a message, also as a base: rows are
// pending for a partition that has lost what came before them.
func TestBase_LargeResources(t *testing.T) {
	r := newRealm(t, 2)
	large := func(i int) {
		form := fmt.Sprintf(`{"id":"f","n":%d,"x":"%s"}`, i, strings.Repeat("x", 1<<20))
		if _, err := r.seats[1].do(&protocol.Deploy{Resources: []protocol.Resource{{Name: "f.form", Content: []byte(form)}}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		large(i)
	}
	r.run(soon)
	r.seats[2].away = true
	large(20)
	r.run(time.Second)
	if err := r.seats[2].part.Restore(nil); err != nil {
		t.Fatal(err)
	}
	r.seats[2].away = false
	r.run(soon)
	r.mustEqual("a base of 20 MB")
}

// A leader that was there all the time notices within a minute what was done to
// its state behind its back, here: both ends believe that all is well.
func TestCompare_WithinAMinute(t *testing.T) {
	r := newRealm(t, 3)
	r.deploy("a", 1)
	r.run(soon)
	old := r.save(3)
	r.deploy("a", 2)
	r.run(soon)
	if err := r.seats[3].part.Restore(old); err != nil {
		t.Fatal(err)
	}
	r.run(time.Minute + time.Second)
	r.mustEqual("old copy")
}

// An older partition 1 takes from the others what it lacks, and never uses a key,
// a version or the number of a row again.
func TestCompare_OldCopyOfTheDeploymentPartition(t *testing.T) {
	r := newRealm(t, 3)
	r.deploy("a", 1)
	r.run(soon)
	old := r.save(1)
	r.deploy("a", 2)
	b := r.deploy("b", 1)
	last := r.deploy("c", 1)
	r.run(soon)
	r.remove(b.Key)
	r.run(soon)
	seq := r.survey(2).Seq
	r.restore(1, old)
	r.run(soon)
	r.mustEqual("old copy of partition 1")
	if now := r.survey(1).Seq; now <= seq {
		t.Errorf("the lane was at %d, and is at %d", seq, now)
	}
	again := r.deploy("b", 2)
	if again.Version != 2 || again.Key <= last.Key {
		t.Errorf("%d, version %d, after %d", again.Key, again.Version, last.Key)
	}
	r.run(time.Second)
	r.mustEqual("deployed afterwards")
}

func TestCompare_EmptyDeploymentPartition(t *testing.T) {
	r := newRealm(t, 3)
	for i := range 120 {
		r.deploy("a", i)
	}
	b := r.deploy("b", 1)
	r.run(soon)
	r.remove(b.Key)
	r.run(soon)
	r.restore(1, nil)
	r.run(soon)
	r.mustEqual("empty partition 1")
	if d := r.deploy("a", 1000); d.Version != 121 || d.Key <= b.Key {
		t.Errorf("%+v", d)
	}
	r.run(time.Second)
	r.mustEqual("deployed afterwards")
}

// What only one of the others has comes to all.
func TestCompare_UnionOfAll(t *testing.T) {
	r := newRealm(t, 3)
	r.deploy("a", 1)
	r.run(soon)
	old1, old3 := r.save(1), r.save(3)
	r.deploy("a", 2)
	r.deploy("b", 1)
	r.run(soon)
	r.restore(3, old3)
	r.restore(1, old1)
	r.run(soon)
	r.mustEqual("only partition 2 had all of it")
	if n := r.survey(1).Digest[0].Count; n != 3 {
		t.Errorf("%d processes", n)
	}
}

// A partition that is away is compared with when it is back.
func TestCompare_AfterACut(t *testing.T) {
	r := newRealm(t, 3)
	r.deploy("a", 1)
	r.run(soon)
	old := r.save(3)
	r.deploy("a", 2)
	r.run(soon)
	r.restore(3, old)
	r.seats[3].away = true
	r.run(soon)
	if c := r.comparison(3, 1); c.Error == "" || c.At != 0 {
		t.Errorf("it is away, and says %+v", c)
	}
	r.seats[3].away = false
	r.run(soon)
	r.mustEqual("after the cut")
}

// The same key with another content is told and left alone: instances run with it.
func TestCompare_Conflict(t *testing.T) {
	r := newRealm(t, 2)
	r.deploy("a", 1)
	r.run(soon)
	old := r.save(1)
	r.deploy("b", 1)
	r.run(soon)
	// An older partition 1 that is alone for so long that it deploys before it compares.
	r.seats[2].away = true
	r.restore(1, old)
	r.run(soon)
	r.deploy("c", 1)
	r.seats[2].away = false
	r.run(time.Minute)
	c := r.comparison(2, 1)
	if c.Differs != 1 || c.Why == "" {
		t.Errorf("%+v", c)
	}
	for p, s := range r.seats {
		if n := len(s.contents().Outbox); n != 0 {
			t.Errorf("partition %d has %d rows left: a difference blocks nothing", p, n)
		}
	}
	r.deploy("d", 1)
	r.run(time.Second)
	if n := r.survey(2).Digest[0].Count; n != r.survey(1).Digest[0].Count {
		t.Errorf("%d processes on partition 2", n)
	}
}

// However often a link comes up while a partition cannot be asked, it is asked again
// at the same pace.
func TestCompare_TriesDoNotMultiply(t *testing.T) {
	r := newRealm(t, 2)
	r.run(soon)
	r.seats[1].away = true
	r.lead(2)
	inAMinute := func() int {
		before := r.seats[2].asked
		r.run(time.Minute)
		return r.seats[2].asked - before
	}
	calm := inAMinute()
	for range 50 {
		r.seats[2].carrier.Handle(actors.LinkNews{Partition: 1})
		r.run(100 * time.Millisecond)
	}
	if after := inAMinute(); calm == 0 || after > calm+2 {
		t.Errorf("asked %d times in a minute, and %d times after news of a link", calm, after)
	}
}

// An older partition 1 is told when it may mint again: what the others have seen is
// behind it by then. Who cannot be asked holds nothing up.
func TestCompare_TellsWhenTheFirstOnesAreOver(t *testing.T) {
	r := newRealm(t, 3)
	r.deploy("a", 1)
	r.run(soon)
	old := r.save(1)
	var last protocol.Definition
	for i := range 120 {
		last = r.deploy("a", i+2)
	}
	r.run(soon)
	r.restore(1, old)
	one := r.seats[1]
	for range 1000 {
		if len(one.compared) > 0 {
			break
		}
		r.run(time.Millisecond)
	}
	if d := r.deploy("a", 1000); d.Version != last.Version+1 || d.Key <= last.Key {
		t.Errorf("version %d with key %d after version %d with key %d", d.Version, d.Key, last.Version, last.Key)
	}
	r.run(3 * time.Minute)
	if len(one.compared) != 1 {
		t.Errorf("told %d times", len(one.compared))
	}
	r.mustEqual("deployed at once")
	r.seats[2].away = true
	r.lead(1)
	r.run(soon)
	if n := len(r.seats[1].compared); n != 1 {
		t.Errorf("partition 2 is away: told %d times", n)
	}
}
