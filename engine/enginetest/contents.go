package enginetest

import (
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// number reads the i-th number at the end of a key: 0 is the last one.
func number(key []byte, i int) uint64 {
	end := len(key) - 8*i
	return binary.BigEndian.Uint64(key[end-8 : end])
}

// Way is a lane from a partition.
type Way struct {
	Source protocol.PartitionID
	Lane   protocol.Lane
}

func (w Way) compare(v Way) int {
	return cmp.Or(cmp.Compare(w.Source, v.Source), cmp.Compare(w.Lane, v.Lane))
}

// Contents is all that is committed of a partition, decoded.
type Contents struct {
	Elements    map[protocol.Key]*state.ElementInstance
	Jobs        map[protocol.Key]*state.Job
	Incidents   map[protocol.Key]*state.Incident
	Definitions map[protocol.Key]*protocol.Definition
	Deployments map[protocol.Key]state.DeploymentRecord
	Outbox      []state.OutboxRow
	Inbox       map[protocol.PartitionID]state.Inbox // of deployments
	Ways        map[Way]state.Inbox                  // of the other lanes
	// Order lists the keys of elements, jobs, incidents, definitions and
	// deployments as they stand in their tables: oldest first.
	Order map[state.Table][]protocol.Key
	// Rows are all keys, without the partition's prefix.
	Rows     map[state.Table][][]byte
	Counter  int64
	Lane     uint64
	Suspends int // rows of work that was cut off
	// Raised: lanes may have holes, behind what was before a restore.
	Raised bool

	tx *state.Tx
}

// Contents reads what is committed. An error means that something cannot be
// decoded.
func (p *Partition) Contents() (*Contents, error) { return ReadContents(p.view()) }

// ReadContents reads what a view of a partition shows, and closes it.
func ReadContents(view *state.View) (*Contents, error) {
	defer view.Close()
	over, err := state.NewOverlay(view, 1)
	if err != nil {
		return nil, err
	}
	c := &Contents{
		Elements: map[protocol.Key]*state.ElementInstance{}, Jobs: map[protocol.Key]*state.Job{},
		Incidents: map[protocol.Key]*state.Incident{}, Definitions: map[protocol.Key]*protocol.Definition{},
		Deployments: map[protocol.Key]state.DeploymentRecord{}, Inbox: map[protocol.PartitionID]state.Inbox{},
		Ways:  map[Way]state.Inbox{},
		Order: map[state.Table][]protocol.Key{}, Rows: map[state.Table][][]byte{},
		tx: state.NewTx(over),
	}
	it := view.Iterate(nil, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		key := append([]byte(nil), it.Key()...)
		c.Rows[state.Table(key[0])] = append(c.Rows[state.Table(key[0])], key)
		if err := c.read(key); err != nil {
			return nil, fmt.Errorf("row %x: %w", key, err)
		}
	}
	return c, c.tx.Err()
}

// Body is a resource that the partition refers to.
func (c *Contents) Body(h protocol.Hash) []byte { return c.tx.Body(h) }

// read decodes one row.
func (c *Contents) read(row []byte) error {
	table := state.Table(row[0])
	switch table {
	case state.TableElement, state.TableJob, state.TableIncident, state.TableDefinition, state.TableDeployment:
		key := protocol.Key(number(row, 0))
		c.Order[table] = append(c.Order[table], key)
		return c.readEntity(table, key, row)
	case state.TableOutbox:
		r, err := state.ReadOutboxRow(row, c.tx.Get(row))
		c.Outbox = append(c.Outbox, r)
		return err
	case state.TableInbox:
		way := Way{protocol.PartitionID(number(row, 1)), protocol.Lane(number(row, 0))}
		if way.Lane == protocol.LaneDeployments {
			c.Inbox[way.Source] = state.ReadInbox(c.tx.Get(row))
		} else {
			c.Ways[way] = state.ReadInbox(c.tx.Get(row))
		}
	case state.TableMeta:
		if string(row[1:]) == "counter" {
			c.Counter = int64(number(c.tx.Get(row), 0))
		}
	case state.TableLane:
		c.Lane = c.tx.LaneSeq(protocol.LaneDeployments)
	case state.TableContinue:
		c.Suspends++
	}
	return c.tx.Err()
}

func (c *Contents) readEntity(table state.Table, key protocol.Key, row []byte) error {
	var err error
	switch table {
	case state.TableElement:
		e := c.tx.Element(key)
		if e != nil {
			c.tx.LoadVariables(e)
		}
		c.Elements[key] = e
	case state.TableJob:
		c.Jobs[key] = c.tx.Job(key)
	case state.TableIncident:
		c.Incidents[key] = c.tx.Incident(key)
	case state.TableDefinition:
		c.Definitions[key] = c.tx.Definition(key)
	case state.TableDeployment:
		c.Deployments[key], err = state.ReadDeploymentRecord(c.tx.Get(row))
	}
	if err == nil {
		err = c.tx.Err()
	}
	return err
}

// Whole is the command of an outbox row as its receiver gets it.
func (c *Contents) Whole(cmd protocol.Command) protocol.Command { return c.tx.Whole(cmd) }

// Rows prints every committed key and value of the partition, in order.
func (p *Partition) Rows() ([]string, error) {
	view := p.view()
	defer view.Close()
	it := view.Iterate(nil, nil)
	defer it.Close()
	var rows []string
	for ; it.Valid(); it.Next() {
		v, err := it.Value()
		if err != nil {
			return nil, err
		}
		rows = append(rows, fmt.Sprintf("%x=%x", it.Key(), v))
	}
	return rows, nil
}
