package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

// listFlags are those of the lists of what is in the partitions.
type listFlags struct {
	addresses []string
	limit     int
	watch     bool
	every     time.Duration
}

func (f *listFlags) register(cmd *cobra.Command) {
	httpFlag(cmd, &f.addresses)
	cmd.Flags().IntVar(&f.limit, "limit", 100, "how many at most, of all partitions together; no more than 10000")
	watchFlags(cmd, &f.watch, &f.every)
}

// list asks once, or again and again. show prints what a node told, and says
// what the list lacks.
func (a *app) list(ctx context.Context, f *listFlags, once func(ctx context.Context) (grevy.Listed, error)) error {
	if f.limit < 1 {
		return fmt.Errorf("limit: must be at least 1, not %d", f.limit)
	}
	show := func(ctx context.Context) (bool, error) {
		l, err := once(ctx)
		if err != nil {
			return false, err
		}
		for _, p := range l.Unheard {
			fmt.Fprintf(a.err, "grevy: partition %d is not in the list: %s (see grevy status)\n", p.Partition, p.Reason)
		}
		if l.More && !a.json() {
			fmt.Fprintf(a.out, "… and more: --limit %d\n", min(10*f.limit, 10_000))
		}
		return len(l.Unheard) == 0, nil
	}
	if f.watch {
		return a.watch(ctx, f.every, show)
	}
	return verdict(show(ctx))
}

// path asks for a list of what has a name, if one is given.
func (f *listFlags) path(list string, args []string) string {
	q := url.Values{"limit": {strconv.Itoa(f.limit)}}
	if len(args) > 0 {
		q.Set("name", args[0])
	}
	return "/api/" + list + "?" + q.Encode()
}

func (a *app) incidentsCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use: "incidents [PROCESS]", Short: "List what has stopped, of all partitions, and why: oldest first", Args: atMostOne,
		Example: "  grevy incidents\n  grevy incidents order --watch\n  grevy incidents -o json --limit 1000",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.list(cmd.Context(), &f, func(ctx context.Context) (grevy.Listed, error) {
				var found grevy.Incidents
				if _, _, err := fetch(ctx, f.addresses, f.path("incidents", args), &found); err != nil {
					return found.Listed, err
				}
				return found.Listed, a.printIncidents(&found)
			})
		},
	}
	f.register(cmd)
	return cmd
}

func (a *app) printIncidents(found *grevy.Incidents) error {
	if a.json() {
		return a.document(found)
	}
	if len(found.Incidents) == 0 {
		_, err := fmt.Fprintln(a.out, "no incidents")
		return err
	}
	jobs := false
	t := newTable("incident", "instance", "process", "element", "job", "type", "since", "message")
	for i := range found.Incidents {
		in := &found.Incidents[i]
		jobs = jobs || in.JobKey != ""
		t.row(in.Key, orNone(in.InstanceKey), processText(in.ProcessID, in.Version), orNone(in.ElementID), orNone(in.JobKey), in.Type, clock(in.Since), oneLine(in.Message, 120))
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	next := "next: grevy instance KEY, then grevy resolve INCIDENT-KEY"
	if jobs {
		next += "; before it, of one with a job: grevy jobs retries JOB-KEY --retries 1"
	}
	_, err := fmt.Fprintln(a.out, next)
	return err
}

func (a *app) messagesCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use: "messages [NAME]", Short: "List the messages that are kept, of all partitions, and who has had them", Args: atMostOne,
		Example: "  grevy messages\n  grevy messages paid --watch",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.list(cmd.Context(), &f, func(ctx context.Context) (grevy.Listed, error) {
				var found grevy.Messages
				if _, _, err := fetch(ctx, f.addresses, f.path("messages", args), &found); err != nil {
					return found.Listed, err
				}
				return found.Listed, a.printMessages(&found)
			})
		},
	}
	f.register(cmd)
	return cmd
}

func (a *app) printMessages(found *grevy.Messages) error {
	if a.json() {
		return a.document(found)
	}
	if len(found.Messages) == 0 {
		_, err := fmt.Fprintln(a.out, "no messages are kept")
		return err
	}
	t := newTable("message", "name", "correlation key", "id", "kept until", " bytes", "processes that have had it")
	for i := range found.Messages {
		m := &found.Messages[i]
		t.row(m.Key, oneLine(m.Name, 60), orNone(oneLine(m.CorrelationKey, 60)), orNone(oneLine(m.ID, 60)), clock(m.Until), grouped(m.Bytes), orNone(strings.Join(m.Had, ", ")))
	}
	return t.print(a.out)
}

func processText(id string, version int32) string {
	if id == "" {
		return "–"
	}
	return fmt.Sprintf("%s v%d", id, version)
}

// oneLine makes one line of a text, and cuts it.
func oneLine(text string, most int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}
