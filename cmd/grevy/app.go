package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUnreachable = 2 // nobody answered
)

// app is one run of the program.
type app struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // out is one: colours, and lines that are written over
	output   string
}

// exit is an error that says with which code the program ends. With nothing in
// err, what there is to say has been said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// errBrokenOff ends a call that a signal has broken off.
var errBrokenOff = errors.New("interrupted; what was sent may be executed all the same: look before you send it again")

// run is the program: ctx ends with the first signal.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{in: in, out: out, err: errOut, terminal: isTerminal(out)}
	err := a.root(args).ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && status.Code(err) == codes.Canceled {
		err = errBrokenOff
	}
	code := exitError
	var e *exit
	if errors.As(err, &e) {
		code = e.code
	}
	a.complain(err)
	return code
}

// complain says in one line what went wrong, and in a second one what may help.
func (a *app) complain(err error) {
	if text, hint, ok := explainCall(err); ok {
		fmt.Fprintln(a.err, text)
		if hint != "" {
			fmt.Fprintln(a.err, "hint:", hint)
		}
		return
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(a.err, "grevy:", strings.ReplaceAll(text, "\n", "; "))
	}
}

func (a *app) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use: "grevy", Short: "A workflow broker that Zeebe clients connect to unchanged",
		SilenceUsage: true, SilenceErrors: true, DisableSuggestions: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.checkOutput() },
		Args:              subcommands,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "text", "text, or json: one document, or one per line where there are many")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(
		a.startCommand(), a.demoCommand(), a.statusCommand(), a.deployCommand(), a.deploymentsCommand(), a.deleteCommand(), a.createCommand(),
		a.cancelCommand(), a.jobsCommand(), a.publishCommand(), a.signalCommand(), a.decideCommand(), a.setCommand(), a.resolveCommand(),
		a.incidentsCommand(), a.instancesCommand(), a.instanceCommand(), a.messagesCommand(),
		a.modifyCommand(), a.migrateCommand(), a.clusterCommand(), a.backupCommand(), a.restoreCommand(), a.benchCommand(), a.versionCommand(),
	)
	arrange(root)
	return root
}

func (a *app) checkOutput() error {
	if a.output != "text" && a.output != "json" {
		return fmt.Errorf("output: must be text or json, not %q", a.output)
	}
	return nil
}

func (a *app) json() bool { return a.output == "json" }

// document prints one JSON document on one line.
func (a *app) document(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// arguments checks that each named argument is given; a last one that ends in …
// may be given many times.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for i, name := range names {
			if i >= len(args) {
				return fmt.Errorf("%s is missing (see %s --help)", strings.TrimSuffix(name, "…"), cmd.CommandPath())
			}
		}
		many := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "…")
		if len(args) > len(names) && !many {
			return fmt.Errorf("unexpected argument %q (see %s --help)", args[len(names)], cmd.CommandPath())
		}
		return nil
	}
}

// atMostOne lets a command do with one argument or none.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("unexpected argument %q (see %s --help)", args[1], cmd.CommandPath())
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
