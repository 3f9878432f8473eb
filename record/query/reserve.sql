-- name: InsertReserve :exec
INSERT INTO reserve (execution, owner, account, subject, state, cost, counts, by_hand, at, settled_at)
VALUES (@execution, @owner, @account, @subject, 'held', @cost, @counts, @by_hand, @at, 0);

-- name: SettleReserve :execrows
UPDATE reserve SET state = @state, cost = @cost, settled_at = @settled_at
WHERE execution = @execution AND state = 'held';

-- name: CountedInDay :one
-- Gross: what an action brought in counts for nothing. begun bounds the search:
-- what was spent since was not held before.
SELECT CAST(
    (SELECT COALESCE(SUM(CASE WHEN h.cost > 0 THEN h.cost ELSE 0 END), 0) FROM reserve AS h
        WHERE h.account = @account AND h.by_hand = FALSE AND h.state = 'held')
    + (SELECT COALESCE(SUM(CASE WHEN s.cost > 0 THEN s.cost ELSE 0 END), 0) FROM reserve AS s
        WHERE s.account = @account AND s.by_hand = FALSE AND s.state = 'spent' AND s.at > @begun AND s.settled_at > @since)
AS BIGINT) AS cost;

-- name: CountedOnSubject :one
SELECT CAST(COALESCE(SUM(CASE WHEN cost > 0 THEN cost ELSE 0 END), 0) AS BIGINT) AS cost FROM reserve
WHERE account = @account AND subject = @subject AND by_hand = FALSE AND state IN ('held', 'spent');

-- name: HeldReserves :many
SELECT reserve.*, execution.state AS execution_state FROM reserve JOIN execution ON execution.id = reserve.execution
WHERE reserve.account = @account AND reserve.state = 'held'
ORDER BY reserve.execution;

-- name: SpentSince :many
-- begun bounds the search: what was spent since was not held before.
SELECT * FROM reserve
WHERE account = @account AND state = 'spent' AND at > @begun AND settled_at > @since
ORDER BY execution;

-- name: SpentOnRunning :many
-- Those spent up to then on trades that were last seen running: with the recent
-- ones, all that count.
SELECT * FROM reserve
WHERE reserve.account = @account AND reserve.state = 'spent' AND reserve.settled_at <= @since
    AND reserve.subject IN (SELECT 'trade:' || trade_seen.trade FROM trade_seen WHERE trade_seen.account = @account)
ORDER BY reserve.execution;

-- name: AllHeldReserves :many
SELECT reserve.*, execution.state AS execution_state FROM reserve JOIN execution ON execution.id = reserve.execution
WHERE reserve.state = 'held'
ORDER BY reserve.account, reserve.execution;

-- name: AllSpentSince :many
SELECT * FROM reserve
WHERE state = 'spent' AND (settled_at > @since OR EXISTS (
    SELECT 1 FROM trade_seen WHERE trade_seen.account = reserve.account AND 'trade:' || trade_seen.trade = reserve.subject))
ORDER BY account, execution;
