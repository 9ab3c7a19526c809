package feel

// Kind says what sort of value a Value is.
type Kind uint8

// The kinds of values.
const (
	KindNull Kind = iota
	KindBool
	KindNumber
	KindString
	KindList
	KindContext
	KindDate
	KindLocalTime // a time of day without offset or zone
	KindTime      // a time of day with an offset or a zone
	KindLocalDateTime
	KindDateTime // a date and time with an offset or a zone
	KindDaysTimeDuration
	KindYearsMonthsDuration
	KindRange
	KindFunction
)

var kindNames = [...]string{
	KindNull: "NULL", KindBool: "BOOLEAN", KindNumber: "NUMBER", KindString: "STRING",
	KindList: "ARRAY", KindContext: "OBJECT", KindDate: "DATE",
	KindLocalTime: "TIME", KindTime: "TIME",
	KindLocalDateTime: "DATE_TIME", KindDateTime: "DATE_TIME",
	KindDaysTimeDuration: "DURATION", KindYearsMonthsDuration: "PERIOD",
	KindRange: "RANGE", KindFunction: "FUNCTION",
}

// String gives the kind in the words of Zeebe's incidents: NULL, BOOLEAN,
// NUMBER, STRING, ARRAY, OBJECT, DATE, TIME, DATE_TIME, DURATION (days and
// time), PERIOD (years and months), RANGE, FUNCTION.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "UNKNOWN"
}
