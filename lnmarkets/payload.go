package lnmarkets

import "encoding/json"

// What the topics of the stream carry. Times are milliseconds.

// StreamTicker is the data of TopicTicker.
type StreamTicker struct {
	Time      Millis        `json:"time"`
	LastPrice *Price        `json:"lastPrice"`
	Index     *Price        `json:"index"`
	Funding   StreamFunding `json:"funding"`
}

// StreamFunding is the coming settlement; Rate is a fraction.
type StreamFunding struct {
	Rate *float64 `json:"rate"`
	Time *Millis  `json:"time"`
}

// StreamLastPrice is the data of TopicLastPrice.
type StreamLastPrice struct {
	Time      Millis `json:"time"`
	LastPrice Price  `json:"lastPrice"`
}

// StreamIndex is the data of TopicIndex.
type StreamIndex struct {
	Time  Millis `json:"time"`
	Index Price  `json:"index"`
}

// StreamBuckets is the data of TopicBuckets.
type StreamBuckets struct {
	Time    Millis   `json:"time"`
	Buckets []Bucket `json:"buckets"`
}

// StreamFundingNow is the data of TopicFunding.
type StreamFundingNow struct {
	Pair    string        `json:"pair"`
	Current StreamFunding `json:"current"`
}

// StreamCandle is the data of the topics of candles.
type StreamCandle struct {
	Time   Millis `json:"time"`
	Open   Price  `json:"open"`
	High   Price  `json:"high"`
	Low    Price  `json:"low"`
	Close  Price  `json:"close"`
	Volume Int    `json:"volume"`
}

// StreamAnnouncement is the data of TopicAnnouncements; one that was taken back
// has an id alone.
type StreamAnnouncement struct {
	ID      json.RawMessage `json:"id"`
	Title   string          `json:"title,omitempty"`
	Message string          `json:"message,omitempty"`
	Link    *string         `json:"link,omitempty"`
}

// PairBTCUSD is the pair of every event.
const PairBTCUSD = "btc_usd"

// TradeEvent is what happened to an isolated trade. There is none for add-margin,
// cash-in and edits of stop-loss and take-profit (reference 6.1).
type TradeEvent string

// The events of isolated trades.
const (
	TradeOpened     TradeEvent = "open"
	TradeFilled     TradeEvent = "filled"
	TradeClosed     TradeEvent = "closed"
	TradeStopped    TradeEvent = "stoploss"
	TradeTookProfit TradeEvent = "takeprofit"
	TradeLiquidated TradeEvent = "liquidation"
	TradeCanceled   TradeEvent = "canceled"
	TradeFunded     TradeEvent = "funding"
)

// StreamTrade is the data of TopicIsolatedTrades.
type StreamTrade struct {
	Pair  string            `json:"pair"`
	Event TradeEvent        `json:"event"`
	Trade StreamTradeFields `json:"trade"`
}

// StreamTradeFields are the fields of a trade that its event carries; the others
// are null here and absent on the wire.
type StreamTradeFields struct {
	ID               string    `json:"id"`
	Side             Side      `json:"side,omitempty"`
	Type             OrderType `json:"type,omitempty"`
	Quantity         *Int      `json:"quantity,omitempty"`
	Margin           *Int      `json:"margin,omitempty"`
	Leverage         *float64  `json:"leverage,omitempty"`
	Price            *Price    `json:"price,omitempty"`
	OpeningFee       *Int      `json:"openingFee,omitempty"`
	CreatedAt        *Millis   `json:"createdAt,omitempty"`
	ClosedAt         *Millis   `json:"closedAt,omitempty"`
	ClosingFee       *Int      `json:"closingFee,omitempty"`
	PL               *Int      `json:"pl,omitempty"`
	ExitPrice        *Price    `json:"exitPrice,omitempty"`
	LiquidationPrice *Price    `json:"liquidationPrice,omitempty"`
	FundingFee       *Int      `json:"fundingFee,omitempty"`
	FundedAt         *Millis   `json:"fundedAt,omitempty"`
	ClientID         *string   `json:"clientId"`
}

// StreamCrossOrder is the data of TopicCrossOrders; Event is new, limit or
// canceled.
type StreamCrossOrder struct {
	Pair  string                 `json:"pair"`
	Event string                 `json:"event"`
	Order StreamCrossOrderFields `json:"order"`
}

// StreamCrossOrderFields are the fields of a cross order.
type StreamCrossOrderFields struct {
	ID         string    `json:"id"`
	Side       Side      `json:"side"`
	Type       OrderType `json:"type"`
	Quantity   Int       `json:"quantity"`
	Price      Price     `json:"price"`
	TradingFee Int       `json:"tradingFee"`
	CreatedAt  Millis    `json:"createdAt"`
	FilledAt   *Millis   `json:"filledAt,omitempty"`
	CanceledAt *Millis   `json:"canceledAt,omitempty"`
	ClientID   *string   `json:"clientId"`
}

// StreamCrossPosition is the data of TopicCrossPosition; Event is new, limit,
// cancel, leverage, deposit, withdraw, liquidation or funding.
type StreamCrossPosition struct {
	Pair     string                    `json:"pair"`
	Event    string                    `json:"event"`
	Position StreamCrossPositionFields `json:"position"`
}

// StreamCrossPositionFields are those of CrossPosition without its id.
type StreamCrossPositionFields struct {
	Quantity          Int    `json:"quantity"`
	Leverage          Int    `json:"leverage"`
	Margin            Int    `json:"margin"`
	EntryPrice        *Price `json:"entryPrice"`
	Liquidation       *Price `json:"liquidation"`
	TotalPL           Int    `json:"totalPl"`
	FundingFees       Int    `json:"fundingFees"`
	TradingFees       Int    `json:"tradingFees"`
	InitialMargin     Int    `json:"initialMargin"`
	MaintenanceMargin Int    `json:"maintenanceMargin"`
	RunningMargin     Int    `json:"runningMargin"`
	DeltaPL           Int    `json:"deltaPl"`
	UpdatedAt         Millis `json:"updatedAt"`
}

// StreamTransfer is the data of TopicDeposit and TopicWithdrawal; Fee is of
// withdrawals only.
type StreamTransfer struct {
	Currency string  `json:"currency"`
	Network  string  `json:"network"`
	ID       string  `json:"id"`
	Amount   Int     `json:"amount"`
	Balance  Int     `json:"balance"`
	Fee      *Int    `json:"fee,omitempty"`
	Status   string  `json:"status"`
	TxID     *string `json:"txId,omitempty"`
}
