package paper

import (
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// AccountKey is an account of the exchange and the key that signs for it.
type AccountKey struct {
	ID         vigia.AccountID
	Key        string
	Secret     vigia.Secret
	Passphrase vigia.Secret
	// Scopes are what the key opens (reference 3.4).
	Scopes []string
}

// Credentials are the key as the clients of the exchange take it.
func (k *AccountKey) Credentials() vigia.Credentials {
	return vigia.Credentials{Key: vigia.NewSecret(k.Key), Secret: k.Secret, Passphrase: k.Passphrase}
}

// account is a trader.
type account struct {
	AccountKey
	// live are the open and running trades, oldest first; ended the others, in
	// the order of their end.
	live, ended []*trade
	trades      map[vigia.TradeID]*trade
	cross       vigia.CrossBook
	fees        []FundingFee
	volume      []fillVolume
	// stamped is the last time given out: no two are equal, so that a page of a
	// list never ends between rows of one time (reference 4.2).
	stamped time.Time
}

// fillVolume is one fill as far as the fee tier needs it.
type fillVolume struct {
	At       time.Time `json:"at"`
	Quantity vigia.USD `json:"quantity"`
}

// volumeWindow is what the fee tier looks back on (reference 7.3).
const volumeWindow = 30 * 24 * time.Hour

// stamp is the market time to the millisecond, pushed on where it was given out
// already.
func (a *account) stamp(now time.Time) time.Time {
	at := now.Truncate(time.Millisecond)
	if !at.After(a.stamped) {
		at = a.stamped.Add(time.Millisecond)
	}
	a.stamped = at
	return at
}

// tier is the fee tier by the volume of the last 30 days, 0 to 3.
func (a *account) tier(now time.Time) int {
	sum := vigia.USD(0)
	for i := len(a.volume) - 1; i >= 0 && now.Sub(a.volume[i].At) < volumeWindow; i-- {
		sum += a.volume[i].Quantity
	}
	switch {
	case sum > 5_000_000:
		return 3
	case sum > 1_000_000:
		return 2
	case sum > 250_000:
		return 1
	}
	return 0
}

// traded counts a fill for the fee tier and the candle.
func (e *Engine) traded(a *account, q vigia.USD) {
	old := 0
	for old < len(a.volume) && e.now.Sub(a.volume[old].At) >= volumeWindow {
		old++
	}
	a.volume = append(a.volume[old:], fillVolume{At: e.now, Quantity: q})
	e.candles.traded(q)
}

func (e *Engine) feeRate(a *account) vigia.FeeRate { return vigia.FeeRateOfTier(a.tier(e.now)) }

// NewAccount makes a trader with a balance that came from outside, and a key
// that nobody can guess. Without scopes the key has those of [TradingScopes].
func (e *Engine) NewAccount(balance vigia.Sats, scopes ...string) (AccountKey, error) {
	done, err := e.do(command{Op: opAccount, Amount: balance, Scopes: slices.Clone(scopes)})
	if err != nil {
		return AccountKey{}, err
	}
	return done.account.AccountKey, nil
}

func (e *Engine) newAccount(c *command) (outcome, error) {
	if c.Amount < 0 {
		return outcome{}, refuse("balance must not be negative, got %d", c.Amount)
	}
	a := &account{
		AccountKey: AccountKey{
			ID: c.Account, Key: c.Keys.Key,
			Secret: vigia.NewSecret(c.Keys.Secret), Passphrase: vigia.NewSecret(c.Keys.Passphrase),
			Scopes: scopesOf(c.Scopes),
		},
		trades: map[vigia.TradeID]*trade{},
		cross:  vigia.CrossBook{Leverage: vigia.OneX},
	}
	e.made++
	e.enlist(a)
	return outcome{account: a}, e.ledger.post(c.Op, e.now, a.ID, "", line{BookOutside, -c.Amount}, line{BookWallet, c.Amount})
}

func (e *Engine) enlist(a *account) {
	e.accounts[a.ID] = a
	e.keys[a.Key] = a
	e.order = append(e.order, a)
}

// Deposit brings sats from outside into a wallet.
func (e *Engine) Deposit(id vigia.AccountID, amount vigia.Sats) error {
	_, err := e.do(command{Op: opDeposit, Account: id, Amount: amount})
	return err
}

// Withdraw takes sats out of a wallet.
func (e *Engine) Withdraw(id vigia.AccountID, amount vigia.Sats) error {
	_, err := e.do(command{Op: opWithdraw, Account: id, Amount: amount})
	return err
}

func (e *Engine) moveOutside(c *command) (outcome, error) {
	a, err := e.account(c.Account)
	if err != nil {
		return outcome{}, err
	}
	if c.Amount <= 0 {
		return outcome{}, refuse("amount must be at least 1 sat, got %d", c.Amount)
	}
	in := c.Amount
	if c.Op == opWithdraw {
		in = -c.Amount
		if have := e.ledger.wallet(a.ID); have < c.Amount {
			return outcome{}, tooPoor(c.Amount, have)
		}
	}
	return outcome{}, e.ledger.post(c.Op, e.now, a.ID, "", line{BookOutside, -in}, line{BookWallet, in})
}

// Wallet is the free balance of an account; margins are not in it.
func (e *Engine) Wallet(id vigia.AccountID) vigia.Sats {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.ledger.wallet(id)
}

// FeeTier is the tier as the exchange shows it, 0 to 3.
func (e *Engine) FeeTier(id vigia.AccountID) int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if a := e.accounts[id]; a != nil {
		return a.tier(e.now)
	}
	return 0
}

