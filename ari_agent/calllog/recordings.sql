-- Statements about recordings: the rows of those that exist. What they hold lies in files, its keys elsewhere.

-- name: call_recordings
SELECT id, call, kind, at, node, duration_ms, size, sha256
FROM ari_agent.recording WHERE call = %(call)s ORDER BY at, kind

-- name: hand_out
-- The account and the time are put down by the database itself.
SELECT ari_agent.hand_out(%(id)s, %(login)s)

-- name: retention_audio
-- Only what is erased already or was to lie on this machine.
DELETE FROM ari_agent.recording
WHERE
    id IN (SELECT ari_agent.expired_recordings(%(moment)s, 'audio'))
    AND (id = ANY(%(erased)s::uuid []) OR node = %(node)s)

-- name: retention_transcript
DELETE FROM ari_agent.recording
WHERE
    id IN (SELECT ari_agent.expired_recordings(%(moment)s, 'transcript'))
    AND (id = ANY(%(erased)s::uuid []) OR node = %(node)s)

-- name: subject_recordings
SELECT id, call, kind, at, node, duration_ms FROM ari_agent.recording
WHERE call = ANY(%(calls)s::uuid []) ORDER BY at, kind

-- name: subject_erase_recordings
DELETE FROM ari_agent.recording WHERE id = ANY(%(erased)s::uuid [])
