-- What a turn was about, how urgent it was, and who decided it.

ALTER TABLE ari_agent.turn
    ADD COLUMN intent text CHECK (intent ~ '^[A-Za-z0-9_-]{1,40}$'),
    ADD COLUMN urgency text CHECK (urgency IN ('low', 'normal', 'high')),
    ADD COLUMN decided_by text CHECK (decided_by ~ '^[a-z]{1,20}$');

COMMENT ON COLUMN ari_agent.turn.act IS
'Entscheidung als Code: answer, ask, message, escalate, smalltalk, goodbye';
COMMENT ON COLUMN ari_agent.turn.intent IS 'Anliegen aus dem Verzeichnis der Einstellungen, aus den Worten erkannt';
COMMENT ON COLUMN ari_agent.turn.urgency IS 'Dringlichkeit der Worte: low, normal, high';
COMMENT ON COLUMN ari_agent.turn.decided_by IS 'Wer entschied: rules, search, encoder, llama, remote';

-- Columns can only be added at the end of a view that others may use.
CREATE OR REPLACE VIEW ari_agent.v_gespraechsschritte AS
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
        WHEN 'message' THEN 'Nachricht'
        WHEN 'escalate' THEN 'Übergabe'
        WHEN 'smalltalk' THEN 'Auskunft über sich'
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
    interrupted AS unterbrochen,
    intent AS anliegen,
    CASE urgency
        WHEN 'low' THEN 'niedrig'
        WHEN 'normal' THEN 'normal'
        WHEN 'high' THEN 'hoch'
    END AS dringlichkeit,
    CASE decided_by
        WHEN 'rules' THEN 'Regel'
        WHEN 'search' THEN 'Suche'
        WHEN 'encoder' THEN 'Suche mit Encoder'
        WHEN 'llama' THEN 'Sprachmodell'
        WHEN 'remote' THEN 'Sprachmodell im Firmennetz'
        ELSE decided_by
    END AS entschieden_von
FROM ari_agent.turn;
