package vigia

import (
	"math"
	"math/bits"
)

// wide is an unsigned 128-bit integer. The products of quantity, price and
// percent that decide money do not fit 64 bits; big.Int would allocate on the
// way from a tick to a call.
type wide struct{ hi, lo uint64 }

// mul takes factors that are not negative, as every method here does.
func mul(a, b int64) wide {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return wide{hi, lo}
}

// times panics when the product does not fit: the limits of quantity, price and
// leverage keep every caller far below (a property test holds them to it).
func (w wide) times(n int64) wide {
	carry, lo := bits.Mul64(w.lo, uint64(n))
	over, hi := bits.Mul64(w.hi, uint64(n))
	hi, extra := bits.Add64(hi, carry, 0)
	if over != 0 || extra != 0 {
		panic("vigia: contract arithmetic beyond 128 bits")
	}
	return wide{hi, lo}
}

func (w wide) plus(v wide) wide {
	lo, carry := bits.Add64(w.lo, v.lo, 0)
	hi, _ := bits.Add64(w.hi, v.hi, carry)
	return wide{hi, lo}
}

func (w wide) minus(v wide) wide {
	lo, borrow := bits.Sub64(w.lo, v.lo, 0)
	hi, _ := bits.Sub64(w.hi, v.hi, borrow)
	return wide{hi, lo}
}

func (w wide) cmp(v wide) int {
	switch {
	case w.hi != v.hi && w.hi > v.hi, w.hi == v.hi && w.lo > v.lo:
		return 1
	case w == v:
		return 0
	}
	return -1
}

// over divides and floors; what does not fit an int64 is math.MaxInt64.
func (w wide) over(d wide) int64 {
	quotient, _ := w.divide(d)
	return quotient
}

// overUp divides and rounds up.
func (w wide) overUp(d wide) int64 {
	quotient, exact := w.divide(d)
	if exact || quotient == math.MaxInt64 {
		return quotient
	}
	return quotient + 1
}

// overNearest divides and rounds half up.
func (w wide) overNearest(d wide) int64 { return w.times(2).plus(d).over(d.times(2)) }

func (w wide) divide(d wide) (quotient int64, exact bool) {
	if d.hi == 0 {
		if w.hi >= d.lo {
			return math.MaxInt64, false
		}
		q, rest := bits.Div64(w.hi, w.lo, d.lo)
		if q > math.MaxInt64 {
			return math.MaxInt64, false
		}
		return int64(q), rest == 0
	}
	// The divisor has more than 64 bits, so the quotient fits: estimate it from
	// the leading bits, never too small, and step down (at most twice).
	shift := bits.LeadingZeros64(d.hi)
	top := d.hi<<shift | d.lo>>1>>(63-shift)
	q, _ := bits.Div64(w.hi>>1, w.hi<<63|w.lo>>1, top)
	q = q >> (63 - shift)
	if q > 0 {
		q--
	}
	rest := w.minus(d.times(int64(q)))
	for rest.cmp(d) >= 0 {
		rest = rest.minus(d)
		q++
	}
	if q > math.MaxInt64 {
		return math.MaxInt64, false
	}
	return int64(q), rest == wide{}
}
