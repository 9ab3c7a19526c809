package state

import (
	"bytes"
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Withdraw makes a definition one that is not found any more, but by key. The
// newest version before it, if it was the newest, takes its place. Version
// numbers go on counting.
func (t *Tx) Withdraw(d *protocol.Definition) {
	t.Delete(versionKey(d.Kind, d.ID, d.Version))
	t.Delete(memberKey(d.DeploymentID, d.Kind, d.ID))
	if d.VersionTag != "" {
		t.Delete(tagKey(d))
	}
	deleted := *d
	deleted.Deleted = true
	t.Put(TableDefinition.OfKey(d.Key), protocol.AppendDefinition(nil, &deleted))
	t.redigest(d, &deleted)
	l := t.Latest(d.Kind, d.ID)
	if l == nil || l.Key != d.Key {
		return
	}
	now := Latest{Highest: l.Highest}
	t.Scan(idKey(TableVersion, d.Kind, d.ID), nil, func(_, value []byte) bool {
		if p := t.Definition(t.readKey(value)); p != nil {
			now = Latest{Key: p.Key, Version: p.Version, Hash: p.Hash, ResourceName: p.ResourceName, Highest: l.Highest}
		}
		return false
	})
	t.putLatest(d.Kind, d.ID, &now)
}

// PutTombstone keeps of a definition only that it is deleted. Its version number
// is not given out again, also if it was never here.
func (t *Tx) PutTombstone(d *protocol.Definition) {
	gone := d.Tombstone()
	old := t.Definition(d.Key)
	t.redigest(old, &gone)
	if l := t.Latest(d.Kind, d.ID); old == nil && (l == nil || l.Highest < d.Version) {
		if l == nil {
			l = &Latest{}
		}
		l.Highest = d.Version
		t.putLatest(d.Kind, d.ID, l)
	}
	t.Put(TableDefinition.OfKey(d.Key), protocol.AppendDefinition(nil, &gone))
}

// AddDraining notes a deleted definition that somebody may still need.
func (t *Tx) AddDraining(key protocol.Key) { t.Put(TableDraining.OfKey(key), nil) }

// DeleteDraining says that none does any more.
func (t *Tx) DeleteDraining(key protocol.Key) { t.Delete(TableDraining.OfKey(key)) }

// Draining lists the deleted definitions that somebody may still need.
func (t *Tx) Draining() (list []protocol.Key) {
	t.Scan([]byte{byte(TableDraining)}, nil, func(key, _ []byte) bool {
		list = append(list, protocol.Key(number(key, 0)))
		return true
	})
	return list
}

// IsDraining tells whether a committed row says so of a definition: what began
// before its deletion is committed then too.
func (t *Tx) IsDraining(key protocol.Key) bool {
	at := TableDraining.OfKey(key)
	it := t.over.Base().Iterate(at, at)
	defer it.Close()
	return it.Valid() && bytes.Equal(it.Key(), at)
}

// DropBody ends the partition's reference to a content.
func (t *Tx) DropBody(h protocol.Hash) { t.Delete(append(TableContentRef.Key(32), h[:]...)) }

// Root is the process of an instance.
type Root struct{ Instance, Definition protocol.Key }

// Roots walks up to limit committed rows of elements with keys above after and
// gives those that are processes. last is the last key that was looked at, 0 at
// the end of the table.
func (t *Tx) Roots(after protocol.Key, limit int) (list []Root, last protocol.Key) {
	it := t.over.Base().Iterate([]byte{byte(TableElement)}, TableElement.OfKey(after+1))
	defer it.Close()
	for ; it.Valid() && limit > 0; it.Next() {
		limit--
		last = protocol.Key(number(it.Key(), 0))
		stored, err := it.Value()
		if err == nil {
			stored, err = joinParts(slices.Clone(stored), func(i int) ([]byte, error) { return t.over.Base().Raw(partKey(it.Key(), i)) })
		}
		if err != nil {
			t.Fail(err)
			return nil, 0
		}
		if root, ok := rootOf(stored); ok {
			list = append(list, root)
		}
	}
	if limit > 0 {
		last = 0
	}
	return list, last
}

// rootOf reads of an element's value what its process is, if it is one.
func rootOf(value []byte) (Root, bool) {
	r := protocol.NewReader(value)
	r.Key()
	if scope := r.Key(); scope != 0 {
		return Root{}, false
	}
	return Root{Instance: r.Key(), Definition: r.Key()}, true
}

// HasInstance tells whether an instance of a process is there. It looks at all
// that is not committed yet and at up to limit committed rows.
func (t *Tx) HasInstance(def protocol.Key, limit int) bool {
	for key, row := range t.over.rows {
		if key[0] == byte(TableElement) && !row.delete && t.isRootOf(def, []byte(key), row.value) {
			return true
		}
	}
	it := t.over.Base().Iterate([]byte{byte(TableElement)}, nil)
	defer it.Close()
	for ; it.Valid() && limit > 0; it.Next() {
		limit--
		if _, newer := t.over.rows[string(it.Key())]; newer {
			continue
		}
		stored, err := it.Value()
		if err != nil {
			t.Fail(err)
			return true
		}
		if t.isRootOf(def, it.Key(), stored) {
			return true
		}
	}
	return false
}

// isRootOf tells whether a stored element is the process of an instance of def.
func (t *Tx) isRootOf(def protocol.Key, key, stored []byte) bool {
	value, err := joinParts(slices.Clone(stored), func(i int) ([]byte, error) { return t.over.raw(partKey(key, i)) })
	if err != nil {
		t.Fail(err)
		return true
	}
	root, ok := rootOf(value)
	return ok && root.Definition == def
}
