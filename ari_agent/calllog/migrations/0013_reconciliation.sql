-- The call log compared with Asterisk's own records: what was missing is filed with its cause, and every comparison is
-- on record with what it found.

ALTER TABLE ari_agent.call ADD COLUMN filed_at timestamptz;

CREATE INDEX call_filed ON ari_agent.call (opened_at) INCLUDE (reason) WHERE filed_at IS NOT NULL;
CREATE INDEX event_withdrawn ON ari_agent.event (call) WHERE kind = 'filed' AND code = 'withdrawn';

-- One more kind, whatever other kinds there are by now, and however they are listed.
DO $$
DECLARE
    kinds text;
BEGIN
    SELECT string_agg(quote_literal(allowed.kind[1]), ', ') INTO STRICT kinds
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN regexp_matches(
        pg_catalog.pg_get_constraintdef(c.oid), '(?<=[''{,])[a-z-]+(?=[''},])', 'g'
    ) AS allowed (kind)
    WHERE c.conrelid = 'ari_agent.event'::regclass AND c.conname = 'event_kind_check';
    EXECUTE format(
        'ALTER TABLE ari_agent.event DROP CONSTRAINT event_kind_check, '
        'ADD CONSTRAINT event_kind_check CHECK (kind IN (%s, ''filed''))',
        kinds
    );
END
$$;

CREATE TABLE ari_agent.reconciliation (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL CHECK (until >= since),
    source text NOT NULL CHECK (source IN ('csv', 'postgres')),
    calls integer NOT NULL CHECK (calls >= 0),
    entries integer NOT NULL CHECK (entries >= 0),
    filed integer NOT NULL CHECK (filed >= 0),
    withdrawn integer NOT NULL CHECK (withdrawn >= 0),
    broken integer NOT NULL CHECK (broken >= 0),
    rolled_back bigint NOT NULL CHECK (rolled_back >= 0),
    unexplained integer NOT NULL CHECK (unexplained >= 0),
    account name NOT NULL DEFAULT session_user
);

