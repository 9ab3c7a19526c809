package protocol

import "crypto/sha256"

// Sum stands for a definition's content: equal sums, equal definitions.
type Sum [16]byte

// KindDigest stands for all definitions of a kind.
type KindDigest struct {
	Count uint64
	Sum   Sum // the sums of all of them, exclusive or
}

// Digest stands for all definitions of a partition, by kind. Two partitions that
// have the same have equal digests, whatever they did to get there.
type Digest [FormDefinition]KindDigest

// Toggle takes a definition in, or out if it was in.
func (d *Digest) Toggle(s Sum, kind DefinitionKind, by int) {
	k := &d[kind-ProcessDefinition]
	k.Count += uint64(by) // wraps for -1
	for i := range s {
		k.Sum[i] ^= s[i]
	}
}

// Empty tells whether there is no definition.
func (d *Digest) Empty() bool { return *d == Digest{} }

// SumOf sums a definition up. A deleted one is a tombstone for this: some
// partitions keep it longer than others.
func SumOf(d *Definition) (s Sum) {
	c := *d
	if c.Deleted {
		c = d.Tombstone()
	}
	c.Duplicate = false
	h := sha256.Sum256(AppendDefinition(nil, &c))
	copy(s[:], h[:])
	return s
}

// AppendDigest encodes d.
func AppendDigest(b []byte, d *Digest) []byte {
	for i := range d {
		b = append(AppendUint(b, d[i].Count), d[i].Sum[:]...)
	}
	return b
}

// ReadDigest decodes what AppendDigest made.
func ReadDigest(r *Reader) (d Digest) {
	for i := range d {
		d[i] = KindDigest{Count: r.Uint(), Sum: r.sum()}
	}
	return d
}

func (r *Reader) sum() (s Sum) {
	if len(r.b) < len(s) {
		r.fail("sum")
		return s
	}
	copy(s[:], r.b)
	r.b = r.b[len(s):]
	return s
}
