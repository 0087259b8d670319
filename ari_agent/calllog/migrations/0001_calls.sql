-- The first form of the call log: calls, their turns, and every entry as one event.
-- A migration is never edited once released; what changes goes into the next number.

CREATE TABLE ari_agent.call (
    id uuid PRIMARY KEY,
    opened_at timestamptz,  -- null: the opening entry was lost, later ones were not
    answered_at timestamptz,
    closed_at timestamptz,
    node text CHECK (length(node) <= 80),
    channel text CHECK (length(channel) <= 200),
    dialled text CHECK (length(dialled) <= 80),
    caller text CHECK (length(caller) <= 80),
    test boolean NOT NULL DEFAULT false,
    setup_ms double precision CHECK (setup_ms >= 0),
    disclosure_played_ms double precision CHECK (disclosure_played_ms >= 0),
    disclosure_sha256 text CHECK (disclosure_sha256 ~ '^[0-9a-f]{64}$'),
    -- Codes have no blanks, so that no sentence of a caller can end up in them.
    outcome text CHECK (outcome ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    reason text CHECK (reason ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    escalated_to text CHECK (escalated_to ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    turns integer CHECK (turns >= 0)
);

-- Lists are read newest first.
CREATE INDEX call_opened_at ON ari_agent.call (opened_at DESC);

CREATE TABLE ari_agent.turn (
    call uuid NOT NULL REFERENCES ari_agent.call ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 1),
    at timestamptz NOT NULL,
    act text NOT NULL CHECK (act ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    source text CHECK (length(source) <= 200),
    reason text CHECK (reason ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    heard text NOT NULL CHECK (heard ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    end_of_turn_ms double precision CHECK (end_of_turn_ms >= 0),
    stt_ms double precision CHECK (stt_ms >= 0),
    decide_ms double precision NOT NULL CHECK (decide_ms >= 0),
    tts_ms double precision CHECK (tts_ms >= 0),
    total_ms double precision CHECK (total_ms >= 0),
    interrupted boolean NOT NULL,
    caller_text text,
    agent_text text,
    PRIMARY KEY (call, number)
);

CREATE TABLE ari_agent.event (
    -- Numbers may have gaps: a transaction that is rolled back has used its number.
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Made by the writer, so that a repeated attempt after a lost connection cannot double an entry.
    entry uuid NOT NULL UNIQUE,
    -- No foreign key: events outlive the personal data in call and turn.
    call uuid NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL CHECK (
        kind IN ('opened', 'answered', 'disclosed', 'turn', 'escalated', 'noted', 'closed', 'refused')
    ),
    code text CHECK (code ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    detail jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object')
);

CREATE INDEX event_call ON ari_agent.event (call, seq);

CREATE FUNCTION ari_agent.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ari_agent.event is append-only';
END
$$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.event
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_change();

-- At most the last three digits, and never the last three of a number so short that they give it away.
CREATE FUNCTION ari_agent.gekuerzt(rufnummer text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '…' || right(rufnummer, least(3, greatest(0, length(rufnummer) - 3)));

CREATE VIEW ari_agent.v_anrufe AS
SELECT
    id AS anruf,
    opened_at AS beginn,
    closed_at AS ende,
    round(extract(epoch FROM closed_at - opened_at), 1) AS dauer_s,
    round(setup_ms::numeric) AS angenommen_nach_ms,
    dialled AS gewaehlt,
    coalesce(ari_agent.gekuerzt(caller), 'unterdrückt') AS anrufer,
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

CREATE VIEW ari_agent.v_gespraechsschritte AS
SELECT
    call AS anruf,
    number AS nummer,
    at AS zeitpunkt,
    CASE heard
        WHEN 'speech' THEN 'Sprache'
        WHEN 'key' THEN 'Taste'
        WHEN 'silence' THEN 'Stille'
        WHEN 'refusal' THEN 'Ablehnung'
        ELSE heard
    END AS gehoert,
    CASE act
        WHEN 'answer' THEN 'Antwort'
        WHEN 'ask' THEN 'Rückfrage'
        WHEN 'escalate' THEN 'Übergabe'
        WHEN 'goodbye' THEN 'Verabschiedung'
        ELSE act
    END AS entscheidung,
    source AS quelle,
    reason AS grund,
    round(end_of_turn_ms::numeric) AS redeende_ms,
    round(stt_ms::numeric) AS erkennung_ms,
    round(decide_ms::numeric) AS entscheidung_ms,
    round(tts_ms::numeric) AS stimme_ms,
    round(total_ms::numeric) AS reaktion_ms,
    interrupted AS unterbrochen
FROM ari_agent.turn;

COMMENT ON SCHEMA ari_agent IS 'Anrufprotokoll des KI-Empfangs';

COMMENT ON TABLE ari_agent.call IS 'Ein Anruf je Zeile; enthält die Rufnummer des Anrufers (personenbezogen)';
COMMENT ON COLUMN ari_agent.call.id IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.call.opened_at IS 'Übernahme aus dem Wählplan; leer, wenn dieser Eintrag verloren ging';
COMMENT ON COLUMN ari_agent.call.answered_at IS 'Gespräch angenommen und Ton verbunden';
COMMENT ON COLUMN ari_agent.call.closed_at IS 'Ende des Anrufs für die KI';
COMMENT ON COLUMN ari_agent.call.node IS 'Rechner, der den Anruf führte';
COMMENT ON COLUMN ari_agent.call.channel IS 'Kanal-Kennung von Asterisk';
COMMENT ON COLUMN ari_agent.call.dialled IS 'Gewählte Rufnummer des Unternehmens';
COMMENT ON COLUMN ari_agent.call.caller IS 'Rufnummer des Anrufers (personenbezogen); leer, wenn unterdrückt';
COMMENT ON COLUMN ari_agent.call.test IS 'Testanruf, zählt in keiner Auswertung';
COMMENT ON COLUMN ari_agent.call.setup_ms IS 'Von der Übernahme bis zum verbundenen Ton, Millisekunden';
COMMENT ON COLUMN ari_agent.call.disclosure_played_ms IS 'Länge des vollständig gespielten KI-Hinweises, Millisekunden; leer: nicht bis zum Ende gespielt';
COMMENT ON COLUMN ari_agent.call.disclosure_sha256 IS 'SHA-256 des Wortlauts des KI-Hinweises';
COMMENT ON COLUMN ari_agent.call.outcome IS 'Ergebnis als Code: solved, handed-over, caller-hung-up, to-queue';
COMMENT ON COLUMN ari_agent.call.reason IS 'Grund des Ergebnisses als Code';
COMMENT ON COLUMN ari_agent.call.escalated_to IS 'Warteschlange, deren Mitarbeiter den Anruf übernahm';
COMMENT ON COLUMN ari_agent.call.turns IS 'Anzahl der Gesprächsschritte';

COMMENT ON TABLE ari_agent.turn IS 'Ein Gesprächsschritt je Zeile: etwas gehört, etwas entschieden, Zeiten jeder Stufe in Millisekunden';
COMMENT ON COLUMN ari_agent.turn.call IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.turn.number IS 'Laufende Nummer im Anruf, ab 1';
COMMENT ON COLUMN ari_agent.turn.at IS 'Zeitpunkt der Entscheidung';
COMMENT ON COLUMN ari_agent.turn.act IS 'Entscheidung als Code: answer, ask, escalate, goodbye';
COMMENT ON COLUMN ari_agent.turn.source IS 'Kennung der Textstelle, aus der die Antwort stammt';
COMMENT ON COLUMN ari_agent.turn.reason IS 'Grund der Entscheidung als Code, nie eine Bewertung der Person';
COMMENT ON COLUMN ari_agent.turn.heard IS 'Was gehört wurde: speech, key, silence';
COMMENT ON COLUMN ari_agent.turn.end_of_turn_ms IS 'Vom letzten Ton bis zur Feststellung, dass der Anrufer fertig ist';
COMMENT ON COLUMN ari_agent.turn.stt_ms IS 'Von dort bis zum fertigen Text der Spracherkennung';
COMMENT ON COLUMN ari_agent.turn.decide_ms IS 'Dauer der Entscheidung';
COMMENT ON COLUMN ari_agent.turn.tts_ms IS 'Von der Entscheidung bis zum ersten gesendeten Ton; leer, wenn nichts gesagt wurde';
COMMENT ON COLUMN ari_agent.turn.total_ms IS 'Vom letzten Ton des Anrufers bis zum ersten gesendeten Ton der Antwort';
COMMENT ON COLUMN ari_agent.turn.interrupted IS 'Ob der Anrufer die Antwort unterbrochen hat';
COMMENT ON COLUMN ari_agent.turn.caller_text IS 'Worte des Anrufers (personenbezogen); leer, solange log.wording ausgeschaltet ist';
COMMENT ON COLUMN ari_agent.turn.agent_text IS 'Gehörter Teil der Antwort; leer, solange log.wording ausgeschaltet ist';

COMMENT ON TABLE ari_agent.event IS 'Jeder Eintrag des Protokolls in der Reihenfolge des Schreibens, ohne personenbezogene Daten; nur Anfügen';
COMMENT ON COLUMN ari_agent.event.seq IS 'Laufende Nummer; Lücken sind möglich';
COMMENT ON COLUMN ari_agent.event.entry IS 'Kennung des Eintrags, verhindert doppeltes Schreiben';
COMMENT ON COLUMN ari_agent.event.call IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.event.at IS 'Zeitpunkt des Ereignisses';
COMMENT ON COLUMN ari_agent.event.recorded_at IS 'Zeitpunkt des Schreibens in die Datenbank';
COMMENT ON COLUMN ari_agent.event.kind IS 'Art des Eintrags; refused: die Datenbank lehnte einen Eintrag ab, code nennt seine Art';
COMMENT ON COLUMN ari_agent.event.code IS 'Ergebnis, Entscheidung oder Vermerk als Code';
COMMENT ON COLUMN ari_agent.event.detail IS 'Einzelheiten ohne personenbezogene Daten';

COMMENT ON FUNCTION ari_agent.gekuerzt IS 'Rufnummer bis auf höchstens die letzten drei Ziffern gekürzt';
COMMENT ON FUNCTION ari_agent.refuse_change IS 'Lehnt jede Änderung ab';
COMMENT ON VIEW ari_agent.v_anrufe IS 'Anrufe für die Prüfung; Rufnummern gekürzt';
COMMENT ON VIEW ari_agent.v_gespraechsschritte IS 'Gesprächsschritte für die Prüfung; ohne Wortlaut';
