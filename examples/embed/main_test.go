package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/zbc"

	"github.com/grevy-io/grevy"
)

// TestRun runs the example twice on one directory. While it runs, the published
// Go client talks to it, in the same binary.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the data stays, and the same content is no new version
		var out strings.Builder
		if err := run(dir, &out, outsider); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		for _, want := range []string{"deployed: order, version 1\n", `with {"total":12}`, `with {"total":1200}`} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is missing in:\n%s", want, out.String())
			}
		}
	}
}

func outsider(b *grevy.Broker) error {
	c, err := zbc.NewClient(&zbc.ClientConfig{
		GatewayAddress:         fmt.Sprintf("127.0.0.1:%d", grevy.GatewayPort+b.PortOffset),
		UsePlaintextConnection: true,
	})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	command, err := c.NewCreateInstanceCommand().BPMNProcessId("order").LatestVersion().VariablesFromString(`{"total":7}`)
	if err != nil {
		return err
	}
	created, err := command.Send(ctx)
	if err != nil {
		return err
	}
	if created.GetVersion() != 1 {
		return fmt.Errorf("created %s", created)
	}
	return nil
}
