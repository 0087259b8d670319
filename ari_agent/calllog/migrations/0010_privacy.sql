-- How long what is kept, what was deleted and why, and what persons asked for. No table here holds a number, a name or words.

ALTER TABLE ari_agent.call ADD COLUMN caller_erased_at timestamptz;
COMMENT ON COLUMN ari_agent.call.caller_erased_at IS
'Wann die Rufnummer gelöscht wurde; leer: nicht gelöscht, oder der Anrufer hatte sie unterdrückt';

CREATE OR REPLACE VIEW ari_agent.v_anrufe AS
SELECT
    id AS anruf,
    opened_at AS beginn,
    closed_at AS ende,
    round(extract(epoch FROM closed_at - opened_at), 1) AS dauer_s,
    round(setup_ms::numeric) AS angenommen_nach_ms,
    dialled AS gewaehlt,
    CASE
        WHEN caller IS NOT NULL THEN ari_agent.gekuerzt(caller)
        WHEN caller_erased_at IS NOT NULL THEN 'gelöscht'
        ELSE 'unterdrückt'
    END AS anrufer,
    disclosure_played_ms IS NOT NULL AS ki_hinweis_gespielt,
    round(disclosure_played_ms::numeric) AS ki_hinweis_ms,
    turns AS gespraechsschritte,
    CASE outcome
        WHEN 'solved' THEN 'gelöst'
        WHEN 'handed-over' THEN 'an Mitarbeiter übergeben'
        WHEN 'caller-hung-up' THEN 'Anrufer hat aufgelegt'
        WHEN 'to-queue' THEN 'in die Warteschlange'
        ELSE coalesce(outcome, 'offen')
    END AS ergebnis,
    reason AS grund,
    escalated_to AS uebergeben_an,
    test AS testanruf,
    node AS rechner
FROM ari_agent.call;

CREATE TABLE ari_agent.retention_rule (
    kind text PRIMARY KEY CHECK (kind ~ '^[a-z-]{1,40}$'),
    label text NOT NULL,
    starts text NOT NULL,
    action text NOT NULL,
    days integer NOT NULL CHECK (days >= 0),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO ari_agent.retention_rule (kind, label, starts, action, days) VALUES
('wording', 'Wortlaut eines Gesprächsschritts', 'Zeitpunkt des Gesprächsschritts', 'Wortlaut leeren', 2),
('note', 'Notiz zum Anruf', 'Notiz geschrieben und alle Rückrufe des Anrufs erledigt', 'Zeile löschen', 90),
('task', 'erledigter Rückruf, erledigte Nachricht', 'Erledigung', 'Zeile löschen', 90),
('open-task', 'unerledigter Rückruf, unerledigte Nachricht', 'Aufnahme', 'Zeile löschen', 365),
('caller-number', 'Rufnummer des Anrufers', 'Beginn des Anrufs', 'Rufnummer leeren', 90),
('call', 'Anruf mit seinen Gesprächsschritten', 'Beginn des Anrufs', 'in Monatszahlen zusammenfassen, Zeilen löschen', 365),
('request', 'Anfrage einer betroffenen Person', 'Eingang', 'Zeile löschen', 1095);

CREATE TABLE ari_agent.call_month (
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    outcome text NOT NULL,
    calls bigint NOT NULL CHECK (calls >= 0),
    seconds double precision NOT NULL CHECK (seconds >= 0),
    PRIMARY KEY (month, outcome)
);

CREATE TABLE ari_agent.deletion (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run uuid NOT NULL,
    at timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('retention', 'request')),
    place text NOT NULL CHECK (place ~ '^[a-z-]{1,40}$'),
    days integer CHECK (days >= 0),
    rows bigint NOT NULL CHECK (rows >= 0),
    request uuid,
    account name NOT NULL DEFAULT session_user,
    CHECK ((cause = 'request') = (request IS NOT NULL)),
    CHECK ((cause = 'retention') = (days IS NOT NULL))
);

CREATE TABLE ari_agent.subject_request (
    id uuid PRIMARY KEY,
    ticket text NOT NULL UNIQUE CHECK (ticket ~ '^[A-Za-z0-9._/-]{1,40}$'),
    received_on date NOT NULL,
    due_on date NOT NULL CHECK (due_on > received_on),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE ari_agent.subject_action (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request uuid NOT NULL REFERENCES ari_agent.subject_request ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL CHECK (action IN ('find', 'export', 'erase')),
    identity text NOT NULL CHECK (identity IN ('callback', 'letter', 'id-card', 'in-person', 'customer-account', 'none')),
    found bigint NOT NULL CHECK (found >= 0),
    places jsonb NOT NULL CHECK (jsonb_typeof(places) = 'object'),
    account name NOT NULL DEFAULT session_user,
    CHECK (identity <> 'none' OR action = 'find')
);
CREATE INDEX subject_action_request ON ari_agent.subject_action (request);

CREATE TABLE ari_agent.backup_proof (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('backup', 'restore-test')),
    account name NOT NULL DEFAULT session_user
);

