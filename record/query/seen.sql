-- name: SeeAccount :execrows
-- Of two looks the later begun counts.
INSERT INTO account_seen (account, owner, free, free_begun, trades_begun, cross_seen, cross_begun, fee_tier)
VALUES (@account, @owner, @free, @free_begun, @trades_begun, @cross_seen, @cross_begun, @fee_tier)
ON CONFLICT (account) DO UPDATE SET
    free = excluded.free, free_begun = excluded.free_begun, trades_begun = excluded.trades_begun,
    cross_seen = excluded.cross_seen, cross_begun = excluded.cross_begun, fee_tier = excluded.fee_tier
WHERE account_seen.trades_begun <= excluded.trades_begun;

-- name: SeeTrade :exec
INSERT INTO trade_seen (account, trade, owner, place, begun, seen)
VALUES (@account, @trade, @owner, @place, @begun, @seen)
ON CONFLICT (account, trade) DO UPDATE SET place = excluded.place, begun = excluded.begun, seen = excluded.seen
WHERE trade_seen.begun <= excluded.begun;

-- name: SeenTradeIDs :many
SELECT trade FROM trade_seen WHERE account = @account;

-- name: UnseeTrade :exec
DELETE FROM trade_seen WHERE account = @account AND trade = @trade;

-- name: UnseeAccount :exec
DELETE FROM account_seen WHERE account = @account;

-- name: UnseeTrades :exec
DELETE FROM trade_seen WHERE account = @account;

-- name: SeenAccount :one
SELECT * FROM account_seen WHERE account = @account;

-- name: SeenTradesOf :many
SELECT seen FROM trade_seen WHERE account = @account ORDER BY place, trade;

-- name: SeenAccounts :many
SELECT * FROM account_seen ORDER BY account;

-- name: SeenTrades :many
SELECT account, seen FROM trade_seen ORDER BY account, place, trade;
