package enginetest

import (
	"strings"

	"github.com/grevy-io/grevy/protocol"
)

// deploy [PROCESS] [name=FILE]: the lines below are the model in short form.
// Several resources are parted by lines `resource PROCESS [name=FILE]`; a
// resource whose first line is `raw` is taken as it is, one whose name ends in
// .dmn holds decisions. Without lines nothing is deployed.
func init() { verbs["deploy"] = deploy }

func deploy(t *transcript, c *call) error {
	cmd := &protocol.Deploy{}
	head := append(append([]string{"resource"}, c.words...), "name="+c.text("name"))
	lines := append([]string{strings.Join(head, " ")}, strings.Split(c.body, "\n")...)
	if c.body == "" {
		lines = nil
	} else if strings.HasPrefix(c.body, "resource ") {
		lines = lines[1:]
	}
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && !strings.HasPrefix(lines[n], "resource ") {
			n++
		}
		r, err := resource(strings.Fields(lines[0])[1:], lines[1:n])
		if err != nil {
			return err
		}
		cmd.Resources = append(cmd.Resources, r)
		lines = lines[n:]
	}
	return t.execute(c, cmd)
}

func resource(head, lines []string) (protocol.Resource, error) {
	id, name := "process", ""
	for _, h := range head {
		if n, ok := strings.CutPrefix(h, "name="); ok {
			name = n
		} else {
			id = h
		}
	}
	if name == "" {
		name = id + ".bpmn"
	}
	if len(lines) > 0 && lines[0] == "raw" {
		return protocol.Resource{Name: name, Content: []byte(strings.Join(lines[1:], "\n"))}, nil
	}
	if strings.HasSuffix(name, ".dmn") {
		return protocol.Resource{Name: name, Content: decisionModel(id, strings.Join(lines, "\n"))}, nil
	}
	content, err := Model(id, strings.Join(lines, "\n"))
	return protocol.Resource{Name: name, Content: content}, err
}
