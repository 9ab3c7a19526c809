package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// client does one thing after another through the gateway of one node.
type client struct {
	w    *world
	id   int
	node int
	// seq and version are what it knows of the orders' process.
	seq     uint64
	version int32
	random  []*enginetest.Commander // by partition
}

// held is a job that a client works on.
type held struct {
	o   *order
	job protocol.Key
}

const patience = 3 * time.Second

// ask sends a command and takes what comes back.
func (c *client) ask(p protocol.PartitionID, cmd protocol.Command, then func(protocol.Reply, error)) {
	c.w.ask(c.node, p, cmd, patience, nil, func(reply protocol.Reply, err error) {
		c.w.note("client %d hears of %T at %d: %s", c.id, cmd, p, answerText(reply, err))
		switch done, not := certain(err); {
		case done:
			c.w.stats.Replies++
		case rejected(err) != 0:
			c.w.stats.Rejections++
		case not:
			c.w.stats.Refusals++
		default:
			c.w.stats.Unknown++
		}
		then(reply, err)
	})
}

// next begins what the client does next. Everything calls rest when it is over.
func (c *client) next() {
	w := c.w
	if w.calm {
		return
	}
	n := w.rnd.IntN(100)
	switch {
	case n < 20:
		c.create()
	case n < 35:
		c.activate()
	case n < 47:
		c.set()
	case n < 62:
		c.pay()
	case n < 70:
		c.ring()
	case n < 75:
		c.probe()
	case n < 80:
		c.look()
	case n < 83:
		c.complete()
	case n < 86:
		c.deploy(orderModel(w.rnd.IntN(1000)))
	case n < 89:
		c.watermark()
	default:
		c.anything()
	}
}

func (c *client) rest() {
	c.w.after(c.w.between(0, 60*time.Millisecond), c.next)
}

func (c *client) partition() protocol.PartitionID {
	return protocol.PartitionID(1 + c.w.rnd.IntN(c.w.partitions()))
}

// some is an order, mostly a young one; nil if there is none like that.
func (c *client) some(fits func(*order) bool) *order {
	list := c.w.books.orders
	for range 8 {
		if len(list) == 0 {
			return nil
		}
		o := list[c.w.rnd.IntN(len(list))]
		if fits(o) {
			return o
		}
		list = list[len(list)/2:]
	}
	return nil
}

// create makes an order of the latest version, which must be no older than the
// one of the last deployment that the client has heard of.
func (c *client) create() {
	b := c.w.books
	o := &order{id: fmt.Sprintf("o%d", len(b.orders)+1), p: c.partition()}
	b.orders = append(b.orders, o)
	version := c.version
	c.ask(o.p, &protocol.CreateInstance{
		ProcessID: orderID, Version: -1, DeploymentSeq: c.seq, Variables: fmt.Appendf(nil, `{"order":%q,"n":0}`, o.id),
	}, func(reply protocol.Reply, err error) {
		if created, ok := reply.(*protocol.Created); ok && !o.lost {
			b.given(created.InstanceKey)
			o.key, o.created = created.InstanceKey, c.w.moment()
			c.w.stats.Created++
			if created.Version < version {
				c.w.fail("an instance of version %d was made at partition %d, but version %d was deployed before", created.Version, o.p, version)
			}
		} else if rejected(err) != 0 && c.seq > 0 {
			c.w.fail("the process that was deployed is not there for partition %d: %v", o.p, err)
		}
		c.rest()
	})
}

// activate takes jobs that hold orders.
func (c *client) activate() {
	p := c.partition()
	cmd := &protocol.ActivateJobs{Type: holdType, Worker: "w", Max: int32(1 + c.w.rnd.IntN(3)), Timeout: 200 + c.w.rnd.Int64N(4000), Park: c.w.chance(30)}
	c.ask(p, cmd, func(reply protocol.Reply, err error) {
		if jobs, ok := reply.(*protocol.Jobs); ok {
			for i := range jobs.Jobs {
				if o := c.w.books.holder(jobs.Jobs[i].InstanceKey); o != nil {
					o.job = jobs.Jobs[i].Key
					c.w.books.held = append(c.w.books.held, held{o, o.job})
				}
			}
		}
		c.rest()
	})
}

