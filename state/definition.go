package state

import (
	"encoding/binary"
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Latest is what a partition knows of the versions of an id.
type Latest struct {
	// Key, Version, Hash and ResourceName are those of the newest version.
	Key          protocol.Key
	Version      int32
	Hash         protocol.Hash
	ResourceName string
	// Highest is the highest version number that was ever given out.
	Highest int32
}

// Definition reads a definition by key, nil if the partition lacks it.
func (t *Tx) Definition(k protocol.Key) *protocol.Definition {
	b := t.get(TableDefinition, k)
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	d := protocol.ReadDefinition(r)
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return &d
}

// idKey begins the key of a row that is found by kind and id.
func idKey(table Table, kind protocol.DefinitionKind, id string) []byte {
	return AppendText(append(table.Key(len(id)+20), byte(kind)), id)
}

// versionKey orders the versions of an id from the newest to the oldest.
func versionKey(kind protocol.DefinitionKind, id string, version int32) []byte {
	return binary.BigEndian.AppendUint64(idKey(TableVersion, kind, id), ^uint64(version))
}

// tagKey orders the versions of an id that have a tag in the same way.
func tagKey(d *protocol.Definition) []byte {
	b := AppendText(idKey(TableTagged, d.Kind, d.ID), d.VersionTag)
	return binary.BigEndian.AppendUint64(b, ^uint64(d.Version))
}

func memberKey(deployment protocol.Key, kind protocol.DefinitionKind, id string) []byte {
	return AppendText(append(TableMember.OfKey(deployment), byte(kind)), id)
}

// Latest reads what is known of the versions of an id, nil if there has never
// been one. Its key is 0 if all are deleted.
func (t *Tx) Latest(kind protocol.DefinitionKind, id string) *Latest {
	b := t.Get(idKey(TableLatest, kind, id))
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	l := &Latest{Key: r.Key(), Version: int32(r.Int()), Hash: r.Hash(), ResourceName: r.String(), Highest: int32(r.Int())}
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return l
}

func (t *Tx) putLatest(kind protocol.DefinitionKind, id string, l *Latest) {
	b := protocol.AppendInt(protocol.AppendInt(nil, int64(l.Key)), int64(l.Version))
	b = protocol.AppendString(append(b, l.Hash[:]...), l.ResourceName)
	t.Put(idKey(TableLatest, kind, id), protocol.AppendInt(b, int64(l.Highest)))
}

// Newest returns the key of the newest version of an id, 0 if there is none.
func (t *Tx) Newest(kind protocol.DefinitionKind, id string) protocol.Key {
	if l := t.Latest(kind, id); l != nil {
		return l.Key
	}
	return 0
}

// Version returns the key of one version of an id, 0 if there is none.
func (t *Tx) Version(kind protocol.DefinitionKind, id string, version int32) protocol.Key {
	return t.readKey(t.Get(versionKey(kind, id, version)))
}

// Tagged returns the key of the newest version of an id that has a tag, 0 if
// there is none.
func (t *Tx) Tagged(kind protocol.DefinitionKind, id, tag string) (found protocol.Key) {
	t.Scan(AppendText(idKey(TableTagged, kind, id), tag), nil, func(_, value []byte) bool {
		found = t.readKey(value)
		return false
	})
	return found
}

// Member returns the key of what a deployment made of an id, 0 if it made
// nothing.
func (t *Tx) Member(deployment protocol.Key, kind protocol.DefinitionKind, id string) protocol.Key {
	return t.readKey(t.Get(memberKey(deployment, kind, id)))
}

// Members lists what a deployment made, by kind and id.
func (t *Tx) Members(deployment protocol.Key) (list []*protocol.Definition) {
	t.Scan(TableMember.OfKey(deployment), nil, func(_, value []byte) bool {
		if d := t.Definition(t.readKey(value)); d != nil {
			list = append(list, d)
		}
		return true
	})
	return list
}

// readKey decodes a value that is one key, 0 if there is no value.
func (t *Tx) readKey(b []byte) protocol.Key {
	if b == nil {
		return 0
	}
	r := protocol.NewReader(b)
	k := r.Key()
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
	return k
}

// PutDefinition writes a definition under its key and all that it is found by,
// and makes it the latest of its id if its version is the highest. Writing one
// that is there already changes nothing.
func (t *Tx) PutDefinition(d *protocol.Definition) {
	if t.Get(TableDefinition.OfKey(d.Key)) != nil {
		return
	}
	key := protocol.AppendInt(nil, int64(d.Key))
	t.Put(TableDefinition.OfKey(d.Key), protocol.AppendDefinition(nil, d))
	t.redigest(nil, d)
	t.Put(versionKey(d.Kind, d.ID, d.Version), key)
	t.Put(memberKey(d.DeploymentID, d.Kind, d.ID), key)
	if d.VersionTag != "" {
		t.Put(tagKey(d), key)
	}
	l := t.Latest(d.Kind, d.ID)
	if l == nil || l.Key == 0 || l.Version < d.Version {
		highest := d.Version
		if l != nil {
			highest = max(highest, l.Highest)
		}
		t.putLatest(d.Kind, d.ID, &Latest{Key: d.Key, Version: d.Version, Hash: d.Hash, ResourceName: d.ResourceName, Highest: highest})
	}
}

// PutDeployment writes a deployment's record, kept by the deployment partition.
func (t *Tx) PutDeployment(d *protocol.Deployment, seq uint64) {
	b := protocol.AppendUint(nil, seq)
	t.Put(TableDeployment.OfKey(d.Key), protocol.AppendDeployment(b, d))
}

// Deployment reads a deployment's record, nil if there is none.
func (t *Tx) Deployment(key protocol.Key) *DeploymentRecord {
	b := t.Get(TableDeployment.OfKey(key))
	if b == nil {
		return nil
	}
	d, err := ReadDeploymentRecord(b)
	if err != nil {
		t.Fail(err)
		return nil
	}
	return &d
}

// DeploymentRecord is a deployment and its seq in the lane.
type DeploymentRecord struct {
	protocol.Deployment
	Seq uint64
}

// ReadDeploymentRecord decodes a row of TableDeployment.
func ReadDeploymentRecord(b []byte) (DeploymentRecord, error) {
	r := protocol.NewReader(b)
	d := DeploymentRecord{Seq: r.Uint()}
	d.Deployment = protocol.ReadDeployment(r)
	return d, r.Done()
}

// Deployments lists up to limit deployment records, newest first: those with a
// key below before, or from the newest if before is 0.
func (t *Tx) Deployments(before protocol.Key, limit int) ([]DeploymentRecord, error) {
	var all []DeploymentRecord
	var bad error
	t.Scan([]byte{byte(TableDeployment)}, nil, func(key, value []byte) bool {
		if before != 0 && protocol.Key(number(key, 0)) >= before {
			return false
		}
		d, err := ReadDeploymentRecord(value)
		if err != nil {
			bad = err
			return false
		}
		if all = append(all, d); limit > 0 && len(all) > limit {
			all = all[1:]
		}
		return true
	})
	slices.Reverse(all)
	return all, bad
}

// Definitions lists up to limit committed definitions with keys above after, in
// the order of their keys. It reads below the overlay.
func (t *Tx) Definitions(after protocol.Key, limit int) ([]protocol.Definition, error) {
	it := t.over.Base().Iterate([]byte{byte(TableDefinition)}, TableDefinition.OfKey(after+1))
	defer it.Close()
	var defs []protocol.Definition
	for ; it.Valid() && len(defs) < limit; it.Next() {
		stored, err := it.Value()
		if err != nil {
			return nil, err
		}
		value, err := joinParts(stored, func(i int) ([]byte, error) { return t.over.Base().Raw(partKey(it.Key(), i)) })
		if err != nil {
			return nil, err
		}
		r := protocol.NewReader(value)
		defs = append(defs, protocol.ReadDefinition(r))
		if err := r.Done(); err != nil {
			return nil, err
		}
	}
	return defs, nil
}

// UncommittedDefinitions lists the definitions of which the newest row is above the
// committed state.
func (t *Tx) UncommittedDefinitions() (list []protocol.Definition) {
	for key, row := range t.over.rows {
		if key[0] != byte(TableDefinition) || row.delete {
			continue
		}
		if d := t.Definition(protocol.Key(number([]byte(key), 0))); d != nil {
			list = append(list, *d)
		}
	}
	return list
}
