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

// TestRun runs the example. While it runs, the published Go client, in
// the same binary, starts a payment that the actor works on, and one that the
// actor refuses.
func TestRun(t *testing.T) {
	var out strings.Builder // written by the worker only, read when it has stopped
	if err := run(t.TempDir(), &out, outsider); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"ada pays", "90 in all", "bob pays", "120 in all", "charged: eve pays 5, 5 in all\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "charged:"); n != 7 {
		t.Errorf("%d charges, want 7:\n%s", n, out.String())
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
	command, err := c.NewCreateInstanceCommand().BPMNProcessId("payment").LatestVersion().VariablesFromString(`{"customer":"eve","amount":5}`)
	if err != nil {
		return err
	}
	result, err := command.WithResult().Send(ctx)
	if err != nil {
		return err
	}
	if !strings.Contains(result.GetVariables(), `"charged":5`) {
		return fmt.Errorf("the result is %s", result)
	}
	_, err = c.NewCreateInstanceCommand().BPMNProcessId("payment").LatestVersion().Send(ctx)
	return err
}
