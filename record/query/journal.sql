-- name: LockChain :one
-- The head of a chain, made when it is new, and locked until the end of the
-- transaction.
INSERT INTO journal_head (chain, owner, seq, hash) VALUES (@chain, @owner, 0, @hash)
ON CONFLICT (chain) DO UPDATE SET seq = journal_head.seq
RETURNING seq, hash;

-- name: MoveHead :exec
UPDATE journal_head SET seq = @seq, hash = @hash WHERE chain = @chain;

-- name: InsertEntry :exec
INSERT INTO journal (chain, seq, owner, at, kind, canonical, hash, payload, salt)
VALUES (@chain, @seq, @owner, @at, @kind, @canonical, @hash, @payload, @salt);

-- name: InsertCheckpoint :exec
INSERT INTO checkpoint (chain, seq, owner, at, hash, key, signature)
VALUES (@chain, @seq, @owner, @at, @hash, @key, @signature)
ON CONFLICT (chain, seq) DO NOTHING;

-- name: Heads :many
SELECT chain, owner, seq, hash FROM journal_head ORDER BY chain;

-- name: HeadOf :one
SELECT chain, owner, seq, hash FROM journal_head WHERE chain = @chain;

-- name: Chains :many
-- Every chain that any of the three tables knows: one that was cut out of one
-- of them is still looked at.
SELECT DISTINCT chain FROM journal
UNION SELECT chain FROM journal_head
UNION SELECT chain FROM checkpoint
ORDER BY chain;

-- name: EntriesAfter :many
SELECT * FROM journal WHERE chain = @chain AND seq > @seq ORDER BY seq LIMIT sqlc.arg(most);

-- name: OwnedEntries :many
SELECT * FROM journal WHERE owner = @owner AND chain = @chain AND seq < @before ORDER BY seq DESC LIMIT sqlc.arg(most);

-- name: CheckpointsOf :many
SELECT * FROM checkpoint WHERE chain = @chain ORDER BY seq;

-- name: ForgetPayloads :execrows
UPDATE journal SET payload = NULL, salt = NULL WHERE owner = @owner AND payload IS NOT NULL;
