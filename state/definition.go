package state

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Latest is what a partition knows of a process id: its newest version, and the
// highest version number that was ever given out.
type Latest struct {
	Key          protocol.Key
	Version      int32
	Hash         protocol.Hash
	ResourceName string
}

// Definition reads a process definition by key, nil if the partition lacks it.
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

// Latest reads the newest version of a process id, nil if there is none.
func (t *Tx) Latest(processID string) *Latest {
	b := t.Get(TableLatest.OfString(processID))
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	l := &Latest{Key: r.Key(), Version: int32(r.Int()), Hash: r.Hash(), ResourceName: r.String()}
	if err := r.Done(); err != nil {
		t.Fail(err)
		return nil
	}
	return l
}

// Version returns the key of one version of a process id, 0 if there is none.
func (t *Tx) Version(processID string, version int32) protocol.Key {
	b := t.Get(TableVersion.OfString(processID, uint64(version)))
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

// PutDefinition writes a definition under its key and version, and makes it the
// latest of its id if its version is the highest. Writing one that is there
// already changes nothing.
func (t *Tx) PutDefinition(d *protocol.Definition) {
	if t.Get(TableDefinition.OfKey(d.Key)) != nil {
		return
	}
	t.Put(TableDefinition.OfKey(d.Key), protocol.AppendDefinition(nil, d))
	t.Put(TableVersion.OfString(d.ProcessID, uint64(d.Version)), protocol.AppendInt(nil, int64(d.Key)))
	if l := t.Latest(d.ProcessID); l == nil || l.Version < d.Version {
		b := protocol.AppendInt(protocol.AppendInt(nil, int64(d.Key)), int64(d.Version))
		b = append(b, d.Hash[:]...)
		t.Put(TableLatest.OfString(d.ProcessID), protocol.AppendString(b, d.ResourceName))
	}
}

// PutDeployment writes a deployment's record, kept by the deployment partition.
func (t *Tx) PutDeployment(d *protocol.Deployment, seq uint64) {
	b := protocol.AppendUint(nil, seq)
	t.Put(TableDeployment.OfKey(d.Key), protocol.AppendDeployment(b, d))
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
