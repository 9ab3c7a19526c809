package protocol

// DeleteResource takes back what was deployed: a process, decision requirements
// with their decisions, or a form. The deployment partition decides; to the
// others it goes through the outbox, in order with the deployments. It is answered
// with a KeyReply: the counter of the deployments' lane.
type DeleteResource struct {
	ResourceKey Key
	// Definitions say to other partitions what is deleted, as far as is needed
	// to remember it. A client's command has none.
	Definitions []Definition
}

// Kind is KindDeleteResource.
func (*DeleteResource) Kind() Kind { return KindDeleteResource }

// Intent is the original's.
func (*DeleteResource) Intent() string { return "DELETE" }

func (c *DeleteResource) encode(b []byte) []byte {
	return appendDefinitions(AppendInt(b, int64(c.ResourceKey)), c.Definitions)
}

func (c *DeleteResource) decode(r *Reader) {
	c.ResourceKey, c.Definitions = r.Key(), readDefinitions(r)
}

// Tombstone is what is kept of a definition that is deleted, so that nothing
// brings it back.
func (d *Definition) Tombstone() Definition {
	return Definition{Kind: d.Kind, Key: d.Key, ID: d.ID, Version: d.Version, Deleted: true}
}

// Gone tells a tombstone from a deleted definition that instances still need.
func (d *Definition) Gone() bool { return d.Deleted && d.Hash == Hash{} }
