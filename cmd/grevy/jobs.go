package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"github.com/spf13/cobra"
)

func (a *app) jobsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "jobs", Short: "Activate jobs, and say what became of them",
		Example: "  grevy jobs activate pay --max 10\n  grevy jobs complete 4503599627370505",
		Args:    subcommands,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.activateCommand(), a.completeCommand(), a.failCommand(), a.throwCommand(), a.retriesCommand(), a.timeoutCommand())
	return cmd
}

func (a *app) completeCommand() *cobra.Command {
	var text string
	v := keyVerb{
		use: "complete", short: "Complete a job", key: "KEY", past: "completed",
		example: "  grevy jobs complete 4503599627370505 --variables '{\"paid\": true}'",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.CompleteJob, func(key int64) *pb.CompleteJobRequest {
		return &pb.CompleteJobRequest{JobKey: key, Variables: text}
	})
	cmd.Flags().StringVar(&text, "variables", "{}", variablesUsage)
	cmd.PreRunE = a.readsVariables(&text, false)
	return cmd
}

func (a *app) failCommand() *cobra.Command {
	var retries int32
	var message string
	var backoff time.Duration
	v := keyVerb{
		use: "fail", short: "Fail a job", key: "KEY", past: "failed",
		example: "  grevy jobs fail 4503599627370505 --retries 2 --backoff 30s --message 'the bank does not answer'",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.FailJob, func(key int64) *pb.FailJobRequest {
		return &pb.FailJobRequest{JobKey: key, Retries: retries, ErrorMessage: message, RetryBackOff: backoff.Milliseconds()}
	})
	cmd.Flags().Int32Var(&retries, "retries", 0, "how often it may be tried again; 0: an incident is raised")
	cmd.Flags().StringVar(&message, "message", "", "what went wrong")
	cmd.Flags().DurationVar(&backoff, "backoff", 0, "how long to wait before it can be activated again")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("retries") {
			return errors.New("retries: are missing (--retries 0 raises an incident)")
		}
		return nil
	}
	return cmd
}

func (a *app) retriesCommand() *cobra.Command {
	var retries int32
	v := keyVerb{
		use: "retries", short: "Set how often a job may still be tried", key: "KEY", past: "set retries of",
		example: "  grevy jobs retries 4503599627370505 --retries 3",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.UpdateJobRetries, func(key int64) *pb.UpdateJobRetriesRequest {
		return &pb.UpdateJobRetriesRequest{JobKey: key, Retries: retries}
	})
	cmd.Flags().Int32Var(&retries, "retries", 1, "how often")
	return cmd
}

func (a *app) throwCommand() *cobra.Command {
	var code, message, text string
	v := keyVerb{
		use: "throw", short: "Throw a BPMN error for a job: an event of the process may catch it", key: "KEY", past: "threw an error for",
		example: "  grevy jobs throw 4503599627370505 --code NO_FUNDS --message 'the account is empty'",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.ThrowError, func(key int64) *pb.ThrowErrorRequest {
		return &pb.ThrowErrorRequest{JobKey: key, ErrorCode: code, ErrorMessage: message, Variables: text}
	})
	cmd.Flags().StringVar(&code, "code", "", "code of the error, as the event has it")
	cmd.Flags().StringVar(&message, "message", "", "what went wrong")
	cmd.Flags().StringVar(&text, "variables", "{}", "for the event that catches it: "+variablesUsage)
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if code == "" {
			return errors.New("code: is missing")
		}
		return a.readsVariables(&text, false)(cmd, args)
	}
	return cmd
}

func (a *app) timeoutCommand() *cobra.Command {
	var timeout time.Duration
	v := keyVerb{
		use: "timeout", short: "Set for how long, from now, nobody else gets an activated job", key: "KEY", past: "set timeout of",
		example: "  grevy jobs timeout 4503599627370505 --timeout 10m",
	}
	cmd := keyCommand(a, v, pb.GatewayClient.UpdateJobTimeout, func(key int64) *pb.UpdateJobTimeoutRequest {
		return &pb.UpdateJobTimeoutRequest{JobKey: key, Timeout: timeout.Milliseconds()}
	})
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "how long")
	return cmd
}

type activateFlags struct {
	addresses     []string
	max           int32
	timeout, wait time.Duration
	worker        string
	fetch         []string
}

