-- name: InsertEvent :exec
INSERT INTO outbox (id, owner, account, at, position, event)
VALUES (@id, @owner, @account, @at, 0, @event);

-- name: LockOutbox :one
-- The last position given, locked until the end of the transaction.
UPDATE outbox_head SET position = position WHERE name = 'outbox' RETURNING position;

-- name: MoveOutbox :exec
UPDATE outbox_head SET position = @position WHERE name = 'outbox';

-- name: WaitingEvents :many
SELECT id FROM outbox WHERE position = 0 ORDER BY id LIMIT sqlc.arg(most);

-- name: NumberEvent :exec
UPDATE outbox SET position = @position WHERE id = @id AND position = 0;

-- name: EventsAfter :many
SELECT position, event FROM outbox WHERE position > @position ORDER BY position LIMIT sqlc.arg(most);

-- name: OwnedEventsBefore :many
SELECT position, event FROM outbox WHERE owner = @owner AND position > 0 AND position < @position
ORDER BY position DESC LIMIT sqlc.arg(most);

-- name: OutboxEnd :one
SELECT position FROM outbox_head WHERE name = 'outbox';

-- name: Delivered :one
SELECT position FROM outbox_delivered WHERE consumer = @consumer;

-- name: SetDelivered :exec
INSERT INTO outbox_delivered (consumer, owner, position) VALUES (@consumer, @owner, @position)
ON CONFLICT (consumer) DO UPDATE SET position = excluded.position WHERE outbox_delivered.position < excluded.position;

-- name: TrimEvents :execrows
-- Numbered, older than asked, and delivered to every consumer there is; nothing
-- while there is none.
DELETE FROM outbox WHERE outbox.position > 0 AND outbox.at < @before
    AND EXISTS (SELECT 1 FROM outbox_delivered)
    AND NOT EXISTS (SELECT 1 FROM outbox_delivered WHERE outbox_delivered.position < outbox.position);
