package badgerkv_test

import (
	"log/slog"
	"testing"

	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/badgerkv"
	"github.com/grevy-io/grevy/state/statetest"
)

func open(t *testing.T) state.KV {
	kv, err := badgerkv.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kv.Close(); err != nil {
			t.Error(err)
		}
	})
	return kv
}

func TestKV(t *testing.T) { statetest.Run(t, open) }

func TestKV_SyncCoversEveryLog(t *testing.T) {
	kv := open(t)
	if err := kv.Update([]state.Op{{Key: []byte("a"), Value: []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	if err := kv.Sync(); err != nil {
		t.Fatal(err)
	}
}