func (a *app) activateCommand() *cobra.Command {
	var f activateFlags
	cmd := &cobra.Command{
		Use: "activate TYPE", Short: "Activate jobs of a type and print them", Args: arguments("TYPE"),
		Example: "  grevy jobs activate pay --max 10 --timeout 1m\n  grevy jobs activate pay --wait 30s --fetch total -o json",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.activate(cmd.Context(), args[0], &f) },
	}
	addressFlag(cmd, &f.addresses)
	cmd.Flags().Int32Var(&f.max, "max", 1, "how many at most")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "for how long nobody else gets them")
	cmd.Flags().StringVar(&f.worker, "worker", "grevy", "name of the worker, for the cluster's records")
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "how long to wait for a job if there is none")
	cmd.Flags().StringSliceVar(&f.fetch, "fetch", nil, "names of the variables to get; without: all")
	return cmd
}

func (a *app) activate(ctx context.Context, jobType string, f *activateFlags) (err error) {
	switch {
	case f.max < 1:
		return fmt.Errorf("max: must be at least 1, not %d", f.max)
	case f.timeout < time.Millisecond:
		return fmt.Errorf("timeout: must be above 0, not %s", f.timeout)
	}
	g, err := dial(f.addresses)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	wait := f.wait.Milliseconds()
	if wait <= 0 {
		wait = -1 // no waiting; 0 would be the gateway's own time
	}
	var jobs []*pb.ActivatedJob
	c, err := g.reachable(ctx)
	if err != nil {
		return err
	}
	_, err = poll(ctx, c, &pb.ActivateJobsRequest{
		Type: jobType, Worker: f.worker, Timeout: f.timeout.Milliseconds(), MaxJobsToActivate: f.max, RequestTimeout: wait, FetchVariable: f.fetch,
	}, func(j *pb.ActivatedJob) { jobs = append(jobs, j) })
	if err != nil && len(jobs) == 0 {
		return err // it is not known that there are none
	}
	// Jobs that came before an error are locked: they are shown all the same.
	return errors.Join(a.printJobs(jobType, jobs), err)
}

// job is an activated job as JSON; keys are strings.
type job struct {
	Key            string          `json:"key"`
	Type           string          `json:"type"`
	InstanceKey    string          `json:"instanceKey"`
	ProcessID      string          `json:"processId"`
	ProcessVersion int32           `json:"processVersion"`
	DefinitionKey  string          `json:"definitionKey"`
	ElementID      string          `json:"elementId"`
	ElementKey     string          `json:"elementKey"`
	Headers        json.RawMessage `json:"headers"`
	Worker         string          `json:"worker"`
	Retries        int32           `json:"retries"`
	Deadline       time.Time       `json:"deadline"`
	Variables      json.RawMessage `json:"variables"`
}

func jobOf(j *pb.ActivatedJob) job {
	key := func(k int64) string { return strconv.FormatInt(k, 10) }
	return job{
		Key: key(j.GetKey()), Type: j.GetType(), InstanceKey: key(j.GetProcessInstanceKey()), ProcessID: j.GetBpmnProcessId(),
		ProcessVersion: j.GetProcessDefinitionVersion(), DefinitionKey: key(j.GetProcessDefinitionKey()), ElementID: j.GetElementId(),
		ElementKey: key(j.GetElementInstanceKey()), Headers: raw(j.GetCustomHeaders()), Worker: j.GetWorker(), Retries: j.GetRetries(),
		Deadline: time.UnixMilli(j.GetDeadline()).UTC(), Variables: raw(j.GetVariables()),
	}
}

func (a *app) printJobs(jobType string, jobs []*pb.ActivatedJob) error {
	if a.json() {
		for _, j := range jobs {
			if err := a.document(jobOf(j)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(jobs) == 0 {
		_, err := fmt.Fprintf(a.out, "no jobs of type %s\n", jobType)
		return err
	}
	t := newTable("job", "instance", "process", "element", " retries", "until", "variables")
	for _, j := range jobs {
		t.row(j.GetKey(), j.GetProcessInstanceKey(), fmt.Sprintf("%s v%d", j.GetBpmnProcessId(), j.GetProcessDefinitionVersion()),
			j.GetElementId(), j.GetRetries(), clock(time.UnixMilli(j.GetDeadline())), j.GetVariables())
	}
	return t.print(a.out)
}

// clock is a time of day for people, in their own time zone.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
