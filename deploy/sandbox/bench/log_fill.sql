-- Fills a call log as two years of a busy company would have left it, for `deploy/bench --only audit`.
-- Everything is in the tables of ari-agent, with every check and foreign key. One trigger is off: it gives each event
-- the time of now, and looks up the event before; the chain is made here by the same two functions, in the same form.

-- name: prepare
SET session_replication_role = origin;
SET synchronous_commit = off;
SET statement_timeout = 0;
ALTER TABLE ari_agent.event DISABLE TRIGGER event_chain;
-- Longer periods than anybody should set: nothing has expired, and every view looks at all of it.
UPDATE ari_agent.retention_rule SET days = greatest(days, 760) WHERE kind <> 'wording';
CREATE FUNCTION pg_temp.next_hash(state bytea, before bytea, content text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ari_agent.link(coalesce(state, before), content);
END
$$;
CREATE AGGREGATE pg_temp.chained (bytea, text) (SFUNC = pg_temp.next_hash, STYPE = bytea);
INSERT INTO ari_agent.knowledge_version
    (number, at, action, author, note, sources, sha256, passages, added, changed, removed)
SELECT
    n, now() - interval '730 days' + n * interval '14 days', 'import', 'bench', '', '[]',
    encode(sha256(n::text::bytea), 'hex'), 300, 3, 2, 1
FROM generate_series(0, 51) AS n WHERE n > 0;
INSERT INTO ari_agent.backup_proof (at, kind)
SELECT now() - n * interval '1 day', CASE WHEN n % 90 = 0 THEN 'restore-test' ELSE 'backup' END
FROM generate_series(1, 730) AS n;
INSERT INTO ari_agent.deletion (run, at, cause, place, days, rows)
SELECT md5(n::text)::uuid, now() - interval '730 days' + n * interval '6 hours', 'retention', kind, days, n % 60
FROM generate_series(1, 4 * 730) AS n, ari_agent.retention_rule;
INSERT INTO ari_agent.subject_request (id, ticket, received_on, due_on)
SELECT gen_random_uuid(), 'DS-' || n, current_date - n, (current_date - n + interval '1 month')::date
FROM generate_series(1, 400) AS n;
INSERT INTO ari_agent.subject_action (request, at, action, identity, found, places)
SELECT id, received_on + interval '9 days', 'erase', 'callback', 3, '{"call": 3}' FROM ari_agent.subject_request
WHERE received_on < current_date - 10

-- name: calls
-- Calls number `first` to `last` of `calls`: when, how they ended, how much was said. Few are as they should not be.
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT
    n, gen_random_uuid() AS id,
    now() - interval '2 hours' - interval '730 days' * ((%(calls)s - n)::double precision / %(calls)s) AS opened_at,
    -- As long as a sealed number and its digest; nothing opens them.
    substring(sha512(n::text::bytea) FROM 1 FOR 46) AS number, substring(sha256(n::text::bytea) FROM 1 FOR 16) AS digest,
    n %% 200 = 5 AS test, n %% 1000 = 19 AS unheard, n %% 1000 = 20 AS late, n %% 1000 = 21 AS unclosed,
    n %% 1000 = 22 AS rowless,
    CASE WHEN n %% 100 < 8 THEN 'to-queue' WHEN n %% 100 < 68 THEN 'solved' WHEN n %% 100 < 86 THEN 'handed-over'
        ELSE 'caller-hung-up' END AS outcome,
    CASE WHEN n %% 100 < 8 THEN 0 ELSE 1 + floor(random() * 7)::integer END AS turns
FROM generate_series(%(first)s::integer, %(last)s::integer) AS n

-- name: rows
INSERT INTO ari_agent.call (
    id, opened_at, answered_at, closed_at, node, channel, dialled, caller, caller_digest, test, setup_ms,
    disclosure_played_ms, disclosure_sha256, outcome, reason, escalated_to, turns
)
SELECT
    id, opened_at, opened_at + interval '400 ms',
    CASE WHEN NOT unclosed THEN opened_at + interval '20 s' + turns * interval '12 s' END, 'eins',
    extract(epoch FROM opened_at)::bigint || '.' || n, '+497111234', CASE WHEN n % 17 > 0 THEN number END,
    CASE WHEN n % 17 > 0 THEN digest END, test,
    400 + n % 50, CASE WHEN NOT unheard THEN 8250 END, CASE WHEN NOT unheard THEN repeat('ab', 32) END,
    CASE WHEN NOT unclosed THEN outcome END,
    CASE WHEN outcome = 'to-queue' THEN (ARRAY['engine-failed', 'no-slot', 'late-answer'])[1 + n % 3] ELSE 'goodbye' END,
    CASE WHEN outcome = 'handed-over' THEN 'empfang' END, turns
FROM made;
INSERT INTO ari_agent.turn (
    call, number, at, act, source, heard, end_of_turn_ms, stt_ms, decide_ms, tts_ms, total_ms, interrupted, intent,
    urgency, decided_by
)
SELECT
    id, turn, opened_at + turn * interval '10 s', 'answer', 'preise/wartung', 'speech', 300, 41, 3, 55, 399, false,
    'preis', 'normal', 'encoder'
FROM made, generate_series(1, turns) AS turn;
INSERT INTO ari_agent.task (
    id, call, taken_at, kind, caller_name, number, number_digest, company, matter, due, urgency, intent, complete, state,
    done_at, done_by
)
SELECT
    md5('task' || id::text)::uuid, id, opened_at + interval '60 s', 'callback', 'Erika Beispiel', number, digest,
    'Beispiel und Söhne', 'die Therme tropft seit heute Morgen, bitte nachmittags zurückrufen',
    opened_at + interval '4 hours', 'normal', 'stoerung', true, CASE WHEN n % 500 = 0 THEN 'open' ELSE 'done' END,
    CASE WHEN n % 500 > 0 THEN opened_at + interval '3 hours' END, CASE WHEN n % 500 > 0 THEN 'Empfang' END
FROM made WHERE turns > 0 AND n % 10 < 3;
INSERT INTO ari_agent.note (call, written_at, who, about, agreed, open, urgency, made_by)
SELECT
    id, opened_at + interval '100 s', 'Erika Beispiel, Beispiel und Söhne',
    ARRAY['Wartung', 'Rückruf erbeten: die Therme tropft'], ARRAY['Rückruf bis Montag, 17 Uhr'], '{}', 'normal',
    'ari-agent 0.1.0, encoder-de'
FROM made WHERE turns > 0;
INSERT INTO ari_agent.correction (call, note, revision, field, at, person, account, old, new, salt)
SELECT
    id, id, 1, 'agreed', opened_at + interval '120 s', 'Empfang', current_user, ARRAY['Rückruf bis Montag, 17 Uhr'],
    ARRAY['Rückruf bis Dienstag, 17 Uhr'], sha256(uuid_send(gen_random_uuid()))
FROM made WHERE turns > 0 AND n % 50 = 11

-- name: events
-- In the order of time; with the salts of what is sealed. The row and the hash are added last.
CREATE TEMP TABLE entries (LIKE ari_agent.event) ON COMMIT DROP;
CREATE TEMP TABLE salts (entry uuid, call uuid, salt bytea) ON COMMIT DROP;
WITH kinds AS (
    SELECT
        id, opened_at AS at, 'opened' AS kind, NULL AS code,
        jsonb_build_object('node', 'eins', 'withheld', n % 17 = 0, 'test', test) AS detail
    FROM made
    UNION ALL SELECT id, opened_at + interval '400 ms', 'answered', NULL, jsonb_build_object('setup_ms', 400.5) FROM made
    UNION ALL
    SELECT
        id, opened_at + CASE WHEN late THEN interval '11 s' ELSE interval '9 s' END, 'disclosed', NULL,
        jsonb_build_object('played_ms', 8250.0, 'text_sha256', repeat('ab', 32))
    FROM made WHERE NOT unheard
    UNION ALL
    SELECT call, t.at, 'turn', act, jsonb_build_object(
        'number', t.number, 'heard', heard, 'source', source, 'total_ms', total_ms, 'interrupted', interrupted,
        'intent', intent, 'urgency', urgency, 'decided_by', decided_by
    ) FROM ari_agent.turn AS t INNER JOIN made ON made.id = t.call
    UNION ALL
    SELECT
        id, opened_at + interval '70 s', 'escalated', CASE WHEN outcome = 'handed-over' THEN 'accepted' ELSE 'no-answer' END,
        jsonb_build_object('target', 'empfang', 'reason', 'wish-for-person', 'waited_ms', 4200.0)
    FROM made WHERE outcome = 'handed-over' OR (turns > 0 AND n % 10 = 1)
    UNION ALL
    SELECT call, taken_at, 'task', t.kind, jsonb_build_object('task', t.id)
    FROM ari_agent.task AS t INNER JOIN made ON made.id = t.call
    UNION ALL
    SELECT call, written_at, 'note', urgency, '{}' FROM ari_agent.note AS t INNER JOIN made ON made.id = t.call
    UNION ALL
    SELECT c.call, c.at, 'system', 'corrected', jsonb_build_object(
        'of', 'note', 'field', c.field, 'revision', c.revision,
        'seal', encode(ari_agent.seal(c.salt, ari_agent.personal(c)), 'hex')
    ) FROM ari_agent.correction AS c INNER JOIN made ON made.id = c.call
    UNION ALL
    SELECT
        id, opened_at + interval '20 s' + turns * interval '12 s', 'closed', outcome,
        jsonb_build_object('reason', 'goodbye', 'turns', turns)
    FROM made WHERE NOT unclosed
), numbered AS (
    SELECT
        kinds.*,
        CASE
            WHEN code = 'corrected' THEN (SELECT c.entry FROM ari_agent.correction AS c WHERE c.call = kinds.id)
            ELSE gen_random_uuid()
        END AS entry,
        last.number + row_number() OVER (ORDER BY at, id) AS number,
        CASE WHEN kind IN ('opened', 'task', 'note') THEN sha256(uuid_send(gen_random_uuid())) END AS salt
    FROM kinds, (SELECT coalesce(max(number), 0) AS number FROM ari_agent.event) AS last
), salted AS (
    INSERT INTO salts SELECT entry, id, salt FROM numbered WHERE salt IS NOT NULL
)
INSERT INTO entries (seq, entry, call, at, recorded_at, kind, code, detail, number, seal, hash)
SELECT
    -- One write in 2000 was broken off and has used its number.
    number + number / 2000, entry, n.id, at, at + interval '15 ms', kind, code, detail, number,
    ari_agent.seal(salt, CASE kind
        WHEN 'opened' THEN (SELECT ari_agent.personal(c) FROM ari_agent.call AS c WHERE c.id = n.id)
        WHEN 'task' THEN (SELECT ari_agent.personal(t) FROM ari_agent.task AS t WHERE t.id = md5('task' || n.id::text)::uuid)
        WHEN 'note' THEN (SELECT ari_agent.personal(t) FROM ari_agent.note AS t WHERE t.call = n.id)
    END), ''
FROM numbered AS n

-- name: chain
WITH before AS (
    SELECT coalesce((SELECT hash FROM ari_agent.event ORDER BY number DESC LIMIT 1), chain.before) AS hash
    FROM ari_agent.chain
)
INSERT INTO ari_agent.event (seq, entry, call, at, recorded_at, kind, code, detail, number, seal, hash)
OVERRIDING SYSTEM VALUE
SELECT
    e.seq, e.entry, e.call, e.at, e.recorded_at, e.kind, e.code, e.detail, e.number, e.seal,
    pg_temp.chained(before.hash, ari_agent.content(ROW(e.*)::ari_agent.event)) OVER (ORDER BY e.number)
FROM entries AS e, before
ORDER BY e.number;
INSERT INTO ari_agent.salt (entry, call, salt) SELECT entry, call, salt FROM salts;
DELETE FROM ari_agent.call WHERE id IN (SELECT id FROM made WHERE rowless)

-- name: finish
ALTER TABLE ari_agent.event ENABLE ALWAYS TRIGGER event_chain;
SELECT setval('ari_agent.event_seq_seq', (SELECT max(seq) FROM ari_agent.event))

-- name: tidy
-- What autovacuum does in the meantime of two years.
VACUUM (ANALYZE)

-- name: facts
SELECT
    (
        SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
        WHERE relnamespace = 'ari_agent'::regnamespace AND relkind = 'r'
    ) AS bytes,
    (SELECT count(*) FROM ari_agent.event) AS events, (SELECT count(*) FROM ari_agent.turn) AS turns,
    (SELECT count(*) FROM ari_agent.task) AS tasks, (SELECT count(*) FROM ari_agent.note) AS notes,
    current_setting('server_version') AS server_version, current_setting('shared_buffers') AS shared_buffers,
    current_setting('work_mem') AS work_mem
