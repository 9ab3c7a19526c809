package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

// sent is a message or signal that the cluster has taken.
type sent struct {
	Done string `json:"done"`
	Key  string `json:"key"`
	Name string `json:"name"`
}

func (a *app) printSent(s sent) error {
	if a.json() {
		return a.document(s)
	}
	_, err := fmt.Fprintln(a.out, s.Done, s.Name, s.Key)
	return err
}

func (a *app) publishCommand() *cobra.Command {
	var addresses []string
	var ttl time.Duration
	req := &pb.PublishMessageRequest{}
	cmd := &cobra.Command{
		Use: "publish NAME", Short: "Publish a message", Args: arguments("NAME"),
		Long: "Publish a message: an instance that waits for its name and key goes on, or one\n" +
			"begins that it starts. If nobody waits for it yet it is kept for --ttl; grevy\n" +
			"messages lists what is kept.",
		Example: "  grevy publish paid --key o-17 --variables '{\"amount\": 31}'\n  grevy publish paid --key o-17 --ttl 1h --id payment-4711",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if ttl < 0 {
				return fmt.Errorf("ttl: must not be below 0, not %s", ttl)
			}
			if req.Variables, err = a.variables(req.Variables); err != nil {
				return err
			}
			req.Name, req.TimeToLive = args[0], ttl.Milliseconds()
			reply, err := call(cmd.Context(), addresses, pb.NewGatewayClient, pb.GatewayClient.PublishMessage, req)
			if err != nil {
				return err
			}
			return a.printSent(sent{"published", strconv.FormatInt(reply.GetKey(), 10), req.Name})
		},
	}
	addressFlag(cmd, &addresses)
	cmd.Flags().StringVar(&req.CorrelationKey, "key", "", "correlation key; without one it only starts instances")
	cmd.Flags().DurationVar(&ttl, "ttl", 5*time.Second, "how long it is kept for those who do not wait for it yet; 0: not at all")
	cmd.Flags().StringVar(&req.MessageId, "id", "", "its own id: while it is kept, no other with the same name, key and id is taken")
	cmd.Flags().StringVar(&req.Variables, "variables", "{}", variablesUsage)
	return cmd
}

func (a *app) signalCommand() *cobra.Command {
	var addresses []string
	req := &pb.BroadcastSignalRequest{}
	cmd := &cobra.Command{
		Use: "signal NAME", Short: "Broadcast a signal to all who wait for it", Args: arguments("NAME"),
		Example: "  grevy signal stop-trading --variables '{\"until\": \"tomorrow\"}'",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if req.Variables, err = a.variables(req.Variables); err != nil {
				return err
			}
			req.SignalName = args[0]
			reply, err := call(cmd.Context(), addresses, pb.NewGatewayClient, pb.GatewayClient.BroadcastSignal, req)
			if err != nil {
				return err
			}
			return a.printSent(sent{"broadcast", strconv.FormatInt(reply.GetKey(), 10), req.SignalName})
		},
	}
	addressFlag(cmd, &addresses)
	cmd.Flags().StringVar(&req.Variables, "variables", "{}", variablesUsage)
	return cmd
}

// oneOf reads what is named by an argument or by --key, but not by both.
func oneOf(what string, args []string, key string) (id string, k int64, err error) {
	switch {
	case len(args) > 0 && key != "":
		return "", 0, fmt.Errorf("key: not together with %s", what)
	case len(args) > 0:
		return args[0], 0, nil
	case key == "":
		return "", 0, errors.New(what + " is missing, or --key")
	}
	k, err = parseKey("key", key)
	return "", k, err
}