CREATE TABLE ari_agent.reconciliation_finding (
    run bigint NOT NULL REFERENCES ari_agent.reconciliation,
    kind text NOT NULL CHECK (kind ~ '^[a-z-]{1,40}$'),
    cause text NOT NULL CHECK (cause ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    call uuid,
    at timestamptz,
    explained boolean NOT NULL
);
CREATE INDEX reconciliation_finding_run ON ari_agent.reconciliation_finding (run);

CREATE TRIGGER reconciliation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.reconciliation
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();
CREATE TRIGGER reconciliation_finding_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.reconciliation_finding
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();

-- Columns can only be added at the end of a view that others may use.
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
        WHEN 'to-people' THEN 'ohne KI an die Mitarbeiter'
        WHEN 'turned-away' THEN 'abgewiesen'
        WHEN 'unknown' THEN 'nicht bekannt'
        ELSE coalesce(outcome, 'offen')
    END AS ergebnis,
    reason AS grund,
    escalated_to AS uebergeben_an,
    test AS testanruf,
    node AS rechner,
    filed_at AS nachgetragen
FROM ari_agent.call;

-- A row that was filed and turned out to be there already, under the id of its controller, was withdrawn.
CREATE OR REPLACE VIEW ari_agent.v_unvollstaendig AS
SELECT id AS anruf, opened_at AS beginn, 'Beginn fehlt' AS mangel FROM ari_agent.call WHERE opened_at IS NULL
UNION ALL
SELECT id, opened_at, 'Ende fehlt' FROM ari_agent.call WHERE closed_at IS NULL AND opened_at < now() - interval '1 day'
UNION ALL
SELECT e.call, e.at, 'Zeile fehlt'
FROM ari_agent.event AS e
WHERE
    e.kind = 'opened'
    AND e.at > now() - (SELECT make_interval(days => days) FROM ari_agent.retention_rule WHERE kind = 'call')
    AND NOT EXISTS (SELECT FROM ari_agent.call AS c WHERE c.id = e.call)
    AND NOT EXISTS (
        SELECT FROM ari_agent.event AS w WHERE w.call = e.call AND w.kind = 'filed' AND w.code = 'withdrawn'
    );

-- Calls that went to people because something failed or was missing, those that the AI never got among them.
CREATE OR REPLACE VIEW ari_agent.v_ausfaelle AS
SELECT
    opened_at::date AS tag, reason AS grund, count(*) AS anrufe,
    count(DISTINCT date_trunc('minute', opened_at)) AS minuten, min(opened_at) AS erster, max(opened_at) AS letzter
FROM (
    SELECT opened_at, reason FROM ari_agent.call WHERE outcome = 'to-queue' AND NOT test
    UNION ALL
    SELECT opened_at, reason FROM ari_agent.call
    WHERE
        filed_at IS NOT NULL AND outcome <> 'to-queue' AND NOT test
        AND reason IN ('no-controller', 'controller-hung', 'not-ready', 'full', 'unclaimed', 'route-unknown')
) AS c
GROUP BY 1, 2;

-- What a cause means, in one place for all views.
CREATE FUNCTION ari_agent.ursache(cause text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE cause
    WHEN 'bypass' THEN 'KI war abgeschaltet'
    WHEN 'hours' THEN 'Zeiten, Betriebsart oder Kontakt sahen Mitarbeiter vor'
    WHEN 'overflow' THEN 'Mitarbeiter waren zuerst an der Reihe'
    WHEN 'blocked' THEN 'gesperrte Rufnummer'
    WHEN 'no-controller' THEN 'KI lief nicht'
    WHEN 'controller-hung' THEN 'KI antwortete nicht'
    WHEN 'not-ready' THEN 'KI war nicht bereit'
    WHEN 'full' THEN 'kein Platz frei'
    WHEN 'unclaimed' THEN 'von keinem Rechner übernommen'
    WHEN 'route-unknown' THEN 'Zuständigkeit war nicht zu ermitteln'
    WHEN 'hung-up' THEN 'Anrufer legte auf, bevor jemand annahm'
    WHEN 'entry-lost' THEN 'Eintrag der KI fehlt'
    WHEN 'opening-lost' THEN 'Eintrag über den Beginn fehlt'
    WHEN 'row-deleted' THEN 'Zeile wurde gelöscht'
    WHEN 'unknown' THEN 'nicht bekannt'
    WHEN 'no-cdr' THEN 'Telefonanlage kennt den Anruf nicht'
    WHEN 'doubled' THEN 'zwei Zeilen für einen Anruf'
    WHEN 'answered' THEN 'Annahme stimmt nicht überein'
    WHEN 'queue' THEN 'Übergabe an die Warteschlange stimmt nicht überein'
    WHEN 'time' THEN 'Zeiten stimmen nicht überein'
    WHEN 'events-missing' THEN 'Ereignisse fehlen in der Kette'
    ELSE cause
END;

CREATE VIEW ari_agent.v_abgleich AS
SELECT
    r.number AS nummer, r.at AS zeitpunkt, r.since AS von, r.until AS bis,
    CASE r.source WHEN 'csv' THEN 'CDR-Datei' ELSE 'CDR-Tabelle' END AS quelle,
    r.calls AS anrufe_der_anlage, r.entries AS anrufe_im_protokoll, r.filed AS nachgetragen,
    r.withdrawn AS zurueckgenommen, r.broken AS unlesbare_zeilen, r.rolled_back AS abgebrochene_schreibversuche,
    r.unexplained AS ungeklaert,
    CASE WHEN r.unexplained = 0 AND r.broken = 0 THEN 'vollständig' ELSE 'nicht vollständig' END AS ergebnis,
    r.account AS konto
FROM ari_agent.reconciliation AS r;

CREATE VIEW ari_agent.v_abgleich_befunde AS
SELECT
    f.run AS abgleich, f.at AS zeitpunkt, f.call AS anruf,
    CASE f.kind
        WHEN 'missing' THEN 'Zeile fehlte, nachgetragen'
        WHEN 'no-cdr' THEN 'Zeile ohne Anruf der Anlage'
        WHEN 'doubled' THEN 'Zeile doppelt'
        WHEN 'differs' THEN 'Zeile und Anlage verschieden'
        WHEN 'event-gap' THEN 'Lücke in der Kette'
        ELSE f.kind
    END AS befund,
    ari_agent.ursache(f.cause) AS ursache,
    f.explained AS geklaert
FROM ari_agent.reconciliation_finding AS f;

CREATE OR REPLACE VIEW ari_agent.v_kennzahlen AS
SELECT
    (SELECT count(*) FROM ari_agent.call WHERE closed_at IS NULL) AS offene_anrufe,
    (SELECT count(*) FROM ari_agent.task WHERE state = 'open') AS offene_rueckrufe,
    (
        SELECT count(*) FROM ari_agent.task WHERE state = 'open' AND ari_agent.frist(due, latest) < now()
    ) AS ueberfaellige_rueckrufe,
    (SELECT coalesce(sum(ueberfaellig), 0)::bigint FROM ari_agent.v_aufbewahrung) AS ueberfaellige_zeilen,
    (
        SELECT count(*) FROM ari_agent.v_betroffenenanfragen WHERE stand = 'offen' AND frist_ueberschritten
    ) AS ueberfaellige_anfragen,
    (SELECT max(at) FROM ari_agent.deletion WHERE cause = 'retention') AS letzter_loeschlauf,
    (SELECT unexplained + broken FROM ari_agent.reconciliation ORDER BY number DESC LIMIT 1) AS ungeklaerte_luecken,
    (SELECT at FROM ari_agent.reconciliation ORDER BY number DESC LIMIT 1) AS letzter_abgleich;

COMMENT ON COLUMN ari_agent.call.filed_at IS
'Wann die Zeile aus den Aufzeichnungen der Telefonanlage nachgetragen wurde; leer: von der KI geschrieben';
COMMENT ON COLUMN ari_agent.call.outcome IS
'Ergebnis als Code: solved, handed-over, caller-hung-up, to-queue; nachgetragen auch to-people, turned-away, unknown';
COMMENT ON COLUMN ari_agent.event.kind IS
'Art des Eintrags; task: Rückruf oder Nachricht aufgenommen oder erledigt; note: Notiz geschrieben; refused: die Datenbank lehnte einen Eintrag ab, code nennt seine Art; filed: aus der Telefonanlage nachgetragen, code nennt die Ursache; system: die Kette selbst betreffend';

COMMENT ON TABLE ari_agent.reconciliation IS
'Abgleiche mit den Aufzeichnungen der Telefonanlage (CDR, queue_log), ohne personenbezogene Daten; nur Anfügen';
COMMENT ON COLUMN ari_agent.reconciliation.number IS 'Laufende Nummer';
COMMENT ON COLUMN ari_agent.reconciliation.at IS 'Zeitpunkt des Abgleichs';
COMMENT ON COLUMN ari_agent.reconciliation.since IS 'Verglichen wurden Anrufe, die ab hier begannen';
COMMENT ON COLUMN ari_agent.reconciliation.until IS 'Verglichen wurden Anrufe, die bis hier begannen';
COMMENT ON COLUMN ari_agent.reconciliation.source IS 'Woher die CDR kamen: csv (Datei), postgres (Tabelle)';
COMMENT ON COLUMN ari_agent.reconciliation.calls IS 'Anzahl der von außen kommenden Anrufe in den CDR';
COMMENT ON COLUMN ari_agent.reconciliation.entries IS 'Anzahl der Anrufe im Protokoll vor dem Abgleich';
COMMENT ON COLUMN ari_agent.reconciliation.filed IS 'Anzahl der nachgetragenen Anrufe';
COMMENT ON COLUMN ari_agent.reconciliation.withdrawn IS
'Anzahl früher nachgetragener Zeilen, die entfielen, weil der verspätete Eintrag der KI eintraf';
COMMENT ON COLUMN ari_agent.reconciliation.broken IS 'Anzahl der Zeilen der Telefonanlage, die nicht zu lesen waren';
COMMENT ON COLUMN ari_agent.reconciliation.rolled_back IS
'Laufende Nummern, die ein abgebrochener Schreibversuch verbraucht hat: die Kette ist dort lückenlos';
COMMENT ON COLUMN ari_agent.reconciliation.unexplained IS 'Anzahl der Befunde ohne Erklärung';
COMMENT ON COLUMN ari_agent.reconciliation.account IS 'Konto der Datenbank, das abglich';

COMMENT ON TABLE ari_agent.reconciliation_finding IS 'Befunde der Abgleiche; nur Anfügen';
COMMENT ON COLUMN ari_agent.reconciliation_finding.run IS 'Nummer des Abgleichs';
COMMENT ON COLUMN ari_agent.reconciliation_finding.kind IS
'Art: missing (Zeile fehlte), no-cdr (Zeile ohne Anruf der Anlage), doubled (zwei Zeilen), differs (verschieden), event-gap (Lücke in der Kette)';
COMMENT ON COLUMN ari_agent.reconciliation_finding.cause IS 'Ursache als Code';
COMMENT ON COLUMN ari_agent.reconciliation_finding.call IS 'Kennung des Anrufs; leer bei einer Lücke in der Kette';
COMMENT ON COLUMN ari_agent.reconciliation_finding.at IS 'Beginn des Anrufs, oder bis wann die Lücke entstand';
COMMENT ON COLUMN ari_agent.reconciliation_finding.explained IS 'Ob die Ursache im Betrieb vorgesehen ist';
COMMENT ON FUNCTION ari_agent.ursache IS 'Ursache in Worten';
COMMENT ON VIEW ari_agent.v_abgleich IS 'Abgleiche mit der Telefonanlage und ihr Ergebnis';
COMMENT ON VIEW ari_agent.v_abgleich_befunde IS 'Was die Abgleiche fanden';