CREATE FUNCTION ari_agent.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ari_agent.% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER deletion_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.deletion
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();
CREATE TRIGGER backup_proof_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.backup_proof
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();
-- Whole requests expire; what was done about one is never changed.
CREATE TRIGGER subject_action_no_change BEFORE UPDATE OR TRUNCATE ON ari_agent.subject_action
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();

CREATE INDEX turn_wording ON ari_agent.turn (at) WHERE caller_text IS NOT NULL OR agent_text IS NOT NULL;

CREATE FUNCTION ari_agent.days_of(wanted text) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT make_interval(days => days) FROM ari_agent.retention_rule WHERE kind = wanted);

-- When a call began; of some the opening entry was lost.
CREATE FUNCTION ari_agent.began(ident uuid, opened_at timestamptz, answered_at timestamptz, closed_at timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    opened_at, answered_at, closed_at, (SELECT min(e.at) FROM ari_agent.event AS e WHERE e.call = ident)
);

-- What each rule reaches at a moment: the same for deleting it and for counting what should be gone.
CREATE FUNCTION ari_agent.expired_wording(moment timestamptz) RETURNS TABLE (call uuid, number integer)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.call, t.number FROM ari_agent.turn AS t
    WHERE (t.caller_text IS NOT NULL OR t.agent_text IS NOT NULL) AND t.at <= moment - ari_agent.days_of('wording');
END;

