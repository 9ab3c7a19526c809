package scenarios

import (
	"fmt"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

func (r *run) publish(a args) error {
	vars, err := r.vars(a, "vars")
	if err != nil {
		return err
	}
	_, err = r.gw.PublishMessage(r.ctx, &pb.PublishMessageRequest{Name: unique(r.id, a.str("name")), CorrelationKey: a.str("key"),
		TimeToLive: a.dur("ttl", time.Minute).Milliseconds(), MessageId: a.str("id"), Variables: vars})
	r.outcome("publish "+a.str("name"), err)
	return nil
}

// burst publishes n messages with the keys 1 … n.
func (r *run) burst(a args) error {
	for i := 1; i <= a.num("n", 1); i++ {
		_, err := r.gw.PublishMessage(r.ctx, &pb.PublishMessageRequest{Name: unique(r.id, a.str("name")), CorrelationKey: fmt.Sprint(i), TimeToLive: 60000, Variables: "{}"})
		if err != nil {
			r.outcome("burst", err)
		}
	}
	r.say("burst: %d", a.num("n", 1))
	return nil
}

func (r *run) signal(a args) error {
	vars, err := r.vars(a, "vars")
	if err != nil {
		return err
	}
	_, err = r.gw.BroadcastSignal(r.ctx, &pb.BroadcastSignalRequest{SignalName: unique(r.id, a.or("name", a.str(""))), Variables: vars})
	r.outcome("signal", err)
	return nil
}
