-- Statements about callbacks, messages and notes; the rules of queries.sql hold here as well.

-- name: record_task
-- A text that is too long is cut: what a caller asked for must not be lost for its length.
WITH given AS (
    SELECT
        nullif(left(%(name)s::text, 200), '') AS name, %(number)s::bytea AS number, %(digest)s::bytea AS digest,
        nullif(left(%(company)s::text, 200), '') AS company, nullif(left(%(email)s::text, 254), '') AS email,
        nullif(left(%(recipient)s::text, 200), '') AS recipient, nullif(left(%(matter)s::text, 2000), '') AS matter
), entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail, seal)
    SELECT
        %(entry)s::uuid, %(call)s::uuid, %(at)s::timestamptz, 'task', %(kind)s::text,
        jsonb_build_object('task', %(ident)s::uuid),
        ari_agent.seal(
            %(salt)s,
            jsonb_build_object(
                'name', name, 'number', encode(digest, 'hex'), 'company', company, 'email', email, 'recipient', recipient,
                'matter', matter
            )
        )
    FROM given
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), salted AS (
    INSERT INTO ari_agent.salt (entry, call, salt) SELECT %(entry)s::uuid, %(call)s::uuid, %(salt)s::bytea FROM entry
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
), taken AS (
    INSERT INTO ari_agent.task (
        id, call, taken_at, kind, caller_name, number, number_digest, company, email, recipient, matter, earliest,
        latest, due, urgency, intent, reason, complete
    )
    SELECT
        %(ident)s::uuid, %(call)s::uuid, %(at)s::timestamptz, %(kind)s::text, name, number, digest, company, email,
        recipient, matter, %(earliest)s::timestamptz, %(latest)s::timestamptz, %(due)s::timestamptz, %(urgency)s::text,
        nullif(%(intent)s::text, ''), nullif(%(reason)s::text, ''), %(complete)s::boolean
    FROM entry, given
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_note
-- A call has one note; another entry with a note of the same call is a fault and refused by the primary key.
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, seal)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'note', %(urgency)s,
        ari_agent.seal(
            %(salt)s,
            jsonb_build_object(
                'who', left(%(who)s::text, 500), 'about', %(about)s::text[], 'agreed', %(agreed)s::text[],
                'open', %(open)s::text[]
            )
        )
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), salted AS (
    INSERT INTO ari_agent.salt (entry, call, salt) SELECT %(entry)s::uuid, %(call)s::uuid, %(salt)s::bytea FROM entry
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
), written AS (
    INSERT INTO ari_agent.note (call, written_at, who, about, agreed, open, urgency, made_by)
    SELECT
        %(call)s::uuid, %(at)s::timestamptz, left(%(who)s::text, 500), %(about)s::text[], %(agreed)s::text[],
        %(open)s::text[], %(urgency)s::text, %(made_by)s::text
    FROM entry
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: tasks
-- For the desk that calls back: full numbers once they are opened, with what people corrected. What is late first stands
-- first, what is done last.
WITH held AS (
    SELECT
        t.id, t.call, t.taken_at, t.kind, t.intent, t.reason, t.complete, t.state, t.done_at, t.done_by, k.revision,
        k.fields AS corrected, ari_agent.held(k.fields, 'name', t.caller_name) AS caller_name,
        ari_agent.held(k.fields, 'number', encode(t.number, 'hex')) AS number,
        ari_agent.held(k.fields, 'company', t.company) AS company,
        ari_agent.held(k.fields, 'email', t.email) AS email,
        ari_agent.held(k.fields, 'recipient', t.recipient) AS recipient,
        ari_agent.held(k.fields, 'matter', t.matter) AS matter,
        ari_agent.held(k.fields, 'earliest', t.earliest) AS earliest,
        ari_agent.held(k.fields, 'latest', t.latest) AS latest,
        -- Whoever corrects from when a caller wishes to be called sets from when it is due.
        coalesce((k.fields -> 'earliest' ->> 'new')::timestamptz, t.due) AS due,
        ari_agent.held(k.fields, 'urgency', t.urgency) AS urgency
    FROM ari_agent.task AS t
    CROSS JOIN LATERAL (
        SELECT
            coalesce(max(c.revision), 0) AS revision,
            coalesce(
                jsonb_object_agg(c.field, jsonb_build_object('new', c.new[1], 'person', c.person, 'at', c.at))
                FILTER (WHERE c.is_newest), '{}'
            ) AS fields
        FROM (
            SELECT
                field, revision, new, person, at,
                revision = max(revision) OVER (PARTITION BY field) AS is_newest
            FROM ari_agent.correction WHERE task = t.id
        ) AS c
    ) AS k
    WHERE t.state = 'open' OR %(all)s::boolean
)
SELECT
    id, call, taken_at, kind, caller_name, number, company, email, recipient, matter, earliest, latest, due,
    ari_agent.frist(due, latest) AS deadline, urgency, intent, reason, complete, state, done_at, done_by,
    coalesce(state = 'open' AND ari_agent.frist(due, latest) < now(), false) AS overdue, revision, corrected
FROM held
ORDER BY
    state = 'done', done_at DESC, deadline NULLS LAST, array_position('{high,normal,low}'::text[], urgency), taken_at, id

-- name: tasks_beginning
SELECT id, state, done_at, done_by FROM ari_agent.task WHERE starts_with(id::text, %(prefix)s::text) ORDER BY id LIMIT 2

-- name: task_done
-- Only once: whoever comes second finds it done.
WITH done AS (
    UPDATE ari_agent.task SET state = 'done', done_at = clock_timestamp(), done_by = nullif(left(%(by)s::text, 80), '')
    WHERE id = %(id)s AND state = 'open'
    RETURNING id, call, done_at
), entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code)
    SELECT gen_random_uuid(), call, done_at, 'task', 'done' FROM done
    RETURNING seq
)
SELECT done.id, pg_notify('ari_agent_event', entry.seq::text) FROM done, entry

