-- What people corrected in what the AI wrote down, and who took data out of the call log or into it.
-- Notes and tasks stay as they were written, so that their seals hold; what holds now is the newest correction.

CREATE TABLE ari_agent.correction (
    entry uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    call uuid NOT NULL REFERENCES ari_agent.call ON DELETE CASCADE,
    note uuid REFERENCES ari_agent.note ON DELETE CASCADE CHECK (note = call),
    task uuid REFERENCES ari_agent.task ON DELETE CASCADE,
    -- Given by the writer as the number after the one that was looked at: of two at the same time one is refused.
    revision integer NOT NULL CHECK (revision >= 1),
    field text NOT NULL,
    at timestamptz NOT NULL,
    person text NOT NULL CHECK (length(person) BETWEEN 1 AND 80),
    account name NOT NULL,
    old text [] NOT NULL,
    new text [] NOT NULL CHECK (array_position(new, NULL) IS NULL AND length(new::text) <= 20000),
    -- Of the seal in this correction's event; gone once something of the correction is blacked out, and with its row.
    salt bytea CHECK (length(salt) = 32),
    CHECK ((note IS NULL) <> (task IS NULL)),
    CHECK (
        CASE
            WHEN task IS NULL THEN field IN ('who', 'about', 'agreed', 'open', 'urgency')
            ELSE field IN (
                'name', 'number', 'company', 'email', 'recipient', 'matter', 'earliest', 'latest', 'urgency'
            )
        END
    ),
    CHECK (cardinality(new) <= CASE WHEN field IN ('about', 'agreed', 'open') THEN 100 ELSE 1 END),
    CHECK (field NOT IN ('who', 'urgency') OR cardinality(new) = 1),
    CHECK (field <> 'urgency' OR new[1] IN ('low', 'normal', 'high')),
    CHECK (field NOT IN ('earliest', 'latest') OR new[1] ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$'),
    CHECK (
        length(new[1]) <= CASE field
            WHEN 'who' THEN 500 WHEN 'number' THEN 80 WHEN 'email' THEN 254 WHEN 'name' THEN 200 WHEN 'company' THEN 200
            WHEN 'recipient' THEN 200 ELSE 2000
        END
    )
);

CREATE UNIQUE INDEX correction_note ON ari_agent.correction (note, revision) WHERE note IS NOT NULL;
CREATE UNIQUE INDEX correction_task ON ari_agent.correction (task, revision) WHERE task IS NOT NULL;
CREATE INDEX correction_call ON ari_agent.correction (call);

-- What the seal in a correction's event covers.
CREATE FUNCTION ari_agent.personal(c ari_agent.correction) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object('old', c.old, 'new', c.new, 'person', c.person);

-- Nobody who corrects says what was there before, when it is, or that there is no event: that is filled in here, with
-- the rights of the owner. Rows that come with their time are those of an import, corrected elsewhere.
CREATE FUNCTION ari_agent.correct() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written jsonb;
    newest integer;
    before text [];
    announced bigint;
BEGIN
    -- Whoever comes second waits here, and then sees what the first has written.
    PERFORM FROM ari_agent.chain FOR UPDATE;
    IF NEW.task IS NULL THEN
        SELECT to_jsonb(n) INTO written FROM ari_agent.note AS n WHERE n.call = NEW.note;
    ELSE
        SELECT to_jsonb(t) || jsonb_build_object(
            'name', t.caller_name,
            'earliest', to_char(t.earliest AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'latest', to_char(t.latest AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        ) INTO written FROM ari_agent.task AS t WHERE t.id = NEW.task;
    END IF;
    SELECT coalesce(max(c.revision), 0) INTO newest FROM ari_agent.correction AS c
    WHERE c.note = NEW.note OR c.task = NEW.task;
    IF NEW.revision <> newest + 1 THEN
        RAISE EXCEPTION 'corrected meanwhile' USING ERRCODE = 'unique_violation';
    END IF;
    SELECT c.new INTO before FROM ari_agent.correction AS c
    WHERE (c.note = NEW.note OR c.task = NEW.task) AND c.field = NEW.field ORDER BY c.revision DESC LIMIT 1;
    NEW.call := (written ->> 'call')::uuid;
    NEW.old := CASE
        WHEN before IS NOT NULL THEN before
        WHEN jsonb_typeof(written -> NEW.field) = 'array'
        THEN ARRAY(SELECT jsonb_array_elements_text(written -> NEW.field))
        ELSE array_remove(ARRAY[written ->> NEW.field], NULL)
    END;
    IF NEW.new = NEW.old THEN
        RAISE EXCEPTION 'nothing is corrected' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.field IN ('earliest', 'latest') THEN
        PERFORM NEW.new[1]::timestamptz;  -- nothing may fail on it later
    END IF;
    NEW.at := clock_timestamp();
    NEW.account := session_user;
    NEW.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        NEW.entry, NEW.call, NEW.at, 'system', 'corrected',
        jsonb_strip_nulls(jsonb_build_object(
            'of', CASE WHEN NEW.task IS NULL THEN 'note' ELSE 'task' END, 'task', NEW.task, 'field', NEW.field,
            'revision', NEW.revision, 'seal', encode(ari_agent.seal(NEW.salt, ari_agent.personal(NEW)), 'hex')
        ))
    )
    RETURNING seq INTO announced;
    PERFORM pg_notify('ari_agent_event', announced::text);
    RETURN NEW;
END
$$;

CREATE TRIGGER correction_made BEFORE INSERT ON ari_agent.correction
FOR EACH ROW WHEN (NEW.at IS NULL) EXECUTE FUNCTION ari_agent.correct();

-- What a field holds now; `corrected` has the newest correction by field.
CREATE FUNCTION ari_agent.held(corrected jsonb, field text, original text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN corrected ? field THEN corrected -> field ->> 'new' ELSE original END;

CREATE FUNCTION ari_agent.held(corrected jsonb, field text, original timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN corrected ? field THEN (corrected -> field ->> 'new')::timestamptz ELSE original END;

-- Corrections that are not as they were stored: one row for each fault.
CREATE FUNCTION ari_agent.korrektur_fehler(von bigint DEFAULT NULL, bis bigint DEFAULT NULL)
RETURNS TABLE (nummer bigint, anruf uuid, befund text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
SELECT e.number, e.call, 'Korrektur verändert'
FROM ari_agent.event AS e
INNER JOIN ari_agent.correction AS c ON c.entry = e.entry
WHERE
    e.kind = 'system' AND e.code = 'corrected' AND c.salt IS NOT NULL
    AND e.detail ->> 'seal' IS DISTINCT FROM encode(ari_agent.seal(c.salt, ari_agent.personal(c)), 'hex')
    AND (von IS NULL OR e.number >= von) AND (bis IS NULL OR e.number <= bis)
ORDER BY e.number
$$;

-- Who took data out of the call log or into it. The row is there before the first byte is written.
CREATE TABLE ari_agent.transfer (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL CHECK (action IN ('export', 'import')),
    what text [] NOT NULL CHECK (
        cardinality(what) >= 1
        AND what <@ ARRAY['knowledge', 'settings', 'notes', 'turns', 'contacts', 'escalation']
    ),
    rows bigint CHECK (rows >= 0),
    person text NOT NULL CHECK (length(person) BETWEEN 1 AND 80),
    account name NOT NULL DEFAULT session_user
);

CREATE FUNCTION ari_agent.tell_transfer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        NEW.id, '00000000-0000-0000-0000-000000000000', NEW.at, 'system', NEW.action || 'ed',
        jsonb_strip_nulls(jsonb_build_object('what', NEW.what, 'rows', NEW.rows))
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER transfer_told AFTER INSERT ON ari_agent.transfer
FOR EACH ROW EXECUTE FUNCTION ari_agent.tell_transfer();
CREATE TRIGGER transfer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.transfer
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();

CREATE VIEW ari_agent.v_korrekturfelder AS
SELECT art, feld, bezeichnung
FROM (
    VALUES
    ('note', 'who', 'Wer'), ('note', 'about', 'Thema'), ('note', 'agreed', 'Vereinbart'), ('note', 'open', 'Offen'),
    ('note', 'urgency', 'Dringlichkeit'), ('task', 'name', 'Name'), ('task', 'number', 'Rufnummer'),
    ('task', 'company', 'Firma'), ('task', 'email', 'E-Mail-Adresse'), ('task', 'recipient', 'Empfänger'),
    ('task', 'matter', 'Anliegen'), ('task', 'earliest', 'gewünscht ab'), ('task', 'latest', 'gewünscht bis'),
    ('task', 'urgency', 'Dringlichkeit')
) AS f (art, feld, bezeichnung);

CREATE VIEW ari_agent.v_korrekturen AS
SELECT
    c.call AS anruf, c.task AS aufgabe,
    CASE WHEN c.task IS NULL THEN 'Notiz' ELSE 'Rückruf oder Nachricht' END AS art,
    f.bezeichnung AS feld, c.revision AS fassung, c.at AS zeitpunkt, c.person AS korrigiert_von, c.account AS konto
FROM ari_agent.correction AS c
INNER JOIN ari_agent.v_korrekturfelder AS f
    ON f.art = CASE WHEN c.task IS NULL THEN 'note' ELSE 'task' END AND f.feld = c.field;

-- Counted by the events, which outlive the notes.
CREATE VIEW ari_agent.v_korrekturquote AS
WITH counted AS (
    SELECT
        CASE WHEN e.code = 'corrected' THEN e.detail ->> 'of' ELSE e.kind END AS art, e.code,
        e.detail ->> 'field' AS field, coalesce(e.detail ->> 'task', e.call::text) AS thing
    FROM ari_agent.event AS e
    WHERE
        (
            (e.kind = 'note' AND e.code IN ('low', 'normal', 'high'))
            OR (e.kind = 'task' AND e.code IN ('callback', 'message'))
            OR (e.kind = 'system' AND e.code = 'corrected')
        )
        AND NOT EXISTS (
            SELECT FROM ari_agent.event AS o
            WHERE o.call = e.call AND o.kind = 'opened' AND (o.detail ->> 'test')::boolean
        )
)
SELECT
    CASE f.art WHEN 'note' THEN 'Notiz' ELSE 'Rückruf oder Nachricht' END AS art, f.bezeichnung AS feld,
    n.geschrieben, n.korrigiert, round(100.0 * n.korrigiert / nullif(n.geschrieben, 0), 1) AS anteil_prozent
FROM ari_agent.v_korrekturfelder AS f
CROSS JOIN LATERAL (
    SELECT
        count(DISTINCT c.thing) FILTER (WHERE c.code <> 'corrected') AS geschrieben,
        count(DISTINCT c.thing) FILTER (WHERE c.code = 'corrected' AND c.field = f.feld) AS korrigiert
    FROM counted AS c WHERE c.art = f.art
) AS n;

CREATE VIEW ari_agent.v_uebertragungen AS
SELECT
    at AS zeitpunkt, CASE action WHEN 'export' THEN 'Export' ELSE 'Import' END AS vorgang,
    array_to_string(what, ', ') AS umfang, rows AS zeilen, person, account AS konto
FROM ari_agent.transfer;

CREATE OR REPLACE VIEW ari_agent.v_notizen AS
SELECT
    n.call AS anruf,
    n.written_at AS geschrieben,
    n.ai_generated AS ki_erzeugt,
    n.made_by AS erzeugt_von,
    CASE n.urgency WHEN 'low' THEN 'niedrig' WHEN 'normal' THEN 'normal' WHEN 'high' THEN 'hoch' END AS dringlichkeit,
    cardinality(n.about) AS themen,
    cardinality(n.agreed) AS vereinbart,
    cardinality(n.open) AS offen,
    (
        SELECT string_agg(DISTINCT k.feld, ', ' ORDER BY k.feld) FROM ari_agent.v_korrekturen AS k
        WHERE k.anruf = n.call AND k.aufgabe IS NULL
    ) AS korrigierte_felder
FROM ari_agent.note AS n;

COMMENT ON TABLE ari_agent.correction IS
'Korrekturen an Notizen, Rückrufen und Nachrichten; was die KI schrieb, bleibt dort stehen (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.entry IS 'Kennung der Korrektur, zugleich die ihres Eintrags in der Ereigniskette';
COMMENT ON COLUMN ari_agent.correction.call IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.correction.note IS 'Kennung des Anrufs, dessen Notiz korrigiert wurde; leer: ein Rückruf oder eine Nachricht';
COMMENT ON COLUMN ari_agent.correction.task IS 'Kennung der korrigierten Aufgabe; leer: eine Notiz';
COMMENT ON COLUMN ari_agent.correction.revision IS 'Laufende Nummer der Korrektur an dieser Notiz oder Aufgabe, ab 1';
COMMENT ON COLUMN ari_agent.correction.field IS 'Korrigiertes Feld als Code';
COMMENT ON COLUMN ari_agent.correction.at IS 'Zeitpunkt der Korrektur';
COMMENT ON COLUMN ari_agent.correction.person IS 'Wer korrigierte, wie angegeben, sonst das Konto am Rechner (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.account IS 'Konto der Datenbank, das korrigierte';
COMMENT ON COLUMN ari_agent.correction.old IS 'Was vorher galt; leer: nichts (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.new IS 'Was seitdem gilt; leer: nichts (personenbezogen)';

COMMENT ON COLUMN ari_agent.correction.salt IS
'Salz des Siegels im Eintrag dieser Korrektur; leer, wenn etwas darin geschwärzt oder sie importiert wurde';

COMMENT ON TABLE ari_agent.transfer IS 'Wer Daten exportierte oder importierte; nur Anfügen';
COMMENT ON COLUMN ari_agent.transfer.id IS 'Kennung, zugleich die des Eintrags in der Ereigniskette';
COMMENT ON COLUMN ari_agent.transfer.at IS 'Zeitpunkt: bei einem Export der Beginn, bei einem Import das Ende';
COMMENT ON COLUMN ari_agent.transfer.action IS 'Vorgang: export, import';
COMMENT ON COLUMN ari_agent.transfer.what IS
'Umfang: knowledge (Wissen), settings (Einstellungen), notes (Notizen und Rückrufe), turns (Gesprächsschritte), contacts (Kontakte), escalation (Eskalation und Anliegen)';
COMMENT ON COLUMN ari_agent.transfer.rows IS 'Anzahl der übernommenen Zeilen; leer bei einem Export';
COMMENT ON COLUMN ari_agent.transfer.person IS 'Wer es veranlasste, wie angegeben, sonst das Konto am Rechner (personenbezogen)';
COMMENT ON COLUMN ari_agent.transfer.account IS 'Konto der Datenbank';

COMMENT ON FUNCTION ari_agent.personal(ari_agent.correction) IS 'Personenbezogener Inhalt einer Korrektur';
COMMENT ON FUNCTION ari_agent.held(jsonb, text, text) IS 'Was ein Feld nach den Korrekturen enthält';
COMMENT ON FUNCTION ari_agent.held(jsonb, text, timestamptz) IS 'Was ein Zeitfeld nach den Korrekturen enthält';
COMMENT ON FUNCTION ari_agent.correct IS 'Ergänzt eine Korrektur um den vorherigen Wert, Zeit und Konto und trägt sie in die Ereigniskette ein';
COMMENT ON FUNCTION ari_agent.korrektur_fehler IS
'Korrekturen, die nicht mehr so sind, wie sie gespeichert wurden: eine Zeile je Fehler';
COMMENT ON FUNCTION ari_agent.tell_transfer IS 'Trägt einen Export oder Import in die Ereigniskette ein';
COMMENT ON VIEW ari_agent.v_korrekturfelder IS 'Felder, die sich korrigieren lassen, mit ihrer Bezeichnung';
COMMENT ON VIEW ari_agent.v_korrekturen IS
'Korrekturen von Menschen an Notizen und Rückrufen: welches Feld, wann, von wem; ohne Wortlaut';
COMMENT ON VIEW ari_agent.v_korrekturquote IS
'Anteil der Notizen und Rückrufe, in denen ein Feld korrigiert wurde, seit Beginn der Ereigniskette; ohne Testanrufe';
COMMENT ON VIEW ari_agent.v_uebertragungen IS 'Exporte und Importe: wann, in welchem Umfang, von wem';
COMMENT ON COLUMN ari_agent.note.ai_generated IS
'Von der KI erzeugt, bitte prüfen; was Menschen daran korrigierten, steht in correction';