// Cross is the account's cross position.
func (e *Engine) Cross(id vigia.AccountID) vigia.CrossPosition {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.accounts[id]
	if a == nil {
		return vigia.CrossPosition{Leverage: vigia.OneX}
	}
	b := a.cross
	pl := vigia.Sats(0)
	if b.Quantity != 0 {
		pl = vigia.RunningPL(b.Side(), b.Size(), b.Entry, e.mark(b.Side(), b.Size()))
	}
	return vigia.CrossPosition{
		Quantity: b.Quantity, Margin: b.Margin, Leverage: b.Leverage, EntryPrice: b.Entry,
		Liquidation: b.Liquidation(), Running: b.RunningMargin(), Maintenance: b.Maintenance(),
		TotalPL: pl, DeltaPL: pl,
	}
}

// Accounts are all there are, oldest first.
func (e *Engine) Accounts() []AccountKey {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := make([]AccountKey, len(e.order))
	for i, a := range e.order {
		out[i] = a.AccountKey
	}
	return out
}

// ByKey finds the account a key belongs to.
func (e *Engine) ByKey(key string) (AccountKey, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.keys[key]
	if a == nil {
		return AccountKey{}, false
	}
	return a.AccountKey, true
}

func (e *Engine) account(id vigia.AccountID) (*account, error) {
	if a := e.accounts[id]; a != nil {
		return a, nil
	}
	return nil, refuse("No such account")
}

// keyTexts are an account's key as it is kept in the engine's file.
type keyTexts struct {
	Key        string `json:"key"`
	Secret     string `json:"secret"`
	Passphrase string `json:"passphrase"`
}

// draw fills b from the seed and the count of things made, or from the system.
func (e *Engine) draw(b []byte) {
	if e.rules.Seed == 0 {
		// crypto/rand.Read never fails: it ends the program instead.
		_, _ = rand.Read(b)
		return
	}
	from := mathrand.New(mathrand.NewPCG(e.rules.Seed, e.made))
	for i := range b {
		b[i] = byte(from.Uint64())
	}
}

// newIdentity is a UUID version 4, as the exchange's are.
func (e *Engine) newIdentity() string {
	var b [16]byte
	e.draw(b[:])
	return uuid(b, 4)
}

func (e *Engine) newKeys() *keyTexts {
	var b [88]byte // the first 16 are what the account's id was drawn from
	e.draw(b[:])
	return &keyTexts{
		Key:        hex.EncodeToString(b[16:40]),
		Secret:     hex.EncodeToString(b[40:72]),
		Passphrase: hex.EncodeToString(b[72:]),
	}
}

func uuid(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