// set counts an order's variable on. Only one client at a time does so.
func (c *client) set() {
	o := c.some(func(o *order) bool { return o.key != 0 && !o.busy && !o.closing })
	if o == nil {
		c.rest()
		return
	}
	o.busy = true
	value := o.value + len(o.maybe) + 1
	o.maybe = append(o.maybe, value)
	c.ask(o.p, &protocol.SetVariables{ElementKey: o.key, Variables: fmt.Appendf(nil, `{"n":%d}`, value)}, func(_ protocol.Reply, err error) {
		o.busy = false
		switch done, not := certain(err); {
		case done:
			o.value, o.maybe = value, nil
		case rejected(err) != 0 && !o.closing && !o.lost:
			c.w.fail("order %s is there, but its variable cannot be set: %v", o.id, err)
		case not:
			o.maybe = o.maybe[:len(o.maybe)-1]
		}
		c.rest()
	})
}

// pay sends an order a message, again and again until that is certain: it has an
// id, so it is published once.
func (c *client) pay() {
	o := c.some(func(*order) bool { return true })
	if o == nil {
		c.rest()
		return
	}
	w := c.w
	p := &payment{id: w.moment()}
	o.payments = append(o.payments, p)
	c.publish(o, p)
	c.rest()
}

func (c *client) publish(o *order, p *payment) {
	w := c.w
	at := protocol.MessagePartition(o.id, w.partitions())
	c.ask(at, &protocol.PublishMessage{
		Name: "pay", CorrelationKey: o.id, TimeToLive: 1e11, MessageID: fmt.Sprint(p.id), Variables: fmt.Appendf(nil, `{"mid":%d}`, p.id),
	}, func(reply protocol.Reply, err error) {
		if key, ok := reply.(*protocol.KeyReply); ok {
			w.books.given(key.Key)
		}
		if err == nil || rejected(err) == protocol.AlreadyExists {
			p.sure = true
			w.stats.Messages++
			return
		}
		w.after(w.between(10*time.Millisecond, 300*time.Millisecond), func() { c.publish(o, p) })
	})
}

// ring broadcasts a signal.
func (c *client) ring() {
	w := c.w
	b := &bell{id: w.moment(), from: c.partition()}
	b.begun = b.id
	w.books.bells = append(w.books.bells, b)
	c.ask(b.from, &protocol.BroadcastSignal{Name: "bell", Variables: fmt.Appendf(nil, `{"sid":%d}`, b.id)}, func(reply protocol.Reply, err error) {
		if key, ok := reply.(*protocol.KeyReply); ok && !b.past {
			w.books.given(key.Key)
			b.sure = true
			w.stats.Signals++
		}
		c.rest()
	})
}

// probe asks whether a job is there, in a way that changes nothing: variables
// that cannot be read are looked at after the job.
func (c *client) probe() {
	if len(c.w.books.held) == 0 {
		c.rest()
		return
	}
	h := c.w.books.held[c.w.rnd.IntN(len(c.w.books.held))]
	closed := h.o.closed
	c.ask(h.o.p, &protocol.CompleteJob{JobKey: h.job, Variables: []byte(`{"x`)}, func(_ protocol.Reply, err error) {
		switch why := rejected(err); {
		case h.o.lost:
		case err == nil:
			c.w.fail("variables that cannot be read were taken for job %d", h.job)
		case why == protocol.NotFound && !h.o.closing:
			c.w.fail("job %d is not there, but nobody has completed it", h.job)
		case why == protocol.InvalidArgument && closed:
			c.w.fail("job %d is still there, but it was completed before", h.job)
		}
		c.rest()
	})
}

// look asks in the same way whether an order is there that was made lately.
func (c *client) look() {
	list := c.w.books.orders
	list = list[max(0, len(list)-10):]
	if len(list) == 0 {
		c.rest()
		return
	}
	if o := list[c.w.rnd.IntN(len(list))]; o.key != 0 {
		c.lookAt(o, c.rest)
		return
	}
	c.rest()
}

