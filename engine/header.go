package engine

import (
	"fmt"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
)

// dynamicHeader works out a user task's header, such as its assignee. ok is
// false if there is nothing to say.
func (r *run) dynamicHeader(h *bpmn.DynamicHeader, el *elem) (text string, ok bool, fail *failure) {
	res, err := r.value(h.Source, el)
	if err != nil {
		return "", false, &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	switch h.Type {
	case bpmn.ListHeader:
		return r.listHeader(h, res)
	case bpmn.DateHeader:
		return dateHeader(h, res)
	}
	s, isString := res.Value.(feel.String)
	if !isString {
		return "", false, wrongType(h, "STRING", res)
	}
	return string(s), true, nil
}

func wrongType(h *bpmn.DynamicHeader, want string, res feel.Result) *failure {
	text := fmt.Sprintf("Expected result of the expression '%s' to be '%s', but was '%s'.", h.Source.Source(), want, kindName(res.Value))
	return &failure{"EXTRACT_VALUE_ERROR", text + warnings(res.Warnings)}
}

func (r *run) listHeader(h *bpmn.DynamicHeader, res feel.Result) (string, bool, *failure) {
	list, isList := res.Value.(feel.List)
	if !isList {
		return "", false, wrongType(h, "ARRAY", res)
	}
	for _, v := range list {
		if v == nil || v.Kind() != feel.KindString {
			text := fmt.Sprintf("Expected result of the expression '%s' to be 'ARRAY' containing 'STRING' items, but was 'ARRAY' containing at least one non-'STRING' item.", h.Source.Source())
			return "", false, &failure{"EXTRACT_VALUE_ERROR", text}
		}
	}
	return string(feel.AppendJSON(nil, list)), true, nil
}

func dateHeader(h *bpmn.DynamicHeader, res feel.Result) (string, bool, *failure) {
	if res.Value == nil || res.Value.Kind() == feel.KindNull {
		return "", false, nil
	}
	switch res.Value.Kind() {
	case feel.KindString:
		text := string(res.Value.(feel.String))
		canonical, ok := bpmn.DateTimeText(text)
		if !ok {
			reason := fmt.Sprintf("Invalid date-time format '%s' for expression '%s'.", text, h.Source.Source())
			return "", false, &failure{"EXTRACT_VALUE_ERROR", reason}
		}
		return canonical, true, nil
	case feel.KindDateTime:
		text := string(feel.AppendJSON(nil, res.Value))
		return text[1 : len(text)-1], true, nil
	}
	return "", false, wrongType(h, "DATE_TIME", res)
}
