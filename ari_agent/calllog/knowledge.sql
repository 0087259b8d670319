-- Versions of what the company lets its callers know.

-- name: knowledge_newest
SELECT coalesce(max(number), 0) AS number FROM ari_agent.knowledge_version

-- name: knowledge_versions
-- The newest first, or only one.
SELECT
    number, at, action, author, note, restores, sources, sha256, gate, passages, added, changed, removed
FROM ari_agent.knowledge_version
WHERE number = coalesce(%(number)s::integer, number)
ORDER BY number DESC
LIMIT %(limit)s

-- name: knowledge_passages
SELECT id, title, text, questions, accepted, valid_from, valid_until, audience, source, page, row
FROM ari_agent.knowledge_passage
WHERE version = %(number)s
ORDER BY position

-- name: knowledge_store
-- Version and passages in one statement: all of it or nothing.
WITH version AS (
    INSERT INTO ari_agent.knowledge_version
        (number, action, author, note, restores, sources, sha256, gate, passages, added, changed, removed)
    SELECT
        %(number)s, %(action)s, %(author)s, %(note)s, %(restores)s, %(sources)s, %(sha256)s, %(gate)s::jsonb,
        jsonb_array_length(%(passages)s), %(added)s, %(changed)s, %(removed)s
    RETURNING number
)
INSERT INTO ari_agent.knowledge_passage
    (
        version, position, id, title, text, questions, accepted, valid_from, valid_until, audience, source, page, row
    )
SELECT
    v.number, p.position, p.id, p.title, p.text, p.questions, p.accepted, p.valid_from, p.valid_until, p.audience,
    p.source, p.page, p.row
FROM version AS v
CROSS JOIN
    jsonb_to_recordset(%(passages)s) AS p (
        position integer, id text, title text, text text, questions text [], accepted text [], valid_from date,
        valid_until date, audience text, source text, page integer, "row" integer
    )
