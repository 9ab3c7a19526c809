// Command actorworker shows an actor that is a job worker: the broker sends it
// the jobs of a type as messages, and it ends each of them when it likes. Actor
// and broker live in one system of protoactor-go, in one program.
//
//	go run ./examples/actorworker
package main

import (
	"encoding/json"
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
	dir, err := os.MkdirTemp("", "grevy-actorworker-")
	if err == nil {
		err = errors.Join(Run(dir, os.Stdout), os.RemoveAll(dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "actorworker:", err)
		os.Exit(1)
	}
}

// payment is the process: one job, of type "charge".
const payment = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="http://example.com/payment">
  <process id="payment" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="charge"/>
    <serviceTask id="charge">
      <extensionElements><zeebe:taskDefinition type="charge" retries="3"/></extensionElements>
    </serviceTask>
    <sequenceFlow id="f2" sourceRef="charge" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>`

// charger is the worker. Its fields need no lock: an actor handles one message
// at a time.
type charger struct {
	broker  *actor.PID
	out     io.Writer
	charged map[string]int // by customer
}

// charge is what the worker reads of a job's variables.
type charge struct {
	Customer string `json:"customer"`
	Amount   int    `json:"amount"`
}

// Receive handles the jobs, and the answers to what it said of them.
func (c *charger) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(c.broker, &actors.Work{Type: "charge", Name: "charger", MaxActive: 8})
	case *actors.JobOffer:
		ctx.Request(m.Broker, c.work(m))
	case *actors.Answer:
		if m.Err != nil { // the broker did not take its word
			fmt.Fprintf(c.out, "%s: %v\n", m.To.Command.Intent(), m.Err)
		}
	}
}

func (c *charger) work(j *actors.JobOffer) *actors.Execute {
	var what charge
	if err := json.Unmarshal(j.Variables, &what); err != nil || what.Customer == "" {
		return j.Fail(0, "customer and amount are needed")
	}
	c.charged[what.Customer] += what.Amount
	fmt.Fprintf(c.out, "charged: %s pays %d, %d in all\n", what.Customer, what.Amount, c.charged[what.Customer])
	return j.Complete(fmt.Appendf(nil, `{"charged":%d}`, c.charged[what.Customer]))
}

// Run opens a broker whose data is in dir, lets the actor work off a few
// payments, and tells out what happens.
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
	worker := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &charger{broker: b.PID(), out: out, charged: map[string]int{}}
	}))
	defer func() { // before the broker closes: it gets no more jobs
		if e := system.Root.StopFuture(worker).Wait(); err == nil {
			err = e
		}
	}()
	if err := pay(system.Root, b.PID()); err != nil {
		return err
	}
	return meanwhile(b)
}

// patience bounds a request. The outcome of one that takes longer is unknown.
const patience = 20 * time.Second

// pay deploys the process and runs six payments to their end.
func pay(root *actor.RootContext, broker *actor.PID) error {
	model := protocol.Resource{Name: "payment.bpmn", Content: []byte(payment)}
	if _, err := actors.Result(root.RequestFuture(broker, actors.Deploy(model), patience)); err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	var running []*actor.Future
	for i := range 6 {
		variables := fmt.Appendf(nil, `{"customer":"%s","amount":%d}`, []string{"ada", "bob"}[i%2], 10*(i+1))
		running = append(running, root.RequestFuture(broker, actors.CreateWithResult("payment", variables), patience))
	}
	for _, f := range running {
		if _, err := actors.Result(f); err != nil {
			return fmt.Errorf("payment: %w", err)
		}
	}
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