func (c *client) lookAt(o *order, then func()) {
	c.ask(o.p, &protocol.SetVariables{ElementKey: o.key, Variables: []byte(`{"x`)}, func(_ protocol.Reply, err error) {
		switch why := rejected(err); {
		case o.lost:
		case err == nil:
			c.w.fail("variables that cannot be read were taken for order %s", o.id)
		case why == protocol.NotFound && !o.closing:
			c.w.fail("order %s was made, but is said not to be there", o.id)
		}
		then()
	})
}

// complete ends what holds an order.
func (c *client) complete() {
	if len(c.w.books.held) == 0 {
		c.rest()
		return
	}
	h := c.w.books.held[c.w.rnd.IntN(len(c.w.books.held))]
	h.o.closing = true
	c.ask(h.o.p, &protocol.CompleteJob{JobKey: h.job}, func(_ protocol.Reply, err error) {
		switch {
		case h.o.lost:
		case err == nil && h.o.closed:
			c.w.fail("job %d is completed a second time", h.job)
		case err == nil:
			h.o.closed = true
		}
		c.rest()
	})
}

// deploy makes a version known, or finds that it is known.
func (c *client) deploy(r protocol.Resource) {
	c.ask(protocol.DeploymentPartition, &protocol.Deploy{Resources: []protocol.Resource{r}}, func(reply protocol.Reply, err error) {
		if d, ok := reply.(*protocol.Deployed); ok {
			c.w.stats.Deployments++
			c.learn(d)
		} else if rejected(err) != 0 {
			c.w.fail("a deployment is rejected: %v", err)
		}
		c.rest()
	})
}

func (c *client) learn(d *protocol.Deployed) {
	c.seq = max(c.seq, d.Seq)
	c.w.books.told = max(c.w.books.told, d.Seq)
	for i := range d.Definitions {
		if d.Definitions[i].ID == orderID {
			c.version = max(c.version, d.Definitions[i].Version)
		}
	}
}

// watermark asks how far deployments are: no less far than anybody was told.
func (c *client) watermark() {
	told := c.w.books.told
	c.ask(protocol.DeploymentPartition, &protocol.Watermark{}, func(reply protocol.Reply, err error) {
		if key, ok := reply.(*protocol.KeyReply); ok && uint64(key.Key) < told {
			c.w.fail("the deployments' lane is said to be at %d, but was at %d before", key.Key, told)
		}
		c.rest()
	})
}

// anything sends a random command about random processes.
func (c *client) anything() {
	w := c.w
	if !w.conf.Random {
		c.rest()
		return
	}
	p := c.partition()
	maker := c.random[p-1]
	if maker.Seen == nil || w.chance(5) {
		maker.Seen = withoutOrders(w.group(p).oracle.contents())
	}
	cmd := maker.Next(w.wall().UnixMilli())
	switch cmd.(type) {
	case *protocol.Tick, *protocol.Continue:
		c.rest()
		return
	}
	c.ask(p, cmd, func(reply protocol.Reply, err error) {
		maker.NoteReply(reply)
		if d, ok := reply.(*protocol.Deployed); ok {
			c.learn(d)
		}
		c.rest()
	})
}

// withoutOrders leaves the orders' rows out of what commands are drawn from.
func withoutOrders(c *enginetest.Contents) *enginetest.Contents {
	ours := func(instance protocol.Key) bool {
		e := c.Elements[instance]
		return e == nil || e.ProcessID == orderID
	}
	drop := func(t state.Table, is func(protocol.Key) bool) { c.Order[t] = slices.DeleteFunc(c.Order[t], is) }
	drop(state.TableElement, func(k protocol.Key) bool { return ours(c.Elements[k].Instance) })
	drop(state.TableJob, func(k protocol.Key) bool { return ours(c.Jobs[k].Instance) })
	drop(state.TableIncident, func(k protocol.Key) bool {
		e := c.Elements[c.Incidents[k].Element]
		return e == nil || ours(e.Instance)
	})
	drop(state.TableDefinition, func(k protocol.Key) bool { return c.Definitions[k].ID == orderID })
	return c
}
