package enginetest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// A transcript is a text file of steps:
//
//	# a remark
//	create order vars={"x":1}
//	----
//	created #4 (order v1 #2)
//	3 keys
//
// A step is a verb with its arguments, lines that belong to it, four dashes
// and what it must print. A blank line ends the step. Each file begins with an
// empty cluster of one partition.

// verb does one step and says what it prints.
type verb func(*transcript, *call) error

// verbs is filled by the files verb_*.go.
var verbs = map[string]verb{}

type transcript struct {
	*session
	file  string
	lines []string
	at    int
	out   bytes.Buffer // the file as it should be
	wrong []string
}

// Run plays a transcript. It returns the file as the steps print it now, and
// what differs from what it says; err is a step that could not be done.
func Run(file string) (now []byte, wrong []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	t := &transcript{file: file, lines: strings.Split(strings.TrimRight(string(text), "\n"), "\n")}
	if t.session, err = newSession(Config{}); err != nil {
		return nil, nil, err
	}
	for t.at < len(t.lines) {
		if err := t.step(); err != nil {
			return nil, t.wrong, fmt.Errorf("%s:%d: %w", file, t.at, err)
		}
	}
	return t.out.Bytes(), t.wrong, nil
}

// step plays the next step, or copies a remark.
func (t *transcript) step() error {
	line := t.lines[t.at]
	t.at++
	fmt.Fprintln(&t.out, line)
	if line == "" || line[0] == '#' {
		return nil
	}
	start := t.at
	c, err := t.call(line)
	if err != nil {
		return err
	}
	want := t.expected()
	do := verbs[c.verb]
	if do == nil {
		return fmt.Errorf("unknown verb %q, there are %v", c.verb, slices.Sorted(maps.Keys(verbs)))
	}
	if err := do(t, c); err != nil {
		return fmt.Errorf("%s: %w", c.verb, err)
	}
	if err := t.check(c); err != nil {
		return err
	}
	got := c.printed()
	fmt.Fprintf(&t.out, "----\n%s", got)
	if got != want {
		t.wrong = append(t.wrong, fmt.Sprintf("%s:%d: %s\n--- want\n%s--- got\n%s", t.file, start, line, want, got))
	}
	for name := range c.args {
		if !c.used[name] {
			return fmt.Errorf("%s does not know the argument %s", c.verb, name)
		}
	}
	return nil
}

// call reads a step's arguments and the lines that belong to it.
func (t *transcript) call(line string) (*call, error) {
	toks := tokens(line)
	c := &call{verb: toks[0], args: map[string]string{}, used: map[string]bool{}}
	for _, tok := range toks[1:] {
		if name, value, ok := strings.Cut(tok, "="); ok && isName(name) {
			c.args[name] = value
		} else {
			c.words = append(c.words, tok)
		}
	}
	for ; t.at < len(t.lines) && t.lines[t.at] != "----"; t.at++ {
		if t.lines[t.at] == "" {
			return c, t.place(c)
		}
		c.body += t.lines[t.at] + "\n"
		fmt.Fprintln(&t.out, t.lines[t.at])
	}
	t.at++
	return c, t.place(c)
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') })
}

// place finds the partition that the step is for.
func (t *transcript) place(c *call) (err error) {
	on, err := c.number("on", 1)
	if err == nil {
		c.part, err = t.cluster.Partition(int(on))
	}
	if c.verb == "cluster" {
		return nil
	}
	return err
}

// expected reads what the step must print.
func (t *transcript) expected() string {
	var b strings.Builder
	for ; t.at < len(t.lines) && t.lines[t.at] != ""; t.at++ {
		b.WriteString(t.lines[t.at] + "\n")
	}
	return b.String()
}

// check prints what is wrong with the committed state after the step.
func (t *transcript) check(c *call) error {
	if c.part == nil {
		return nil
	}
	wrong, err := c.part.Check()
	if err != nil {
		return err
	}
	slices.Sort(wrong)
	for _, w := range wrong {
		c.print("INVARIANT BROKEN: %s", w)
	}
	return nil
}
