-- Statements of `calllog reconcile`; the rules of queries.sql hold here as well.

-- name: record_filed
-- The end of a call that the log had missed; its beginning is an entry of its own, written as every other one.
WITH entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        %(entry)s, %(call)s, %(at)s, 'filed', %(reason)s, jsonb_build_object('outcome', %(outcome)s::text)
    )
    ON CONFLICT (entry) DO NOTHING
    RETURNING seq
), filed AS (
    INSERT INTO ari_agent.call (id, closed_at, outcome, reason, filed_at, caller_erased_at)
    SELECT
        %(call)s::uuid, %(ended_at)s::timestamptz, %(outcome)s::text, %(reason)s::text, %(at)s::timestamptz,
        CASE WHEN %(erased)s::boolean THEN %(at)s::timestamptz END
    FROM entry
    ON CONFLICT (id) DO UPDATE SET
        closed_at = EXCLUDED.closed_at, outcome = EXCLUDED.outcome, reason = EXCLUDED.reason,
        filed_at = EXCLUDED.filed_at, caller_erased_at = EXCLUDED.caller_erased_at
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: reconciled_from
-- Calls older than their period are gone by right, and numbers older than theirs are not stored any more.
SELECT
    max(days) FILTER (WHERE kind = 'call') AS call_days, max(days) FILTER (WHERE kind = 'caller-number') AS caller_days
FROM ari_agent.retention_rule

-- name: reconciled_calls
-- Calls that began in a span of time; of some the opening entry was lost, of some the channel was erased.
SELECT
    id, coalesce(opened_at, answered_at, closed_at) AS began_at, opened_at, answered_at, closed_at, channel, outcome,
    reason, filed_at, caller_erased_at IS NOT NULL AS erased
FROM ari_agent.call
WHERE coalesce(opened_at, answered_at, closed_at) BETWEEN %(since)s AND %(until)s
ORDER BY began_at

-- name: orphaned_events
-- Calls of which there are events and no row, though their time is not over.
SELECT e.call, min(e.at) AS at, max(e.code) FILTER (WHERE e.kind = 'closed') AS outcome
FROM ari_agent.event AS e
WHERE
    e.recorded_at >= %(since)s
    AND NOT EXISTS (SELECT FROM ari_agent.call AS c WHERE c.id = e.call)
GROUP BY e.call
HAVING
    bool_or(e.kind = 'opened') AND min(e.at) BETWEEN %(since)s AND %(until)s
    AND NOT coalesce(bool_or(e.kind = 'filed' AND e.code = 'withdrawn'), false)

-- name: event_gaps
-- The chain's numbers are given inside of transactions, so one that is missing was taken out.
SELECT previous + 1 AS first, number - 1 AS last, recorded_at AS until
FROM (
    SELECT
        number, recorded_at,
        lag(number, 1, (SELECT first - 1 FROM ari_agent.chain)) OVER (ORDER BY number) AS previous
    FROM ari_agent.event
) AS e
WHERE number > previous + 1 AND recorded_at >= %(since)s
ORDER BY number

-- name: calls_without_events
-- Rows whose opening event is gone: who takes out the newest events leaves no hole in the numbers.
SELECT c.id, c.opened_at AS at
FROM ari_agent.call AS c
WHERE
    c.opened_at BETWEEN %(since)s AND %(until)s
    -- Of the oldest, events may have been forgotten by right.
    AND ((SELECT first FROM ari_agent.chain) = 1 OR c.opened_at >= (SELECT min(e.at) FROM ari_agent.event AS e))
    AND NOT EXISTS (SELECT FROM ari_agent.event AS e WHERE e.call = c.id AND e.kind = 'opened')
ORDER BY c.opened_at

-- name: rolled_back
-- Numbers that the sequence gave and no event has, without those that are missing in the chain as well.
SELECT greatest(
    0,
    (SELECT coalesce(max(seq) - min(seq) + 1 - count(*), 0) FROM ari_agent.event)
    - (SELECT coalesce(max(number) - min(number) + 1 - count(*), 0) FROM ari_agent.event)
) AS numbers

-- name: withdraw
-- A filed call of which the controller's own entries came late.
WITH gone AS (
    DELETE FROM ari_agent.call WHERE id = %(id)s AND filed_at IS NOT NULL RETURNING id
), entry AS (
    INSERT INTO ari_agent.event (entry, call, at, kind, code)
    SELECT gen_random_uuid(), id, clock_timestamp(), 'filed', 'withdrawn' FROM gone
    RETURNING seq
)
SELECT pg_notify('ari_agent_event', seq::text) FROM entry

-- name: reconciliation_log
INSERT INTO ari_agent.reconciliation (
    since, until, source, calls, entries, filed, withdrawn, broken, rolled_back, unexplained
)
VALUES (
    %(since)s, %(until)s, %(source)s, %(calls)s, %(entries)s, %(filed)s, %(withdrawn)s, %(broken)s, %(rolled_back)s,
    %(unexplained)s
)
RETURNING number

-- name: reconciliation_find
INSERT INTO ari_agent.reconciliation_finding (run, kind, cause, call, at, explained)
VALUES (%(run)s, %(kind)s, %(cause)s, %(call)s, %(at)s, %(explained)s)

-- name: causes_in_words
SELECT cause, ari_agent.ursache(cause) AS words FROM unnest(%(causes)s::text []) AS cause

-- name: newest_call
-- For telling whether Asterisk's records are current; filed calls have no node.
SELECT max(closed_at) AS closed_at FROM ari_agent.call WHERE node <> '' AND closed_at < %(before)s
