package vigia

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func (w wide) big() *big.Int {
	high := new(big.Int).Lsh(new(big.Int).SetUint64(w.hi), 64)
	return high.Or(high, new(big.Int).SetUint64(w.lo))
}

// anyWide has as many leading zeros as it likes: quotients of all sizes.
var anyWide = rapid.Custom(func(t *rapid.T) wide {
	w := wide{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
	shift := rapid.UintRange(0, 127).Draw(t, "shift")
	if shift >= 64 {
		return wide{0, w.hi >> (shift - 64)}
	}
	return wide{w.hi >> shift, w.lo>>shift | w.hi<<1<<(63-shift)}
})

var notNegative = rapid.Int64Range(0, math.MaxInt64)

func fitted(n *big.Int) int64 {
	if n.IsInt64() {
		return n.Int64()
	}
	return math.MaxInt64
}

func TestWideMultipliesAndAddsAsBigIntegersDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := notNegative.Draw(t, "a"), notNegative.Draw(t, "b")
		product := mul(a, b)
		if want := new(big.Int).Mul(big.NewInt(a), big.NewInt(b)); product.big().Cmp(want) != 0 {
			t.Fatalf("%d × %d is %s, want %s", a, b, product.big(), want)
		}
		other := mul(notNegative.Draw(t, "c"), notNegative.Draw(t, "d"))
		if want := new(big.Int).Add(product.big(), other.big()); product.plus(other).big().Cmp(want) != 0 {
			t.Fatalf("sum is %s, want %s", product.plus(other).big(), want)
		}
		if product.cmp(other) != product.big().Cmp(other.big()) {
			t.Fatalf("%s and %s compare as %d", product.big(), other.big(), product.cmp(other))
		}
		if product.cmp(other) < 0 {
			product, other = other, product
		}
		if want := new(big.Int).Sub(product.big(), other.big()); product.minus(other).big().Cmp(want) != 0 {
			t.Fatalf("difference is %s, want %s", product.minus(other).big(), want)
		}
	})
}

func TestWideTimesIsExactOrPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, n := anyWide.Draw(t, "w"), notNegative.Draw(t, "n")
		want := new(big.Int).Mul(w.big(), big.NewInt(n))
		defer func() {
			if panicked := recover() != nil; panicked != (want.BitLen() > 128) {
				t.Fatalf("%s × %d has %d bits, panicked: %v", w.big(), n, want.BitLen(), panicked)
			}
		}()
		if got := w.times(n); got.big().Cmp(want) != 0 {
			t.Fatalf("%s × %d is %s, want %s", w.big(), n, got.big(), want)
		}
	})
}

func TestWideDividesAsBigIntegersDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, d := anyWide.Draw(t, "w"), anyWide.Draw(t, "d")
		if d == (wide{}) {
			d = one(1)
		}
		quotient, rest := new(big.Int).QuoRem(w.big(), d.big(), new(big.Int))
		if got := w.over(d); got != fitted(quotient) {
			t.Fatalf("%s / %s is %d, want %s", w.big(), d.big(), got, quotient)
		}
		if rest.Sign() > 0 {
			quotient.Add(quotient, big.NewInt(1))
		}
		if got := w.overUp(d); got != fitted(quotient) {
			t.Fatalf("%s / %s rounded up is %d, want %s", w.big(), d.big(), got, quotient)
		}
	})
}

// A quarter of the range is left free: twice the dividend and the divisor must
// fit, and no caller comes near.
func TestWideRoundsToTheNearestAsBigIntegersDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, d := anyWide.Draw(t, "w"), anyWide.Draw(t, "d")
		w.hi, d.hi = w.hi>>2, d.hi>>2
		if d == (wide{}) {
			d = one(1)
		}
		twice := new(big.Int).Lsh(w.big(), 1)
		want := new(big.Int).Quo(twice.Add(twice, d.big()), new(big.Int).Lsh(d.big(), 1))
		if got := w.overNearest(d); got != fitted(want) {
			t.Fatalf("%s / %s is nearest to %d, want %s", w.big(), d.big(), got, want)
		}
	})
}

func TestWideDividedByNothingIsTheLargestNumber(t *testing.T) {
	t.Parallel()
	for _, w := range []wide{{}, one(1), {1, 0}} {
		for name, got := range map[string]int64{"over": w.over(wide{}), "up": w.overUp(wide{}), "nearest": w.overNearest(wide{})} {
			if got != math.MaxInt64 {
				t.Errorf("%s: %s over nothing is %d", name, w.big(), got)
			}
		}
	}
}

func TestWideQuotientBeyondInt64IsTheLargestNumber(t *testing.T) {
	t.Parallel()
	top := wide{math.MaxUint64, math.MaxUint64}
	for _, d := range []wide{one(1), one(math.MaxInt64), {0, math.MaxUint64}, {1, 0}, {1, math.MaxUint64}} {
		if got := top.over(d); got != math.MaxInt64 {
			t.Errorf("%s / %s is %d", top.big(), d.big(), got)
		}
		if got := top.overUp(d); got != math.MaxInt64 {
			t.Errorf("%s / %s rounded up is %d", top.big(), d.big(), got)
		}
	}
}

func TestFloorDivRoundsDown(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]int64{{7, 2, 3}, {-7, 2, -4}, {7, -2, -4}, {-7, -2, 3}, {6, 3, 2}, {-6, 3, -2}, {0, 5, 0}} {
		if got := floorDiv(c[0], c[1]); got != c[2] {
			t.Errorf("%d / %d is %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
