package remote_test

import (
	"testing"
)

func TestRequest(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	for _, size := range []int{0, 1, 300, 256 << 10, 256<<10 + 1, 1 << 20, 16 << 20} {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(i * 7 / 3)
		}
		a.mustEcho(t, 1, payload)
	}
}
