package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/grevy-io/grevy/protocol"
)

// modelMaker makes random models in short form: blocks in a row, nested. Some
// of their conditions and mappings fail for some variables.
type modelMaker struct {
	rnd   *rand.Rand
	lines []string
	next  int
	// callable is a process that may be called, empty if none may.
	callable string
	// handling: inside an event sub-process. What throws a signal there could begin
	// itself again for ever.
	handling bool
}

// RandomModel makes a model in short form. callable is a process that its call
// activities may call, empty if there is none.
func RandomModel(rnd *rand.Rand, id, callable string) string {
	m := &modelMaker{rnd: rnd, callable: callable}
	last := m.row(m.node("start", ""), 3)
	m.flow(last, "", m.node("end", ""))
	if rnd.IntN(3) == 0 {
		m.eventSubProcess(1)
	}
	for _, event := range []string{"message=m", "signal=n", "cycle=R2/PT0.7S"} {
		if rnd.IntN(4) == 0 && callable != "" {
			m.flow(m.then(m.node("start", event), "service", m.work()), "", m.node("end", ""))
		}
	}
	return "process " + id + m.listeners("start", "end") + " {\n" + strings.Join(m.lines, "\n") + "\n}"
}

// node writes a node in a line of its own and returns its id.
func (m *modelMaker) node(kind, attrs string) string {
	m.next++
	id := fmt.Sprintf("%c%d", kind[0], m.next)
	m.lines = append(m.lines, strings.TrimSpace(kind+" "+id+" "+attrs))
	return id
}

func (m *modelMaker) flow(from, condition, to string) {
	if condition != "" {
		condition = "?'" + condition + "' "
		if condition == "?'default' " {
			condition = "?default "
		}
	}
	m.lines = append(m.lines, fmt.Sprintf("%s -> %s%s", from, condition, to))
}

// row writes some blocks behind a node and returns the last one's end.
func (m *modelMaker) row(from string, depth int) string {
	for range 1 + m.rnd.IntN(2) {
		from = m.block(from, depth)
	}
	return from
}

func (m *modelMaker) block(from string, depth int) string {
	kind := m.rnd.IntN(8)
	if depth == 0 {
		kind = m.rnd.IntN(4)
	}
	if m.callable != "" && m.rnd.IntN(12) == 0 {
		flags := []string{"", " allparent=false", " allchild=false"}[m.rnd.IntN(3)]
		id := m.then(from, "call", "calls="+m.callable+flags+" "+mappings[m.rnd.IntN(len(mappings))]+m.listeners("start", "end"))
		if m.rnd.IntN(2) == 0 {
			m.flow(m.node("boundary", "on="+id+" error"), "", m.node("end", ""))
		}
		return id
	}
	if m.rnd.IntN(6) == 0 {
		return m.timed(from, depth)
	}
	if m.rnd.IntN(6) == 0 {
		return m.told(from, depth)
	}
	if m.rnd.IntN(8) == 0 {
		return m.then(from, "rule", decisions[m.rnd.IntN(len(decisions))]+" "+mappings[m.rnd.IntN(len(mappings))])
	}
	switch kind {
	case 0, 1, 2:
		return m.undone(m.then(from, "service", m.work()), depth)
	case 3:
		if m.rnd.IntN(5) == 0 {
			return m.then(from, "throw", "compensate"+m.listeners("start", "end"))
		}
		return m.then(from, []string{"manual", "task", "throw"}[m.rnd.IntN(3)], m.listeners("start", "end"))
	case 4:
		return m.exclusive(from, depth-1)
	case 5, 6:
		return m.parallel(from, depth-1)
	}
	return m.undone(m.subProcess(from, depth-1), depth)
}

// undone gives an activity a handler that compensates it, now and then, and
// behind it an event that compensates it alone.
func (m *modelMaker) undone(activity string, depth int) string {
	if m.rnd.IntN(4) > 0 {
		return activity
	}
	m.next++
	handler := fmt.Sprintf("u%d", m.next)
	m.node("boundary", "on="+activity+" compensate="+handler)
	if depth > 0 && m.rnd.IntN(4) == 0 {
		m.lines = append(m.lines, "sub "+handler+" compensation {")
		m.flow(m.row(m.node("start", ""), 0), "", m.node("end", ""))
		m.lines = append(m.lines, "}")
	} else {
		m.lines = append(m.lines, "service "+handler+" compensation "+m.work())
	}
	if m.rnd.IntN(3) == 0 {
		return m.then(activity, "throw", "compensate="+activity)
	}
	return activity
}

