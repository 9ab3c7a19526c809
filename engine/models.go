package engine

import (
	"container/list"
	"crypto/sha256"
	"sync"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Models keeps parsed models, one per content and node, bounded by bytes: with
// thousands of versions, neither a deployment nor a start may cost more for
// those that are not in use (Zeebe issue #11253 and #53139). It is keyed by
// what is parsed, never by a definition's key, so that it cannot show what was
// not committed (#13254). It is safe for concurrent use.
type Models struct {
	mu    sync.Mutex
	limit int
	size  int
	items map[modelKey]*list.Element
	lru   list.List // of *cached, most recently used first
}

// modelKey is a content and what it was read as.
type modelKey struct {
	hash   protocol.Hash
	format format
}

type cached struct {
	key modelKey
	*content
}

// NewModels makes a cache of about limit bytes.
func NewModels(limit int) *Models {
	return &Models{limit: limit, items: map[modelKey]*list.Element{}}
}

// HashOf names a content.
func HashOf(content []byte) protocol.Hash { return sha256.Sum256(content) }

func (m *Models) get(key modelKey) *content {
	m.mu.Lock()
	defer m.mu.Unlock()
	el := m.items[key]
	if el == nil {
		return nil
	}
	m.lru.MoveToFront(el)
	return el.Value.(*cached).content
}

func (m *Models) put(key modelKey, c *content) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items[key] != nil {
		return
	}
	m.items[key] = m.lru.PushFront(&cached{key, c})
	m.size += c.size
	for m.size > m.limit && m.lru.Len() > 1 {
		last := m.lru.Remove(m.lru.Back()).(*cached)
		delete(m.items, last.key)
		m.size -= last.size
	}
}

// Len returns how many models are kept, and about how many bytes they take.
func (m *Models) Len() (n, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lru.Len(), m.size
}

// definition is a process definition with its parsed process.
type definition struct {
	protocol.Definition
	process *bpmn.Process
}

// element finds the model element of a record.
func (d *definition) element(rec *state.ElementInstance) *bpmn.Element {
	if rec.Scope == 0 {
		return d.process.Root
	}
	return d.process.Element(rec.Element)
}

// maxDefinitions bounds the definitions an engine holds on to. Beyond it all
// are forgotten and found again, as the models behind them are shared.
const maxDefinitions = 1024

// definition returns a definition that the partition has, nil if it has not.
func (e *Engine) definition(tx *state.Tx, key protocol.Key) *definition {
	if d := e.definitions[key]; d != nil {
		return d
	}
	rec := tx.Definition(key)
	if rec == nil || rec.Kind != protocol.ProcessDefinition {
		return nil
	}
	model, err := e.content(tx, rec)
	if err != nil {
		tx.Fail(err)
		return nil
	}
	if len(e.definitions) >= maxDefinitions {
		clear(e.definitions)
	}
	d := &definition{Definition: *rec, process: model.bpmn.Processes[rec.Index]}
	e.definitions[key] = d
	return d
}

// content gives what a stored definition's resource holds. It was accepted
// once, so an error means that the store is damaged.
func (e *Engine) content(tx *state.Tx, rec *protocol.Definition) (*content, error) {
	if c := e.Models.get(modelKey{rec.Hash, formatOf(rec.ResourceName)}); c != nil {
		return c, c.holds(rec)
	}
	body := tx.Body(rec.Hash)
	if HashOf(body) != rec.Hash {
		return nil, protocol.ErrCorrupt
	}
	c, err := e.Models.read(rec.ResourceName, rec.Hash, body)
	if err != nil {
		return nil, err
	}
	return c, c.holds(rec)
}
