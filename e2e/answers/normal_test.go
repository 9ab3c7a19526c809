package answers

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

var (
	number    = regexp.MustCompile(`\d{16,}`)
	partition = regexp.MustCompile(`(partition '?)(\d+)`)
	instant   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)(\[[\w/]+\])?`)
	identity  = regexp.MustCompile(`@[0-9a-f]{5,8}\b`)
	command   = regexp.MustCompile(`(command-api-)\d+( to )[\w.:-]+`)
	dump      = regexp.MustCompile(`TypedRecordImpl\{.*\}'`)
	// texts of Java exceptions that nobody meant for a client; the virtual machine may drop them
	internal = regexp.MustCompile(`(?m)Cannot (invoke|read field) ".*" because .* is null|\bclass \S+ cannot be cast to class .*$|(^'.*': )null$`)
	typeList = regexp.MustCompile(`\[[A-Z_]+(, [A-Z_]+)+\]`)
)

// normal makes an answer comparable between runs, brokers and partition counts.
func (r *run) normal(a *answer) (expectation, error) {
	e := expectation{Code: a.code, Message: sortBlocks(r.text(a.message))}
	if a.response != nil {
		b, err := json.Marshal(r.walk(a, "", a.response))
		if err != nil {
			return e, err
		}
		e.Response = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
	}
	return e, nil
}

// names puts variables back in.
func (r *run) names(s string) string {
	names := make([]string, 0, len(r.vars))
	for n := range r.vars {
		if n != "after" {
			names = append(names, n)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := r.vars[names[i]], r.vars[names[j]]
		return len(a) > len(b) || len(a) == len(b) && names[i] < names[j]
	})
	for _, n := range names {
		if v := r.vars[n]; len(v) >= 6 {
			s = strings.ReplaceAll(s, v, "${"+n+"}")
		}
	}
	return s
}

// text replaces what differs from run to run.
func (r *run) text(s string) string {
	s = r.names(s)
	s = number.ReplaceAllStringFunc(s, func(m string) string {
		if v, err := strconv.ParseInt(m, 10, 64); err != nil || v < 1<<51 || strings.Contains(r.sent.String(), m) {
			return m
		}
		return "<key>"
	})
	s = partition.ReplaceAllStringFunc(s, func(m string) string {
		p := partition.FindStringSubmatch(m)
		if v, err := strconv.ParseInt(p[2], 10, 64); err != nil || v < 1 || v > r.partitions {
			return m
		}
		return p[1] + "<partition>"
	})
	s = instant.ReplaceAllStringFunc(s, func(m string) string {
		if strings.Contains(r.sent.String(), m) {
			return m
		}
		return "<instant>"
	})
	s = typeList.ReplaceAllStringFunc(s, func(m string) string { // a set: any order
		l := strings.Split(m[1:len(m)-1], ", ")
		sort.Strings(l)
		return "[" + strings.Join(l, ", ") + "]"
	})
	s = internal.ReplaceAllString(s, "${2}<internal>")
	s = command.ReplaceAllString(s, "${1}<partition>${2}<broker>")
	s = dump.ReplaceAllString(s, "<record>'")
	return identity.ReplaceAllString(s, "@<hash>")
}

// sameText compares messages; where the original shows an exception's text, any will do.
func sameText(got, want string) bool {
	if !strings.Contains(want, "<internal>") {
		return got == want
	}
	p := strings.ReplaceAll(regexp.QuoteMeta(want), "<internal>", ".+")
	return regexp.MustCompile("(?s)^" + p + "$").MatchString(got)
}

// sortBlocks orders the "- Element:" blocks of each resource, which come in any order.
func sortBlocks(s string) string {
	const mark = "- Element: "
	var out, blocks []string
	flush := func() {
		sort.Strings(blocks)
		for i, b := range blocks {
			if i == 0 && len(out) > 0 && strings.HasSuffix(out[len(out)-1], "': ") {
				out[len(out)-1] += b
			} else {
				out = append(out, b)
			}
		}
		blocks = nil
	}
	for _, l := range strings.Split(s, "\n") {
		head, _, found := strings.Cut(l, mark)
		switch {
		case found && (head == "" || strings.HasSuffix(head, "': ")):
			if head != "" {
				flush()
				out = append(out, head)
			}
			blocks = append(blocks, l[len(head):])
		case len(blocks) > 0 && l != "" && l[0] != '\'':
			blocks[len(blocks)-1] += "\n" + l
		default:
			flush()
			out = append(out, l)
		}
	}
	flush()
	return strings.Join(out, "\n")
}

