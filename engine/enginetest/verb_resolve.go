package enginetest

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// resolve incident=I: I is a key or the id of the element that has it.
func init() { verbs["resolve"] = resolve }

func resolve(t *transcript, c *call) error {
	incident, err := t.find(c, "incident", state.TableIncident)
	if err != nil {
		return err
	}
	return t.execute(c, &protocol.ResolveIncident{IncidentKey: incident})
}
