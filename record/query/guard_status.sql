-- name: SaveGuardStatus :exec
INSERT INTO guard_status (process, owner, at, status) VALUES (@process, @owner, @at, @status)
ON CONFLICT (process) DO UPDATE SET at = excluded.at, status = excluded.status;

-- name: GuardStatuses :many
SELECT process, at, status FROM guard_status ORDER BY process;

-- name: ForgetGuardStatus :exec
DELETE FROM guard_status WHERE process = @process OR at < @before;
