package feel

// Entry is one entry of a Context.
type Entry struct {
	Key   string
	Value Value
}

// Context is a list of entries with distinct keys, in the order they were
// written. The zero Context is empty and ready for Put.
type Context struct {
	entries []Entry
	index   map[string]int // nil while there are few entries
}

// indexAbove is the number of entries above which a Context keeps an index;
// below it a scan is faster than hashing.
const indexAbove = 12

// NewContext makes a context of the entries; of those with the same key the
// last counts, at the place of the first.
func NewContext(entries ...Entry) *Context {
	c := &Context{entries: make([]Entry, 0, len(entries))}
	for _, e := range entries {
		c.Put(e.Key, e.Value)
	}
	return c
}

// Kind gives KindContext.
func (*Context) Kind() Kind { return KindContext }

// Len gives the number of entries.
func (c *Context) Len() int { return len(c.entries) }

// Entries gives the entries in order. The slice must not be changed.
func (c *Context) Entries() []Entry { return c.entries }

// Get gives the value of the key, and whether there is one.
func (c *Context) Get(key string) (Value, bool) {
	if i := c.find(key); i >= 0 {
		return c.entries[i].Value, true
	}
	return nil, false
}

// Lookup makes a Context a Scope.
func (c *Context) Lookup(name string) (Value, bool) { return c.Get(name) }

// Put sets the value of a key. It is only for building a context that no one
// else holds yet.
func (c *Context) Put(key string, v Value) {
	v = orNull(v)
	if i := c.find(key); i >= 0 {
		c.entries[i].Value = v
		return
	}
	c.entries = append(c.entries, Entry{key, v})
	switch {
	case c.index != nil:
		c.index[key] = len(c.entries) - 1
	case len(c.entries) > indexAbove:
		c.index = make(map[string]int, 2*len(c.entries))
		for i, e := range c.entries {
			c.index[e.Key] = i
		}
	}
}

// with gives a copy of the context in which the key has the value.
func (c *Context) with(key string, v Value) *Context {
	n := &Context{entries: make([]Entry, 0, len(c.entries)+1)}
	for _, e := range c.entries {
		n.Put(e.Key, e.Value)
	}
	n.Put(key, v)
	return n
}

func (c *Context) find(key string) int {
	if c.index != nil {
		if i, ok := c.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range c.entries {
		if c.entries[i].Key == key {
			return i
		}
	}
	return -1
}
