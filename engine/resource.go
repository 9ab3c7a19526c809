package engine

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/protocol"
)

// format is what a resource is written in.
type format uint8

const (
	unknownFormat format = iota
	bpmnFormat
	dmnFormat
	formFormat
)

// formatOf tells the format by the end of a resource's name, as the original does.
func formatOf(name string) format {
	switch {
	case strings.HasSuffix(name, ".bpmn"), strings.HasSuffix(name, ".xml"):
		return bpmnFormat
	case strings.HasSuffix(name, ".dmn"):
		return dmnFormat
	case strings.HasSuffix(name, ".form"):
		return formFormat
	}
	return unknownFormat
}

// content is what a resource holds; one of the three is set.
type content struct {
	bpmn *bpmn.Model
	dmn  *dmn.Model
	form *form
	size int
}

// invalid says what is wrong with a resource, in the original's words.
type invalid struct{ text string }

func (e *invalid) Error() string { return e.text }

// read gives what a resource holds, read now unless it is known. The error says
// what is wrong with it; it begins with the resource's name where the original's
// does.
func (m *Models) read(name string, hash protocol.Hash, data []byte) (*content, error) {
	key := modelKey{hash, formatOf(name)}
	if c := m.get(key); c != nil {
		return c, nil
	}
	c, err := readContent(name, data)
	if err != nil {
		return nil, err
	}
	m.put(key, c)
	return c, nil
}

func readContent(name string, data []byte) (*content, error) {
	switch formatOf(name) {
	case bpmnFormat:
		model, err := bpmn.Parse(name, data)
		if err != nil {
			return nil, err
		}
		return &content{bpmn: model, size: model.Size}, nil
	case dmnFormat:
		model, err := dmn.Parse(name, data)
		if err != nil {
			return nil, err
		}
		return &content{dmn: model, size: model.Size}, nil
	case formFormat:
		f, err := readForm(name, data)
		if err != nil {
			return nil, err
		}
		return &content{form: f, size: len(f.id) + len(f.versionTag) + 100}, nil
	}
	return nil, &invalid{fmt.Sprintf("\n'%s': unknown resource type", name)}
}

// definitions lists what a resource defines, without keys and versions: a DMN
// resource's requirements stand before its decisions.
func (c *content) definitions(res *protocol.Resource, hash protocol.Hash) (list []protocol.Definition) {
	add := func(d protocol.Definition) {
		d.ResourceName, d.Hash = res.Name, hash
		list = append(list, d)
	}
	switch {
	case c.bpmn != nil:
		for i, p := range c.bpmn.Processes {
			add(protocol.Definition{Kind: protocol.ProcessDefinition, ID: p.ID, VersionTag: p.VersionTag, Index: int32(i)})
		}
	case c.dmn != nil:
		add(protocol.Definition{Kind: protocol.RequirementsDefinition, ID: c.dmn.ID, Name: c.dmn.Name})
		for i, d := range c.dmn.Decisions {
			add(protocol.Definition{
				Kind: protocol.DecisionDefinition, ID: d.ID, Name: d.Name, VersionTag: d.VersionTag, Index: int32(i), ParentID: c.dmn.ID,
			})
		}
	case c.form != nil:
		add(protocol.Definition{Kind: protocol.FormDefinition, ID: c.form.id, VersionTag: c.form.versionTag})
	}
	return list
}

// holds tells whether a definition is one of the resource.
func (c *content) holds(d *protocol.Definition) error {
	id, i := "", int(d.Index)
	switch {
	case i < 0:
	case d.Kind == protocol.ProcessDefinition && c.bpmn != nil && i < len(c.bpmn.Processes):
		id = c.bpmn.Processes[i].ID
	case d.Kind == protocol.RequirementsDefinition && c.dmn != nil:
		id = c.dmn.ID
	case d.Kind == protocol.DecisionDefinition && c.dmn != nil && i < len(c.dmn.Decisions):
		id = c.dmn.Decisions[i].ID
	case d.Kind == protocol.FormDefinition && c.form != nil:
		id = c.form.id
	}
	if id == "" || id != d.ID {
		return fmt.Errorf("resource '%s' has no %s '%s' at place %d", d.ResourceName, d.Kind, d.ID, d.Index)
	}
	return nil
}
