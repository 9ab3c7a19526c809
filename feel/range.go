package feel

// Range is an interval. Its ends are values of the same comparable kind; it has
// no bound where one is null.
type Range struct {
	Start, End                 Value
	StartIncluded, EndIncluded bool
}

// Kind gives KindRange.
func (*Range) Kind() Kind { return KindRange }

// contains says whether the value lies in the range; ok is false if it cannot
// be compared with an end.
func (r *Range) contains(v Value) (in, ok bool) {
	if r.Start.Kind() == KindNull && r.End.Kind() == KindNull {
		return false, false
	}
	in = true
	if r.Start.Kind() != KindNull {
		n, ok := compare(v, r.Start)
		if !ok {
			return false, false
		}
		in = n > 0 || n == 0 && r.StartIncluded
	}
	if r.End.Kind() != KindNull {
		n, ok := compare(v, r.End)
		if !ok {
			return false, false
		}
		in = in && (n < 0 || n == 0 && r.EndIncluded)
	}
	return in, true
}
