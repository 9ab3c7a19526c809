package state

import "github.com/grevy-io/grevy/protocol"

// LoopList names one of the two lists of a multi-instance activity. They stand
// in rows of their own, some entries each, so that neither a step into nor out
// of an instance costs more when there are many.
type LoopList uint64

// The lists.
const (
	// LoopItems are the items that instances are still to be made for.
	LoopItems LoopList = 0
	// LoopResults are what the instances have left.
	LoopResults LoopList = 1
)

// LoopChunk is how many entries of a list stand in one row.
func (l LoopList) LoopChunk() int64 {
	if l == LoopItems {
		return 256
	}
	return 32
}

func (l LoopList) key(body protocol.Key, chunk int64) []byte {
	return TableLoop.Of(uint64(body), uint64(l), uint64(chunk))
}

// LoopRow reads one row of a list; nil if there is none. An entry that was
// never written is empty.
func (t *Tx) LoopRow(body protocol.Key, l LoopList, chunk int64) [][]byte {
	b := t.Get(l.key(body, chunk))
	if b == nil {
		return nil
	}
	r := protocol.NewReader(b)
	list := make([][]byte, r.Count(1))
	for i := range list {
		list[i] = r.Bytes()
	}
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
	return list
}

// PutLoopRow writes one row of a list. fresh says that it is not there yet.
func (t *Tx) PutLoopRow(body protocol.Key, l LoopList, chunk int64, list [][]byte, fresh bool) {
	b := protocol.AppendUint(nil, uint64(len(list)))
	for _, v := range list {
		b = protocol.AppendBytes(b, v)
	}
	if fresh {
		t.Insert(l.key(body, chunk), b)
		return
	}
	t.Put(l.key(body, chunk), b)
}

// DeleteLoop removes the rows of a list that was made for total entries.
func (t *Tx) DeleteLoop(body protocol.Key, l LoopList, total int64) {
	for chunk := int64(0); chunk*l.LoopChunk() < total; chunk++ {
		if key := l.key(body, chunk); t.Get(key) != nil {
			t.Delete(key)
		}
	}
}
