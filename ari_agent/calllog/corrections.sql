-- Statements about corrections of notes, callbacks and messages; the rules of queries.sql hold here as well.

-- name: correctable_notes
-- Those whose call begins so.
SELECT call, written_at, who, about, agreed, open, urgency, ai_generated, made_by FROM ari_agent.note
WHERE starts_with(call::text, %(prefix)s::text)
ORDER BY call
LIMIT 2

-- name: correctable_tasks
-- Those whose id begins so, as they were taken down.
SELECT id, caller_name AS name, encode(number, 'hex') AS number, company, email, recipient, matter, earliest, latest, urgency FROM ari_agent.task
WHERE starts_with(id::text, %(prefix)s::text)
ORDER BY id
LIMIT 2

-- name: corrections_of
SELECT revision, field, at, person, old, new FROM ari_agent.correction
WHERE note = %(note)s::uuid OR task = %(task)s::uuid
ORDER BY revision

-- name: correct
-- The trigger does the rest: what was there before, when and by which account, the event.
INSERT INTO ari_agent.correction (note, task, revision, field, person, new, new_digest)
VALUES (
    %(note)s::uuid, %(task)s::uuid, %(revision)s, %(field)s, %(person)s, %(new)s::text[], %(digest)s::bytea
)