func (r *run) walk(a *answer, name string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = r.walk(a, k, x[k])
		}
		return x
	case []any:
		for i := range x {
			x[i] = r.walk(a, name, x[i])
		}
		if name == "partitions" || name == "brokers" { // as many as the cluster has
			x = dedupe(x)
		}
		if name == "deployments" { // the decisions of a resource stand in any order
			sort.SliceStable(x, func(i, j int) bool { return decisionID(x[i]) != "" && decisionID(x[i]) < decisionID(x[j]) })
		}
		return x
	case string:
		switch name {
		case "variables", "customHeaders", "decisionOutput", "inputValue", "outputValue":
			return r.names(canonical(x))
		case "deadline":
			if n, err := strconv.ParseInt(x, 10, 64); err == nil && n > 1_000_000_000_000 {
				return "<time>"
			}
		case "host", "version", "gatewayVersion":
			if x != "" {
				return "<" + name + ">"
			}
		}
		if strings.HasSuffix(name, "Key") || name == "key" {
			return r.key(a, name, x)
		}
		return r.text(x)
	case json.Number:
		switch name {
		case "port", "clusterSize", "partitionsCount", "replicationFactor", "partitionId", "nodeId":
			if x != "0" || name == "nodeId" {
				return "<" + name + ">"
			}
		}
	}
	return v
}

// key names a key by variable, or by the partition it belongs to where that is fixed.
func (r *run) key(a *answer, field, s string) string {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 1<<51 {
		return r.text(s)
	}
	for n, w := range r.vars {
		if w == s && n != "after" {
			return "${" + n + "}"
		}
	}
	p, want, tag := v>>51, int64(0), ""
	switch field {
	case "processDefinitionKey", "decisionKey", "decisionRequirementsKey", "formKey":
		want, tag = 1, "@1"
	case "key":
		switch a.method {
		case "DeployResource", "DeployProcess":
			want, tag = 1, "@1"
		case "PublishMessage":
			want, tag = messagePartition(a.corrKey, r.partitions), "@hash"
		}
	}
	switch {
	case want != 0 && p == want:
		return "<key" + tag + ">"
	case want == 0 && p >= 1 && p <= r.partitions:
		return "<key>"
	}
	return fmt.Sprintf("<key of partition %d>", p)
}

// messagePartition is where the protocol puts a message: a hash of the correlation key's
// bytes (31·h + signed byte, 32 bits), absolute remainder by the number of partitions.
func messagePartition(key string, n int64) int64 {
	var h int32
	for i := 0; i < len(key); i++ {
		h = 31*h + int32(int8(key[i]))
	}
	m := int64(h) % n
	if m < 0 {
		m = -m
	}
	return m + 1
}

func decisionID(v any) string {
	d, _ := v.(map[string]any)["decision"].(map[string]any)
	s, _ := d["dmnDecisionId"].(string)
	return s
}

func dedupe(list []any) []any {
	seen := map[string]bool{}
	out := []any{}
	for _, v := range list {
		b, _ := json.Marshal(v)
		if !seen[string(b)] {
			seen[string(b)] = true
			out = append(out, v)
		}
	}
	return out
}

// canonical sorts the keys of a JSON text and gives each float one spelling.
func canonical(s string) string {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return s
	}
	b, err := json.Marshal(numbers(v))
	if err != nil {
		return s
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
}

func numbers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = numbers(x[k])
		}
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case json.Number:
		if strings.ContainsAny(string(x), ".eE") {
			if f, err := x.Float64(); err == nil {
				t := strconv.FormatFloat(f, 'g', -1, 64)
				if !strings.ContainsAny(t, ".e") {
					t += ".0"
				}
				return json.Number(t)
			}
		}
	}
	return v
}
