// Command embed shows a Go program that has the broker inside its own actor
// system: it opens one node there, deploys a process, and starts instances by
// sending messages, without a client and without a network in between.
//
//	go run ./examples/embed
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

func main() {
	dir, err := os.MkdirTemp("", "grevy-embed-")
	if err == nil {
		err = errors.Join(Run(dir, os.Stdout), os.RemoveAll(dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// order is the process: its gateway decides who has to look at an order.
const order = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="http://example.com/order">
  <process id="order" isExecutable="true">
    <startEvent id="received"/>
    <sequenceFlow id="f1" sourceRef="received" targetRef="amount"/>
    <exclusiveGateway id="amount" default="small"/>
    <sequenceFlow id="large" sourceRef="amount" targetRef="checked">
      <conditionExpression xsi:type="tFormalExpression">= total &gt; 1000</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="small" sourceRef="amount" targetRef="accepted"/>
    <endEvent id="checked"/>
    <endEvent id="accepted"/>
  </process>
</definitions>`

// Run opens a broker whose data is in dir, runs a few instances and tells out
// what happens. The data stays: a second Run finds version 1 and makes none.
func Run(dir string, out io.Writer) error {
	return run(dir, out, func(*grevy.Broker) error { return nil })
}

// run calls meanwhile before it closes the broker.
func run(dir string, out io.Writer, meanwhile func(*grevy.Broker) error) (err error) {
	offset, err := freeOffset()
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }))
	defer system.Shutdown()
	b, err := grevy.Open(grevy.Config{DataDir: dir, PortOffset: offset, WithoutHTTP: true, System: system, Log: log})
	if err != nil {
		return err
	}
	defer func() {
		if e := b.Close(); err == nil {
			err = e
		}
	}()
	fmt.Fprintf(out, "open: clients may connect to 127.0.0.1:%d\n", grevy.GatewayPort+b.PortOffset)
	if err := deploy(system.Root, b.PID(), out); err != nil {
		return err
	}
	for _, total := range []int{12, 1200} {
		if err := start(system.Root, b.PID(), out, total); err != nil {
			return err
		}
	}
	return meanwhile(b)
}

// patience bounds a request. The outcome of one that takes longer is unknown.
const patience = 10 * time.Second

// deploy requests a deployment and waits for the answer. An actor would use
// Request, and get an *actors.Answer as a message.
func deploy(root *actor.RootContext, broker *actor.PID, out io.Writer) error {
	m := actors.Deploy(protocol.Resource{Name: "order.bpmn", Content: []byte(order)})
	reply, err := actors.Result(root.RequestFuture(broker, m, patience))
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	for _, d := range reply.(*protocol.Deployed).Definitions {
		fmt.Fprintf(out, "deployed: %s, version %d\n", d.ID, d.Version)
	}
	return nil
}

func start(root *actor.RootContext, broker *actor.PID, out io.Writer, total int) error {
	m := actors.CreateWithResult("order", fmt.Appendf(nil, `{"total":%d}`, total))
	reply, err := actors.Result(root.RequestFuture(broker, m, patience))
	if err != nil {
		return fmt.Errorf("start an instance: %w", err)
	}
	result := reply.(*protocol.Result)
	fmt.Fprintf(out, "done: version %d on partition %d with %s\n", result.Version, result.InstanceKey.Partition(), result.Variables)
	return nil
}

// freeOffset finds ports that nobody uses, so that the example runs beside other
// brokers. A real program has a fixed offset.
func freeOffset() (int, error) {
	for offset := 1000; offset < 6000; offset += 10 {
		free := true
		for _, port := range []int{grevy.GatewayPort, grevy.RemotePort, grevy.RaftPort, grevy.GossipPort} {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+offset)))
			if err != nil {
				free = false
				break
			}
			if err := l.Close(); err != nil {
				return 0, err
			}
		}
		if free {
			return offset, nil
		}
	}
	return 0, fmt.Errorf("no free ports between %d and %d", grevy.GatewayPort+1000, grevy.GatewayPort+6000)
}
