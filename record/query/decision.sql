-- name: InsertDecision :exec
INSERT INTO decision (id, owner, account, automation, subject, action, reason, at, decision)
VALUES (@id, @owner, @account, @automation, @subject, @action, @reason, @at, @decision)
ON CONFLICT (id) DO NOTHING;

-- name: LastDecision :one
SELECT action, reason, decision FROM decision
WHERE account = @account AND automation = @automation AND subject = @subject
ORDER BY at DESC, id DESC LIMIT 1;

-- name: DecisionsOfOwner :many
SELECT * FROM decision WHERE owner = @owner AND id < @before ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: DecisionsOfAccount :many
SELECT * FROM decision WHERE owner = @owner AND account = @account AND id < @before ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: OwnedDecision :one
SELECT * FROM decision WHERE owner = @owner AND id = @id;
