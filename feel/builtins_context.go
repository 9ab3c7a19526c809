package feel

var contextFunctions = map[string]builtinFunc{
	"get value(context, key|m, key)":      getValue,
	"get entries(context|m)":              getEntries,
	"context put(context, key, value)":    contextPut,
	"context put(context, keys, value)":   contextPut,
	"context merge(contexts|contexts...)": mergeContexts,
	"put all(contexts...)":                mergeContexts,
	"context(entries)":                    contextOf,
}

// keyPath gives the keys that a text or a list of texts names.
func keyPath(v Value) ([]string, bool) {
	switch v := v.(type) {
	case String:
		return []string{string(v)}, true
	case List:
		keys := make([]string, len(v))
		for i, e := range v {
			s, ok := e.(String)
			if !ok {
				return nil, false
			}
			keys[i] = string(s)
		}
		return keys, len(keys) > 0
	}
	return nil, false
}

func getValue(c *evaluation, a []Value) (Value, bool) {
	v := a[0]
	keys, ok := keyPath(a[1])
	if _, isContext := v.(*Context); !ok || !isContext {
		return null, false
	}
	for _, k := range keys {
		ctx, ok := v.(*Context)
		if !ok {
			return null, true
		}
		if v, ok = ctx.Get(k); !ok {
			return c.warn(NoContextEntryFound, "No context entry found with key '"+k+"'. "+availableKeys(ctx)), true
		}
	}
	return v, true
}

func getEntries(c *evaluation, a []Value) (Value, bool) {
	ctx, ok := a[0].(*Context)
	if !ok {
		return null, false
	}
	c.spend(2 * contextSteps * ctx.Len())
	out := make(List, ctx.Len())
	for i, e := range ctx.entries {
		out[i] = NewContext(Entry{"key", String(e.Key)}, Entry{"value", e.Value})
	}
	return out, true
}

func contextPut(c *evaluation, a []Value) (Value, bool) {
	ctx, ok1 := a[0].(*Context)
	keys, ok2 := keyPath(a[1])
	if !ok1 || !ok2 {
		return null, false
	}
	r := c.putAt(ctx, keys, a[2], 0)
	if r == nil {
		return null, false
	}
	return r, true
}

// putAt sets the value at the end of the path, making the contexts that are
// missing; nil if something else is in the way.
func (c *evaluation) putAt(ctx *Context, keys []string, v Value, depth int) *Context {
	depth = c.deeper(depth)
	c.spend(contextSteps * ctx.Len())
	if len(keys) > 1 {
		inner := &Context{}
		if old, ok := ctx.Get(keys[0]); ok && orNull(old).Kind() != KindNull {
			if inner, ok = old.(*Context); !ok {
				return nil
			}
		}
		if inner = c.putAt(inner, keys[1:], v, depth); inner == nil {
			return nil
		}
		v = inner
	}
	return ctx.with(keys[0], v)
}

func mergeContexts(c *evaluation, a []Value) (Value, bool) {
	out := &Context{}
	for _, v := range listOf(a) {
		ctx, ok := v.(*Context)
		if !ok {
			return null, false
		}
		c.spend(contextSteps * ctx.Len())
		for _, e := range ctx.entries {
			out.Put(e.Key, e.Value)
		}
	}
	return out, true
}

// contextOf makes a context of a list of contexts with a key and a value.
func contextOf(c *evaluation, a []Value) (Value, bool) {
	l, ok := listOfOne(a[0])
	if !ok {
		return null, false
	}
	out := &Context{}
	for _, e := range l {
		c.spend(contextSteps)
		entry, ok := e.(*Context)
		if !ok {
			return null, false
		}
		key, _ := entry.Get("key")
		value, hasValue := entry.Get("value")
		name, isText := key.(String)
		if !isText || !hasValue {
			return null, false
		}
		out.Put(string(name), value)
	}
	return out, true
}
