package dmn

import (
	"errors"
	"sort"
	"strings"

	"github.com/grevy-io/grevy/feel"
)

func (t *tableLogic) byPriority() bool {
	return t.hitPolicy == "PRIORITY" || t.hitPolicy == "OUTPUT ORDER"
}

// result applies the hit policy (DMN 1.3, 8.2.8) to the rules that matched, of
// which there is at least one.
func (t *tableLogic) result(e *evaluation, rules []Rule) (feel.Value, error) {
	if t.byPriority() {
		var err error
		if rules, err = t.sorted(e, rules); err != nil {
			return nil, err
		}
	}
	values := make(feel.List, 0, len(rules))
	for _, r := range rules {
		values = append(values, t.valueOf(r))
	}
	switch t.hitPolicy {
	case "UNIQUE":
		if len(values) > 1 {
			return nil, t.conflict(e, "multiple values aren't allowed for UNIQUE hit policy.", rules)
		}
	case "ANY":
		for _, v := range values[1:] {
			same, err := e.equal(values[0], v)
			if err != nil {
				return nil, err
			}
			if !same {
				return nil, t.conflict(e, "different values aren't allowed for ANY hit policy.", rules)
			}
		}
	case "COLLECT":
		return t.collect(e, values)
	case "RULE ORDER", "OUTPUT ORDER":
		return values, nil
	}
	return values[0], nil
}

// collect aggregates the values. Without an aggregation it gives them all.
func (t *tableLogic) collect(e *evaluation, values feel.List) (feel.Value, error) {
	switch t.aggregation {
	case "":
		return values, nil
	case "COUNT":
		return feel.NewInt(int64(len(values))), nil
	}
	for _, v := range values {
		if v.Kind() != feel.KindNumber {
			text, err := e.text(v)
			if err != nil {
				return nil, err
			}
			return nil, e.noted(errors.New("expected number but found '" + short(text) + "'"))
		}
	}
	return e.on(aggregators[t.aggregation], values, nil)
}

// sorted orders the rules by the priority of their first output, those with
// the same one by the next output, and so on. A value that is not among the
// output values comes after those that are.
func (t *tableLogic) sorted(e *evaluation, rules []Rule) ([]Rule, error) {
	type ranked struct {
		rule  Rule
		ranks []int
	}
	all := make([]ranked, 0, len(rules))
	for _, r := range rules {
		x := ranked{rule: r}
		for i, o := range r.Outputs {
			rank, err := e.rank(t.outputs[i].values, o.Value)
			if err != nil {
				return nil, err
			}
			x.ranks = append(x.ranks, rank)
		}
		all = append(all, x)
	}
	sort.SliceStable(all, func(i, j int) bool {
		for k, a := range all[i].ranks {
			if b := all[j].ranks[k]; a != b {
				return a < b
			}
		}
		return false
	})
	out := make([]Rule, 0, len(all))
	for _, x := range all {
		out = append(out, x.rule)
	}
	return out, nil
}

func (e *evaluation) rank(values feel.List, v feel.Value) (int, error) {
	for i, x := range values {
		same, err := e.equal(x, v)
		if err != nil {
			return 0, err
		}
		if same {
			return i, nil
		}
	}
	return len(values), nil
}

// conflict is a failure that shows what was found, in the original's layout:
// List(Map(y -> 1), Map(y -> 2)).
func (t *tableLogic) conflict(e *evaluation, what string, rules []Rule) error {
	var b strings.Builder
	for i, r := range rules {
		if b.Len() > maxFound {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("Map(")
		for j, o := range r.Outputs {
			text, err := e.text(o.Value)
			if err != nil {
				return err
			}
			if j > 0 {
				b.WriteString(", ")
			}
			b.WriteString(t.outputs[j].key + " -> " + short(text))
		}
		b.WriteString(")")
	}
	return e.noted(errors.New(what + " found: 'List(" + short(b.String()) + ")'"))
}
