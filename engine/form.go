package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// form is what the engine needs of a form: the rest is for those who show it.
type form struct{ id, versionTag string }

// readForm reads a form: a JSON object with an id. What follows the object is
// not looked at (seen on Zeebe 8.6.0).
func readForm(name string, data []byte) (*form, error) {
	var members map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&members); err != nil || members == nil {
		reason := "it is null"
		if err != nil {
			reason = err.Error()
		}
		return nil, &invalid{fmt.Sprintf("'%s': Expected the form to be a JSON object, but %s", name, reason)}
	}
	id, given, err := scalar(members["id"])
	if err != nil {
		return nil, &invalid{fmt.Sprintf("'%s': Expected the form id to be a text, but %s", name, err)}
	}
	switch {
	case !given:
		return nil, &invalid{"Expected the form id to be present, but none given"}
	case strings.TrimSpace(id) == "":
		return nil, &invalid{"Expected the form id to be filled, but it is blank"}
	}
	tag, _, err := scalar(members["versionTag"])
	if err != nil {
		return nil, &invalid{fmt.Sprintf("'%s': Expected the version tag to be a text, but %s", name, err)}
	}
	return &form{id: id, versionTag: tag}, nil
}

// scalar reads a text; of a number and a boolean it takes the characters, as
// the original does.
func scalar(raw json.RawMessage) (text string, given bool, err error) {
	switch {
	case raw == nil || string(raw) == "null":
		return "", false, nil
	case raw[0] == '"':
		err := json.Unmarshal(raw, &text)
		return text, true, err
	case raw[0] == '{' || raw[0] == '[':
		return "", false, fmt.Errorf("it is an object or a list")
	}
	return string(raw), true, nil
}
