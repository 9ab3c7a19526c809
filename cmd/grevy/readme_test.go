package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grevy-io/grevy"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks gives the fenced blocks of a language.
func blocks(text, language string) (list []string) {
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// Every program in Go that the README shows builds.
func TestReadme_ItsProgramsBuild(t *testing.T) {
	t.Parallel()
	programs := blocks(readme(t), "go")
	if len(programs) < 2 {
		t.Fatalf("%d programs", len(programs))
	}
	for _, p := range programs {
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(p), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, file)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// The README's commands are run in its order; KEY is the job's.
func TestReadme_ItsCommandsWork(t *testing.T) {
	text := readme(t)
	model := filepath.Join(t.TempDir(), "order.bpmn")
	if err := os.WriteFile(model, []byte(blocks(text, "xml")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	b := openBroker(t, grevy.Config{})
	t.Setenv("GREVY_ADDRESS", gatewayOf(b))
	t.Setenv("GREVY_HTTP", httpOf(b))
	key, ran := "", 0
	for _, m := range regexp.MustCompile(`(?m)^    \./grevy (.*)$`).FindAllStringSubmatch(text, -1) {
		args := words(m[1])
		if args[0] == "start" || strings.Contains(m[1], "--watch") {
			continue
		}
		if args[0] == "bench" {
			args = append(args, "-d", "200ms")
		}
		for i, a := range args {
			args[i] = strings.NewReplacer("order.bpmn", model, "KEY", key).Replace(a)
		}
		r := grevyRun(t, args...).ok(t)
		if found := regexp.MustCompile(`(?m)^(\d{16})  \d{16}  order v1`).FindStringSubmatch(r.out); found != nil {
			key = found[1]
		}
		ran++
	}
	if ran < 7 {
		t.Errorf("only %d commands", ran)
	}
}

// words splits a line as a shell does; only single quotes are known.
func words(line string) (list []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}
