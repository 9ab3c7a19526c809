package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// deployed is what a deployment became. Keys are strings in JSON: they do not
// fit the numbers of every language.
type deployed struct {
	Key         string       `json:"key"`
	Definitions []definition `json:"definitions"`
	// Distributed says, after a wait, which partitions have it: "2 of 3; missing 3 (why)".
	Distributed string `json:"distributed,omitempty"`
}

type definition struct {
	Kind     string `json:"kind"` // process, decision, requirements, form
	Key      string `json:"key"`
	ID       string `json:"id"`
	Version  int32  `json:"version"`
	Resource string `json:"resource,omitempty"`
}

func (a *app) deployCommand() *cobra.Command {
	var addresses []string
	var wait time.Duration
	var reachable bool
	cmd := &cobra.Command{
		Use: "deploy FILE…", Short: "Deploy resources together, as one deployment", Args: arguments("FILE…"),
		Example: "  grevy deploy order.bpmn rate.dmn address.form\n  grevy deploy order.bpmn --wait 5s",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			req := new(pb.DeployResourceRequest)
			for _, name := range files {
				content, err := a.readFile(name)
				if err != nil {
					return err
				}
				req.Resources = append(req.Resources, &pb.Resource{Name: filepath.Base(name), Content: content})
			}
			var trailer metadata.MD
			ctx := cmd.Context()
			if cmd.Flags().Changed("wait") {
				ctx = metadata.AppendToOutgoingContext(ctx, "grevy-wait-distributed", waitText(wait, reachable))
			}
			reply, err := call(ctx, addresses, pb.NewGatewayClient, pb.GatewayClient.DeployResource, req, grpc.Trailer(&trailer))
			if err != nil {
				return err
			}
			return a.printDeployed(reply, strings.Join(trailer.Get("grevy-distributed"), "; "))
		},
	}
	addressFlag(cmd, &addresses)
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for all partitions to have it; what is missing then is told")
	cmd.Flags().BoolVar(&reachable, "wait-reachable", false, "with --wait: not for partitions that cannot be reached")
	return cmd
}

// waitText is what the gateway is told of --wait.
func waitText(wait time.Duration, reachable bool) string {
	if reachable {
		return "reachable " + wait.String()
	}
	return wait.String()
}

func (a *app) printDeployed(reply *pb.DeployResourceResponse, distributed string) error {
	d := deployed{Key: strconv.FormatInt(reply.GetKey(), 10), Definitions: []definition{}, Distributed: distributed}
	for _, one := range reply.GetDeployments() {
		d.Definitions = append(d.Definitions, definitionOf(one))
	}
	if a.json() {
		return a.document(d)
	}
	fmt.Fprintln(a.out, "deployed", d.Key)
	if distributed != "" {
		fmt.Fprintln(a.out, "partitions that have it:", distributed)
	}
	t := newTable("kind", "id", " version", "key", "resource")
	for _, def := range d.Definitions {
		t.row(def.Kind, def.ID, def.Version, def.Key, def.Resource)
	}
	return t.print(a.out)
}

func definitionOf(d *pb.Deployment) definition {
	key := func(k int64) string { return strconv.FormatInt(k, 10) }
	switch m := d.GetMetadata().(type) {
	case *pb.Deployment_Process:
		return definition{"process", key(m.Process.GetProcessDefinitionKey()), m.Process.GetBpmnProcessId(), m.Process.GetVersion(), m.Process.GetResourceName()}
	case *pb.Deployment_Decision:
		return definition{"decision", key(m.Decision.GetDecisionKey()), m.Decision.GetDmnDecisionId(), m.Decision.GetVersion(), ""}
	case *pb.Deployment_DecisionRequirements:
		r := m.DecisionRequirements
		return definition{"requirements", key(r.GetDecisionRequirementsKey()), r.GetDmnDecisionRequirementsId(), r.GetVersion(), r.GetResourceName()}
	case *pb.Deployment_Form:
		return definition{"form", key(m.Form.GetFormKey()), m.Form.GetFormId(), m.Form.GetVersion(), m.Form.GetResourceName()}
	}
	return definition{Kind: "unknown"}
}
