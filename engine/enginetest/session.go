package enginetest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// mode says when a transcript's writes are committed.
type mode string

const (
	// each command is an entry, applied at once.
	modeEach mode = "each"
	// lag: each command is an entry that flies until `commit`.
	modeLag mode = "lag"
	// pack: commands gather in one entry until `commit`.
	modePack mode = "pack"
)

// session is what a transcript remembers between steps.
type session struct {
	cluster *Cluster
	mode    mode
	// pushed are all outbox rows there ever were, by source.
	pushed map[protocol.PartitionID][]state.OutboxRow
	pulled *protocol.DefinitionReply
	// saved are copies of stores.
	saved map[protocol.PartitionID]Saved
	// records: on or full if steps print what they record.
	records string
}

func newSession(c Config) (*session, error) {
	cluster, err := NewCluster(c)
	return &session{cluster: cluster, mode: modeEach, pushed: map[protocol.PartitionID][]state.OutboxRow{}}, err
}

// execute runs a command as a step and prints its outcome and what it wrote.
func (s *session) execute(c *call, cmd protocol.Command) error {
	out, err := s.ask(c, cmd)
	if err != nil {
		return err
	}
	for _, f := range c.part.Failed {
		c.print("! %s", f)
	}
	if d, ok := out.Reply.(*protocol.DefinitionReply); ok {
		s.pulled = d
	}
	for _, row := range out.Effects.Pushed {
		row.Command = c.part.tx.Whole(row.Command)
		s.pushed[c.part.ID] = append(s.pushed[c.part.ID], row)
	}
	c.outcome(&out, s.cluster.Now)
	if out.Err != nil || out.Miss != nil || out.Behind {
		return nil
	}
	return s.commit(c)
}

// ask executes a command. With asked=none, asked=unknown or asked=KEY that is what
// the deployment partition says whenever something is missing.
func (s *session) ask(c *call, cmd protocol.Command) (engine.Outcome, error) {
	said := c.text("asked")
	out, err := c.part.Execute(cmd)
	var asked []engine.Asked
	for ; err == nil && out.Miss != nil && said != "" && len(asked) < 16; out, err = c.part.decide(cmd, asked, false) {
		a := engine.Asked{Want: *out.Miss, Unknown: said == "unknown"}
		if key, ok := parseKey(said); ok {
			a.Key = key
		}
		asked = append(asked, a)
	}
	return out, err
}

// commit packs and applies as the mode says, and prints how many keys went
// into the command's entry.
func (s *session) commit(c *call) error {
	if s.mode == modePack {
		return nil
	}
	e, err := c.part.Pack()
	if err != nil {
		return err
	}
	if err := s.printRecords(c, &e); err != nil {
		return err
	}
	c.print("%s", wrote(&e))
	if s.mode == modeLag {
		return nil
	}
	return c.part.Apply()
}

func wrote(e *Entry) string {
	switch {
	case e.Keys() == 0:
		return "0 keys"
	case e.Deletes == 0:
		return fmt.Sprintf("%d keys", e.Keys())
	}
	return fmt.Sprintf("%d keys, %d of them deleted", e.Keys(), e.Deletes)
}

// find resolves an argument that names an entity: a key, or the id of an
// element, with /2 behind it for the second one, as it is committed.
func (s *session) find(c *call, name string, table state.Table) (protocol.Key, error) {
	return s.entity(c, name, c.text(name), table)
}

// entity is find for a text that stands elsewhere.
func (s *session) entity(c *call, name, text string, table state.Table) (protocol.Key, error) {
	if k, ok := parseKey(text); ok {
		return k, nil
	}
	contents, err := c.part.Contents()
	if err != nil {
		return 0, err
	}
	id, which, counted := strings.Cut(text, "/")
	nth := 1
	if counted {
		if nth, err = strconv.Atoi(which); err != nil {
			return 0, fmt.Errorf("argument %s: %w", name, err)
		}
	}
	for _, key := range contents.Order[table] {
		if contents.named(table, key, id) {
			if nth--; nth == 0 {
				return key, nil
			}
		}
	}
	return 0, fmt.Errorf("there is no %s %q", name, text)
}

// named tells whether an entity belongs to the element (or process) of this id.
func (c *Contents) named(table state.Table, key protocol.Key, id string) bool {
	switch table {
	case state.TableJob:
		return c.Jobs[key].ElementID == id
	case state.TableIncident:
		return c.Elements[c.Incidents[key].Element].Element == id
	case state.TableDefinition:
		return c.Definitions[key].ID == id
	}
	return c.Elements[key].Element == id
}
