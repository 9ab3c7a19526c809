package cluster

import (
	"fmt"
	"os"
	"strings"
)

// Cut loses everything between two nodes, in both directions.
func (c *Cluster) Cut(a, b *Node) { c.rules(drop(a, b), drop(b, a)) }

// CutOneWay loses what from sends to to. The other direction works.
func (c *Cluster) CutOneWay(from, to *Node) { c.rules(drop(from, to)) }

// Heal ends all cuts.
func (c *Cluster) Heal() { c.rules() }

func drop(from, to *Node) string { return fmt.Sprintf("drop %d %d", from.ID, to.ID) }

// rules replaces the file that all nodes follow, in one step, so that none
// reads half of it.
func (c *Cluster) rules(lines ...string) {
	c.t.Helper()
	next := c.faults + ".new"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(next, c.faults); err != nil {
		c.t.Fatal(err)
	}
}
