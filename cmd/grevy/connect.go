package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// How long a gateway may take to be connected to: one of several, and the only
// one.
const (
	connectPatience = 3 * time.Second
	onlyPatience    = 20 * time.Second
)

// reachable is the first gateway, from the next in turn on, that can be connected
// to. Whether a call may be repeated elsewhere needs no thought so: none was sent.
func (g *gateways) reachable(ctx context.Context) (gatewayClient, error) {
	patience := connectPatience
	if len(g.clients) == 1 {
		patience = onlyPatience
	}
	var skipped []silent
	for range g.clients {
		c := g.next()
		why := c.connect(ctx, patience)
		if why == "" {
			return c, nil
		}
		if ctx.Err() != nil {
			return c, errInterrupted(ctx)
		}
		skipped = append(skipped, silent{c.address, why})
	}
	return gatewayClient{}, unreachable("gateway", "--address", skipped)
}

// errInterrupted is what a signal, or the end of a command's time, before anything
// was sent is.
func errInterrupted(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &exit{exitUnreachable, errors.New("the time was over before a gateway was found; nothing was sent")}
	}
	return errors.New("interrupted")
}

// unreachable is said if nobody answers who was asked.
func unreachable(what, flag string, asked []silent) error {
	var each []string
	for _, s := range asked {
		each = append(each, s.address+": "+s.reason)
	}
	return &exit{exitUnreachable, fmt.Errorf("no %s answers (%s); is one running? say where: %s HOST:PORT", what, strings.Join(each, ", "), flag)}
}

// connect connects to the gateway, or tells why it cannot.
func (c gatewayClient) connect(ctx context.Context, patience time.Duration) (why string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		state := c.conn.GetState()
		switch state {
		case connectivity.Ready:
			return ""
		case connectivity.Idle:
			c.conn.Connect()
		case connectivity.TransientFailure:
			// A call fails at once now, with the reason. Should it get through: good.
			if _, err := grpc_health_v1.NewHealthClient(c.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil && c.conn.GetState() != connectivity.Ready {
				return connectReason(status.Convert(err).Message())
			}
			return ""
		}
		if !c.conn.WaitForStateChange(ctx, state) {
			return "no answer within " + patience.String()
		}
	}
}

// connectReason is what kept gRPC from connecting, without what is said already.
func connectReason(text string) string {
	for _, known := range []string{`connection error: desc = "`, "transport: ", "Error while dialing: "} {
		text = strings.TrimPrefix(text, known)
	}
	text = strings.TrimSuffix(text, `"`)
	if _, after, ok := strings.Cut(text, "connect: "); ok {
		return after
	}
	return text
}
