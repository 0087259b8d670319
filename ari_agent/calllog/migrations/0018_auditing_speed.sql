-- What auditors ask is answered within a second in a log of a million calls: `deploy/bench --only audit` measures it.
-- Every answer comes from the rows themselves; there are no figures kept beside them that could tell something else.

SET LOCAL statement_timeout = 0;  -- indexes of a large log

CREATE INDEX call_unopened ON ari_agent.call (id) WHERE opened_at IS NULL;
CREATE INDEX call_unclosed ON ari_agent.call (opened_at) WHERE closed_at IS NULL;
CREATE INDEX call_numbered ON ari_agent.call (opened_at) WHERE caller IS NOT NULL;
CREATE INDEX call_to_queue ON ari_agent.call (opened_at) INCLUDE (reason) WHERE outcome = 'to-queue' AND NOT test;
CREATE INDEX turn_first ON ari_agent.turn (call) INCLUDE (at) WHERE number = 1;
CREATE INDEX task_taken_at ON ari_agent.task (taken_at);
CREATE INDEX task_done_at ON ari_agent.task (done_at) WHERE state = 'done';
CREATE INDEX note_written_at ON ari_agent.note (written_at);
CREATE INDEX note_made_by ON ari_agent.note (ai_generated, made_by);
CREATE INDEX note_sample ON ari_agent.note (written_at) WHERE mod(abs(hashtextextended(call::text, 0)), 50) = 0;
CREATE INDEX event_opened ON ari_agent.event (call) INCLUDE (at) WHERE kind = 'opened';
CREATE INDEX event_disclosed ON ari_agent.event (call) INCLUDE (at) WHERE kind = 'disclosed';
CREATE INDEX event_escalated ON ari_agent.event (at) INCLUDE (code) WHERE kind = 'escalated';
CREATE INDEX event_note ON ari_agent.event (call) WHERE kind = 'note' AND code IN ('low', 'normal', 'high');
CREATE INDEX event_task ON ari_agent.event (call) WHERE kind = 'task' AND code IN ('callback', 'message');
CREATE INDEX event_test ON ari_agent.event (call) WHERE kind = 'opened' AND (detail ->> 'test')::boolean;
CREATE INDEX event_refused ON ari_agent.event (call) WHERE kind = 'refused';
CREATE INDEX event_recorded_at ON ari_agent.event USING brin (recorded_at) WITH (pages_per_range = 32);

-- As before, in a form that looks only at the neighbours of a gap. What was forgotten after its time is none.
CREATE OR REPLACE VIEW ari_agent.v_nummernluecken AS
SELECT p.seq + 1 AS von, e.seq - 1 AS bis, e.seq - p.seq - 1 AS anzahl, p.recorded_at AS davor, e.recorded_at AS danach
FROM ari_agent.event AS e
CROSS JOIN LATERAL (
    SELECT b.seq, b.recorded_at FROM ari_agent.event AS b WHERE b.seq < e.seq ORDER BY b.seq DESC LIMIT 1
) AS p
WHERE NOT EXISTS (SELECT FROM ari_agent.event AS n WHERE n.seq = e.seq - 1)
UNION ALL
SELECT 1, e.seq - 1, e.seq - 1, NULL, e.recorded_at
FROM (SELECT seq, recorded_at FROM ari_agent.event ORDER BY seq LIMIT 1) AS e
WHERE e.seq > 1 AND (SELECT first = 1 FROM ari_agent.chain);

CREATE VIEW ari_agent.v_nummern AS
SELECT
    erste_nummer, letzte_nummer, letzte_nummer - erste_nummer + 1 AS ereignisse,
    letzter_schreibversuch - erster_schreibversuch - (letzte_nummer - erste_nummer) AS abgebrochene_schreibversuche
FROM (
    SELECT
        c.first AS erste_nummer, (SELECT max(number) FROM ari_agent.event) AS letzte_nummer,
        CASE WHEN c.first = 1 THEN 1 ELSE (SELECT min(seq) FROM ari_agent.event) END AS erster_schreibversuch,
        (SELECT max(seq) FROM ari_agent.event) AS letzter_schreibversuch
    FROM ari_agent.chain AS c
) AS n;

-- A call is talked in from its first turn on. Where the entry of that was lost, the log says so, and any turn counts.
-- What began before the oldest event that is still kept cannot be told any more.
CREATE OR REPLACE VIEW ari_agent.v_ki_hinweis_fehlt AS
SELECT
    anruf, beginn, erster_schritt, hinweis,
    CASE WHEN hinweis IS NULL THEN 'Hinweis fehlt' ELSE 'Hinweis nach dem ersten Schritt' END AS mangel
