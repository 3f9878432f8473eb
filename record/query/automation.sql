-- name: InsertAutomation :exec
INSERT INTO automation (
    id, owner, account, name, kind, mode, scope, config_version, config, limits, armed_at, created_at, version
) VALUES (
    @id, @owner, @account, @name, @kind, @mode, @scope, @config_version, @config, @limits, @armed_at, @created_at, 1
);

-- name: UpdateAutomation :execrows
UPDATE automation SET
    name = @name, mode = @mode, scope = @scope, config_version = @config_version, config = @config, limits = @limits,
    armed_at = @armed_at, version = version + 1
WHERE owner = @owner AND id = @id AND version = @version;

-- name: DeleteAutomation :one
DELETE FROM automation WHERE owner = @owner AND id = @id RETURNING account, name;

-- name: DeleteStatesOfAutomation :exec
DELETE FROM automation_state WHERE automation = @automation;

-- name: OwnedAutomation :one
SELECT * FROM automation WHERE owner = @owner AND id = @id;

-- name: AutomationsOfOwner :many
SELECT * FROM automation WHERE owner = @owner AND id > @after ORDER BY id LIMIT sqlc.arg(most);

-- name: AutomationsOfAccount :many
SELECT * FROM automation WHERE account = @account ORDER BY created_at, id;

-- name: AllAutomations :many
SELECT * FROM automation ORDER BY account, created_at, id;

-- name: OwnerOfAutomation :one
SELECT owner, account FROM automation WHERE id = @id;

-- name: SaveState :exec
INSERT INTO automation_state (automation, subject, owner, account, state, saved_at)
VALUES (@automation, @subject, @owner, @account, @state, @now)
ON CONFLICT (automation, subject) DO UPDATE SET state = excluded.state, saved_at = excluded.saved_at;

-- name: StatesOfAccount :many
SELECT state FROM automation_state WHERE account = @account ORDER BY automation, subject;

-- name: AllStates :many
SELECT account, state FROM automation_state ORDER BY account, automation, subject;

-- name: ForgetStates :execrows
-- Of all rules about one subject: the trade has ended.
DELETE FROM automation_state WHERE account = @account AND subject = @subject;
