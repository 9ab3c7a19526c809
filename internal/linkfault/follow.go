package linkfault

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// Env names the variable that holds the path of the file of rules.
const Env = "GREVY_FAULTS"

// pollEvery is how often the file is looked at. The whole text is compared: a
// test may write the file twice within the resolution of its time stamp.
const pollEvery = 50 * time.Millisecond

func envFile() (string, bool) {
	path := os.Getenv(Env)
	return path, path != ""
}

// follower keeps a switch in step with a file.
type follower struct {
	s    *Switch
	path string
	log  *slog.Logger
	last string // text of the last attempt, good or bad
}

// load reads the file and applies it if its text is new. No file: no rules.
func (f *follower) load() error {
	b, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read fault rules: %w", err)
	}
	text := string(b)
	if text == f.last {
		return nil
	}
	f.last = text
	return f.s.SetRules(text)
}

func (f *follower) follow() {
	defer f.s.polling.Done()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-f.s.stop:
			return
		case <-tick.C:
		}
		before := f.last
		err := f.load()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			f.log.Error("fault rules not taken, the former stay", "err", err)
		case err == nil && f.last != before:
			said = ""
			f.log.Warn("fault rules changed", "node", f.s.self, "rules", f.last)
		}
	}
}
