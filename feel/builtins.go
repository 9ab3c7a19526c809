package feel

import "strings"

// builtin is a built-in function with one number of parameters.
type builtin struct {
	// params are the names of the parameters; some functions have several sets.
	params [][]string
	// variadic says that any number of arguments may be given by position.
	variadic bool
	// fn says no if the arguments are illegal; c.problem may say why.
	fn func(c *evaluation, args []Value) (Value, bool)
}

type builtinFunc = func(c *evaluation, args []Value) (Value, bool)

// builtins holds the functions by name. Sources: DMN 1.3, 10.3.4, and the
// extensions of Camunda 8.6.
var builtins = map[string][]*builtin{}

// builtinPrefixes holds the beginnings of the names of several words.
var builtinPrefixes = map[string]bool{}

func init() {
	for _, group := range []map[string]builtinFunc{
		conversionFunctions, stringFunctions, regexFunctions, numberFunctions, listFunctions, aggregateFunctions,
		contextFunctions, temporalFunctions, rangeFunctions, otherFunctions,
	} {
		for signature, fn := range group {
			define(signature, fn)
		}
	}
}

// define adds a function by its signature: "name(a, b)", several sets of
// parameter names being separated by |; "name(list...)" is variadic.
func define(signature string, fn builtinFunc) {
	name, rest, _ := strings.Cut(strings.TrimSuffix(signature, ")"), "(")
	b := &builtin{fn: fn}
	for _, set := range strings.Split(rest, "|") {
		set, variadic := strings.CutSuffix(set, "...")
		b.variadic = b.variadic || variadic
		params := []string{}
		if set != "" {
			params = strings.Split(set, ", ")
		}
		b.params = append(b.params, params)
	}
	builtins[name] = append(builtins[name], b)
	words := strings.Split(name, " ")
	for i := range words {
		builtinPrefixes[strings.Join(words[:i+1], " ")] = true
	}
}

// listOf gives the elements of the only argument, if it is a list, or all the
// arguments.
func listOf(args []Value) List {
	if len(args) == 1 {
		if l, ok := args[0].(List); ok {
			return l
		}
	}
	return args
}

// whole gives a number without its decimals.
func whole(v Value) (int64, bool) {
	n, ok := v.(Number)
	if !ok {
		return 0, false
	}
	return n.Int64()
}
