package vigia

// Cents is an amount of synthetic USD in hundredths of a dollar. Which unit the
// wire carries is not settled (reference 5.5); that belongs to its converter.
type Cents int64

// SwapToUSD is what a swap of sats pays out, at the bid and without a fee
// (reference 5.5). Its rounding is not documented: down, here.
func SwapToUSD(amount Sats, bid Price) Cents {
	return Cents(mul(int64(amount), int64(bid)).over(one(SatsPerBTC * TicksPerDollar / centsPerDollar)))
}

// SwapToSats is what a swap of synthetic USD pays out, at the ask and without a
// fee (reference 5.5), rounded down as SwapToUSD is.
func SwapToSats(amount Cents, ask Price) Sats {
	return Sats(mul(int64(amount), SatsPerBTC*TicksPerDollar/centsPerDollar).over(one(int64(ask))))
}

const centsPerDollar = 100
