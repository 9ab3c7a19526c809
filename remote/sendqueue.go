package remote

// outgoing is a message on its way into the socket.
type outgoing struct {
	header
	body []byte
	off  int   // how much of a chunked body has been taken
	call *call // the request it belongs to; nil for everything else
}

func (o *outgoing) withdrawn() bool { return o.call != nil && o.call.ended }

// sendQueue orders what one connection has to send: control frames first, then
// messages of one frame in order, and after each batch of those one chunk of a
// larger message, in turn. It has no lock of its own: wire.mu guards it.
type sendQueue struct {
	control []outgoing // heartbeats, cancels, failures
	small   []outgoing
	open    []*outgoing // chunked, under way, at most maxOpen
	waiting []*outgoing // chunked, not begun
	turn    int
}

func (q *sendQueue) push(o outgoing) {
	o.size = uint32(len(o.body))
	switch {
	case o.typ != frameRequest && o.typ != frameReply:
		q.control = append(q.control, o)
	case len(o.body) <= chunkSize:
		q.small = append(q.small, o)
	default:
		o.total = uint32(len(o.body))
		q.waiting = append(q.waiting, &o)
	}
}

// batchBytes is how much one write to the socket carries at most, apart from the
// last message in it.
const batchBytes = 128 << 10

// take moves the next batch into dst and tells its size in bytes; an empty batch
// means an empty queue. A request counts as handed over when its last byte is
// taken: from then on its outcome is open.
func (q *sendQueue) take(dst []outgoing) (batch []outgoing, bytes int) {
	for _, o := range q.control {
		dst = append(dst, o)
		bytes += headerSize + len(o.body)
	}
	q.control = drop(q.control, len(q.control))
	n := 0
	for n < len(q.small) && bytes < batchBytes {
		o := q.small[n]
		n++
		if o.withdrawn() {
			continue
		}
		if o.call != nil {
			o.call.begun, o.call.handed = true, true
		}
		dst = append(dst, o)
		bytes += headerSize + len(o.body)
	}
	q.small = drop(q.small, n)
	if o, ok := q.chunk(); ok {
		dst = append(dst, o)
		bytes += headerSize + len(o.body)
	}
	return dst, bytes
}

// chunk takes the next chunk of the next large message.
func (q *sendQueue) chunk() (outgoing, bool) {
	q.fillOpen()
	if len(q.open) == 0 {
		return outgoing{}, false
	}
	q.turn %= len(q.open)
	m := q.open[q.turn]
	part := *m
	part.body = m.body[m.off:min(m.off+chunkSize, len(m.body))]
	part.size = uint32(len(part.body))
	m.off += len(part.body)
	if m.call != nil {
		m.call.begun = true
	}
	if m.off < len(m.body) {
		q.turn++
		return part, true
	}
	if m.call != nil {
		m.call.handed = true
	}
	q.open = append(q.open[:q.turn], q.open[q.turn+1:]...)
	return part, true
}

// fillOpen forgets withdrawn messages and opens waiting ones.
func (q *sendQueue) fillOpen() {
	kept := q.open[:0]
	for _, m := range q.open {
		if !m.withdrawn() {
			kept = append(kept, m)
		}
	}
	clear(q.open[len(kept):])
	q.open = kept
	n := 0
	for n < len(q.waiting) && len(q.open) < maxOpen {
		if m := q.waiting[n]; !m.withdrawn() {
			q.open = append(q.open, m)
		}
		n++
	}
	q.waiting = drop(q.waiting, n)
}

// drop removes the first n and lets go of what they held. An emptied queue keeps
// its room unless a burst made it large.
func drop[T any](s []T, n int) []T {
	if n < len(s) {
		clear(s[:n])
		return s[n:]
	}
	if cap(s) > 4096 {
		return nil
	}
	clear(s)
	return s[:0]
}
