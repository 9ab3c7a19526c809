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

// listOf is a command that lists what nodes tell by HTTP, as T.
type listOf[T any] struct {
	use, short, example string
	path                string // behind /api/
	limit               int
	args                cobra.PositionalArgs // the first, if it is given, is a name
	listed              func(*T) grevy.Listed
	print               func(*T) error // for people
}

// listFlags are those of all lists.
type listFlags struct {
	addresses []string
	limit     int
	watch     bool
	every     time.Duration
}

func listCommand[T any](a *app, l listOf[T]) *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use: l.use, Short: l.short, Example: l.example, Args: l.args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.limit < 1 {
				return fmt.Errorf("limit: must be at least 1, not %d", f.limit)
			}
			once := func(ctx context.Context) (bool, error) { return l.once(ctx, a, &f, args) }
			if f.watch {
				return a.watch(cmd.Context(), f.every, once)
			}
			return verdict(once(cmd.Context()))
		},
	}
	httpFlag(cmd, &f.addresses)
	cmd.Flags().IntVar(&f.limit, "limit", l.limit, "how many at most; no more than 10000")
	watchFlags(cmd, &f.watch, &f.every)
	return cmd
}

// once prints the list, and says what it lacks.
func (l *listOf[T]) once(ctx context.Context, a *app, f *listFlags, args []string) (complete bool, err error) {
	found := new(T)
	if _, _, err := fetch(ctx, f.addresses, f.path(l.path, args), found); err != nil {
		return false, err
	}
	if a.json() {
		err = a.document(found)
	} else {
		err = l.print(found)
	}
	if err != nil || l.listed == nil {
		return err == nil, err
	}
	of := l.listed(found)
	for _, p := range of.Unheard {
		fmt.Fprintf(a.err, "grevy: partition %d is not in the list: %s (see grevy status)\n", p.Partition, p.Reason)
	}
	if of.More && !a.json() {
		fmt.Fprintf(a.out, "… and more: --limit %d\n", min(10*f.limit, 10_000))
	}
	return len(of.Unheard) == 0, nil
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
	return listCommand(a, listOf[grevy.Incidents]{
		use: "incidents [PROCESS]", short: "List what has stopped, and why: oldest first", path: "incidents", limit: 100, args: atMostOne,
		example: "  grevy incidents\n  grevy incidents order --watch\n  grevy incidents -o json --limit 1000",
		listed:  func(found *grevy.Incidents) grevy.Listed { return found.Listed }, print: a.printIncidents,
	})
}

func (a *app) printIncidents(found *grevy.Incidents) error {
	if len(found.Incidents) == 0 {
		_, err := fmt.Fprintln(a.out, "no incidents")
		return err
	}
	jobs := false
	t := newTable("incident", "instance", "process", "element", "since")
	for i := range found.Incidents {
		in := &found.Incidents[i]
		t.row(in.Key, orNone(in.InstanceKey), processText(in.ProcessID, in.Version), orNone(in.ElementID), clock(in.Since))
		what := in.Type
		if in.JobKey != "" {
			jobs = true
			what += ", job " + in.JobKey
		}
		t.note(what + ": " + oneLine(in.Message, 300))
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	next := "next: grevy instance KEY, then grevy resolve INCIDENT-KEY"
	if jobs {
		next += "\n      before it, if a job has no retries left: grevy jobs retries JOB-KEY --retries 1"
	}
	_, err := fmt.Fprintln(a.out, next)
	return err
}

func (a *app) messagesCommand() *cobra.Command {
	return listCommand(a, listOf[grevy.Messages]{
		use: "messages [NAME]", short: "List the messages that are kept, and who has had them", path: "messages", limit: 100, args: atMostOne,
		example: "  grevy messages\n  grevy messages paid --watch",
		listed:  func(found *grevy.Messages) grevy.Listed { return found.Listed }, print: a.printMessages,
	})
}

func (a *app) printMessages(found *grevy.Messages) error {
	if len(found.Messages) == 0 {
		_, err := fmt.Fprintln(a.out, "no messages are kept")
		return err
	}
	t := newTable("message", "name", "correlation key", "id", "kept until", " bytes", "had by")
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
