package enginetest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// call is one step of a transcript: a verb, words, named arguments, lines.
type call struct {
	verb  string
	words []string
	args  map[string]string
	used  map[string]bool
	body  string
	part  *Partition
	out   strings.Builder
}

// print adds a line to what the step prints. Keys become #counter, line breaks
// a bar, so that no printed line is blank.
func (c *call) print(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.out.WriteString(strings.ReplaceAll(short(readable(text)), "\n", "\n  |") + "\n")
}

func (c *call) printed() string {
	if c.out.Len() == 0 {
		return "ok\n"
	}
	return c.out.String()
}

var longNumber = regexp.MustCompile(`\d{16,19}`)

// readable writes keys as #counter, those of other partitions than 1 as
// partition#counter.
func readable(text string) string {
	return longNumber.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.ParseInt(s, 10, 64)
		k := protocol.Key(n)
		switch {
		case err != nil || k.Partition() == 0 || k.Partition() > 99:
			return s
		case k.Partition() == 1:
			return "#" + strconv.FormatInt(k.Counter(), 10)
		}
		return fmt.Sprintf("%d#%d", k.Partition(), k.Counter())
	})
}

var longRun = regexp.MustCompile(`x{40,}`)

// short writes a long row of x as its length.
func short(text string) string {
	return longRun.ReplaceAllStringFunc(text, func(s string) string { return fmt.Sprintf("x*%d", len(s)) })
}

var repeated = regexp.MustCompile(`x\*\d+`)

// text is a named argument; x*1000 in it stands for a thousand x.
func (c *call) text(name string) string {
	c.used[name] = true
	return repeated.ReplaceAllStringFunc(c.args[name], func(s string) string {
		n, err := strconv.Atoi(s[2:])
		if err != nil {
			return s
		}
		return strings.Repeat("x", n)
	})
}

func (c *call) bytes(name string) []byte {
	if s := c.text(name); s != "" {
		return []byte(s)
	}
	return nil
}

// list is a named argument of several texts with commas between.
func (c *call) list(name string) []string {
	if s := c.text(name); s != "" {
		return strings.Split(s, ",")
	}
	return nil
}

// has tells whether a bare word was given.
func (c *call) has(word string) bool {
	for _, w := range c.words {
		if w == word {
			return true
		}
	}
	return false
}

// word is the i-th bare word, "" if there is none.
func (c *call) word(i int) string {
	if i < len(c.words) {
		return c.words[i]
	}
	return ""
}

func (c *call) number(name string, absent int64) (int64, error) {
	s := c.text(name)
	if s == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("argument %s: %w", name, err)
	}
	return n, nil
}

// millis is a duration such as 5s in ms.
func (c *call) millis(name string, absent time.Duration) (int64, error) {
	s := c.text(name)
	if s == "" {
		return absent.Milliseconds(), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("argument %s: %w", name, err)
	}
	return d.Milliseconds(), nil
}

// parseKey reads #5, 2#5 or a plain number; ok is false for anything else.
func parseKey(s string) (protocol.Key, bool) {
	part, counter, marked := strings.Cut(s, "#")
	if !marked {
		n, err := strconv.ParseInt(s, 10, 64)
		return protocol.Key(n), err == nil
	}
	if part == "" {
		part = "1"
	}
	p, err := strconv.ParseUint(part, 10, 16)
	n, err2 := strconv.ParseInt(counter, 10, 64)
	return protocol.NewKey(protocol.PartitionID(p), n), err == nil && err2 == nil
}
