package main

import (
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

// deployed is what a deployment became. Keys are strings in JSON: they do not
// fit the numbers of every language.
type deployed struct {
	Key         string       `json:"key"`
	Definitions []definition `json:"definitions"`
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
	cmd := &cobra.Command{
		Use: "deploy FILE…", Short: "Deploy resources together, as one deployment", Args: arguments("FILE…"),
		RunE: func(cmd *cobra.Command, files []string) error {
			req := new(pb.DeployResourceRequest)
			for _, name := range files {
				content, err := a.readFile(name)
				if err != nil {
					return err
				}
				req.Resources = append(req.Resources, &pb.Resource{Name: filepath.Base(name), Content: content})
			}
			reply, err := call(addresses, func(c pb.GatewayClient) (*pb.DeployResourceResponse, error) {
				return c.DeployResource(cmd.Context(), req)
			})
			if err != nil {
				return err
			}
			return a.printDeployed(reply)
		},
	}
	addressFlag(cmd, &addresses)
	return cmd
}

func (a *app) printDeployed(reply *pb.DeployResourceResponse) error {
	d := deployed{Key: strconv.FormatInt(reply.GetKey(), 10), Definitions: []definition{}}
	for _, one := range reply.GetDeployments() {
		d.Definitions = append(d.Definitions, definitionOf(one))
	}
	if a.json() {
		return a.document(d)
	}
	fmt.Fprintln(a.out, "deployed", d.Key)
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
