-- name: HoldFence :execrows
-- Touches one row while the epoch is still ours, and locks it until the end of
-- the transaction.
UPDATE lease SET epoch = epoch WHERE shard = @shard AND epoch = @epoch;

-- name: TakeLease :one
UPDATE lease SET holder = @holder, epoch = epoch + 1, taken_at = @now
WHERE shard = @shard AND epoch = @epoch
RETURNING epoch;

-- name: TakeBeat :exec
UPDATE lease_beat SET holder = @holder, epoch = @epoch, beat = beat + 1, at = @now WHERE shard = @shard;

-- name: BeatLeases :many
UPDATE lease_beat SET beat = beat + 1, at = @now WHERE holder = @holder
RETURNING shard, epoch;

-- name: ReleaseLease :execrows
-- The epoch moves on, so that nothing more is written under the old one.
UPDATE lease SET holder = '', epoch = epoch + 1 WHERE shard = @shard AND epoch = @epoch;

-- name: ReleaseBeat :exec
UPDATE lease_beat SET holder = '', at = @now WHERE shard = @shard AND epoch = @epoch;

-- name: Leases :many
SELECT lease.shard, lease.epoch, lease.holder, lease_beat.beat
FROM lease JOIN lease_beat ON lease_beat.shard = lease.shard
ORDER BY lease.shard;
