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
	items map[protocol.Hash]*list.Element
	lru   list.List // of *cached, most recently used first
}

type cached struct {
	hash  protocol.Hash
	model *bpmn.Model
}

// NewModels makes a cache of about limit bytes.
func NewModels(limit int) *Models {
	return &Models{limit: limit, items: map[protocol.Hash]*list.Element{}}
}

// HashOf names a content.
func HashOf(content []byte) protocol.Hash { return sha256.Sum256(content) }

// Parse returns the model of a content, parsed now unless it is known. name
// appears in the error only, a *bpmn.Invalid.
func (m *Models) Parse(name string, hash protocol.Hash, content []byte) (*bpmn.Model, error) {
	if model := m.get(hash); model != nil {
		return model, nil
	}
	model, err := bpmn.Parse(name, content)
	if err != nil {
		return nil, err
	}
	m.put(hash, model)
	return model, nil
}

func (m *Models) get(hash protocol.Hash) *bpmn.Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	el := m.items[hash]
	if el == nil {
		return nil
	}
	m.lru.MoveToFront(el)
	return el.Value.(*cached).model
}

func (m *Models) put(hash protocol.Hash, model *bpmn.Model) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items[hash] != nil {
		return
	}
	m.items[hash] = m.lru.PushFront(&cached{hash: hash, model: model})
	m.size += model.Size
	for m.size > m.limit && m.lru.Len() > 1 {
		last := m.lru.Remove(m.lru.Back()).(*cached)
		delete(m.items, last.hash)
		m.size -= last.model.Size
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
	if rec == nil {
		return nil
	}
	model, err := e.model(tx, rec)
	if err != nil {
		tx.Fail(err)
		return nil
	}
	if len(e.definitions) >= maxDefinitions {
		clear(e.definitions)
	}
	d := &definition{Definition: *rec, process: model.Processes[rec.Index]}
	e.definitions[key] = d
	return d
}

// model parses a stored definition's resource. It was accepted once, so an
// error means that the store is damaged.
func (e *Engine) model(tx *state.Tx, rec *protocol.Definition) (*bpmn.Model, error) {
	if m := e.Models.get(rec.Hash); m != nil {
		return m, nil
	}
	body := tx.Body(rec.Hash)
	if HashOf(body) != rec.Hash {
		return nil, protocol.ErrCorrupt
	}
	model, err := e.Models.Parse(rec.ResourceName, rec.Hash, body)
	if err == nil && int(rec.Index) >= len(model.Processes) {
		err = protocol.ErrCorrupt
	}
	return model, err
}
