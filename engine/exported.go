package engine

import "github.com/grevy-io/grevy/protocol"

// exported notes how far the record log is, or forgets it.
func (r *run) exported(c *protocol.Exported) {
	r.tx.SetExported(c.Index, c.Guard)
	r.out.Reply = &protocol.Done{}
}
