package feel

var listFunctions = map[string]builtinFunc{
	"list contains(list, element)": onList(func(c *evaluation, l List, a []Value) (Value, bool) {
		return Bool(c.listContains(l, a[1])), true
	}),
	"count(list)":    onList(func(c *evaluation, l List, a []Value) (Value, bool) { return NewInt(int64(len(l))), true }),
	"is empty(list)": onList(func(c *evaluation, l List, a []Value) (Value, bool) { return Bool(len(l) == 0), true }),
	"sublist(list, start position)": onList(func(c *evaluation, l List, a []Value) (Value, bool) {
		return c.sublist(l, a[1], NewInt(int64(len(l))))
	}),
	"sublist(list, start position, length)": onList(func(c *evaluation, l List, a []Value) (Value, bool) {
		return c.sublist(l, a[1], a[2])
	}),
	"append(list, items)":                    onList(appendTo),
	"append(list...)":                        onList(appendTo),
	"concatenate(lists...)":                  func(c *evaluation, a []Value) (Value, bool) { return c.concatenate(a), true },
	"insert before(list, position, newItem)": onList(insertBefore),
	"remove(list, position)":                 onList(removeAt),
	"reverse(list)":                          onList(reverse),
	"index of(list, match)":                  onList(indexOf),
	"union(lists...)":                        func(c *evaluation, a []Value) (Value, bool) { return c.distinct(c.concatenate(a)), true },
	"distinct values(list)":                  onList(func(c *evaluation, l List, a []Value) (Value, bool) { return c.distinct(l), true }),
	"duplicate values(list)":                 onList(duplicates),
	"flatten(list)":                          onList(func(c *evaluation, l List, a []Value) (Value, bool) { return c.flatten(List{}, l, 0), true }),
	"sort(list, precedes)":                   onList(sortBy),
	"list replace(list, position, newItem|list, match, newItem)": listReplace,
}

// onList makes a function whose first argument is a list.
func onList(fn func(c *evaluation, l List, a []Value) (Value, bool)) builtinFunc {
	return func(c *evaluation, a []Value) (Value, bool) {
		l, ok := a[0].(List)
		if !ok {
			return null, false
		}
		return fn(c, l, a)
	}
}

// span gives the position from 0 of a position from 1, or from -1 at the end.
func span(position int64, length int) int64 {
	if position < 0 {
		return max(position+int64(length), 0)
	}
	return position - 1
}

func (c *evaluation) sublist(l List, start, length Value) (Value, bool) {
	from, ok1 := whole(start)
	n, ok2 := whole(length)
	if !ok1 || !ok2 {
		return null, false
	}
	if from == 0 || n <= 0 {
		return List{}, true
	}
	from = span(from, len(l))
	if from >= int64(len(l)) {
		return List{}, true
	}
	to := from + min(n, int64(len(l))-from)
	return l[from:to:to], true
}

func appendTo(c *evaluation, l List, a []Value) (Value, bool) {
	if len(a) < 2 {
		return null, false
	}
	c.spend(len(l))
	return append(l[:len(l):len(l)], a[1:]...), true
}

