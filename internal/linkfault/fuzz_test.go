package linkfault

import (
	"bytes"
	"testing"
)

// FuzzPreamble: bytes are refused, or are a preamble that survives another round
// trip but for what is reserved.
func FuzzPreamble(f *testing.F) {
	f.Add(Preamble{Proto: ProtoRaft, Group: 3, From: 2, Cluster: [16]byte{9}}.append(nil))
	f.Add([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var head [PreambleSize]byte
		copy(head[:], b)
		p, err := parsePreamble(head)
		if err != nil {
			return
		}
		head[6], head[7] = 0, 0
		if again := p.append(nil); !bytes.Equal(again, head[:]) {
			t.Errorf("%x became %x", head, again)
		}
	})
}

// FuzzRules: a file of rules is refused or obeyed, whatever is in it.
func FuzzRules(f *testing.F) {
	f.Add("drop 0 1\nreset 1 0 # why\n\ndelay 2 1 100ms")
	f.Add("delay 0 1 -5s")
	f.Add("loss 0 1 5% post\nslow 1 0 1000\nclock 1 -1h")
	f.Fuzz(func(t *testing.T, text string) {
		tab, err := newTable(text)
		if err != nil {
			return
		}
		for p, r := range tab.rules {
			if p.from < 0 || p.to < 0 || r.delay < 0 || r.rate < 0 || !(r.loss >= 0 && r.loss < 1) {
				t.Errorf("%q gives %+v for %+v", text, r, p)
			}
		}
	})
}