CREATE FUNCTION ari_agent.expired_notes(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT n.call FROM ari_agent.note AS n
    WHERE
        n.written_at <= moment - ari_agent.days_of('note')
        AND NOT EXISTS (
            SELECT FROM ari_agent.task AS t
            WHERE
                t.call = n.call
                AND CASE t.state
                    WHEN 'open' THEN t.taken_at > moment - ari_agent.days_of('open-task')
                    ELSE t.done_at > moment - ari_agent.days_of('note')
                END
        );
END;

CREATE FUNCTION ari_agent.expired_tasks(moment timestamptz, wanted text) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.id FROM ari_agent.task AS t
    WHERE
        t.state = wanted
        AND CASE wanted
            WHEN 'open' THEN t.taken_at <= moment - ari_agent.days_of('open-task')
            ELSE t.done_at <= moment - ari_agent.days_of('task')
        END;
END;

CREATE FUNCTION ari_agent.expired_numbers(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.id FROM ari_agent.call AS c
    WHERE
        c.caller IS NOT NULL
        AND coalesce(ari_agent.began(c.id, c.opened_at, c.answered_at, c.closed_at), '-infinity')
        <= moment - ari_agent.days_of('caller-number');
END;

-- A call stays for as long as something of it that has a time of its own.
CREATE FUNCTION ari_agent.expired_calls(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.id FROM ari_agent.call AS c
    WHERE
        coalesce(ari_agent.began(c.id, c.opened_at, c.answered_at, c.closed_at), '-infinity')
        <= moment - ari_agent.days_of('call')
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

CREATE FUNCTION ari_agent.expired_requests(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.id FROM ari_agent.subject_request AS r
    WHERE r.received_on <= (moment - ari_agent.days_of('request'))::date;
END;

-- Counts only, for accounts that may not see the rows; therefore with the owner's rights.
CREATE FUNCTION ari_agent.ueberfaellig(zeitpunkt timestamptz) RETURNS TABLE (art text, zeilen bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT 'wording', count(*) FROM ari_agent.expired_wording(zeitpunkt)
    UNION ALL SELECT 'note', count(*) FROM ari_agent.expired_notes(zeitpunkt)
    UNION ALL SELECT 'task', count(*) FROM ari_agent.expired_tasks(zeitpunkt, 'done')
    UNION ALL SELECT 'open-task', count(*) FROM ari_agent.expired_tasks(zeitpunkt, 'open')
    UNION ALL SELECT 'caller-number', count(*) FROM ari_agent.expired_numbers(zeitpunkt)
    UNION ALL SELECT 'call', count(*) FROM ari_agent.expired_calls(zeitpunkt)
    UNION ALL SELECT 'request', count(*) FROM ari_agent.expired_requests(zeitpunkt);
END;

COMMENT ON TABLE ari_agent.retention_rule IS 'Aufbewahrung: eine Regel je Datenart, aus den Einstellungen beim letzten Löschlauf';
COMMENT ON COLUMN ari_agent.retention_rule.kind IS 'Datenart als Code';
COMMENT ON COLUMN ari_agent.retention_rule.label IS 'Datenart';
COMMENT ON COLUMN ari_agent.retention_rule.starts IS 'Womit die Frist beginnt';
COMMENT ON COLUMN ari_agent.retention_rule.action IS 'Was nach der Frist geschieht';
COMMENT ON COLUMN ari_agent.retention_rule.days IS 'Frist in Tagen';
COMMENT ON COLUMN ari_agent.retention_rule.changed_at IS 'Wann die Frist zuletzt geändert wurde';

COMMENT ON TABLE ari_agent.call_month IS 'Monatszahlen der Anrufe, deren Zeilen gelöscht sind; ohne Testanrufe';
COMMENT ON COLUMN ari_agent.call_month.month IS 'Erster Tag des Monats';
COMMENT ON COLUMN ari_agent.call_month.outcome IS 'Ergebnis als Code';
COMMENT ON COLUMN ari_agent.call_month.calls IS 'Anzahl der Anrufe';
COMMENT ON COLUMN ari_agent.call_month.seconds IS 'Summe ihrer Dauer in Sekunden';

COMMENT ON TABLE ari_agent.deletion IS 'Löschprotokoll ohne personenbezogene Daten; nur Anfügen';
COMMENT ON COLUMN ari_agent.deletion.number IS 'Laufende Nummer';
COMMENT ON COLUMN ari_agent.deletion.run IS 'Kennung des Laufs; seine Zeilen gehören zusammen';
COMMENT ON COLUMN ari_agent.deletion.at IS 'Zeitpunkt der Löschung';
COMMENT ON COLUMN ari_agent.deletion.cause IS 'Anlass: retention (Frist abgelaufen), request (Anfrage einer betroffenen Person)';
COMMENT ON COLUMN ari_agent.deletion.place IS 'Datenart oder Ort als Code';
COMMENT ON COLUMN ari_agent.deletion.days IS 'Frist in Tagen, die galt; leer bei einer Anfrage';
COMMENT ON COLUMN ari_agent.deletion.rows IS 'Anzahl der gelöschten oder geleerten Einträge';
COMMENT ON COLUMN ari_agent.deletion.request IS 'Kennung der Anfrage';
COMMENT ON COLUMN ari_agent.deletion.account IS 'Konto der Datenbank, das löschte';

COMMENT ON TABLE ari_agent.subject_request IS 'Anfragen betroffener Personen nach Art. 15 bis 17 DSGVO, ohne ihre Rufnummer';
COMMENT ON COLUMN ari_agent.subject_request.id IS 'Kennung der Anfrage';
COMMENT ON COLUMN ari_agent.subject_request.ticket IS 'Aktenzeichen beim Unternehmen';
COMMENT ON COLUMN ari_agent.subject_request.received_on IS 'Eingang beim Unternehmen';
COMMENT ON COLUMN ari_agent.subject_request.due_on IS 'Frist: ein Monat nach dem Eingang (Art. 12 Abs. 3 DSGVO)';
COMMENT ON COLUMN ari_agent.subject_request.recorded_at IS 'Zeitpunkt der Erfassung';

COMMENT ON TABLE ari_agent.subject_action IS 'Was auf eine Anfrage hin geschah; wird nie geändert';
COMMENT ON COLUMN ari_agent.subject_action.number IS 'Laufende Nummer';
COMMENT ON COLUMN ari_agent.subject_action.request IS 'Kennung der Anfrage';
COMMENT ON COLUMN ari_agent.subject_action.at IS 'Zeitpunkt';
COMMENT ON COLUMN ari_agent.subject_action.action IS 'Vorgang: find (Suche), export (Auskunft), erase (Löschung)';
COMMENT ON COLUMN ari_agent.subject_action.identity IS
'Wie die Identität geprüft wurde: callback (Rückruf auf die Rufnummer), letter (Schreiben), id-card (Ausweis), in-person (persönlich), customer-account (Kundenkonto), none (nur bei find)';
COMMENT ON COLUMN ari_agent.subject_action.found IS 'Anzahl der gefundenen Einträge; 0: Negativauskunft';
COMMENT ON COLUMN ari_agent.subject_action.places IS 'Anzahl der Einträge je Ort';
COMMENT ON COLUMN ari_agent.subject_action.account IS 'Konto der Datenbank, das den Vorgang ausführte';

COMMENT ON TABLE ari_agent.backup_proof IS 'Gemeldete Sicherungen und geprüfte Rücksicherungen; nur Anfügen';
COMMENT ON COLUMN ari_agent.backup_proof.number IS 'Laufende Nummer';
COMMENT ON COLUMN ari_agent.backup_proof.at IS 'Zeitpunkt der Sicherung oder Prüfung';
COMMENT ON COLUMN ari_agent.backup_proof.kind IS 'Art: backup (Sicherung), restore-test (geprüfte Rücksicherung)';
COMMENT ON COLUMN ari_agent.backup_proof.account IS 'Konto der Datenbank, das sie meldete';

COMMENT ON FUNCTION ari_agent.refuse_rewriting IS 'Lehnt jede Änderung ab';
COMMENT ON FUNCTION ari_agent.days_of IS 'Frist einer Datenart';
COMMENT ON FUNCTION ari_agent.began IS 'Beginn eines Anrufs';
COMMENT ON FUNCTION ari_agent.ueberfaellig IS 'Anzahl der Zeilen je Datenart, deren Frist an einem Zeitpunkt abgelaufen ist';