-- name: call_tasks
-- For the call log, where numbers are short once they are opened, corrected ones too.
WITH held AS (
    SELECT
        t.id, t.call, t.taken_at, t.kind, t.intent, t.reason, t.complete, t.state, t.done_at, t.done_by, k.revision,
        k.fields AS corrected, ari_agent.held(k.fields, 'name', t.caller_name) AS caller_name,
        ari_agent.held(k.fields, 'number', encode(t.number, 'hex')) AS number,
        CASE WHEN k.fields ? 'number' THEN k.digest ELSE t.number_digest END AS number_digest,
        ari_agent.held(k.fields, 'company', t.company) AS company,
        ari_agent.held(k.fields, 'email', t.email) AS email,
        ari_agent.held(k.fields, 'recipient', t.recipient) AS recipient,
        ari_agent.held(k.fields, 'matter', t.matter) AS matter,
        ari_agent.held(k.fields, 'earliest', t.earliest) AS earliest,
        ari_agent.held(k.fields, 'latest', t.latest) AS latest,
        -- Whoever corrects from when a caller wishes to be called sets from when it is due.
        coalesce((k.fields -> 'earliest' ->> 'new')::timestamptz, t.due) AS due,
        ari_agent.held(k.fields, 'urgency', t.urgency) AS urgency
    FROM ari_agent.task AS t
    CROSS JOIN LATERAL (
        SELECT
            coalesce(max(c.revision), 0) AS revision,
            coalesce(
                jsonb_object_agg(c.field, jsonb_build_object('new', c.new[1], 'person', c.person, 'at', c.at))
                FILTER (WHERE c.is_newest), '{}'
            ) AS fields,
            (array_agg(c.new_digest) FILTER (WHERE c.is_newest AND c.field = 'number'))[1] AS digest
        FROM (
            SELECT
                field, revision, new, new_digest, person, at,
                revision = max(revision) OVER (PARTITION BY field) AS is_newest
            FROM ari_agent.correction WHERE task = t.id
        ) AS c
    ) AS k
    WHERE t.call = %(call)s
)
SELECT
    id, taken_at, kind, caller_name, number, ari_agent.pseudonym(number_digest) AS number_pseudonym, company, email,
    recipient, matter, earliest, latest, due, ari_agent.frist(due, latest) AS deadline, urgency, intent, reason, complete, state, done_at, done_by,
    coalesce(state = 'open' AND ari_agent.frist(due, latest) < now(), false) AS overdue, revision,
    corrected
FROM held
ORDER BY taken_at, id

-- name: call_note
SELECT call, written_at, who, about, agreed, open, urgency, ai_generated, made_by FROM ari_agent.note
WHERE call = %(call)s
