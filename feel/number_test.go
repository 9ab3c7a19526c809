package feel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestNumberText(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "1.50": "1.50", ".5": "0.5", "5.": "5", "-.5": "-0.5", "+5": "5", "1e3": "1E+3", "1E-7": "1E-7",
		"0.000001": "0.000001", "0.0000001": "1E-7", "123e-10": "1.23E-8", "9223372036854775807": "9223372036854775807",
		"-9223372036854775808": "-9223372036854775808", "9223372036854775808": "9223372036854775808",
		"0.0000000000000000000000001": "1E-25", "12345678901234567890.5": "12345678901234567890.5",
	} {
		n, err := ParseNumber(in)
		if err != nil || n.String() != want {
			t.Errorf("%s: got %s, %v, want %s", in, n, err, want)
		}
	}
	for _, in := range []string{"", ".", "-", "1e", "e1", "1.2.3", "1 ", " 1", "0x1", "1_0", "1e99999", "1e-99999", "NaN", "Infinity", "--1", "1e+-1"} {
		if n, err := ParseNumber(in); err == nil {
			t.Errorf("%q gives %s", in, n)
		}
	}
}

// The fast way has to give what exact arithmetic does.
func TestNumberArithmetic(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	random := func() Number {
		c := rnd.Int64()
		for range rnd.IntN(60) {
			c /= 2
		}
		if rnd.IntN(2) == 0 {
			c = -c
		}
		return Number{coef: c, scale: int32(rnd.IntN(8))}
	}
	rat := func(n Number) *big.Rat {
		r, ok := new(big.Rat).SetString(n.String())
		if !ok {
			t.Fatalf("%s is no number", n)
		}
		return r
	}
	edges := []Number{NewInt(math.MaxInt64), NewInt(math.MinInt64), NewInt(0), NewInt(-1), {coef: math.MaxInt64, scale: 18}}
	for i := range 40_000 {
		a, b := random(), random()
		if i < 25 {
			a, b = edges[i/5], edges[i%5]
		}
		x, y := rat(a), rat(b)
		check := func(what string, got Number, ok bool, want *big.Rat) {
			t.Helper()
			diff := new(big.Rat).Sub(rat(got), want)
			bound := new(big.Rat).Abs(want)
			bound.Mul(bound, new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(33), nil)))
			if !ok || diff.Abs(diff).Cmp(bound) > 0 {
				t.Fatalf("%s %s %s: got %s, want %s", a, what, b, got, want.FloatString(40))
			}
		}
		sum, ok := a.add(b)
		check("+", sum, ok, new(big.Rat).Add(x, y))
		difference, ok := a.sub(b)
		check("-", difference, ok, new(big.Rat).Sub(x, y))
		product, ok := a.mul(b)
		check("*", product, ok, new(big.Rat).Mul(x, y))
		if b.Sign() != 0 {
			quotient, ok := a.div(b)
			check("/", quotient, ok, new(big.Rat).Quo(x, y))
		}
		if a.Cmp(b) != x.Cmp(y) {
			t.Fatalf("%s <=> %s: got %d", a, b, a.Cmp(b))
		}
		floor := new(big.Int).Div(x.Num(), x.Denom())
		if got := a.floor(); rat(got).Cmp(new(big.Rat).SetInt(floor)) != 0 {
			t.Fatalf("floor %s: got %s", a, got)
		}
	}
}

func TestNumberInt64(t *testing.T) {
	for in, want := range map[string]int64{"1.9": 1, "-1.9": -1, "9223372036854775807": math.MaxInt64, "1e3": 1000, "0.00000000000000000000001": 0} {
		n, err := ParseNumber(in)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := n.Int64(); !ok || got != want {
			t.Errorf("%s: got %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"9223372036854775808", "1e30", "-1e6000"} {
		n, err := ParseNumber(in)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := n.Int64(); ok {
			t.Errorf("%s: got %d", in, got)
		}
	}
}
