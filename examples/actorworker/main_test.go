package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/e2e/secondcopy"
)

// TestRun runs the example. While it runs, a client with its own copy of the
// protocol's descriptors, in the same binary, starts a payment that the actor
// works on, and one that the actor refuses.
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
	c, err := secondcopy.Dial(fmt.Sprintf("127.0.0.1:%d", grevy.GatewayPort+b.PortOffset))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	text, err := c.Call(ctx, "CreateProcessInstanceWithResult",
		`{"request":{"bpmnProcessId":"payment","version":-1,"variables":"{\"customer\":\"eve\",\"amount\":5}"},"requestTimeout":9000}`)
	if err != nil {
		return err
	}
	if !strings.Contains(text, `\"charged\":5`) {
		return fmt.Errorf("the result is %s", text)
	}
	_, err = c.Call(ctx, "CreateProcessInstance", `{"bpmnProcessId":"payment","version":-1,"variables":"{}"}`)
	return err
}
