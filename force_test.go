package grevy

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// A node that closes begins nothing any more: it would not be waited for.
func TestTakeForce_WhileClosing(t *testing.T) {
	b := &Broker{Config: Config{Log: slog.New(slog.DiscardHandler)}}
	b.life, b.end = context.WithCancel(t.Context())
	var answers []string
	ask := func() {
		b.takeForce(t.Context(), 1, []byte(`{"partition":1}`), func(a []byte) { answers = append(answers, string(a)) })
		b.wg.Wait()
	}
	ask()
	b.end()
	ask()
	if len(answers) != 2 || !strings.Contains(answers[0], "no replica that runs") || !strings.Contains(answers[1], "is stopping") {
		t.Errorf("%q", answers)
	}
}
