package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/grevy-io/grevy"
)

// printStatus is one screen: the cluster, its nodes, its partitions, the
// deployments, and the problems.
func (a *app) printStatus(s *grevy.Status) error {
	word := a.colour(green, "HEALTHY")
	if !s.Healthy {
		word = a.colour(red, "NOT HEALTHY")
	}
	fmt.Fprintf(a.out, "cluster %s · %s · %s · rf %d · node %d up %s · %s\n\n", short(s.Cluster), count(len(s.Nodes), "node"),
		count(len(s.Partitions), "partition"), s.ReplicationFactor, s.Node, span(time.Duration(s.UptimeSeconds)*time.Second), word)
	if err := nodesTable(s).print(a.out); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	if err := partitionsTable(s).print(a.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\ndeployments: %s\n%s%s%s%s", deploymentsLine(s), lanesText(s), incidentsLine(s), messagesLine(s), a.problems(s))
	return err
}

// nodesTable has a column for versions if they are not all the same.
func nodesTable(s *grevy.Status) *table {
	head := []string{"node", "clients", "http", "ready", "link", " up", " memory", " disk", "leads"}
	mixed := mixedVersions(s)
	if mixed {
		head = append(head, "version")
	}
	t := newTable(head...)
	for _, n := range s.Nodes {
		ready, up := "no", "–"
		switch {
		case !n.Alive:
			ready = "away"
		case n.Ready:
			ready = "yes"
		}
		if n.Alive {
			up = span(time.Duration(n.UptimeSeconds) * time.Second)
		}
		row := []any{n.ID, orNone(n.Gateway), orNone(n.HTTP), ready, orNone(n.Link), up, size(n.RSSBytes), size(n.DiskBytes), ints(n.Leads)}
		if mixed {
			row = append(row, orNone(n.Version))
		}
		t.row(row...)
	}
	return t
}

func mixedVersions(s *grevy.Status) bool {
	first := ""
	for _, n := range s.Nodes {
		if first == "" {
			first = n.Version
		} else if n.Version != "" && n.Version != first {
			return true
		}
	}
	return false
}

// partitionsTable fits into 80 columns as long as numbers are not large. Jobs are
// those that wait and those that workers have; unsent is what other partitions
// are to be told. JSON has more.
func partitionsTable(s *grevy.Status) *table {
	t := newTable("part", "leader", "nodes", " lag", " instances", " jobs wait/act", " incidents", " unsent", "deployed")
	for i := range s.Partitions {
		p := &s.Partitions[i]
		leader := fmt.Sprint(p.Leader)
		if p.Leader < 0 {
			leader = "none"
		}
		if p.Problem != "" {
			t.row(p.ID, leader, ints(p.Replicas), "–", "–", "–", "–", "–", "?")
			continue
		}
		state := "✓"
		switch {
		case p.Behind > 0:
			state = fmt.Sprintf("%s behind", grouped(p.Behind))
		case p.Compared.Differs > 0:
			state = fmt.Sprintf("%s differ", grouped(p.Compared.Differs))
		}
		t.row(p.ID, leader, ints(p.Replicas), grouped(p.Lag), grouped(p.Instances), grouped(p.JobsWaiting)+"/"+grouped(p.JobsActive),
			grouped(p.Incidents), grouped(p.Pending), grouped(p.DeploymentSeq)+" "+state)
	}
	return t
}

// lanesText tells what one partition could not tell another yet.
func lanesText(s *grevy.Status) string {
	var b strings.Builder
	for i := range s.Partitions {
		for _, l := range s.Partitions[i].Lanes {
			fmt.Fprintf(&b, "partition %d to %d, %s: %s pending for %s, %s", s.Partitions[i].ID, l.Target, l.Lane, grouped(l.Pending),
				span(time.Duration(l.OldestMs)*time.Millisecond), count(l.Attempts, "attempt"))
			if l.Error != "" {
				fmt.Fprintf(&b, ": %s", l.Error)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func deploymentsLine(s *grevy.Status) string {
	line := fmt.Sprintf("%s total · %s everywhere · %s in flight", grouped(s.Deployments), grouped(s.Everywhere), grouped(s.Deployments-s.Everywhere))
	for i := range s.Partitions {
		if s.Partitions[i].Problem != "" {
			line += fmt.Sprintf(" · partition %d not known", s.Partitions[i].ID)
		}
	}
	if s.Refused > 0 {
		line += fmt.Sprintf(" · %d refused (grevy deployments)", s.Refused)
	}
	return line
}

// incidentsLine is empty if there are none.
func incidentsLine(s *grevy.Status) string {
	var n int64
	var oldest *time.Time
	for i := range s.Partitions {
		p := &s.Partitions[i]
		n += p.Incidents
		if p.OldestIncident != nil && (oldest == nil || p.OldestIncident.Before(*oldest)) {
			oldest = p.OldestIncident
		}
	}
	switch {
	case n == 0:
		return ""
	case oldest == nil:
		return fmt.Sprintf("incidents: %s (grevy incidents)\n", grouped(n))
	}
	return fmt.Sprintf("incidents: %s, the oldest since %s (grevy incidents)\n", grouped(n), clock(*oldest))
}

// messagesLine is empty if none are kept.
func messagesLine(s *grevy.Status) string {
	var n int64
	for i := range s.Partitions {
		n += s.Partitions[i].Messages
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("messages kept for those who come later: %s (grevy messages)\n", grouped(n))
}

func (a *app) problems(s *grevy.Status) string {
	var b strings.Builder
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "\n%s %s\n  → %s\n", a.colour(red, "problem:"), p.Text, p.Next)
	}
	return b.String()
}

// Colours, for terminals only.
const red, green = "31", "32"

func (a *app) colour(code, text string) string {
	if !a.terminal {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// count prints "1 node", "3 nodes".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", grouped(n), what)
}

func short(id string) string {
	if id == "" {
		return "(not formed)"
	}
	return id[:min(8, len(id))]
}

func orNone(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