// concatenate joins lists; what is no list is an element.
func (c *evaluation) concatenate(lists []Value) List {
	out := List{}
	for _, v := range lists {
		if l, ok := v.(List); ok {
			c.spend(len(l))
			out = append(out, l...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func insertBefore(c *evaluation, l List, a []Value) (Value, bool) {
	position, ok := whole(a[1])
	if !ok {
		return null, false
	}
	c.spend(len(l))
	at := min(max(span(position, len(l)), 0), int64(len(l)))
	out := make(List, 0, len(l)+1)
	out = append(append(out, l[:at]...), a[2])
	return append(out, l[at:]...), true
}

func removeAt(c *evaluation, l List, a []Value) (Value, bool) {
	position, ok := whole(a[1])
	if !ok {
		return null, false
	}
	if position < 0 {
		position += int64(len(l)) + 1
	}
	if position < 1 || position > int64(len(l)) {
		return l, true
	}
	c.spend(len(l))
	return append(l[:position-1:position-1], l[position:]...), true
}

func reverse(c *evaluation, l List, _ []Value) (Value, bool) {
	c.spend(len(l))
	out := make(List, len(l))
	for i, e := range l {
		out[len(l)-1-i] = e
	}
	return out, true
}

func indexOf(c *evaluation, l List, a []Value) (Value, bool) {
	out := List{}
	for i, e := range l {
		c.spend(1)
		if eq, ok := c.equal(e, a[1]); ok && eq {
			out = append(out, NewInt(int64(i+1)))
		}
	}
	return out, true
}

func (c *evaluation) distinct(l List) List {
	out := List{}
	for _, e := range l {
		if !c.listContains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

func duplicates(c *evaluation, l List, _ []Value) (Value, bool) {
	out := List{}
	for i, e := range l {
		if c.listContains(l[:i], e) && !c.listContains(out, e) {
			out = append(out, e)
		}
	}
	return out, true
}

func (c *evaluation) flatten(out, l List, depth int) List {
	depth = c.deeper(depth)
	for _, e := range l {
		c.spend(1)
		if inner, ok := e.(List); ok {
			out = c.flatten(out, inner, depth)
		} else {
			out = append(out, e)
		}
	}
	return out
}

// listOfOne gives a list, of a value that is none the list of it (DMN 1.3,
// 10.3.2.9.4).
func listOfOne(v Value) (List, bool) {
	if l, ok := v.(List); ok {
		return l, true
	}
	return List{v}, v.Kind() != KindNull
}

// listReplace puts an item in the place of the one at a position, or of those
// for which a function of old and new item is true.
func listReplace(c *evaluation, a []Value) (Value, bool) {
	l, ok := listOfOne(a[0])
	if !ok {
		return null, false
	}
	c.spend(len(l))
	out := append(List(nil), l...)
	if f, ok := a[1].(*Function); ok {
		for i, e := range l {
			if len(f.params) != 2 {
				return null, false
			}
			matches, ok := c.invoke(f, []Value{orNull(e), a[2]}).(Bool)
			if !ok {
				return null, false
			}
			if matches {
				out[i] = a[2]
			}
		}
		return out, true
	}
	n, isNumber := a[1].(Number)
	at, ok := whole(a[1])
	if at < 0 {
		at += int64(len(l)) + 1
	}
	if !isNumber || !ok || !n.IsInteger() || at < 1 || at > int64(len(l)) {
		return null, false
	}
	out[at-1] = a[2]
	return out, true
}

// sortBy sorts by a function of two elements that says whether the first
// belongs before the second; equal elements keep their order.
func sortBy(c *evaluation, l List, a []Value) (Value, bool) {
	f, ok := a[1].(*Function)
	if !ok || len(f.params) != 2 {
		return null, false
	}
	c.spend(len(l))
	sorted := append(List(nil), l...)
	c.mergeSort(sorted, make(List, len(l)), func(x, y Value) bool {
		before, ok := c.invoke(f, []Value{x, y}).(Bool)
		return ok && bool(before)
	})
	return sorted, true
}

// mergeSort is written out because any order may be asked for: slices.SortFunc
// promises nothing for a comparison that contradicts itself.
func (c *evaluation) mergeSort(l, buf List, before func(x, y Value) bool) {
	if len(l) < 2 {
		return
	}
	half := len(l) / 2
	c.mergeSort(l[:half], buf[:half], before)
	c.mergeSort(l[half:], buf[half:], before)
	copy(buf, l)
	left, right := buf[:half], buf[half:len(l)]
	for i := range l {
		if len(left) == 0 || len(right) > 0 && before(right[0], left[0]) {
			l[i], right = right[0], right[1:]
		} else {
			l[i], left = left[0], left[1:]
		}
	}
}
