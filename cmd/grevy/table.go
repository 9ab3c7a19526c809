package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// table is text in columns: a head, rows, all left-aligned but those columns
// whose head ends with a space before it (" rate"), which hold numbers.
type table struct {
	head  []string
	rows  [][]string
	notes map[int]string // by row
}

func newTable(head ...string) *table { return &table{head: head} }

func (t *table) row(cells ...any) {
	r := make([]string, len(cells))
	for i, c := range cells {
		r[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, r)
}

// note adds a line below the last row.
func (t *table) note(text string) {
	if t.notes == nil {
		t.notes = map[int]string{}
	}
	t.notes[len(t.rows)-1] = text
}

// print writes the table with two spaces between columns and none at the end of
// a line.
func (t *table) print(w io.Writer) error {
	head := make([]string, len(t.head))
	width := make([]int, len(t.head))
	for i, h := range t.head {
		head[i] = strings.TrimSpace(h)
		width[i] = utf8.RuneCountInString(head[i])
	}
	for _, r := range t.rows {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for n, r := range append([][]string{head}, t.rows...) {
		var b strings.Builder
		for i, c := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if strings.HasPrefix(t.head[i], " ") {
				c, pad = pad+c, ""
			}
			b.WriteString(c + pad + "  ")
		}
		line := strings.TrimRight(b.String(), " ")
		if note := t.notes[n-1]; note != "" {
			line += "\n  " + note
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// grouped prints 1234567 as 1,234,567.
func grouped[N ~int | ~int64 | ~uint64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size prints bytes as people say them, "–" for none.
func size(n int64) string {
	switch {
	case n == 0:
		return "–"
	case n < 1<<20:
		return fmt.Sprintf("%d kB", n>>10)
	case n < 10<<30:
		return grouped(n>>20) + " MB"
	}
	return grouped(n>>30) + " GB"
}

// span prints a duration with two or three digits: 850µs, 4.2s, 3d4h.
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

func perSecond(n int, took time.Duration) string {
	return grouped(int64(rate(n, took))) + "/s"
}

func rate(n int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}

// ints prints 1,2,3, "–" for none.
func ints(list []int) string {
	if len(list) == 0 {
		return "–"
	}
	s := make([]string, len(list))
	for i, n := range list {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, ",")
}
