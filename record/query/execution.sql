-- name: InsertExecution :exec
INSERT INTO execution (
    id, owner, account, automation, subject, action, lane, state, reason, step, amount, cost, stop, last, partial,
    command, replaces, before, after, signature, tick_at, created_at, signed_at, sent_at, answered_at, settled_at,
    class, detail, raw, shard, epoch, may_repeat
) VALUES (
    @id, @owner, @account, @automation, @subject, @action, @lane, @state, @reason, @step, @amount, @cost, @stop, @last,
    @partial, @command, @replaces, @before, @after, @signature, @tick_at, @created_at, @signed_at, @sent_at,
    @answered_at, @settled_at, @class, @detail, @raw, @shard, @epoch, @may_repeat
);

-- name: BeginCommand :execrows
-- The requested row becomes the intent, once. A command about the account may
-- have chosen a trade meanwhile.
UPDATE execution SET
    subject = @subject, automation = @automation, state = 'intent', reason = @reason, step = @step, amount = @amount, cost = @cost,
    stop = @stop, last = @last, partial = @partial, command = @command, replaces = @replaces, before = @before,
    signature = @signature, tick_at = @tick_at, signed_at = @signed_at, shard = @shard, epoch = @epoch
WHERE id = @id AND account = @account AND state = 'requested';

-- name: SettleExecution :execrows
-- Compare and swap: only while the row still is in the state it was read in.
UPDATE execution SET
    state = @state, reason = @reason, cost = @cost, after = @after, sent_at = @sent_at, answered_at = @answered_at,
    settled_at = @settled_at, class = @class, detail = @detail, raw = @raw, may_repeat = @may_repeat
WHERE id = @id AND state = @from_state;

-- name: ExpireCommands :many
UPDATE execution SET state = 'skipped', reason = 'expired', settled_at = @now
WHERE state = 'requested' AND account = @account AND created_at < @before
RETURNING *;

-- name: ExecutionByID :one
SELECT * FROM execution WHERE id = @id;

-- name: OwnedExecution :one
SELECT * FROM execution WHERE owner = @owner AND id = @id;

-- name: UnsettledExecutions :many
SELECT * FROM execution WHERE account = @account AND state IN ('intent', 'unknown') ORDER BY id;

-- name: AllUnsettledExecutions :many
SELECT * FROM execution WHERE state IN ('intent', 'unknown') ORDER BY account, id;

-- name: SettledAdds :many
-- Reserves have the index by time; none was held before begun.
SELECT execution.* FROM reserve JOIN execution ON execution.id = reserve.execution
WHERE reserve.account = @account AND reserve.at >= @begun AND reserve.state = 'spent' AND reserve.settled_at >= @since
    AND execution.state = 'done' AND execution.action IN ('add_margin', 'prove')
ORDER BY execution.settled_at, execution.id;

-- name: RequestedExecutions :many
SELECT * FROM execution WHERE state = 'requested' ORDER BY account, id;

-- name: ExecutionsOfOwner :many
SELECT * FROM execution WHERE owner = @owner AND id < @before ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: ExecutionsOfAccount :many
SELECT * FROM execution WHERE owner = @owner AND account = @account AND id < @before ORDER BY id DESC LIMIT sqlc.arg(most);
