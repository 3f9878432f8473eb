package lnmarkets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// The words of REST v3, as reference section 5 has them. Every key is always
// written; unknown keys are ignored and missing optional ones are zero when read.

// Side is the direction of an order: buy is long.
type Side string

// The sides.
const (
	Buy  Side = "buy"
	Sell Side = "sell"
)

// OrderType says how an order is filled.
type OrderType string

// The types of orders. Liquidation appears on cross orders only.
const (
	Market      OrderType = "market"
	Limit       OrderType = "limit"
	Liquidation OrderType = "liquidation"
)

// Trade is an isolated futures trade. Amounts are sats, Quantity is dollars.
type Trade struct {
	ID          string    `json:"id"`
	Type        OrderType `json:"type"`
	Side        Side      `json:"side"`
	Quantity    Int       `json:"quantity"`
	Margin      Int       `json:"margin"`
	Leverage    float64   `json:"leverage"`
	Price       Price     `json:"price"`
	Liquidation Price     `json:"liquidation"`
	// Stoploss, Takeprofit and StoplossTrailingDistance (a fraction) are 0 when
	// not set.
	Stoploss                 Price   `json:"stoploss"`
	Takeprofit               Price   `json:"takeprofit"`
	StoplossTrailingDistance float64 `json:"stoplossTrailingDistance"`
	EntryPrice               *Price  `json:"entryPrice"`
	EntryMargin              *Int    `json:"entryMargin"`
	ExitPrice                *Price  `json:"exitPrice"`
	PL                       Int     `json:"pl"`
	OpeningFee               Int     `json:"openingFee"`
	ClosingFee               Int     `json:"closingFee"`
	MaintenanceMargin        Int     `json:"maintenanceMargin"`
	SumFundingFees           Int     `json:"sumFundingFees"`
	SumCashInPL              Int     `json:"sumCashInPl"`
	SumCashInMargin          Int     `json:"sumCashInMargin"`
	CreatedAt                Time    `json:"createdAt"`
	FilledAt                 *Time   `json:"filledAt"`
	ClosedAt                 *Time   `json:"closedAt"`
	Open                     bool    `json:"open"`
	Running                  bool    `json:"running"`
	Closed                   bool    `json:"closed"`
	Canceled                 bool    `json:"canceled"`
	ClientID                 *string `json:"clientId"`
}

// NewTrade is an order for an isolated trade. Exactly one of Quantity (dollars)
// and Margin (sats) is set; Price is set for a limit order only.
type NewTrade struct {
	Type       OrderType `json:"type"`
	Side       Side      `json:"side"`
	Leverage   float64   `json:"leverage"`
	Quantity   Int       `json:"quantity,omitempty"`
	Margin     Int       `json:"margin,omitempty"`
	Price      Price     `json:"price,omitempty"`
	Stoploss   Price     `json:"stoploss,omitempty"`
	Takeprofit Price     `json:"takeprofit,omitempty"`
	// ClientID is what the order is found by after an answer was lost. This SDK
	// sends no order without one.
	ClientID string `json:"clientId,omitempty"`
}

// TradeRef names a trade: the body of close and cancel.
type TradeRef struct {
	ID string `json:"id"`
}

// TradeAmount is the body of add-margin and cash-in.
type TradeAmount struct {
	ID     string `json:"id"`
	Amount Int    `json:"amount"`
}

// StopMode says how Value of a StopLoss is meant.
type StopMode string

// The modes: a price, or a fraction of the price that trails it.
const (
	StopFixed    StopMode = "fixed"
	StopTrailing StopMode = "trailing"
)

// StopLoss is the body of PUT stoploss. Value is dollars in fixed mode and a
// fraction of the price in trailing mode; 0 removes.
type StopLoss struct {
	ID    string      `json:"id"`
	Value json.Number `json:"value"`
	Mode  StopMode    `json:"mode,omitempty"`
}

// Price is the level of a fixed stop; 0 removes it.
func (s *StopLoss) Price() (Price, error) { return parsePrice(s.Value.String()) }

// Distance is the fraction of a trailing stop.
func (s *StopLoss) Distance() (float64, error) {
	distance, err := strconv.ParseFloat(s.Value.String(), 64)
	if err != nil {
		return 0, fmt.Errorf("distance of a trailing stop: %w", err)
	}
	return distance, nil
}

