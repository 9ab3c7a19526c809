package main

import (
	"bytes"
	"testing"
	"time"
)

func TestTable_AlignsByRunes(t *testing.T) {
	tab := newTable("name", " n", "bar", "")
	tab.row("a", 1, "▮▮▯", "x")
	tab.row("länger", 1000, "▮", "")
	var out bytes.Buffer
	if err := tab.print(&out); err != nil {
		t.Fatal(err)
	}
	want := "name       n  bar\n" +
		"a          1  ▮▮▯  x\n" +
		"länger  1000  ▮\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{grouped(0), "0"}, {grouped(999), "999"}, {grouped(1000), "1,000"}, {grouped(-1234567), "-1,234,567"}, {grouped(uint64(100)), "100"},
		{size(0), "–"}, {size(2048), "2 kB"}, {size(41 << 20), "41 MB"}, {size(1200 << 20), "1,200 MB"}, {size(12 << 30), "12 GB"},
		{span(850 * time.Nanosecond), "1µs"}, {span(1234 * time.Microsecond), "1.2ms"}, {span(56789 * time.Microsecond), "57ms"},
		{span(1250 * time.Millisecond), "1.3s"}, {span(75 * time.Second), "1m15s"}, {span(2*time.Hour + 5*time.Minute), "2h5m"}, {span(76 * time.Hour), "3d4h"},
		{ints(nil), "–"}, {ints([]int{1, 2}), "1,2"}, {count(1, "node"), "1 node"}, {count(0, "node"), "0 nodes"}, {short("0123456789"), "01234567"}, {short(""), "(not formed)"},
		{perSecond(300, 2*time.Second), "150/s"}, {perSecond(1, 0), "0/s"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
