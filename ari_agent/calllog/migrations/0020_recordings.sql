-- Consent to being recorded, and what was recorded after it. No table here holds a number, a name or a caller's words:
-- sound and transcripts lie sealed in files of the controller's machine, their keys in a folder beside no backup.

-- One kind of event more than whatever was allowed before.
DO $$
DECLARE
    kinds text[];
BEGIN
    SELECT array_agg(allowed.kind[1]) INTO kinds
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN regexp_matches(pg_catalog.pg_get_constraintdef(c.oid), '''([a-z-]+)''', 'g') AS allowed (kind)
    WHERE c.conrelid = 'ari_agent.event'::regclass AND c.conname = 'event_kind_check';
    EXECUTE format(
        'ALTER TABLE ari_agent.event DROP CONSTRAINT event_kind_check, '
        'ADD CONSTRAINT event_kind_check CHECK (kind = ANY (%L::text []))',
        kinds || ARRAY['consent', 'recording']
    );
END
$$;

-- The company's own words, kept to prove what callers were asked (Art. 7 Abs. 1 DSGVO).
CREATE TABLE ari_agent.consent_text (
    sha256 text PRIMARY KEY CHECK (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')),
    text text NOT NULL CHECK (length(text) <= 1000),
    first_at timestamptz NOT NULL
);

CREATE TABLE ari_agent.recording (
    id uuid PRIMARY KEY,
    call uuid NOT NULL REFERENCES ari_agent.call ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('audio', 'transcript')),
    at timestamptz NOT NULL,
    node text NOT NULL CHECK (length(node) <= 80),
    duration_ms double precision NOT NULL CHECK (duration_ms >= 0),
    size bigint NOT NULL CHECK (size >= 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$')
);

CREATE INDEX recording_call ON ari_agent.recording (call);
CREATE INDEX recording_at ON ari_agent.recording (at);

CREATE TABLE ari_agent.recording_access (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recording uuid NOT NULL,
    call uuid NOT NULL,
    account name NOT NULL DEFAULT session_user,
    login text NOT NULL CHECK (length(login) <= 80)
);

CREATE TRIGGER recording_access_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.recording_access
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();

-- Who takes a recording out can leave that out of the record no more than the name of the account.
CREATE FUNCTION ari_agent.hand_out(wanted uuid, login text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found ari_agent.recording;
    access bigint;
BEGIN
    SELECT * INTO STRICT found FROM ari_agent.recording WHERE id = wanted;
    INSERT INTO ari_agent.recording_access (recording, call, login)
    VALUES (found.id, found.call, left(hand_out.login, 80)) RETURNING number INTO access;
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        gen_random_uuid(), found.call, clock_timestamp(), 'recording', 'handed-out',
        jsonb_build_object('recording', found.id, 'kind', found.kind, 'access', access)
    );
    RETURN access;
END
$$;

INSERT INTO ari_agent.retention_rule (kind, label, starts, action, days) VALUES
('audio', 'Tonaufzeichnung', 'Beginn der Aufzeichnung', 'Schlüssel, Datei und Zeile löschen', 7),
('transcript', 'Mitschrift', 'Beginn der Mitschrift', 'Schlüssel, Datei und Zeile löschen', 2);

CREATE FUNCTION ari_agent.expired_recordings(moment timestamptz, wanted text) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.id FROM ari_agent.recording AS r
    WHERE r.kind = wanted AND r.at <= moment - ari_agent.days_of(wanted);
END;

-- As before, and a call stays for as long as a recording of it.
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
        )
        AND NOT EXISTS (
            SELECT FROM ari_agent.recording AS r
            WHERE r.call = c.id AND r.id NOT IN (SELECT ari_agent.expired_recordings(moment, r.kind))
        );
END;

