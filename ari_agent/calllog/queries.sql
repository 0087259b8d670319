-- Every statement of the call log. Each begins with a line "-- name: x"; parameters are %(name)s.
--
-- The record_* statements write one entry each and are whole transactions. They carry the entry's own id: if it is
-- already in ari_agent.event, nothing happens, so a repeated attempt after a lost connection doubles nothing. None needs
-- an earlier entry of its call, because that one may have been dropped: the call's row is made by whoever comes first.
-- Listeners on the channel ari_agent_event are told the event's number and nothing else.

-- name: limits
-- For the whole session: no statement runs, or waits for a lock, longer than the limit in milliseconds. What is
-- acknowledged is on the server's disk, whatever the database's own default: afterwards we forget it.
SELECT
    set_config('statement_timeout', %(ms)s::text, false), set_config('lock_timeout', %(ms)s::text, false),
    set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        false
    )

-- name: heartbeat
SELECT 1

-- name: migration_lock
-- Held to the end of the transaction; the number is arbitrary and ours.
SELECT pg_advisory_xact_lock(4733015117)

-- name: migration_table_exists
SELECT to_regclass('ari_agent.migration') IS NOT NULL AS there

-- name: migration_create_table
CREATE SCHEMA IF NOT EXISTS ari_agent;
CREATE TABLE ari_agent.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ari_agent.migration IS 'Angewandte Änderungen des Datenbankschemas'

-- name: migration_as_owner
-- Whoever may act as the owner of the schema does so until the end of the transaction: all tables have one owner.
SELECT set_config('role', pg_get_userbyid(nspowner), true)
FROM pg_namespace
WHERE nspname = 'ari_agent' AND pg_has_role(nspowner, 'MEMBER')

-- name: migration_applied
SELECT number, name, sha256 FROM ari_agent.migration ORDER BY number

-- name: migration_remember
INSERT INTO ari_agent.migration (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s)

