package feel

type property struct {
	name  string
	value Value
}

// properties gives what can be asked of a value with a dot (DMN 1.3, table 53).
func properties(v Value) []property {
	switch v := v.(type) {
	case Date:
		return dateProperties(v)
	case Time:
		return timeProperties(v.nanos, v.zone, v.offsetSeconds())
	case DateTime:
		return append(dateProperties(v.date), timeProperties(v.nanos, v.zone, v.offset)...)
	case DaysTimeDuration:
		d, h, m, s := v.parts()
		return []property{{"days", NewInt(d)}, {"hours", NewInt(h)}, {"minutes", NewInt(m)}, {"seconds", NewInt(s)}}
	case YearsMonthsDuration:
		return []property{{"years", NewInt(v.months / 12)}, {"months", NewInt(v.months % 12)}}
	case *Range:
		return []property{
			{"start", v.Start}, {"end", v.End},
			{"start included", Bool(v.StartIncluded)}, {"end included", Bool(v.EndIncluded)},
		}
	}
	return nil
}

func dateProperties(d Date) []property {
	return []property{
		{"year", NewInt(int64(d.year))}, {"month", NewInt(int64(d.month))}, {"day", NewInt(int64(d.day))},
		{"weekday", NewInt(int64(d.weekday()))},
	}
}

func timeProperties(nanos int64, z *zone, offset int32) []property {
	s := nanos / nanosPerSecond
	timeOffset, zoneName := null, null
	if z != nil {
		timeOffset = DaysTimeDuration{seconds: int64(offset)}
		if z.loc != nil {
			zoneName = String(z.name)
		}
	}
	return []property{
		{"hour", NewInt(s / 3600)}, {"minute", NewInt(s / 60 % 60)}, {"second", NewInt(s % 60)},
		{"time offset", timeOffset}, {"timezone", zoneName},
	}
}
