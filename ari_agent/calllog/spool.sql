-- Statements of the spool, an SQLite file; parameters are :name. All else of this package is Postgres.

-- name: spool_create
-- A position is never used again, so that order survives a spool that has been empty. taken_at: seconds since 1970.
CREATE TABLE IF NOT EXISTS entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    taken_at REAL NOT NULL,
    content TEXT NOT NULL
) STRICT

-- name: spool_append
INSERT OR IGNORE INTO entry (id, kind, taken_at, content) VALUES (:id, :kind, :taken_at, :content)

-- name: spool_oldest
SELECT position, id, kind, content FROM entry WHERE position > :after ORDER BY position LIMIT :limit

-- name: spool_remove
DELETE FROM entry WHERE position <= :until

-- name: spool_left
SELECT count(*), min(taken_at) FROM entry WHERE position > :after

-- name: spool_last
SELECT seq FROM sqlite_sequence WHERE name = 'entry'

-- name: spool_keys
-- Of the keys that entries are sealed with, the names: what stands before the colon.
SELECT DISTINCT substr(content, 1, 8) FROM entry WHERE content NOT LIKE '{%'

-- name: spool_plain
SELECT position, id, content FROM entry WHERE content LIKE '{%'

-- name: spool_seal
UPDATE entry SET content = :content WHERE position = :position