var timers = []string{"timer=PT0.5S", "timer=PT0S", "timer='= if v = 3 then v else \"PT1S\"'", "date='= if v = 2 then w else \"1980-01-01T00:00:00Z\"'"}

// decisions are called by business rule tasks; those of rules are there, or
// somewhere.
var decisions = []string{
	"decision=d1 result=v", "decision=d2 result=w", "decision='= if v = 1 then \"d2\" else \"d1\"' result=o",
	"decision=d1 result=v binding=versionTag vtag=one", "decision=d1 result=v binding=deployment", "decision=nope result=v",
}

// RandomRules makes the resource in which the decisions of random models are.
func RandomRules() protocol.Resource {
	const text = `<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="rules" name="n" namespace="x">
		<decision id="d1" name="D1"><extensionElements><zeebe:versionTag value="one"/></extensionElements><literalExpression><text>if v = null then 0 else v</text></literalExpression></decision>
		<decision id="d2" name="D2"><informationRequirement><requiredDecision href="#d1"/></informationRequirement><literalExpression><text>assert(d1, w != null)</text></literalExpression></decision></definitions>`
	return protocol.Resource{Name: "rules.dmn", Content: []byte(text)}
}

// timed waits for a time, or does something else beside or instead.
func (m *modelMaker) timed(from string, depth int) string {
	timer := timers[m.rnd.IntN(len(timers))]
	if m.rnd.IntN(3) == 0 {
		return m.then(from, "catch", timer+" "+mappings[m.rnd.IntN(3)]+m.listeners("start", "end"))
	}
	var activity string
	if depth > 0 && m.rnd.IntN(2) == 0 {
		activity = m.subProcess(from, depth-1)
	} else {
		activity = m.then(from, "service", m.work())
	}
	if m.rnd.IntN(2) == 0 {
		timer = []string{"cycle=R3/PT0.7S", timer}[m.rnd.IntN(2)] + " noninterrupting"
	}
	late := m.then(m.node("boundary", "on="+activity+" "+timer+m.listeners("end")), "service", m.work())
	m.flow(late, "", m.node("end", ""))
	return activity
}

// happenings are messages and signals that are waited for.
var happenings = []string{"message=m key='= v'", "message=n key='= \"1\"'", "message=m key='= w'", "signal=m", "signal='= if v = 3 then v else \"n\"'"}

func (m *modelMaker) happening() string { return happenings[m.rnd.IntN(len(happenings))] }

// told waits for a message or signal, or throws one, or is interrupted by one.
func (m *modelMaker) told(from string, depth int) string {
	kind := m.rnd.IntN(5)
	if kind == 2 && (m.handling || m.callable != "") {
		kind = 0
	}
	switch kind {
	case 0:
		return m.then(from, "catch", m.happening()+" "+mappings[m.rnd.IntN(3)])
	case 1:
		return m.then(from, "receive", happenings[m.rnd.IntN(3)]+m.loop())
	case 2:
		return m.then(from, "throw", "signal=m in.x='= v'")
	case 3:
		gateway := m.then(from, "evgw", "")
		merge := m.node("xor", "")
		for _, event := range []string{m.happening(), "timer=PT1S"} {
			m.flow(m.then(gateway, "catch", event), "", merge)
		}
		return merge
	}
	activity := m.then(from, "service", m.work())
	if depth > 0 && m.rnd.IntN(2) == 0 {
		activity = m.subProcess(from, depth-1)
	}
	beside := m.happening() + []string{"", " noninterrupting"}[m.rnd.IntN(2)]
	late := m.then(m.node("boundary", "on="+activity+" "+beside), "service", m.work())
	end := "signal=m"
	if m.handling || m.callable != "" || beside == "signal=m noninterrupting" { // it would lead to itself for ever
		end = ""
	}
	m.flow(late, "", m.node("end", end))
	return activity
}

func (m *modelMaker) then(from, kind, attrs string) string {
	id := m.node(kind, attrs)
	m.flow(from, "", id)
	return id
}

var mappings = []string{"", "", "in.l='= v'", "out.v='= v + 1'", "out.o.p='= w'", "in.a.b='= v'", "in.l='= assert(v, v != null)'", "out.q='= assert(w, w != null)'"}

func (m *modelMaker) work() string {
	kind := fmt.Sprintf("type=%c", 'a'+rune(m.rnd.IntN(3)))
	return kind + " " + mappings[m.rnd.IntN(len(mappings))] + m.loop() + m.listeners("start", "end")
}

