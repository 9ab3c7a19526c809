package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

func (a *app) clusterStatusCommand() *cobra.Command {
	return stateCommand(a, "status", "Show where partitions are kept, and the operation under way", "  grevy cluster status\n  grevy cluster status -o json", adminpb.ClusterClient.Get)
}

// stateCommand is a command that is answered with the cluster's state.
func stateCommand[Request any](a *app, use, short, example string, do method[adminpb.ClusterClient, Request, adminpb.ClusterState]) *cobra.Command {
	var addresses []string
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := call(cmd.Context(), addresses, adminpb.NewClusterClient, do, new(Request))
			if err != nil {
				return err
			}
			return a.printCluster(s)
		},
	}
	addressFlag(cmd, &addresses)
	return cmd
}

// What --output json prints of a cluster.
type (
	clusterView struct {
		Cluster           string         `json:"cluster"`
		Version           uint64         `json:"version"`
		ReplicationFactor int32          `json:"replicationFactor"`
		Nodes             []memberView   `json:"nodes"`
		Partitions        []layoutView   `json:"partitions"`
		Operation         *operationView `json:"operation,omitempty"`
		Last              *operationView `json:"last,omitempty"`
	}
	memberView struct {
		Node     int32  `json:"node"`
		Server   string `json:"server"`
		Alive    bool   `json:"alive"`
		Replicas int32  `json:"replicas"`
		Leads    int32  `json:"leads"`
	}
	layoutView struct {
		ID       int32   `json:"id"`
		Replicas []int32 `json:"replicas"`
		Learners []int32 `json:"learners"`
		Leader   int32   `json:"leader"` // -1: none
		Active   bool    `json:"active"`
	}
	operationView struct {
		ID      uint64     `json:"id"`
		Request string     `json:"request"`
		Started time.Time  `json:"started"`
		Ended   *time.Time `json:"ended,omitempty"`
		Outcome string     `json:"outcome,omitempty"`
		Waiting string     `json:"waiting,omitempty"`
		Steps   []stepView `json:"steps"`
	}
	stepView struct {
		Text  string `json:"text"`
		State string `json:"state"` // waiting, running, done
		Note  string `json:"note,omitempty"`
	}
)

func (a *app) printCluster(s *adminpb.ClusterState) error {
	if a.json() {
		return a.document(viewOf(s))
	}
	v := viewOf(s)
	nodes := newTable("node", "server", "alive", " partitions", " leads")
	for _, m := range v.Nodes {
		nodes.row(m.Node, m.Server, yesNo(m.Alive), m.Replicas, m.Leads)
	}
	parts := newTable("partition", "kept on", "being copied to", "leader", "state")
	for _, p := range v.Partitions {
		parts.row(p.ID, list(p.Replicas), list(p.Learners), leaderText(p.Leader), activeText(p.Active))
	}
	if _, err := fmt.Fprintf(a.out, "cluster %s, layout %d, replication factor %d\n\n", v.Cluster, v.Version, v.ReplicationFactor); err != nil {
		return err
	}
	if err := nodes.print(a.out); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(a.out); err != nil {
		return err
	}
	if err := parts.print(a.out); err != nil {
		return err
	}
	_, err := fmt.Fprint(a.out, "\n", operationText(v.Operation, v.Last))
	return err
}

func viewOf(s *adminpb.ClusterState) clusterView {
	v := clusterView{
		Cluster: s.ClusterId, Version: s.Version, ReplicationFactor: s.ReplicationFactor, Nodes: []memberView{}, Partitions: []layoutView{},
		Operation: operationOf(s.Operation), Last: operationOf(s.Last),
	}
	for _, m := range s.Members {
		v.Nodes = append(v.Nodes, memberView{m.Node, m.Server, m.Alive, m.Replicas, m.Leads})
	}
	for _, p := range s.Partitions {
		v.Partitions = append(v.Partitions, layoutView{p.Id, append([]int32{}, p.Replicas...), append([]int32{}, p.Learners...), p.Leader, p.Active})
	}
	return v
}

func operationOf(o *adminpb.Operation) *operationView {
	if o == nil {
		return nil
	}
	v := &operationView{ID: o.Id, Request: o.Request, Started: time.UnixMilli(o.Started), Outcome: o.Outcome, Waiting: o.Waiting, Steps: []stepView{}}
	if o.Ended > 0 {
		ended := time.UnixMilli(o.Ended)
		v.Ended = &ended
	}
	names := map[adminpb.StepState]string{adminpb.StepState_STEP_STATE_RUNNING: "running", adminpb.StepState_STEP_STATE_DONE: "done"}
	for _, s := range o.Steps {
		state := names[s.State]
		if state == "" {
			state = "waiting"
		}
		v.Steps = append(v.Steps, stepView{s.Text, state, s.Note})
	}
	return v
}

func operationText(o, last *operationView) string {
	if o == nil && last == nil {
		return "no operation is under way\n"
	}
	if o == nil {
		return fmt.Sprintf("no operation is under way; the last one: %s, %s at %s\n%s", last.Request, last.Outcome, clock(*last.Ended), notes(last))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "operation %d: %s, since %s\n", o.ID, o.Request, clock(o.Started))
	marks := map[string]string{"done": "✓", "running": "▸", "waiting": " "}
	for i, s := range o.Steps {
		fmt.Fprintf(&b, "%s %3d  %s%s\n", marks[s.State], i+1, s.Text, noteText(s.Note))
		if s.State == "running" && o.Waiting != "" {
			fmt.Fprintf(&b, "       %s\n", o.Waiting)
		}
	}
	return b.String()
}

// notes are what steps of an operation that has ended had to tell.
func notes(o *operationView) string {
	var b strings.Builder
	for i, s := range o.Steps {
		if s.Note != "" || s.State != "done" {
			fmt.Fprintf(&b, "  %3d  %s: %s%s\n", i+1, s.Text, s.State, noteText(s.Note))
		}
	}
	return b.String()
}

func list(nodes []int32) string {
	if len(nodes) == 0 {
		return "–"
	}
	return strings.Trim(fmt.Sprint(nodes), "[]")
}

func leaderText(n int32) string {
	if n < 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func activeText(active bool) string {
	if active {
		return "active"
	}
	return "being made"
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}
