package feel_test

import (
	"testing"

	"github.com/grevy-io/grevy/feel"
)

func benchmark(b *testing.B, src string, vars feel.Vars) {
	e, err := feel.Compile(src)
	if err != nil {
		b.Fatal(err)
	}
	env := &feel.Env{Scope: vars}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Eval(env); err != nil {
			b.Fatal(err)
		}
	}
}

var benchVars = feel.Vars{
	"amount": []byte(`250`), "price": []byte(`19.95`), "status": []byte(`"open"`),
	"order": []byte(`{"id": "o-1", "total": 120.5, "items": [{"price": 10, "count": 3}, {"price": 2.5, "count": 2}]}`),
}

func BenchmarkCondition(b *testing.B) { benchmark(b, `amount > 100`, benchVars) }
func BenchmarkDecimals(b *testing.B)  { benchmark(b, `price * 1.19 > 20.5`, benchVars) }
func BenchmarkAndOr(b *testing.B)     { benchmark(b, `amount > 100 and status = "open"`, benchVars) }
func BenchmarkPath(b *testing.B)      { benchmark(b, `order.total > 100`, benchVars) }
func BenchmarkSumOfFor(b *testing.B) {
	benchmark(b, `sum(for i in order.items return i.price * i.count)`, benchVars)
}
func BenchmarkFilter(b *testing.B)       { benchmark(b, `order.items[price > 5].count`, benchVars) }
func BenchmarkContext(b *testing.B)      { benchmark(b, `{id: order.id, total: amount + 1}`, benchVars) }
func BenchmarkThird(b *testing.B)        { benchmark(b, `amount / 3`, benchVars) }
func BenchmarkDateAddition(b *testing.B) { benchmark(b, `date("2020-01-31") + duration("P1M")`, nil) }
func BenchmarkMatches(b *testing.B)      { benchmark(b, `matches(status, "^op[a-z]+$")`, benchVars) }
func BenchmarkMissingValue(b *testing.B) { benchmark(b, `missing > 1`, benchVars) }
func BenchmarkStringLength(b *testing.B) { benchmark(b, `string length(status) > 3`, benchVars) }
func BenchmarkForThousand(b *testing.B)  { benchmark(b, `sum(for i in 1..1000 return i)`, nil) }

func BenchmarkUnaryTests(b *testing.B) {
	tests, err := feel.CompileUnaryTests(`[18..65], > 100`)
	if err != nil {
		b.Fatal(err)
	}
	input := feel.Value(feel.NewInt(40))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tests.Eval(input, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := feel.Compile(`amount > 100 and list contains(tags, "vip") or order.total / 2 <= 10.5`); err != nil {
			b.Fatal(err)
		}
	}
}
