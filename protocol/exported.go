package protocol

// KindExported is the kind of Exported.
const KindExported Kind = 40

// Exported notes up to which entry of its log a partition's records are in the
// record log. Index 0: there is no record log any more, nothing is noted.
type Exported struct {
	Index uint64
	Guard Guard // which entry passes next
}

// Kind is KindExported.
func (*Exported) Kind() Kind { return KindExported }

// Intent is ours: the original has no like of it.
func (*Exported) Intent() string { return "EXPORTED" }

func (c *Exported) encode(b []byte) []byte { return b } // it never leaves its leader
func (c *Exported) decode(*Reader)         {}
