package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// variablesUsage is what a flag of variables takes.
const variablesUsage = "a JSON object, or @FILE, or @- for standard input"

// variables reads --variables: JSON as it stands, @FILE, or @- for standard
// input. It must be an object, for only that can be variables.
func (a *app) variables(text string) (string, error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		b, err := a.readFile(name)
		if err != nil {
			return "", fmt.Errorf("variables: %w", err)
		}
		text = string(b)
	}
	if strings.TrimSpace(text) == "" {
		return "{}", nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return "", fmt.Errorf("variables: not a JSON object: %w", err)
	}
	if object == nil {
		return "", fmt.Errorf("variables: not a JSON object: null")
	}
	return text, nil
}

// readFile reads a file, or standard input for "-".
func (a *app) readFile(name string) ([]byte, error) {
	if name == "-" {
		b, err := io.ReadAll(a.in)
		if err != nil {
			return nil, fmt.Errorf("cannot read standard input: %w", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, systemWords(err))
	}
	return b, nil
}

// raw keeps what a server sent as JSON what it is; what is no JSON becomes a
// string.
func raw(text string) json.RawMessage {
	if text == "" {
		text = "{}"
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	b, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