// TakeProfit is the body of PUT takeprofit; 0 removes.
type TakeProfit struct {
	ID    string `json:"id"`
	Value Price  `json:"value"`
}

// Page is one page of a list, newest first.
type Page[T any] struct {
	Data []T `json:"data"`
	// NextCursor is passed back as it came; null on the last page.
	NextCursor *string `json:"nextCursor"`
}

// Ticker is the market now.
type Ticker struct {
	Index     Price `json:"index"`
	LastPrice Price `json:"lastPrice"`
	// FundingRate is the fraction that will apply at FundingTime.
	FundingRate float64  `json:"fundingRate"`
	FundingTime Time     `json:"fundingTime"`
	Prices      []Bucket `json:"prices"`
}

// Bucket is the price for orders of a range of sizes in dollars; one side may be
// missing.
type Bucket struct {
	MinSize  Int    `json:"minSize"`
	MaxSize  Int    `json:"maxSize"`
	AskPrice *Price `json:"askPrice,omitempty"`
	BidPrice *Price `json:"bidPrice,omitempty"`
}

// Candle is one bar; the newest is still forming.
type Candle struct {
	Time   Time  `json:"time"`
	Open   Price `json:"open"`
	High   Price `json:"high"`
	Low    Price `json:"low"`
	Close  Price `json:"close"`
	Volume Int   `json:"volume"`
}

// CandleRange is the length of a candle: one of CandleRanges.
type CandleRange string

// CandleRanges lists what the exchange knows; "1m" is its default.
func CandleRanges() []CandleRange {
	return []CandleRange{"1m", "3m", "5m", "10m", "15m", "30m", "45m", "1h", "2h", "3h", "4h", "1d", "1w", "1month", "3months"}
}

// FundingSettlement is one settlement of the market.
type FundingSettlement struct {
	ID          string  `json:"id"`
	Time        Time    `json:"time"`
	FundingRate float64 `json:"fundingRate"`
	// FixingPrice is in dollars and lies on no grid.
	FixingPrice float64 `json:"fixingPrice"`
}

// FundingFee is what one settlement cost; Fee is in sats, positive when paid.
type FundingFee struct {
	Time         Time    `json:"time"`
	SettlementID string  `json:"settlementId"`
	TradeID      *string `json:"tradeId"`
	Fee          Int     `json:"fee"`
}

// Account is the owner of the key. Balance is the free sats: margins are not in it.
type Account struct {
	ID       string  `json:"id"`
	Username string  `json:"username"`
	Email    *string `json:"email"`
	Balance  Int     `json:"balance"`
	// SyntheticUSDBalance: the unit is not settled (reference 5.5).
	SyntheticUSDBalance float64 `json:"syntheticUsdBalance"`
	// FeeTier is 0 for the first tier.
	FeeTier          Int     `json:"feeTier"`
	LinkingPublicKey *string `json:"linkingPublicKey"`
}

// CrossPosition is the account's single cross-margin position; Quantity is
// signed, the nullable fields are null while it is flat.
type CrossPosition struct {
	ID                string `json:"id"`
	Margin            Int    `json:"margin"`
	Quantity          Int    `json:"quantity"`
	Leverage          Int    `json:"leverage"`
	EntryPrice        *Price `json:"entryPrice"`
	Liquidation       *Price `json:"liquidation"`
	RunningMargin     Int    `json:"runningMargin"`
	MaintenanceMargin Int    `json:"maintenanceMargin"`
	InitialMargin     Int    `json:"initialMargin"`
	TotalPL           Int    `json:"totalPl"`
	DeltaPL           Int    `json:"deltaPl"`
	FundingFees       Int    `json:"fundingFees"`
	TradingFees       Int    `json:"tradingFees"`
	UpdatedAt         *Time  `json:"updatedAt"`
}

// ServerTime is the answer of GET /time.
type ServerTime struct {
	Time Time `json:"time"`
}

// ErrorBody is what the exchange answers when it refuses.
type ErrorBody struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details,omitempty"`
}

// compact is the form that is signed and sent: no spaces, and the characters
// that Go would escape for HTML left as JavaScript leaves them, because the
// exchange verifies its own re-serialisation.
func compact(body any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, fmt.Errorf("request body: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