-- As before, and recordings.
CREATE OR REPLACE FUNCTION ari_agent.ueberfaellig(zeitpunkt timestamptz) RETURNS TABLE (art text, zeilen bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
BEGIN
    RETURN QUERY SELECT 'wording', count(*) FROM ari_agent.expired_wording(zeitpunkt)
    UNION ALL SELECT 'note', count(*) FROM ari_agent.expired_notes(zeitpunkt)
    UNION ALL SELECT 'task', count(*) FROM ari_agent.expired_tasks(zeitpunkt, 'done')
    UNION ALL SELECT 'open-task', count(*) FROM ari_agent.expired_tasks(zeitpunkt, 'open')
    UNION ALL SELECT 'caller-number', count(*) FROM ari_agent.expired_numbers(zeitpunkt)
    UNION ALL SELECT 'call', count(*) FROM ari_agent.expired_calls(zeitpunkt)
    UNION ALL SELECT 'request', count(*) FROM ari_agent.expired_requests(zeitpunkt)
    UNION ALL SELECT 'event', count(*) FROM ari_agent.event AS e WHERE e.number < ari_agent.first_kept(zeitpunkt)
    UNION ALL SELECT 'audio', count(*) FROM ari_agent.expired_recordings(zeitpunkt, 'audio')
    UNION ALL SELECT 'transcript', count(*) FROM ari_agent.expired_recordings(zeitpunkt, 'transcript');
END
$$;

CREATE INDEX event_consent ON ari_agent.event (call) WHERE kind = 'consent';
CREATE INDEX event_recording ON ari_agent.event (call) WHERE kind = 'recording';

CREATE VIEW ari_agent.v_einwilligungen AS
SELECT
    e.call AS anruf, e.at AS zeitpunkt,
    CASE e.code WHEN 'given' THEN 'erteilt' WHEN 'refused' THEN 'nicht erteilt' WHEN 'withdrawn' THEN 'widerrufen' END AS antwort,
    CASE e.detail ->> 'way'
        WHEN 'voice' THEN 'gesprochen' WHEN 'key' THEN 'Taste' WHEN 'silence' THEN 'keine Antwort' ELSE 'andere Worte'
    END AS weg,
    CASE e.detail ->> 'scope'
        WHEN 'audio' THEN 'Ton' WHEN 'transcript' THEN 'Mitschrift' ELSE 'Ton und Mitschrift'
    END AS umfang,
    e.detail ->> 'text_sha256' AS pruefsumme, t.text AS frage
FROM ari_agent.event AS e
LEFT JOIN ari_agent.consent_text AS t ON t.sha256 = e.detail ->> 'text_sha256'
WHERE e.kind = 'consent';

CREATE VIEW ari_agent.v_aufzeichnungen AS
SELECT
    id AS aufzeichnung, call AS anruf, CASE kind WHEN 'audio' THEN 'Ton' ELSE 'Mitschrift' END AS art, at AS beginn,
    round(duration_ms::numeric / 1000, 1) AS dauer_s, size AS bytes, sha256 AS pruefsumme, node AS rechner,
    true AS ki_gespraech
FROM ari_agent.recording;

-- Told by the events, which outlive the recordings; and a row that no event tells of.
CREATE VIEW ari_agent.v_aufzeichnung_ohne_einwilligung AS
SELECT
    r.call AS anruf, (r.detail ->> 'recording')::uuid AS aufzeichnung, r.at AS beginn,
    CASE
        WHEN c.erteilt IS NULL THEN 'keine Einwilligung'
        WHEN c.erteilt > r.at THEN 'vor der Einwilligung begonnen'
        ELSE 'trotz Widerruf aufbewahrt'
    END AS mangel
FROM ari_agent.event AS r
LEFT JOIN LATERAL (
    SELECT
        min(at) FILTER (
            WHERE code = 'given' AND r.detail ->> 'kind' = ANY (string_to_array(detail ->> 'scope', '+'))
        ) AS erteilt,
        max(at) FILTER (WHERE code = 'withdrawn') AS widerrufen
    FROM ari_agent.event WHERE call = r.call AND kind = 'consent'
) AS c ON true
WHERE
    r.kind = 'recording' AND r.code = 'kept'
    AND (c.erteilt IS NULL OR c.erteilt > r.at OR c.widerrufen IS NOT NULL)
UNION ALL
SELECT r.call, r.id, r.at, 'nicht protokolliert'
FROM ari_agent.recording AS r
WHERE NOT EXISTS (
    SELECT FROM ari_agent.event AS e
    WHERE e.call = r.call AND e.kind = 'recording' AND e.code = 'kept' AND e.detail ->> 'recording' = r.id::text
);

CREATE VIEW ari_agent.v_aufzeichnung_einsichten AS
SELECT
    number AS nummer, at AS zeitpunkt, account AS konto, login AS anmeldename, recording AS aufzeichnung, call AS anruf
FROM ari_agent.recording_access;

COMMENT ON TABLE ari_agent.consent_text IS 'Wortlaut der Fragen nach der Einwilligung, wie sie gesprochen wurden; Worte des Unternehmens';
COMMENT ON COLUMN ari_agent.consent_text.sha256 IS 'SHA-256 des Wortlauts; steht im Ereignis jeder Einwilligung';
COMMENT ON COLUMN ari_agent.consent_text.text IS 'Wortlaut';
COMMENT ON COLUMN ari_agent.consent_text.first_at IS 'Wann so zum ersten Mal gefragt wurde';
COMMENT ON TABLE ari_agent.recording IS
'Aufzeichnungen, die es gibt; Ton und Worte liegen verschlüsselt in Dateien, die Schlüssel nicht in der Datenbank';
COMMENT ON COLUMN ari_agent.recording.id IS 'Kennung der Aufzeichnung und Name ihrer Dateien';
COMMENT ON COLUMN ari_agent.recording.call IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.recording.kind IS 'Art: audio (Ton), transcript (Mitschrift)';
COMMENT ON COLUMN ari_agent.recording.at IS 'Beginn, nach der Einwilligung';
COMMENT ON COLUMN ari_agent.recording.node IS 'Rechner, auf dem sie liegt';
COMMENT ON COLUMN ari_agent.recording.duration_ms IS 'Dauer in Millisekunden';
COMMENT ON COLUMN ari_agent.recording.size IS 'Größe der verschlüsselten Datei in Bytes';
COMMENT ON COLUMN ari_agent.recording.sha256 IS 'SHA-256 der verschlüsselten Datei';
COMMENT ON TABLE ari_agent.recording_access IS 'Wer eine Aufzeichnung entschlüsselt ausgegeben hat; nur Anfügen';
COMMENT ON COLUMN ari_agent.recording_access.number IS 'Laufende Nummer; steht im Ereignis';
COMMENT ON COLUMN ari_agent.recording_access.at IS 'Zeitpunkt';
COMMENT ON COLUMN ari_agent.recording_access.recording IS 'Kennung der Aufzeichnung';
COMMENT ON COLUMN ari_agent.recording_access.call IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.recording_access.account IS 'Konto der Datenbank';
COMMENT ON COLUMN ari_agent.recording_access.login IS 'Konto des Betriebssystems, nach eigener Angabe';
COMMENT ON FUNCTION ari_agent.hand_out IS 'Vermerkt, dass das angemeldete Konto eine Aufzeichnung ausgibt';
COMMENT ON FUNCTION ari_agent.expired_recordings IS 'Aufzeichnungen einer Art, deren Frist an einem Zeitpunkt abgelaufen ist';
COMMENT ON VIEW ari_agent.v_einwilligungen IS 'Jede Frage nach der Einwilligung, mit Antwort, Weg und Wortlaut der Frage; auch der Widerruf';
COMMENT ON VIEW ari_agent.v_aufzeichnungen IS 'Aufzeichnungen, die es gibt; alle sind Gespräche mit einer KI';
COMMENT ON VIEW ari_agent.v_aufzeichnung_ohne_einwilligung IS 'Aufzeichnungen ohne vorherige oder mit widerrufener Einwilligung; soll leer sein';
COMMENT ON VIEW ari_agent.v_aufzeichnung_einsichten IS 'Wer Aufzeichnungen entschlüsselt ausgegeben hat';
COMMENT ON VIEW ari_agent.v_wortlaut IS 'Anrufe, deren Wortlaut offen in der Datenbank steht; nur mit einer Einstellung für Tests';
