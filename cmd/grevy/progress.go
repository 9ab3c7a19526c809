package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says what a long command is doing, one line per step. On a terminal
// the line counts; elsewhere it is written once, when the step is done. With
// JSON on standard output it goes to standard error.
type progress struct {
	w    io.Writer
	live bool

	mu    sync.Mutex
	step  string
	begun time.Time
	shown time.Time
}

func newProgress(a *app) *progress {
	if a.json() {
		return &progress{w: a.err, live: isTerminal(a.err)}
	}
	return &progress{w: a.out, live: a.terminal}
}

// say prints a line of its own.
func (p *progress) say(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// begin starts a step.
func (p *progress) begin(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step, p.begun = fmt.Sprintf(format, args...), time.Now()
	if p.live {
		fmt.Fprintf(p.w, "… %s", p.step)
	}
}

// count shows how far a step is, a few times a second.
func (p *progress) count(n, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.w, "\r\x1b[K… %s: %s of %s", p.step, grouped(n), grouped(of))
}

// done ends a step with how long it took and, unless empty, a remark.
func (p *progress) done(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("✓ %s: %s", p.step, span(time.Since(p.begun)))
	if remark := fmt.Sprintf(format, args...); remark != "" {
		line += ", " + remark
	}
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintln(p.w, line)
	p.step = ""
}

// broken ends a step that failed.
func (p *progress) broken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step == "" {
		return
	}
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintf(p.w, "✗ %s\n", p.step)
	p.step = ""
}
