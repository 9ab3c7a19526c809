package raftadapter

import (
	"fmt"
	"io"
	"log"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// logger hands raft's words to slog. Raft calls warnings and errors what is
// ordinary life of a cluster (a peer that is away, a lost election), so these
// arrive one level lower.
type logger struct {
	log  *slog.Logger
	args []any
}

func newLogger(l *slog.Logger) hclog.Logger { return &logger{log: l.With("room", "raft")} }

func (l *logger) Log(level hclog.Level, msg string, args ...any) {
	switch level {
	case hclog.Error, hclog.Warn:
		l.log.Info(msg, render(args)...)
	default:
		l.log.Debug(msg, render(args)...)
	}
}

// render turns hclog's lazily formatted values into text.
func render(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			out[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
			continue
		}
		out[i] = a
	}
	return out
}

func (l *logger) Trace(string, ...any)           {}
func (l *logger) Debug(msg string, args ...any)  { l.Log(hclog.Debug, msg, args...) }
func (l *logger) Info(msg string, args ...any)   { l.Log(hclog.Info, msg, args...) }
func (l *logger) Warn(msg string, args ...any)   { l.Log(hclog.Warn, msg, args...) }
func (l *logger) Error(msg string, args ...any)  { l.Log(hclog.Error, msg, args...) }
func (l *logger) IsTrace() bool                  { return false }
func (l *logger) IsDebug() bool                  { return true }
func (l *logger) IsInfo() bool                   { return true }
func (l *logger) IsWarn() bool                   { return true }
func (l *logger) IsError() bool                  { return true }
func (l *logger) ImpliedArgs() []any             { return l.args }
func (l *logger) Name() string                   { return "raft" }
func (l *logger) Named(string) hclog.Logger      { return l }
func (l *logger) ResetNamed(string) hclog.Logger { return l }
func (l *logger) SetLevel(hclog.Level)           {}
func (l *logger) GetLevel() hclog.Level          { return hclog.Debug }
func (l *logger) With(args ...any) hclog.Logger {
	return &logger{log: l.log.With(render(args)...), args: append(l.args[:len(l.args):len(l.args)], args...)}
}

func (l *logger) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return log.New(io.Discard, "", 0)
}

func (l *logger) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return io.Discard }