FROM (
    SELECT
        t.call AS anruf, (SELECT c.opened_at FROM ari_agent.call AS c WHERE c.id = t.call) AS beginn,
        t.at AS erster_schritt,
        (SELECT min(e.at) FROM ari_agent.event AS e WHERE e.call = t.call AND e.kind = 'disclosed') AS hinweis
    FROM ari_agent.turn AS t
    WHERE
        t.number = 1
        AND NOT EXISTS (
            SELECT FROM ari_agent.event AS e WHERE e.call = t.call AND e.kind = 'disclosed' AND e.at <= t.at
        )
        AND (
            (SELECT first = 1 FROM ari_agent.chain)
            OR t.at > (SELECT e.recorded_at FROM ari_agent.event AS e ORDER BY e.number LIMIT 1)
        )
) AS f
UNION ALL
SELECT
    c.id, c.opened_at, t.schritt, d.hinweis,
    CASE WHEN d.hinweis IS NULL THEN 'Hinweis fehlt' ELSE 'Hinweis nach dem ersten Schritt' END
FROM ari_agent.call AS c
INNER JOIN LATERAL (SELECT min(at) AS schritt FROM ari_agent.turn WHERE call = c.id) AS t ON t.schritt IS NOT NULL
LEFT JOIN LATERAL (
    SELECT min(at) AS hinweis FROM ari_agent.event WHERE call = c.id AND kind = 'disclosed'
) AS d ON true
WHERE
    c.id IN (SELECT e.call FROM ari_agent.event AS e WHERE e.kind = 'refused')
    AND NOT EXISTS (SELECT FROM ari_agent.turn AS f WHERE f.call = c.id AND f.number = 1)
    AND (d.hinweis IS NULL OR d.hinweis > t.schritt);

