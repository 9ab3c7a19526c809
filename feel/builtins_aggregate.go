package feel

import "math"

// Functions of a list, or of several arguments as its elements.
var aggregateFunctions = map[string]builtinFunc{
	"min(list...)":     func(c *evaluation, a []Value) (Value, bool) { return c.extreme(listOf(a), -1) },
	"max(list...)":     func(c *evaluation, a []Value) (Value, bool) { return c.extreme(listOf(a), 1) },
	"sum(list...)":     ofNumbers(func(c *evaluation, l []Number) Value { return c.fold(l, Number.add) }),
	"product(list...)": ofNumbers(func(c *evaluation, l []Number) Value { return c.fold(l, Number.mul) }),
	"mean(list...)":    ofNumbers(func(c *evaluation, l []Number) Value { return c.mean(l) }),
	"median(list...)":  ofNumbers(median),
	"stddev(list...)":  ofNumbers(stddev),
	"mode(list...)":    ofNumbers(mode),
	"all(list...)":     func(c *evaluation, a []Value) (Value, bool) { return decide(a, false) },
	"and(list...)":     func(c *evaluation, a []Value) (Value, bool) { return decide(a, false) },
	"any(list...)":     func(c *evaluation, a []Value) (Value, bool) { return decide(a, true) },
	"or(list...)":      func(c *evaluation, a []Value) (Value, bool) { return decide(a, true) },
}

// extreme gives the least (sign -1) or the greatest (1) element.
func (c *evaluation) extreme(l List, sign int) (Value, bool) {
	if len(l) == 0 {
		return null, true
	}
	c.spend(len(l))
	best := orNull(l[0])
	if k := best.Kind(); k == KindList || k == KindContext {
		return c.failed("values of type %s can't be ordered: '%s'", k, c.describe(best)), true
	}
	if _, ok := compare(best, best); !ok {
		return null, false
	}
	for _, e := range l[1:] {
		order, ok := compare(e, best)
		if !ok {
			return c.notComparable(orNull(e), best), true
		}
		if order == sign {
			best = e
		}
	}
	return best, true
}

// ofNumbers makes a function of numbers; without any, it is null, but for the
// mode an empty list.
func ofNumbers(fn func(c *evaluation, l []Number) Value) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		l := listOf(a)
		c.spend(len(l))
		numbers := make([]Number, len(l))
		for i, e := range l {
			n, ok := e.(Number)
			if !ok {
				return null, false
			}
			numbers[i] = n
		}
		return fn(c, numbers), true
	}
}

func (c *evaluation) fold(l []Number, op func(Number, Number) (Number, bool)) Value {
	if len(l) == 0 {
		return null
	}
	r, ok := l[0], true
	for _, n := range l[1:] {
		c.weigh(r, 1)
		if r, ok = op(r, n); !ok {
			break
		}
	}
	return c.number(r, ok)
}

func (c *evaluation) mean(l []Number) Value {
	sum, ok := c.fold(l, Number.add).(Number)
	if !ok {
		return null
	}
	return c.number(sum.div(NewInt(int64(len(l)))))
}

func (c *evaluation) sorted(l []Number) List {
	values := make(List, len(l))
	for i, n := range l {
		values[i] = n
	}
	c.mergeSort(values, make(List, len(l)), func(x, y Value) bool {
		c.spend(1)
		return x.(Number).Cmp(y.(Number)) < 0
	})
	return values
}

func median(c *evaluation, l []Number) Value {
	if len(l) == 0 {
		return null
	}
	s := c.sorted(l)
	mid := s[len(s)/2].(Number)
	if len(s)%2 == 1 {
		return mid
	}
	return c.mean([]Number{s[len(s)/2-1].(Number), mid})
}

// stddev gives the standard deviation of a sample, the root being that of a
// double as in the original. Of one number there is none.
func stddev(c *evaluation, l []Number) Value {
	if len(l) == 0 {
		return null
	}
	if len(l) == 1 {
		return c.failed("stddev of one number '%s'", l[0])
	}
	mean, ok := c.mean(l).(Number)
	if !ok {
		return null
	}
	squares := make([]Number, len(l))
	for i, n := range l {
		d, ok1 := n.sub(mean)
		sq, ok2 := d.mul(d)
		if !ok1 || !ok2 {
			return c.number(Number{}, false)
		}
		squares[i] = sq
	}
	sum, ok := c.fold(squares, Number.add).(Number)
	if !ok {
		return null
	}
	variance, ok := sum.div(NewInt(int64(len(l) - 1)))
	if !ok {
		return c.number(Number{}, false)
	}
	return c.number(fromFloat(math.Sqrt(variance.Float64())))
}

// mode gives the numbers that are there most often, ascending.
func mode(c *evaluation, l []Number) Value {
	out, best := List{}, 0
	s := c.sorted(l)
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j].(Number).Cmp(s[i].(Number)) == 0 {
			j++
		}
		if j-i > best {
			out, best = out[:0], j-i
		}
		if j-i == best {
			out = append(out, s[i])
		}
		i = j
	}
	return out
}

// decide is a disjunction (decides is true) or a conjunction of booleans.
func decide(args []Value, decides Bool) (Value, bool) {
	unknown := false
	for _, e := range listOf(args) {
		b, ok := e.(Bool)
		unknown = unknown || !ok
		if ok && b == decides {
			return decides, true
		}
	}
	return !decides, !unknown
}
