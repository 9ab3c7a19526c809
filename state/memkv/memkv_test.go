package memkv_test

import (
	"testing"

	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
	"github.com/grevy-io/grevy/state/statetest"
)

func TestKV(t *testing.T) {
	statetest.Run(t, func(*testing.T) state.KV { return memkv.New() })
}