// listeners are jobs around an element, now and then. The type of one is unknown
// for some variables.
func (m *modelMaker) listeners(events ...string) (list string) {
	for _, event := range events {
		for _, jobType := range []string{"a", "b", "'= if v = 2 then v else \"c\"'"} {
			if m.rnd.IntN(30) == 0 {
				list += " on." + event + "=" + jobType
			}
		}
	}
	return list
}

// loop makes an activity multi-instance, now and then.
func (m *modelMaker) loop() string {
	if m.rnd.IntN(10) > 0 {
		return ""
	}
	items := []string{"[1,2,3]", "if v = 2 then v else [v,w]", "for i in 1..40 return i", "[]"}[m.rnd.IntN(4)]
	loop := fmt.Sprintf(" each='= %s' elem=i", items)
	if m.rnd.IntN(2) == 0 {
		loop += " outc=results oute='= v'"
	}
	if m.rnd.IntN(3) == 0 {
		loop += " until='= numberOfCompletedInstances > 1'"
	}
	if m.rnd.IntN(2) == 0 {
		loop += " seq"
	}
	return loop
}

func (m *modelMaker) exclusive(from string, depth int) string {
	split := m.then(from, "xor", m.listeners("start"))
	merge := m.node("xor", "")
	for i, condition := range []string{"v > 1", "v > 0"} {
		branch := m.node("manual", "")
		m.flow(split, condition, branch)
		if i == 0 {
			branch = m.row(branch, depth)
		}
		m.flow(branch, "", merge)
	}
	if m.rnd.IntN(2) == 0 {
		m.flow(split, "default", merge)
	}
	return merge
}

func (m *modelMaker) parallel(from string, depth int) string {
	fork, join := m.then(from, "and", m.listeners("start")), m.node("and", m.listeners("start"))
	for range 2 + m.rnd.IntN(2) {
		branch := m.then(fork, "service", m.work())
		if m.rnd.IntN(3) == 0 {
			branch = m.row(branch, depth)
		}
		m.flow(branch, "", join)
	}
	if m.rnd.IntN(4) == 0 {
		wide := m.node("manual", "")
		m.flow(fork, "", wide)
		n := 30 + m.rnd.IntN(30)
		if m.rnd.IntN(8) == 0 && m.callable != "" { // what is called often would be too much
			n = 400 + m.rnd.IntN(500) // more steps than one command takes
		}
		m.lines = append(m.lines, fmt.Sprintf("@%d: %s -> service %s_# type=a", n, wide, wide))
	}
	return join
}

func (m *modelMaker) subProcess(from string, depth int) string {
	m.next++
	id := fmt.Sprintf("p%d", m.next)
	m.lines = append(m.lines, strings.TrimSpace("sub "+id+" "+mappings[m.rnd.IntN(len(mappings))]+m.loop()+m.listeners("start", "end"))+" {")
	last := m.row(m.node("start", ""), depth)
	m.flow(last, "", m.node("end", []string{"", "", "terminate", "error=E1", "error='= if v = 2 then v else \"E2\"'", "escalation=E1", "compensate"}[m.rnd.IntN(7)]))
	if m.rnd.IntN(3) == 0 {
		m.eventSubProcess(depth)
	}
	m.lines = append(m.lines, "}")
	m.flow(from, "", id)
	for _, code := range []string{"error", "error=E1", "escalation", "escalation=E1 noninterrupting"} {
		if m.rnd.IntN(3) == 0 {
			caught := m.then(m.node("boundary", "on="+id+" "+code), "service", m.work())
			m.flow(caught, "", m.node("end", ""))
		}
	}
	return id
}

// eventSubProcess writes one that begins by an error or a timer.
func (m *modelMaker) eventSubProcess(depth int) {
	m.next++
	m.lines = append(m.lines, fmt.Sprintf("eventsub h%d {", m.next))
	outer := m.handling
	m.handling = true
	defer func() { m.handling = outer }()
	start := []string{"error=E2", "error", timers[m.rnd.IntN(len(timers))], "cycle=R2/PT0.7S noninterrupting", m.happening(), m.happening() + " noninterrupting"}[m.rnd.IntN(6)]
	last := m.row(m.node("start", start+m.listeners("end")), min(depth, 1))
	m.flow(last, "", m.node("end", []string{"", "terminate", "error=E1", "compensate"}[m.rnd.IntN(4)]))
	m.lines = append(m.lines, "}")
}