-- The function `began` looks into the events; only for the few calls whose opening was lost need that be done.
CREATE OR REPLACE FUNCTION ari_agent.expired_numbers(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.id FROM ari_agent.call AS c
    WHERE
        c.caller IS NOT NULL
        AND (
            c.opened_at <= moment - ari_agent.days_of('caller-number')
            OR (
                c.opened_at IS NULL
                AND coalesce(ari_agent.began(c.id, c.opened_at, c.answered_at, c.closed_at), '-infinity')
                <= moment - ari_agent.days_of('caller-number')
            )
        );
END;

CREATE OR REPLACE FUNCTION ari_agent.expired_calls(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.id FROM ari_agent.call AS c
    WHERE
        (
            c.opened_at <= moment - ari_agent.days_of('call')
            OR (
                c.opened_at IS NULL
                AND coalesce(ari_agent.began(c.id, c.opened_at, c.answered_at, c.closed_at), '-infinity')
                <= moment - ari_agent.days_of('call')
            )
        )
        AND NOT EXISTS (
            SELECT FROM ari_agent.task AS t
            WHERE
                t.call = c.id
                AND t.id NOT IN (
                    SELECT ari_agent.expired_tasks(moment, 'open') UNION ALL SELECT ari_agent.expired_tasks(moment, 'done')
                )
        )
        AND NOT EXISTS (
            SELECT FROM ari_agent.note AS n
            WHERE n.call = c.id AND n.call NOT IN (SELECT ari_agent.expired_notes(moment))
        );
END;

-- As before, each note and task counted by its one event; those of test calls, which are few, are taken off.
CREATE OR REPLACE VIEW ari_agent.v_korrekturquote AS
WITH tests AS (
    SELECT DISTINCT o.call FROM ari_agent.event AS o WHERE o.kind = 'opened' AND (o.detail ->> 'test')::boolean
), counted AS (
    SELECT
        'note' AS art, NULL AS field,
        (SELECT count(*) FROM ari_agent.event AS e WHERE e.kind = 'note' AND e.code IN ('low', 'normal', 'high'))
        - (
            SELECT coalesce(sum(t.things), 0) FROM tests
            CROSS JOIN LATERAL (
                SELECT count(*) AS things FROM ari_agent.event AS e
                WHERE e.call = tests.call AND e.kind = 'note' AND e.code IN ('low', 'normal', 'high')
            ) AS t
        )::bigint AS things
    UNION ALL
    SELECT
        'task', NULL,
        (SELECT count(*) FROM ari_agent.event AS e WHERE e.kind = 'task' AND e.code IN ('callback', 'message'))
        - (
            SELECT coalesce(sum(t.things), 0) FROM tests
            CROSS JOIN LATERAL (
                SELECT count(*) AS things FROM ari_agent.event AS e
                WHERE e.call = tests.call AND e.kind = 'task' AND e.code IN ('callback', 'message')
            ) AS t
        )::bigint
    UNION ALL
    SELECT
        e.detail ->> 'of', e.detail ->> 'field', count(DISTINCT coalesce(e.detail ->> 'task', e.call::text))
    FROM ari_agent.event AS e
    WHERE e.kind = 'system' AND e.code = 'corrected' AND e.call NOT IN (SELECT tests.call FROM tests)
    GROUP BY 1, 2
)
SELECT
    CASE f.art WHEN 'note' THEN 'Notiz' ELSE 'Rückruf oder Nachricht' END AS art, f.bezeichnung AS feld,
    coalesce(w.things, 0) AS geschrieben, coalesce(c.things, 0) AS korrigiert,
    round(100.0 * coalesce(c.things, 0) / nullif(w.things, 0), 1) AS anteil_prozent
FROM ari_agent.v_korrekturfelder AS f
LEFT JOIN counted AS w ON w.art = f.art AND w.field IS NULL
LEFT JOIN counted AS c ON c.art = f.art AND c.field = f.feld;

-- Figures of all months, beside the lists of single calls.
CREATE VIEW ari_agent.v_uebergaben_monate AS
SELECT date_trunc('month', at)::date AS monat, code AS ergebnis, count(*) AS versuche
FROM ari_agent.event
WHERE kind = 'escalated'
GROUP BY 1, 2;

CREATE VIEW ari_agent.v_notizen_herkunft AS
SELECT ai_generated AS ki_erzeugt, made_by AS erzeugt_von, count(*) AS notizen
FROM ari_agent.note
GROUP BY 1, 2;

-- As before; planned anew for every span.
CREATE OR REPLACE FUNCTION ari_agent.siegel_fehler(von bigint DEFAULT NULL, bis bigint DEFAULT NULL)
RETURNS TABLE (nummer bigint, anruf uuid, art text, befund text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY WITH sealed AS (
    SELECT
        e.number, e.call, e.kind, e.seal, salt.salt,
        CASE e.kind
            WHEN 'opened' THEN (SELECT ari_agent.personal(c) FROM ari_agent.call AS c WHERE c.id = e.call)
            WHEN 'turn' THEN (
                SELECT ari_agent.personal(t) FROM ari_agent.turn AS t
                WHERE t.call = e.call AND t.number = (e.detail ->> 'number')::integer
            )
            WHEN 'task' THEN (
                SELECT ari_agent.personal(t) FROM ari_agent.task AS t WHERE t.id = (e.detail ->> 'task')::uuid
            )
            WHEN 'note' THEN (SELECT ari_agent.personal(n) FROM ari_agent.note AS n WHERE n.call = e.call)
        END AS personal
    FROM ari_agent.event AS e JOIN ari_agent.salt AS salt ON salt.entry = e.entry
    WHERE e.seal IS NOT NULL AND (von IS NULL OR e.number >= von) AND (bis IS NULL OR e.number <= bis)
)
SELECT
    number, call, kind, CASE WHEN personal IS NULL THEN 'gelöscht, aber nicht das Salz' ELSE 'verändert' END
FROM sealed
WHERE personal IS NULL OR seal IS DISTINCT FROM ari_agent.seal(salt, personal)
ORDER BY number;
END
$$;

-- The part of the chain since an anchor: the newest one in the database, or one that the auditor has kept elsewhere.
CREATE FUNCTION ari_agent.kette_seit(anker_nummer bigint DEFAULT NULL, anker_hash text DEFAULT NULL)
RETURNS TABLE (
    in_ordnung boolean, ab_nummer bigint, anker_zeitpunkt timestamptz, ereignisse bigint, letzte_nummer bigint,
    letzter_hash text, erster_fehler bigint, befund text
) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash_now text;
BEGIN
    IF anker_nummer IS NULL THEN
        SELECT a.number, encode(a.hash, 'hex'), a.at INTO anker_nummer, anker_hash, anker_zeitpunkt
        FROM ari_agent.anchor AS a ORDER BY a.number DESC, a.at DESC LIMIT 1;
    END IF;
    ab_nummer := anker_nummer;
    SELECT e.number, encode(e.hash, 'hex') INTO letzte_nummer, letzter_hash
    FROM ari_agent.event AS e ORDER BY e.number DESC LIMIT 1;
    ereignisse := letzte_nummer - ab_nummer;
    SELECT encode(coalesce(e.hash, c.before), 'hex') INTO hash_now
    FROM ari_agent.chain AS c LEFT JOIN ari_agent.event AS e ON e.number = anker_nummer
    WHERE e.number IS NOT NULL OR c.first - 1 = anker_nummer;
    IF anker_nummer IS NULL THEN
        befund := 'es gibt keinen Anker: ari-agent audit anchor';
    ELSIF hash_now IS DISTINCT FROM anker_hash THEN
        erster_fehler := ab_nummer;
        befund := 'dieses Ereignis ist nicht das des Ankers';
    ELSE
        SELECT k.nummer, k.befund INTO erster_fehler, befund
        FROM ari_agent.kette_fehler(ab_nummer + 1) AS k ORDER BY k.nummer LIMIT 1;
    END IF;
    in_ordnung := befund IS NULL;
    befund := coalesce(befund, 'in Ordnung');
    RETURN NEXT;
END
$$;
REVOKE ALL ON FUNCTION ari_agent.kette_seit(bigint, text) FROM PUBLIC;

COMMENT ON VIEW ari_agent.v_nummern IS
'Nummern der Kette, und wie viele Schreibversuche abgebrochen wurden, im Ganzen';
COMMENT ON VIEW ari_agent.v_uebergaben_monate IS 'Versuche, einen Menschen zu erreichen, je Monat und Ergebnis';
COMMENT ON VIEW ari_agent.v_notizen_herkunft IS 'Notizen nach Kennzeichnung und dem, was sie erzeugte';
COMMENT ON FUNCTION ari_agent.kette_seit IS
'Prüft die Kette seit dem neuesten Anker, oder seit einem, den Sie selbst haben (Nummer und Hash); eine Zeile';
