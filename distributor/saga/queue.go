package saga

import (
	"math"
	"slices"
	"sort"
	"time"
)

// queue holds the rows of a channel that are in the table, ascending. A row
// costs eight bytes: chunks hold runs of contiguous rows, so that a row's seq is
// its place, and its time is kept relative to its chunk.
type queue struct {
	chunks []chunk
	n      int
}

const chunkRows = 256

// chunk holds the rows first, first+1, …; it is never empty.
type chunk struct {
	first Seq
	base  int64 // Unix milliseconds of the first row's time
	cells []cell
}

type cell struct {
	size uint32 // bytes
	age  uint32 // milliseconds after the chunk's base
}

func (k *chunk) last() Seq { return k.first + Seq(len(k.cells)) - 1 }

// takes says whether the row can stand at the end of the chunk.
func (k *chunk) takes(row Row) bool {
	return len(k.cells) < chunkRows && row.Seq-1 == k.last() && row.Since.UnixMilli()-k.base <= math.MaxUint32
}

func (k *chunk) push(row Row) {
	age := max(0, row.Since.UnixMilli()-k.base) // a clock may have stepped back
	size := min(max(0, row.Size), math.MaxInt32)
	k.cells = append(k.cells, cell{size: uint32(size), age: uint32(age)})
}

// add puts a row in its place. A row that is there already, and 0, stay out.
func (q *queue) add(row Row) {
	i := q.search(row.Seq)
	if row.Seq == 0 || i < len(q.chunks) && q.chunks[i].first <= row.Seq {
		return
	}
	if i == 0 || !q.chunks[i-1].takes(row) {
		q.chunks = slices.Insert(q.chunks, i, chunk{first: row.Seq, base: row.Since.UnixMilli()})
		i++
	}
	q.chunks[i-1].push(row)
	q.n++
}

// search returns the first chunk that ends at or after seq.
func (q *queue) search(seq Seq) int {
	if n := len(q.chunks); n == 0 || q.chunks[n-1].last() < seq {
		return n // nearly always: rows come at the end
	}
	return sort.Search(len(q.chunks), func(i int) bool { return q.chunks[i].last() >= seq })
}

func (q *queue) has(seq Seq) bool {
	i := q.search(seq)
	return i < len(q.chunks) && q.chunks[i].first <= seq
}

// after returns the first row above seq.
func (q *queue) after(seq Seq) (Seq, bool) {
	if seq == math.MaxUint64 {
		return 0, false
	}
	i := q.search(seq + 1)
	if i == len(q.chunks) {
		return 0, false
	}
	return max(q.chunks[i].first, seq+1), true
}

// last returns the highest row, or 0.
func (q *queue) last() Seq {
	if q.n == 0 {
		return 0
	}
	return q.chunks[len(q.chunks)-1].last()
}

// batch returns the end and the bytes of the contiguous rows from a held row
// on that fit the limits; the first one always does.
func (q *queue) batch(from Seq, rows, bytes int) (to Seq, size int) {
	to = from - 1
	for i := q.search(from); i < len(q.chunks) && rows > 0; i++ {
		k := &q.chunks[i]
		if k.first > to+1 {
			break
		}
		for _, c := range k.cells[to+1-k.first:] {
			if rows == 0 || to >= from && size+int(c.size) > bytes {
				return to, size
			}
			to++
			rows--
			size += int(c.size)
		}
	}
	return to, size
}

// drop forgets the rows up to seq.
func (q *queue) drop(seq Seq) {
	i := 0
	for ; i < len(q.chunks) && q.chunks[i].last() <= seq; i++ {
		q.n -= len(q.chunks[i].cells)
		q.chunks[i] = chunk{}
	}
	q.chunks = q.chunks[i:]
	if len(q.chunks) == 0 {
		q.chunks = nil
		return
	}
	if k := &q.chunks[0]; k.first <= seq {
		gone := seq - k.first + 1
		k.cells = k.cells[gone:]
		k.first += gone
		q.n -= int(gone)
	}
}

// countTo returns how many rows up to seq there are.
func (q *queue) countTo(seq Seq) int {
	n := 0
	for i := range q.chunks {
		k := &q.chunks[i]
		if k.first > seq {
			break
		}
		n += int(min(seq, k.last()) - k.first + 1)
	}
	return n
}

// since returns when a held row was written.
func (q *queue) since(seq Seq) time.Time {
	k := &q.chunks[q.search(seq)]
	return time.UnixMilli(k.base + int64(k.cells[seq-k.first].age)).UTC()
}
