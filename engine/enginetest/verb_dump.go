package enginetest

import "fmt"

// dump elements|jobs|timers|incidents|definitions|outbox|inbox|refused|keys …: prints
// what is committed.
func init() { verbs["dump"] = dump }

func dump(t *transcript, c *call) error {
	k, err := c.part.Contents()
	if err != nil {
		return err
	}
	for _, what := range c.words {
		switch what {
		case "elements":
			c.lines(what, k.tree())
		case "jobs":
			c.lines(what, k.jobLines(t.cluster.Now))
		case "timers":
			c.lines(what, k.timerLines(t.cluster.Now))
		case "incidents":
			c.lines(what, k.incidentLines())
		case "definitions":
			c.lines(what, k.definitionLines())
		case "outbox":
			c.lines(what, k.laneLines())
		case "inbox":
			c.lines(what, k.inboxLines())
		case "refused":
			c.lines(what, k.refusedLines())
		case "keys":
			c.lines(what, k.keyLines())
		default:
			return fmt.Errorf("there is nothing called %q", what)
		}
	}
	return k.tx.Err()
}
