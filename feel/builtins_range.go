package feel

import "strings"

// The functions of points and ranges (DMN 1.3, table 78). A point is a range
// of one value, included at both ends; which functions take points differs.
var rangeFunctions = map[string]builtinFunc{
	"before(point1, point2|point, range|range, point|range1, range2)": points(before),
	"after(point1, point2|point, range|range, point|range1, range2)":  points(func(a, b *Range) Bool { return before(b, a) }),
	"meets(range1, range2)":                    rangesOnly("meets", meets),
	"met by(range1, range2)":                   rangesOnly("met by", func(a, b *Range) Bool { return meets(b, a) }),
	"overlaps(range1, range2)":                 rangesOnly("overlaps", overlaps),
	"overlaps before(range1, range2)":          rangesOnly("overlaps before", overlapsBefore),
	"overlaps after(range1, range2)":           rangesOnly("overlaps after", func(a, b *Range) Bool { return overlapsBefore(b, a) }),
	"finishes(point, range|range1, range2)":    points(finishes),
	"finished by(range, point|range1, range2)": points(func(a, b *Range) Bool { return finishes(b, a) }),
	"includes(range, point|range1, range2)":    points(func(a, b *Range) Bool { return during(b, a) }),
	"during(point, range|range1, range2)":      points(during),
	"starts(point, range|range1, range2)":      points(starts),
	"started by(range, point|range1, range2)":  points(func(a, b *Range) Bool { return starts(b, a) }),
	"coincides(point1, point2|range1, range2)": coincides,
	"range(from)": rangeFrom,
}

// points makes a function of points and ranges.
func points(fn func(a, b *Range) Bool) builtinFunc {
	return func(c *evaluation, args []Value) (Value, bool) {
		a, b, ok := rangePair(args)
		if !ok {
			return null, false
		}
		return fn(a, b), true
	}
}

// rangesOnly makes a function of two ranges, which fails for points as in the
// original.
func rangesOnly(name string, fn func(a, b *Range) Bool) builtinFunc {
	return func(c *evaluation, args []Value) (Value, bool) {
		a, b, ok := rangePair(args)
		if !ok {
			return null, false
		}
		if args[0].Kind() != KindRange || args[1].Kind() != KindRange {
			return c.failed("%s needs two ranges but got '%s' and '%s'", name, c.describe(args[0]), c.describe(args[1])), true
		}
		return fn(a, b), true
	}
}

// rangePair gives the arguments as ranges, if their ends can be compared.
func rangePair(args []Value) (a, b *Range, ok bool) {
	a, b = asRange(args[0]), asRange(args[1])
	for _, x := range []Value{a.Start, a.End, b.End} {
		if _, ok := compare(x, b.Start); !ok {
			return nil, nil, false
		}
	}
	return a, b, true
}

func asRange(v Value) *Range {
	if r, ok := v.(*Range); ok {
		return r
	}
	return &Range{v, v, true, true}
}

// order compares ends that rangePair found comparable.
func order(a, b Value) int {
	n, _ := compare(a, b)
	return n
}

func before(a, b *Range) Bool {
	n := order(a.End, b.Start)
	return Bool(n < 0 || n == 0 && !(a.EndIncluded && b.StartIncluded))
}

func meets(a, b *Range) Bool {
	return Bool(a.EndIncluded && b.StartIncluded && order(a.End, b.Start) == 0)
}

func overlaps(a, b *Range) Bool { return !before(a, b) && !before(b, a) }

func overlapsBefore(a, b *Range) Bool {
	n := order(a.Start, b.Start)
	return Bool(n < 0 || n == 0 && a.StartIncluded && !b.StartIncluded) && !before(a, b) && endsWithin(a, b)
}

// startsWithin says whether a begins no earlier than b.
func startsWithin(a, b *Range) Bool {
	n := order(a.Start, b.Start)
	return Bool(n > 0 || n == 0 && (!a.StartIncluded || b.StartIncluded))
}

// endsWithin says whether a ends no later than b.
func endsWithin(a, b *Range) Bool {
	n := order(a.End, b.End)
	return Bool(n < 0 || n == 0 && (!a.EndIncluded || b.EndIncluded))
}

func during(a, b *Range) Bool { return startsWithin(a, b) && endsWithin(a, b) }

func starts(a, b *Range) Bool {
	return Bool(order(a.Start, b.Start) == 0 && a.StartIncluded == b.StartIncluded) && endsWithin(a, b)
}

func finishes(a, b *Range) Bool {
	return Bool(order(a.End, b.End) == 0 && a.EndIncluded == b.EndIncluded) && startsWithin(a, b)
}

func coincides(c *evaluation, args []Value) (Value, bool) {
	a, b, ok := rangePair(args)
	if !ok {
		return null, false
	}
	if args[0].Kind() != args[1].Kind() {
		return Bool(false), true // a point is no range, in the original too
	}
	return starts(a, b) && finishes(a, b), true
}

// rangeFrom reads a range from its text, in which the ends are literals (DMN
// 1.5, table 74). One that is missing must not be included.
func rangeFrom(c *evaluation, a []Value) (Value, bool) {
	s, ok := a[0].(String)
	if !ok {
		return null, false
	}
	c.spend(1 + len(s)/bytesPerStep)
	p := newParser(strings.TrimSpace(string(s)))
	n, err := p.parse(func() node { return p.rangeLiteral() })
	if err != nil || len(s) > maxRangeText {
		c.problem = "Failed to parse range from '" + string(s) + "'"
		return null, false
	}
	r, ok := n.eval(c).(*Range)
	if !ok {
		return null, false
	}
	if order, ok := compare(r.Start, r.End); ok && order > 0 {
		return null, false
	}
	return r, true
}

// maxRangeText bounds what is parsed at the time of an evaluation.
const maxRangeText = 1000
