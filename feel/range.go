package feel

// Range is an interval. Its ends are values of the same comparable kind.
type Range struct {
	Start, End                 Value
	StartIncluded, EndIncluded bool
}

// Kind gives KindRange.
func (*Range) Kind() Kind { return KindRange }

// contains says whether the value lies in the range; ok is false if it cannot
// be compared with an end.
func (r *Range) contains(v Value) (in, ok bool) {
	a, ok := compare(v, r.Start)
	if !ok {
		return false, false
	}
	b, ok := compare(v, r.End)
	if !ok {
		return false, false
	}
	return (a > 0 || a == 0 && r.StartIncluded) && (b < 0 || b == 0 && r.EndIncluded), true
}
