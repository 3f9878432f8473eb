-- name: InsertClaim :execrows
INSERT INTO claim (account, subject, lane, owner, execution)
VALUES (@account, @subject, @lane, @owner, @execution)
ON CONFLICT (account, subject, lane) DO NOTHING;

-- name: DeleteClaim :execrows
DELETE FROM claim WHERE account = @account AND subject = @subject AND lane = @lane AND execution = @execution;

-- name: GiveUpClaim :execrows
-- Only an unknown execution of the same subject and lane gives its claim up.
DELETE FROM claim
WHERE claim.account = @account AND claim.subject = @subject AND claim.lane = @lane AND claim.execution = @execution
    AND EXISTS (SELECT 1 FROM execution WHERE execution.id = claim.execution AND execution.state = 'unknown');

-- name: ClaimsOfAccount :many
SELECT * FROM claim WHERE account = @account ORDER BY subject, lane;
