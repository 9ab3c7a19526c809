package sim

import "time"

// watch lets somebody read at what a node believes to lead, all the time: nothing
// that was acknowledged elsewhere may be missing there.
func (w *world) watch(node int) {
	c := &client{w: w, id: 100 + node, node: node}
	w.clients = append(w.clients, c)
	c.w.after(w.between(0, 40*time.Millisecond), c.read)
}

func (c *client) read() {
	w := c.w
	if w.calm {
		return
	}
	w.after(w.between(5*time.Millisecond, 40*time.Millisecond), c.read)
	g := w.groups[w.rnd.IntN(len(w.groups))]
	if r := w.nodes[c.node].replicas[g.id]; r == nil || !r.leads {
		return
	}
	list := w.books.orders
	for i := len(list) - 1; i >= max(0, len(list)-20); i-- {
		if o := list[i]; o.p == g.id && o.key != 0 && !o.lost {
			c.lookAt(o, func() {})
			return
		}
	}
}
