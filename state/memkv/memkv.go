// Package memkv is a state.KV in memory, for tests and simulation. It can
// forget what was written since the last Sync, as a machine does that loses
// power.
package memkv

import (
	"bytes"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/grevy-io/grevy/state"
)

// KV keeps everything in one ordered tree.
type KV struct {
	mu     sync.Mutex
	tree   *btree.Map[string, []byte]
	synced *btree.Map[string, []byte]
}

// New returns an empty store.
func New() *KV {
	return &KV{tree: new(btree.Map[string, []byte]), synced: new(btree.Map[string, []byte])}
}

// Update applies all ops.
func (k *KV) Update(ops []state.Op) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range ops {
		if o.Delete {
			k.tree.Delete(string(o.Key))
		} else {
			k.tree.Set(string(o.Key), bytes.Clone(append([]byte{}, o.Value...)))
		}
	}
	return nil
}

// Snapshot is a copy-on-write view.
func (k *KV) Snapshot() state.Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &snapshot{tree: k.tree.Copy()}
}

// Sync makes PowerLoss keep what is here now.
func (k *KV) Sync() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.synced = k.tree.Copy()
	return nil
}

// PowerLoss forgets everything since the last Sync.
func (k *KV) PowerLoss() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tree = k.synced.Copy()
}

// DeletePrefix removes all keys under prefix.
func (k *KV) DeletePrefix(prefix []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var keys []string
	k.tree.Ascend(string(prefix), func(key string, _ []byte) bool {
		if !strings.HasPrefix(key, string(prefix)) {
			return false
		}
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		k.tree.Delete(key)
	}
	return nil
}

// Close does nothing.
func (k *KV) Close() error { return nil }

type snapshot struct{ tree *btree.Map[string, []byte] }

func (s *snapshot) Get(key []byte) ([]byte, error) {
	v, ok := s.tree.Get(string(key))
	if !ok {
		return nil, nil
	}
	return append([]byte{}, v...), nil
}

func (s *snapshot) Iterate(prefix, from []byte) state.Iterator {
	if from == nil {
		from = prefix
	}
	it := &iterator{it: s.tree.Iter(), prefix: string(prefix)}
	it.ok = it.it.Seek(string(from))
	return it
}

func (s *snapshot) Close() {}

type iterator struct {
	it     btree.MapIter[string, []byte]
	ok     bool
	prefix string
}

func (i *iterator) Valid() bool { return i.ok && strings.HasPrefix(i.it.Key(), i.prefix) }
func (i *iterator) Key() []byte { return []byte(i.it.Key()) }
func (i *iterator) Value() ([]byte, error) {
	return bytes.Clone(append([]byte{}, i.it.Value()...)), nil
}
func (i *iterator) ValueSize() int { return len(i.it.Value()) }
func (i *iterator) Next()          { i.ok = i.it.Next() }
func (i *iterator) Close()         {}