-- name: record_opened
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, detail, seal)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'opened',
        jsonb_build_object(
            'node', %(node)s::text, 'withheld', %(withheld)s::boolean, 'test', %(test)s::boolean
        ),
        ari_agent.seal(
            %(salt)s,
            jsonb_build_object(
                'caller', encode(%(digest)s::bytea, 'hex'), 'channel', %(channel)s::text, 'dialled', %(dialled)s::text
            )
        )
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), salted AS (
    INSERT INTO ari_agent.salt (entry, call, salt) SELECT %(entry)s::uuid, %(call)s::uuid, %(salt)s::bytea FROM entry
), opened AS (
    INSERT INTO ari_agent.call (
        id, opened_at, node, channel, dialled, caller, caller_digest, caller_erased_at, test
    )
    SELECT
        %(call)s::uuid, %(at)s::timestamptz, %(node)s::text, %(channel)s::text, %(dialled)s::text,
        %(caller)s::bytea, %(digest)s::bytea, %(erased_at)s::timestamptz, %(test)s::boolean
    FROM entry
    ON CONFLICT (id) DO UPDATE SET
        opened_at = EXCLUDED.opened_at, node = EXCLUDED.node, channel = EXCLUDED.channel,
        -- Not EXCLUDED.caller: that would need the right to read callers' numbers.
        dialled = EXCLUDED.dialled, caller = %(caller)s::bytea, caller_digest = %(digest)s::bytea,
        caller_erased_at = %(erased_at)s::timestamptz, test = EXCLUDED.test
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_answered
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'answered', jsonb_build_object('setup_ms', %(setup_ms)s::double precision)
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), answered AS (
    INSERT INTO ari_agent.call (id, answered_at, setup_ms)
    SELECT %(call)s::uuid, %(at)s::timestamptz, %(setup_ms)s::double precision FROM entry
    ON CONFLICT (id) DO UPDATE SET answered_at = EXCLUDED.answered_at, setup_ms = EXCLUDED.setup_ms
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_disclosed
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'disclosed',
        jsonb_build_object('played_ms', %(played_ms)s::double precision, 'text_sha256', %(text_sha256)s::text)
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), disclosed AS (
    INSERT INTO ari_agent.call (id, disclosure_played_ms, disclosure_sha256)
    SELECT %(call)s::uuid, %(played_ms)s::double precision, %(text_sha256)s::text FROM entry
    ON CONFLICT (id) DO UPDATE SET
        disclosure_played_ms = EXCLUDED.disclosure_played_ms, disclosure_sha256 = EXCLUDED.disclosure_sha256
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_consent
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'consent', %(answer)s,
        jsonb_build_object('way', %(way)s::text, 'scope', %(scope)s::text, 'text_sha256', %(text_sha256)s::text)
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
), asked AS (
    INSERT INTO ari_agent.consent_text (sha256, text, first_at)
    SELECT %(text_sha256)s::text, %(text)s::text, %(at)s::timestamptz FROM entry
    ON CONFLICT DO NOTHING
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_recording
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'recording', 'kept',
        jsonb_build_object(
            'recording', %(ident)s::uuid, 'kind', %(kind)s::text, 'duration_ms', %(duration_ms)s::double precision,
            'sha256', %(sha256)s::text
        )
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
), kept AS (
    INSERT INTO ari_agent.recording (id, call, kind, at, node, duration_ms, size, sha256)
    SELECT
        %(ident)s::uuid, %(call)s::uuid, %(kind)s::text, %(at)s::timestamptz, %(node)s::text,
        %(duration_ms)s::double precision, %(size)s::bigint, %(sha256)s::text
    FROM entry
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_turn
-- Two different entries with the same number are a fault and refused by the primary key. Words are sealed if there are
-- any.
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail, seal)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'turn', %(act)s,
        jsonb_strip_nulls(jsonb_build_object(
            'number', %(number)s::integer, 'heard', %(heard)s::text, 'source', %(source)s::text,
            'reason', nullif(%(reason)s::text, ''), 'total_ms', %(total_ms)s::double precision,
            'interrupted', %(interrupted)s::boolean, 'intent', %(intent)s::text, 'urgency', %(urgency)s::text,
            'decided_by', %(decided_by)s::text
        )),
        CASE WHEN coalesce(%(caller_text)s::text, %(agent_text)s::text) IS NOT NULL THEN
            ari_agent.seal(
                %(salt)s, jsonb_build_object('caller_text', %(caller_text)s::text, 'agent_text', %(agent_text)s::text)
            )
        END
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), salted AS (
    INSERT INTO ari_agent.salt (entry, call, salt)
    SELECT %(entry)s::uuid, %(call)s::uuid, %(salt)s::bytea FROM entry
    WHERE coalesce(%(caller_text)s::text, %(agent_text)s::text) IS NOT NULL
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
), taken AS (
    INSERT INTO ari_agent.turn (
        call, number, at, act, source, reason, heard, end_of_turn_ms, stt_ms, decide_ms, tts_ms, total_ms,
        interrupted, caller_text, agent_text, intent, urgency, decided_by
    )
    SELECT
        %(call)s::uuid, %(number)s::integer, %(at)s::timestamptz, %(act)s::text, %(source)s::text,
        nullif(%(reason)s::text, ''), %(heard)s::text, %(end_of_turn_ms)s::double precision,
        %(stt_ms)s::double precision, %(decide_ms)s::double precision, %(tts_ms)s::double precision,
        %(total_ms)s::double precision, %(interrupted)s::boolean, %(caller_text)s::text, %(agent_text)s::text,
        %(intent)s::text, %(urgency)s::text, %(decided_by)s::text
    FROM entry
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_escalated
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'escalated', %(result)s,
        jsonb_build_object(
            'target', %(target)s::text, 'reason', %(reason)s::text, 'waited_ms', %(waited_ms)s::double precision
        )
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_noted
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'noted', %(code)s,
        jsonb_strip_nulls(jsonb_build_object('detail', nullif(%(detail)s::text, '')))
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_closed
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'closed', %(outcome)s,
        jsonb_strip_nulls(jsonb_build_object(
            'reason', nullif(%(reason)s::text, ''), 'turns', %(turns)s::integer,
            'escalated_to', %(escalated_to)s::text
        ))
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), closed AS (
    INSERT INTO ari_agent.call (id, closed_at, outcome, reason, turns, escalated_to)
    SELECT
        %(call)s::uuid, %(at)s::timestamptz, %(outcome)s::text, nullif(%(reason)s::text, ''),
        %(turns)s::integer, %(escalated_to)s::text
    FROM entry
    ON CONFLICT (id) DO UPDATE SET
        closed_at = EXCLUDED.closed_at, outcome = EXCLUDED.outcome, reason = EXCLUDED.reason,
        turns = EXCLUDED.turns, escalated_to = EXCLUDED.escalated_to
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_started
-- A controller began: the calls that its predecessor of the same name left open when it died. Where their callers are
-- now, the dialplan's own records tell: in the queue, or gone. Calls of the new controller are later than its start, so
-- a repeated attempt does no harm. A call of a time that is still to come was opened while the clock was wrong.
WITH cut AS (
    UPDATE ari_agent.call AS c
    SET closed_at = clock_timestamp(), outcome = 'to-queue', reason = 'controller-died',
        turns = (SELECT count(*) FROM ari_agent.turn AS t WHERE t.call = c.id)
    WHERE
        c.node = %(node)s AND c.closed_at IS NULL
        AND (c.opened_at < %(at)s OR c.opened_at > clock_timestamp() + interval '1 minute')
    RETURNING c.id, c.closed_at, c.turns
), entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    SELECT
        gen_random_uuid(), id, closed_at, 'closed', 'to-queue',
        jsonb_build_object('reason', 'controller-died', 'turns', turns)
    FROM cut
    RETURNING seq
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_dropped
-- What stands in place of entries of a call that were lost before they came here.
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'refused', 'dropped', jsonb_build_object('entries', %(entries)s::integer)
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_unreadable
-- What stands in place of an entry that waited on disk and cannot be read by this version; its call may be unknown.
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'refused', 'unreadable', jsonb_build_object('kind', left(%(was)s::text, 20))
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: record_refused
-- What stands in place of an entry that the database will never accept: that it was, of which kind, and why.
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'refused', %(kind)s, jsonb_build_object('sqlstate', %(sqlstate)s::text)
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), parent AS (
    INSERT INTO ari_agent.call (id) SELECT %(call)s::uuid FROM entry ON CONFLICT (id) DO NOTHING
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: calls
-- The newest calls first, or those whose id begins with a text.
SELECT
    id, opened_at, answered_at, closed_at, node, channel, dialled, caller,
    ari_agent.pseudonym(caller_digest) AS caller_pseudonym, caller_digest IS NULL AS withheld, test, setup_ms, disclosure_played_ms, disclosure_sha256, outcome, reason, escalated_to,
    turns
FROM ari_agent.call
WHERE starts_with(id::text, %(prefix)s::text)
ORDER BY opened_at DESC NULLS LAST, id
LIMIT %(limit)s

-- name: turns
SELECT
    number, at, act, source, reason, heard, end_of_turn_ms, stt_ms, decide_ms, tts_ms, total_ms, interrupted, caller_text,
    agent_text, intent, urgency, decided_by
FROM ari_agent.turn
WHERE call = %(call)s
ORDER BY number

-- name: events
SELECT seq, at, recorded_at, kind, code, detail FROM ari_agent.event WHERE call = %(call)s ORDER BY seq

-- name: listen
LISTEN ari_agent_event

-- name: last_event
SELECT coalesce(max(seq), 0) AS seq FROM ari_agent.event

-- name: events_after
SELECT e.seq, e.call, e.at, e.kind, e.code, e.detail, t.caller_text, t.agent_text
FROM ari_agent.event AS e
LEFT JOIN ari_agent.turn AS t
    ON e.kind = 'turn' AND t.call = e.call AND t.number = (e.detail ->> 'number')::integer
WHERE e.seq > %(seq)s
ORDER BY e.seq
LIMIT %(limit)s

-- name: event
SELECT e.seq, e.call, e.at, e.kind, e.code, e.detail, t.caller_text, t.agent_text
FROM ari_agent.event AS e
LEFT JOIN ari_agent.turn AS t
    ON e.kind = 'turn' AND t.call = e.call AND t.number = (e.detail ->> 'number')::integer
WHERE e.seq = %(seq)s

-- name: row_counts
SELECT
    (SELECT count(*) FROM ari_agent.call) AS calls,
    (SELECT count(*) FROM ari_agent.turn) AS turns,
    (SELECT count(*) FROM ari_agent.event) AS events
