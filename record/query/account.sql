-- name: InsertAccount :exec
INSERT INTO account (
    id, owner, label, network, scopes, status, detail, created_at, proved_at, sealed_key, sealed_secret, sealed_passphrase
) VALUES (
    @id, @owner, @label, @network, @scopes, @status, @detail, @created_at, @proved_at, @sealed_key, @sealed_secret,
    @sealed_passphrase
);

-- name: UpdateAccount :execrows
UPDATE account SET label = @label, scopes = @scopes, status = @status, detail = @detail
WHERE owner = @owner AND id = @id;

-- name: UpdateSealed :execrows
UPDATE account SET sealed_key = @sealed_key, sealed_secret = @sealed_secret, sealed_passphrase = @sealed_passphrase
WHERE owner = @owner AND id = @id;

-- name: RenewProof :exec
UPDATE account SET proved_at = @at WHERE id = @id AND proved_at < @at;

-- name: AccountByID :one
SELECT * FROM account WHERE id = @id;

-- name: OwnedAccount :one
SELECT * FROM account WHERE owner = @owner AND id = @id;

-- name: AccountByLabel :one
SELECT * FROM account WHERE owner = @owner AND label = @label;

-- name: SealedOf :one
SELECT owner, sealed_key, sealed_secret, sealed_passphrase FROM account WHERE id = @id;

-- name: AccountsOfOwner :many
SELECT * FROM account WHERE owner = @owner AND id > @after ORDER BY id LIMIT sqlc.arg(most);

-- name: AllAccounts :many
SELECT * FROM account ORDER BY id;

-- name: DeleteAccount :execrows
DELETE FROM account WHERE owner = @owner AND id = @id;

-- name: CountUnsettledOf :one
SELECT COUNT(*) FROM execution WHERE account = @account AND state IN ('requested', 'intent', 'unknown');

-- name: DeleteAutomationsOf :exec
DELETE FROM automation WHERE account = @account;

-- name: DeleteStatesOf :exec
DELETE FROM automation_state WHERE account = @account;
