package state

import (
	"bytes"
	"slices"
)

// While a partition is filled from a backup, and afterwards, a row says which one.
var (
	restoringKey = append(TableMeta.Key(9), "restoring"...)
	restoredKey  = append(TableMeta.Key(8), "restored"...)
)

// Restoring is the backup that a partition is being filled from, "" if none.
func (v *View) Restoring() (string, error) { return v.text(restoringKey) }

// Restored is the backup that a partition was filled from, "" if none.
func (v *View) Restored() (string, error) { return v.text(restoredKey) }

func (v *View) text(key []byte) (string, error) {
	b, err := v.Get(key)
	return string(b), err
}

// Vacant tells whether there is nothing in a partition but what belongs to its
// replicas and its cluster.
func (v *View) Vacant() bool {
	it := v.Iterate(nil, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		if !Apart(it.Key()) {
			return false
		}
	}
	return true
}

// Apart tells which rows are no part of a backup: how far a replica is, how the
// cluster is laid out, how far its record log is, and which backup it came from.
func Apart(key []byte) bool {
	if len(key) == 0 {
		return false
	}
	if Table(key[0]) == TableExported {
		return true
	}
	return slices.ContainsFunc([][]byte{AppliedKey, planKey, restoringKey, restoredKey}, func(k []byte) bool { return bytes.Equal(k, key) })
}

// AppliedKey is the row in which each replica notes how far it is (raftadapter).
var AppliedKey = append(TableMeta.Key(7), "applied"...)

// BeginRestore notes that a partition is being filled from a backup.
func (t *Tx) BeginRestore(backup string) { t.Put(restoringKey, []byte(backup)) }

// EndRestore notes that it is filled.
func (t *Tx) EndRestore(backup string) {
	t.Delete(restoringKey)
	t.Put(restoredKey, []byte(backup))
}
