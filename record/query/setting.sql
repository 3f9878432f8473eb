-- name: SetSetting :exec
INSERT INTO setting (owner, name, value, at) VALUES (@owner, @name, @value, @at)
ON CONFLICT (owner, name) DO UPDATE SET value = excluded.value, at = excluded.at;

-- name: Setting :one
SELECT value FROM setting WHERE owner = @owner AND name = @name;

-- name: MoveRevision :exec
UPDATE revision SET revision = revision + 1 WHERE name = 'guarded';

-- name: Revision :one
SELECT revision FROM revision WHERE name = 'guarded';
