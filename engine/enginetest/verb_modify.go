package enginetest

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// modify instance=I, and in lines of their own:
// activate ELEMENT [ancestor=E] [vars=JSON] [vars@SCOPE=JSON]
// terminate E …
// E is a key or an element's id; `activate ELEMENT*N` stands N times.
func init() { verbs["modify"] = modify }

func modify(t *transcript, c *call) error {
	instance, err := t.find(c, "instance", state.TableElement)
	if err != nil {
		return err
	}
	cmd := &protocol.ModifyInstance{InstanceKey: instance}
	for line := range strings.Lines(c.body) {
		switch toks := tokens(strings.TrimSpace(line)); toks[0] {
		case "activate":
			err = t.activateElement(c, cmd, toks[1:])
		case "terminate":
			err = t.terminateElements(c, cmd, toks[1:])
		default:
			err = fmt.Errorf("no instruction: %q", line)
		}
		if err != nil {
			return err
		}
	}
	return t.execute(c, cmd)
}

func (t *transcript) activateElement(c *call, cmd *protocol.ModifyInstance, toks []string) error {
	a, times := protocol.ActivateElement{}, 1
	if id, n, ok := strings.Cut(toks[0], "*"); ok {
		if _, err := fmt.Sscan(n, &times); err != nil {
			return fmt.Errorf("times %q: %w", n, err)
		}
		toks[0] = id
	}
	a.ElementID = toks[0]
	for _, tok := range toks[1:] {
		name, value, _ := strings.Cut(tok, "=")
		if name == "ancestor" {
			key, err := t.entity(c, name, value, state.TableElement)
			if err != nil {
				return err
			}
			a.Ancestor = key
			continue
		}
		_, scope, _ := strings.Cut(name, "@")
		a.Variables = append(a.Variables, protocol.ScopeVariables{ScopeID: scope, Variables: []byte(value)})
	}
	for range times {
		cmd.Activate = append(cmd.Activate, a)
	}
	return nil
}

func (t *transcript) terminateElements(c *call, cmd *protocol.ModifyInstance, toks []string) error {
	for _, tok := range toks {
		key, err := t.entity(c, "element", tok, state.TableElement)
		if err != nil {
			return err
		}
		cmd.Terminate = append(cmd.Terminate, key)
	}
	return nil
}
