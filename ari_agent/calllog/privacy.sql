-- Statements about retention, persons' requests and proofs. Whatever is deleted, emptied or blacked out loses the salt of
-- its seal in the same statement: the event stays in the chain, its seal tells nothing any more and is no fault.

-- name: backup_report
INSERT INTO ari_agent.backup_proof (at, kind) VALUES (%(at)s, %(kind)s) RETURNING number

-- name: long_statements
-- Deleting what has gathered for long, or looking through every row, takes longer than writing one entry may.
SELECT set_config('statement_timeout', '600000', true)

-- name: retention_rule_set
UPDATE ari_agent.retention_rule SET days = %(days)s, changed_at = clock_timestamp()
WHERE kind = %(kind)s AND days <> %(days)s

-- name: retention_wording
WITH gone AS (
    UPDATE ari_agent.turn AS t SET caller_text = NULL, agent_text = NULL
    FROM ari_agent.expired_wording(%(moment)s) AS e WHERE t.call = e.call AND t.number = e.number
    RETURNING t.call, t.number
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind = 'turn' AND e.detail ->> 'number' = gone.number::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: retention_note
WITH gone AS (
    DELETE FROM ari_agent.note WHERE call IN (SELECT ari_agent.expired_notes(%(moment)s))
    RETURNING call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind = 'note' AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: retention_task
WITH gone AS (
    DELETE FROM ari_agent.task WHERE id IN (SELECT ari_agent.expired_tasks(%(moment)s, 'done'))
    RETURNING id, call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind IN ('task', 'system') AND e.detail ->> 'task' = gone.id::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: retention_open_task
WITH gone AS (
    DELETE FROM ari_agent.task WHERE id IN (SELECT ari_agent.expired_tasks(%(moment)s, 'open'))
    RETURNING id, call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind IN ('task', 'system') AND e.detail ->> 'task' = gone.id::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: retention_caller_number
-- The pseudonym stays for as long as the row, and with it the seal, which covers it.
WITH gone AS (
    UPDATE ari_agent.call SET caller = NULL, caller_erased_at = %(moment)s
    WHERE id IN (SELECT ari_agent.expired_numbers(%(moment)s))
    RETURNING id
)
SELECT 1 FROM gone

-- name: retention_call
WITH gone AS (
    DELETE FROM ari_agent.call WHERE id IN (SELECT ari_agent.expired_calls(%(moment)s))
    RETURNING
        date_trunc('month', coalesce(opened_at, answered_at, closed_at, %(moment)s) AT TIME ZONE 'UTC')::date AS month,
        coalesce(outcome, 'unknown') AS outcome, test,
        greatest(coalesce(extract(epoch FROM closed_at - opened_at), 0), 0) AS seconds
), monthly AS (
    INSERT INTO ari_agent.call_month AS m (month, outcome, calls, seconds)
    SELECT month, outcome, count(*), sum(seconds) FROM gone WHERE NOT test GROUP BY 1, 2
    ON CONFLICT (month, outcome) DO UPDATE SET
        calls = m.calls + EXCLUDED.calls, seconds = m.seconds + EXCLUDED.seconds
)
SELECT 1 FROM gone

-- name: retention_request
DELETE FROM ari_agent.subject_request WHERE id IN (SELECT ari_agent.expired_requests(%(moment)s))

-- name: retention_event
SELECT ari_agent.forget_events(%(moment)s) AS events

-- name: deletion_log
INSERT INTO ari_agent.deletion (run, at, cause, place, days, rows, request)
VALUES (%(run)s, %(at)s, %(cause)s, %(place)s, %(days)s, %(rows)s, %(request)s)

-- name: counts_for_metrics
SELECT
    ueberfaellige_zeilen AS overdue_rows, ueberfaellige_anfragen AS overdue_requests,
    coalesce(ungeklaerte_luecken, 0) AS unexplained_gaps, letzter_abgleich AS reconciled_at
FROM ari_agent.v_kennzahlen

-- name: subject_open
-- The clock begins when the request came in: one month, to the end of that month when it has no such day.
INSERT INTO ari_agent.subject_request (id, ticket, received_on, due_on)
VALUES (gen_random_uuid(), %(ticket)s, %(received)s, (%(received)s::date + interval '1 month')::date)
ON CONFLICT (ticket) DO NOTHING

-- name: subject_request
SELECT id, ticket, received_on, due_on FROM ari_agent.subject_request WHERE ticket = %(ticket)s

-- name: subject_requests
SELECT aktenzeichen, eingang, frist, stand, identitaet, frist_ueberschritten
FROM ari_agent.v_betroffenenanfragen
ORDER BY stand <> 'offen', frist, aktenzeichen

-- name: subject_act
INSERT INTO ari_agent.subject_action (request, action, identity, found, places)
VALUES (%(request)s, %(action)s, %(identity)s, %(found)s, %(places)s)

-- name: subject_calls
-- The calls of the number, or the one that is asked for.
SELECT id FROM ari_agent.call
WHERE
    id = %(call)s::uuid
    OR caller_digest = ANY(%(digests)s::bytea [])

-- name: subject_tasks
-- What was left in these calls, and what others left with this number; a corrected number counts as it is now.
SELECT t.id, t.call FROM ari_agent.task AS t
LEFT JOIN LATERAL (
    SELECT c.task, c.new_digest AS digest FROM ari_agent.correction AS c
    WHERE c.task = t.id AND c.field = 'number' ORDER BY c.revision DESC LIMIT 1
) AS k ON true
CROSS JOIN LATERAL (SELECT CASE WHEN k.task IS NULL THEN t.number_digest ELSE k.digest END AS digest) AS now_held
WHERE
    t.call = ANY(%(calls)s::uuid [])
    OR now_held.digest = ANY(%(digests)s::bytea [])

-- name: subject_corrections
SELECT entry FROM ari_agent.correction
WHERE note = ANY(%(touched)s::uuid []) OR task = ANY(%(tasks)s::uuid [])

-- name: subject_contacts
SELECT id, number, name, company, route, target, imported_at, source FROM ari_agent.contact
WHERE digest = ANY(%(digests)s::bytea [])

-- name: subject_mentions
-- Where the number stands in what belongs to calls of others.
SELECT 'task' AS place, id::text AS key, call FROM ari_agent.task
WHERE
    NOT id = ANY(%(tasks)s::uuid [])
    AND (
        number_digest = ANY(%(digests)s::bytea [])
        OR concat_ws(' ', caller_name, company, email, recipient, matter) ~ %(pattern)s::text
    )
UNION ALL
SELECT 'correction', entry::text, call FROM ari_agent.correction
WHERE
    NOT coalesce(note = ANY(%(touched)s::uuid []), task = ANY(%(tasks)s::uuid []))
    AND (
        old_digest = ANY(%(digests)s::bytea [])
        OR new_digest = ANY(%(digests)s::bytea [])
        OR (field <> 'number' AND concat_ws(' ', old::text, new::text) ~ %(pattern)s::text)
    )
UNION ALL
SELECT 'note', call::text, call FROM ari_agent.note
WHERE
    NOT call = ANY(%(touched)s::uuid [])
    AND concat_ws(' ', who, about::text, agreed::text, open::text) ~ %(pattern)s::text
UNION ALL
SELECT 'turn', call || '/' || number, call FROM ari_agent.turn
WHERE
    NOT call = ANY(%(touched)s::uuid []) AND concat_ws(' ', caller_text, agent_text) ~ %(pattern)s::text
UNION ALL
SELECT 'contact', id::text, NULL FROM ari_agent.contact
WHERE (digest = ANY(%(digests)s::bytea [])) IS NOT true AND concat_ws(' ', name, company) ~ %(pattern)s::text

-- name: subject_export_calls
SELECT
    id, opened_at, answered_at, closed_at, node, channel, dialled, caller,
    ari_agent.pseudonym(caller_digest) AS caller_pseudonym, test, disclosure_played_ms, outcome, reason, escalated_to, turns
FROM ari_agent.call WHERE id = ANY(%(calls)s::uuid []) ORDER BY opened_at, id

-- name: subject_export_turns
SELECT call, number, at, act, source, reason, heard, caller_text, agent_text, intent, urgency, decided_by
FROM ari_agent.turn WHERE call = ANY(%(calls)s::uuid []) ORDER BY call, number

-- name: subject_export_tasks
SELECT
    id, call, taken_at, kind, caller_name, number, company, email, recipient, matter, earliest, latest, due, urgency,
    intent, reason, complete, state, done_at
FROM ari_agent.task WHERE id = ANY(%(tasks)s::uuid []) ORDER BY taken_at, id

-- name: subject_export_notes
SELECT call, written_at, who, about, agreed, open, urgency, ai_generated, made_by
FROM ari_agent.note WHERE call = ANY(%(calls)s::uuid []) ORDER BY written_at, call

-- name: subject_export_corrections
-- Not who corrected it: that is another person.
SELECT call, task, field, at, old, new FROM ari_agent.correction
WHERE note = ANY(%(calls)s::uuid []) OR task = ANY(%(tasks)s::uuid [])
ORDER BY at, entry

-- name: subject_erase_corrections
DELETE FROM ari_agent.correction WHERE note = ANY(%(touched)s::uuid []) OR task = ANY(%(tasks)s::uuid [])

-- name: subject_erase_tasks
WITH gone AS (
    DELETE FROM ari_agent.task WHERE id = ANY(%(tasks)s::uuid [])
    RETURNING id, call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind IN ('task', 'system') AND e.detail ->> 'task' = gone.id::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_erase_notes
WITH gone AS (
    DELETE FROM ari_agent.note WHERE call = ANY(%(touched)s::uuid [])
    RETURNING call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind = 'note' AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_erase_wording
WITH gone AS (
    UPDATE ari_agent.turn SET caller_text = NULL, agent_text = NULL
    WHERE call = ANY(%(touched)s::uuid []) AND (caller_text IS NOT NULL OR agent_text IS NOT NULL)
    RETURNING call, number
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind = 'turn' AND e.detail ->> 'number' = gone.number::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_erase_calls
-- The row stays, so that the log is complete; nothing in it leads to a person any more.
WITH gone AS (
    UPDATE ari_agent.call SET caller = NULL, caller_digest = NULL, channel = NULL, caller_erased_at = %(moment)s
    WHERE id = ANY(%(calls)s::uuid []) AND num_nonnulls(caller, caller_digest, channel) > 0
    RETURNING id
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.id AND 'opened' IN (e.kind, e.detail ->> 'kind') AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_erase_contacts
DELETE FROM ari_agent.contact WHERE digest = ANY(%(digests)s::bytea [])

-- name: subject_redact_tasks
WITH gone AS (
    UPDATE ari_agent.task SET
        caller_name = regexp_replace(caller_name, %(pattern)s, '[gelöscht]', 'g'),
        -- Of another person now, but misheard as this one's before it was corrected.
        number = CASE WHEN number_digest = ANY(%(digests)s::bytea []) THEN NULL ELSE number END,
        number_digest = CASE WHEN number_digest = ANY(%(digests)s::bytea []) THEN NULL ELSE number_digest END,
        company = regexp_replace(company, %(pattern)s, '[gelöscht]', 'g'),
        email = regexp_replace(email, %(pattern)s, '[gelöscht]', 'g'),
        recipient = regexp_replace(recipient, %(pattern)s, '[gelöscht]', 'g'),
        matter = regexp_replace(matter, %(pattern)s, '[gelöscht]', 'g')
    WHERE
        number_digest = ANY(%(digests)s::bytea [])
        OR concat_ws(' ', caller_name, company, email, recipient, matter) ~ %(pattern)s
    RETURNING id, call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind IN ('task', 'system') AND e.detail ->> 'task' = gone.id::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_redact_notes
WITH gone AS (
    UPDATE ari_agent.note SET
        who = regexp_replace(who, %(pattern)s, '[gelöscht]', 'g'),
        about = ARRAY(SELECT regexp_replace(t, %(pattern)s, '[gelöscht]', 'g') FROM unnest(about) AS t),
        agreed = ARRAY(SELECT regexp_replace(t, %(pattern)s, '[gelöscht]', 'g') FROM unnest(agreed) AS t),
        open = ARRAY(SELECT regexp_replace(t, %(pattern)s, '[gelöscht]', 'g') FROM unnest(open) AS t)
    WHERE concat_ws(' ', who, about::text, agreed::text, open::text) ~ %(pattern)s
    RETURNING call
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind = 'note' AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_redact_corrections
UPDATE ari_agent.correction SET
    old = ARRAY(SELECT regexp_replace(t, %(pattern)s, '[gelöscht]', 'g') FROM unnest(old) AS t),
    new = ARRAY(SELECT regexp_replace(t, %(pattern)s, '[gelöscht]', 'g') FROM unnest(new) AS t),
    salt = NULL
WHERE
    concat_ws(' ', old::text, new::text) ~ %(pattern)s
    AND field NOT IN ('number', 'earliest', 'latest', 'urgency')

-- name: subject_redact_numbers
-- Of another person, corrected from or to this one's number: what is sealed goes as a whole.
UPDATE ari_agent.correction SET
    old = CASE WHEN old_digest = ANY(%(digests)s::bytea []) THEN '{}' ELSE old END,
    new = CASE WHEN new_digest = ANY(%(digests)s::bytea []) THEN '{}' ELSE new END,
    old_digest = CASE WHEN old_digest = ANY(%(digests)s::bytea []) THEN NULL ELSE old_digest END,
    new_digest = CASE WHEN new_digest = ANY(%(digests)s::bytea []) THEN NULL ELSE new_digest END,
    salt = NULL
WHERE old_digest = ANY(%(digests)s::bytea []) OR new_digest = ANY(%(digests)s::bytea [])

-- name: subject_redact_turns
WITH gone AS (
    UPDATE ari_agent.turn SET
        caller_text = regexp_replace(caller_text, %(pattern)s, '[gelöscht]', 'g'),
        agent_text = regexp_replace(agent_text, %(pattern)s, '[gelöscht]', 'g')
    WHERE concat_ws(' ', caller_text, agent_text) ~ %(pattern)s
    RETURNING call, number
), unsalted AS (
    DELETE FROM ari_agent.salt AS s USING gone, ari_agent.event AS e
    WHERE e.call = gone.call AND e.kind = 'turn' AND e.detail ->> 'number' = gone.number::text AND s.entry = e.entry
)
SELECT 1 FROM gone

-- name: subject_redact_contacts
UPDATE ari_agent.contact SET
    name = regexp_replace(name, %(pattern)s, '[gelöscht]', 'g'),
    company = regexp_replace(company, %(pattern)s, '[gelöscht]', 'g')
WHERE concat_ws(' ', name, company) ~ %(pattern)s

-- name: compaction_due
-- The tables from which something was deleted since they were last written anew, and how far the log of deletions is.
SELECT c.table, c.owned, c.deletion
FROM (
    SELECT DISTINCT
        p.table, (SELECT max(number) FROM ari_agent.deletion) AS deletion,
        pg_has_role((SELECT relowner FROM pg_class WHERE oid = ('ari_agent.' || p.table)::regclass), 'USAGE') AS owned
    FROM ari_agent.deletion AS d
    INNER JOIN (
        VALUES ('wording', 'turn'), ('note', 'note'), ('note', 'correction'), ('task', 'task'), ('task', 'correction'),
        ('open-task', 'task'), ('open-task', 'correction'), ('caller-number', 'call'), ('call', 'call'), ('call', 'turn'),
        ('contact', 'contact'), ('correction', 'correction'), ('mention', 'task'), ('mention', 'note'),
        ('mention', 'correction'), ('mention', 'turn'), ('mention', 'contact')
    ) AS p (place, "table") ON p.place = d.place
    WHERE d.rows > 0 AND d.number > (SELECT coalesce(max(deletion), 0) FROM ari_agent.compaction)
) AS c
ORDER BY c.table

-- name: compaction_done
INSERT INTO ari_agent.compaction (deletion, tables) VALUES (%(deletion)s, %(tables)s)

-- name: compaction_state
SELECT zuletzt AS last, offen_seit AS since, offene_loeschungen AS pending FROM ari_agent.v_ueberschrieben
