package cluster

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Cut loses everything between two nodes, in both directions.
func (c *Cluster) Cut(a, b *Node) { c.SetRules(drop(a, b), drop(b, a)) }

// CutOneWay loses what from sends to to. The other direction works.
func (c *Cluster) CutOneWay(from, to *Node) { c.SetRules(drop(from, to)) }

// Heal ends all faults of links, and sets all clocks right.
func (c *Cluster) Heal() { c.SetRules() }

func drop(from, to *Node) string { return fmt.Sprintf("drop %d %d", from.ID, to.ID) }

// SetClocks sets the clocks of all nodes ahead, or back, and waits until those that
// run are.
func (c *Cluster) SetClocks(d time.Duration) {
	c.t.Helper()
	var lines []string
	for _, n := range c.Nodes {
		lines = append(lines, fmt.Sprintf("clock %d %s", n.ID, d))
	}
	c.SetRules(lines...)
	taken := "rules=" + strconv.Quote(strings.Join(lines, "\n"))
	Until(c.t, 5*time.Second, "all clocks are set", func(context.Context) error {
		for _, n := range c.Running() {
			if log := n.Log(); !strings.Contains(log[max(0, strings.LastIndex(log, "fault rules changed")):], taken) {
				return fmt.Errorf("node %d has not taken the rules", n.ID)
			}
		}
		return nil
	})
}

// SetRules replaces the rules of the fault switch (linkfault.Switch.SetRules has
// the language) in the file that all nodes follow, in one step, so that none reads
// half of it.
func (c *Cluster) SetRules(lines ...string) {
	c.t.Helper()
	next := c.faults + ".new"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(next, c.faults); err != nil {
		c.t.Fatal(err)
	}
}
