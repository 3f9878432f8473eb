-- name: InsertReserve :exec
INSERT INTO reserve (execution, owner, account, subject, state, cost, counts, by_hand, at, settled_at)
VALUES (@execution, @owner, @account, @subject, 'held', @cost, @counts, @by_hand, @at, 0);

-- name: SettleReserve :execrows
UPDATE reserve SET state = @state, cost = @cost, settled_at = @settled_at
WHERE execution = @execution AND state = 'held';

-- name: CountedInDay :one
SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM reserve
WHERE account = @account AND by_hand = FALSE AND (state = 'held' OR (state = 'spent' AND settled_at > @since));

-- name: CountedOnSubject :one
SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost FROM reserve
WHERE account = @account AND subject = @subject AND by_hand = FALSE AND state IN ('held', 'spent');

-- name: RecentReserves :many
-- Those held, and those spent since.
SELECT reserve.*, execution.state AS execution_state FROM reserve JOIN execution ON execution.id = reserve.execution
WHERE reserve.account = @account AND (reserve.state = 'held' OR (reserve.state = 'spent' AND reserve.settled_at > @since))
ORDER BY reserve.execution;

-- name: SpentOnRunning :many
-- Those spent up to then on trades that were last seen running: with the recent
-- ones, all that count.
SELECT * FROM reserve
WHERE reserve.account = @account AND reserve.state = 'spent' AND reserve.settled_at <= @since
    AND reserve.subject IN (SELECT 'trade:' || trade_seen.trade FROM trade_seen WHERE trade_seen.account = @account)
ORDER BY reserve.execution;
