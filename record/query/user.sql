-- name: User :one
SELECT * FROM "user" WHERE id = @id;
