-- Callers' numbers are sealed: encrypted with a key that is not in the database, and found by a keyed digest. Whoever has
-- a dump, a backup or the server's files has no number. The number that was dialled stays as it is: it is the company's
-- own, and which of its lines was called has to be told without a key.
--
-- The database cannot seal what an older version wrote: those numbers wait in ari_agent.unsealed, and the next start of
-- ari-agent, or `ari-agent calllog migrate`, seals them. The tables are written anew, so that nothing of them stays there.

SET LOCAL statement_timeout = 0;  -- an older log is written anew as a whole

CREATE TABLE ari_agent.number_key (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{8}$'),
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE ari_agent.unsealed (
    place text NOT NULL CHECK (place IN ('call', 'task', 'contact', 'correction-old', 'correction-new')),
    id uuid NOT NULL,
    -- The row that the number is sealed for: of a correction, the task's.
    owner uuid NOT NULL,
    number text NOT NULL,
    PRIMARY KEY (place, id)
);

ALTER TABLE ari_agent.call
    ADD COLUMN caller_sealed bytea CHECK (octet_length(caller_sealed) BETWEEN 33 AND 400),
    ADD COLUMN caller_digest bytea CHECK (octet_length(caller_digest) = 16);
ALTER TABLE ari_agent.task
    ADD COLUMN number_sealed bytea CHECK (octet_length(number_sealed) BETWEEN 33 AND 400),
    ADD COLUMN number_digest bytea CHECK (octet_length(number_digest) = 16);
ALTER TABLE ari_agent.contact
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN number_sealed bytea CHECK (octet_length(number_sealed) BETWEEN 33 AND 400),
    ADD COLUMN digest bytea UNIQUE CHECK (octet_length(digest) = 16);

ALTER TABLE ari_agent.correction
    ADD COLUMN old_digest bytea CHECK (octet_length(old_digest) = 16),
    ADD COLUMN new_digest bytea CHECK (octet_length(new_digest) = 16);

INSERT INTO ari_agent.unsealed (place, id, owner, number)
SELECT 'call', id, id, caller FROM ari_agent.call WHERE caller IS NOT NULL
UNION ALL SELECT 'task', id, id, number FROM ari_agent.task WHERE number IS NOT NULL
UNION ALL SELECT 'contact', id, id, number FROM ari_agent.contact
UNION ALL SELECT 'correction-old', entry, task, old[1] FROM ari_agent.correction
WHERE field = 'number' AND cardinality(old) = 1
UNION ALL SELECT 'correction-new', entry, task, new[1] FROM ari_agent.correction
WHERE field = 'number' AND cardinality(new) = 1;

-- What people see of a digest: the same number, the same pseudonym.
CREATE FUNCTION ari_agent.pseudonym(digest bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN left(encode(digest, 'hex'), 12);

-- For accounts that may not see the numbers.
CREATE FUNCTION ari_agent.unversiegelt() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
RETURN (SELECT count(*) FROM ari_agent.unsealed);

ALTER VIEW ari_agent.v_anrufe RENAME COLUMN anrufer TO anrufer_pseudonym;
CREATE OR REPLACE VIEW ari_agent.v_anrufe AS
SELECT
    id AS anruf,
    opened_at AS beginn,
    closed_at AS ende,
    round(extract(epoch FROM closed_at - opened_at), 1) AS dauer_s,
    round(setup_ms::numeric) AS angenommen_nach_ms,
    dialled AS gewaehlt,
    CASE
        WHEN caller_digest IS NOT NULL THEN ari_agent.pseudonym(caller_digest)
        WHEN caller_erased_at IS NOT NULL THEN 'gelöscht'
        WHEN EXISTS (SELECT FROM ari_agent.unsealed AS u WHERE u.place = 'call' AND u.id = c.id) THEN 'unversiegelt'
        ELSE 'unterdrückt'
    END AS anrufer_pseudonym,
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
FROM ari_agent.call AS c;

ALTER VIEW ari_agent.v_rueckrufe RENAME COLUMN rufnummer TO rufnummer_pseudonym;
CREATE OR REPLACE VIEW ari_agent.v_rueckrufe AS
SELECT
    id AS aufgabe,
    call AS anruf,
    taken_at AS aufgenommen,
    CASE kind WHEN 'callback' THEN 'Rückruf' WHEN 'message' THEN 'Nachricht' END AS art,
    CASE
        WHEN number_digest IS NOT NULL THEN ari_agent.pseudonym(number_digest)
        WHEN EXISTS (SELECT FROM ari_agent.unsealed AS u WHERE u.place = 'task' AND u.id = t.id) THEN 'unversiegelt'
        ELSE 'keine'
    END AS rufnummer_pseudonym,
    earliest AS gewuenscht_ab,
    latest AS gewuenscht_bis,
    due AS faellig,
    ari_agent.frist(due, latest) AS frist,
    CASE urgency WHEN 'low' THEN 'niedrig' WHEN 'normal' THEN 'normal' WHEN 'high' THEN 'hoch' END AS dringlichkeit,
    intent AS anliegen,
    reason AS grund,
    complete AS vollstaendig,
    CASE state WHEN 'open' THEN 'offen' WHEN 'done' THEN 'erledigt' END AS stand,
    done_at AS erledigt,
    coalesce(coalesce(done_at, now()) > ari_agent.frist(due, latest), false) AS frist_ueberschritten
FROM ari_agent.task AS t;

-- The seal in the chain covers the digest: it holds without the key, and after the number itself was deleted in time.
CREATE OR REPLACE FUNCTION ari_agent.personal(c ari_agent.call) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'caller', coalesce(
        encode(c.caller_digest, 'hex'),
        (SELECT u.number FROM ari_agent.unsealed AS u WHERE u.place = 'call' AND u.id = c.id)
    ),
    'channel', c.channel, 'dialled', c.dialled
);

CREATE OR REPLACE FUNCTION ari_agent.personal(t ari_agent.task) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'name', t.caller_name,
    'number', coalesce(
        encode(t.number_digest, 'hex'),
        (SELECT u.number FROM ari_agent.unsealed AS u WHERE u.place = 'task' AND u.id = t.id)
    ),
    'company', t.company, 'email', t.email, 'recipient', t.recipient, 'matter', t.matter
);

-- The pseudonym stays until the call's row goes.
CREATE OR REPLACE FUNCTION ari_agent.expired_numbers(moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.id FROM ari_agent.call AS c
    WHERE
        c.caller_sealed IS NOT NULL
        AND (
            c.opened_at <= moment - ari_agent.days_of('caller-number')
            OR (
                c.opened_at IS NULL
                AND coalesce(ari_agent.began(c.id, c.opened_at, c.answered_at, c.closed_at), '-infinity')
                <= moment - ari_agent.days_of('caller-number')
            )
        );
END;
UPDATE ari_agent.retention_rule SET action = 'Rufnummer leeren, Pseudonym bleibt'
WHERE kind = 'caller-number';

-- Written anew, without the numbers.
ALTER TABLE ari_agent.call ALTER COLUMN caller TYPE bytea USING NULL::bytea;
ALTER TABLE ari_agent.call DROP COLUMN caller;
ALTER TABLE ari_agent.call RENAME COLUMN caller_sealed TO caller;
ALTER TABLE ari_agent.task ALTER COLUMN number TYPE bytea USING NULL::bytea;
ALTER TABLE ari_agent.task DROP COLUMN number;
ALTER TABLE ari_agent.task RENAME COLUMN number_sealed TO number;
ALTER TABLE ari_agent.contact
    DROP CONSTRAINT contact_pkey, DROP CONSTRAINT contact_number_check, ALTER COLUMN number DROP NOT NULL;
ALTER TABLE ari_agent.contact ALTER COLUMN number TYPE bytea USING NULL::bytea, ADD PRIMARY KEY (id);
ALTER TABLE ari_agent.contact DROP COLUMN number;
ALTER TABLE ari_agent.contact RENAME COLUMN number_sealed TO number;
DROP FUNCTION ari_agent.gekuerzt(text);

-- A corrected number is sealed as well, as hexadecimal text. Of what was corrected before, the seal tells nothing any more.
DROP FUNCTION ari_agent.personal(ari_agent.correction);
DO $$
BEGIN
    EXECUTE (
        SELECT format('ALTER TABLE ari_agent.correction DROP CONSTRAINT %I', conname) FROM pg_catalog.pg_constraint
        WHERE conrelid = 'ari_agent.correction'::regclass AND pg_get_constraintdef(oid) LIKE '%''email''::text THEN 254%'
    );
END
$$;
ALTER TABLE ari_agent.correction
    ALTER COLUMN old TYPE text [] USING CASE WHEN field = 'number' THEN '{}' ELSE old END,
    ALTER COLUMN new TYPE text [] USING CASE WHEN field = 'number' THEN '{}' ELSE new END,
    ALTER COLUMN salt TYPE bytea USING CASE WHEN field = 'number' THEN NULL ELSE salt END,
    ADD CHECK (
        length(new[1]) <= CASE field
            WHEN 'who' THEN 500 WHEN 'number' THEN 800 WHEN 'email' THEN 254 WHEN 'name' THEN 200
            WHEN 'company' THEN 200 WHEN 'recipient' THEN 200 ELSE 2000
        END
    ),
    ADD CHECK (field <> 'number' OR (old[1] || new[1] || '') ~ '^[0-9a-f]*$');
CREATE FUNCTION ari_agent.personal(c ari_agent.correction) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE c.field
    WHEN 'number' THEN jsonb_build_object(
        'old', encode(c.old_digest, 'hex'), 'new', encode(c.new_digest, 'hex'), 'person', c.person
    )
    ELSE jsonb_build_object('old', c.old, 'new', c.new, 'person', c.person)
END;

-- As before, but for the number's digest.
CREATE OR REPLACE FUNCTION ari_agent.correct() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
            'name', t.caller_name, 'number', encode(t.number, 'hex'),
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
    IF NEW.field = 'number' THEN
        NEW.old_digest := CASE
            WHEN before IS NULL THEN (SELECT t.number_digest FROM ari_agent.task AS t WHERE t.id = NEW.task)
            ELSE (
                SELECT c.new_digest FROM ari_agent.correction AS c
                WHERE c.task = NEW.task AND c.field = 'number' ORDER BY c.revision DESC LIMIT 1
            )
        END;
    END IF;
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

-- They went with the columns; and Postgres copies frequent values into its statistics: not of these.
CREATE INDEX call_numbered ON ari_agent.call (opened_at) WHERE caller IS NOT NULL;
ALTER TABLE ari_agent.call ALTER caller SET STATISTICS 0, ALTER caller_digest SET STATISTICS 0;
ALTER TABLE ari_agent.task ALTER number SET STATISTICS 0, ALTER number_digest SET STATISTICS 0;
ALTER TABLE ari_agent.contact ALTER number SET STATISTICS 0, ALTER digest SET STATISTICS 0;
ALTER TABLE ari_agent.correction
    ALTER old SET STATISTICS 0, ALTER new SET STATISTICS 0, ALTER old_digest SET STATISTICS 0,
    ALTER new_digest SET STATISTICS 0;
ALTER TABLE ari_agent.unsealed ALTER number SET STATISTICS 0;

CREATE INDEX call_caller_digest ON ari_agent.call (caller_digest) WHERE caller_digest IS NOT NULL;
CREATE INDEX task_number_digest ON ari_agent.task (number_digest) WHERE number_digest IS NOT NULL;

-- Seals a number that waits in ari_agent.unsealed (`was` is null), or puts another key's sealing in place of `was`; false
-- when there is nothing to seal any more. The seal of its event was over another text: if it held until now, an event
-- with a new one follows, and the old one's salt goes; if it did not, it goes on telling that something was changed.
CREATE FUNCTION ari_agent.seal_number(
    wanted text, ident uuid, was bytea, sealed bytea, fresh_digest bytea
) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    earlier record;
    held boolean;
    fresh bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    made uuid := gen_random_uuid();
BEGIN
    SELECT e.entry, e.call, e.seal, e.detail, s.salt INTO earlier
    FROM ari_agent.event AS e INNER JOIN ari_agent.salt AS s ON s.entry = e.entry
    WHERE
        e.call = CASE wanted
            WHEN 'call' THEN ident WHEN 'task' THEN (SELECT t.call FROM ari_agent.task AS t WHERE t.id = ident)
        END
        AND CASE wanted
            WHEN 'call' THEN e.kind = 'opened' OR (e.kind = 'system' AND e.detail ->> 'kind' = 'opened')
            ELSE e.kind IN ('task', 'system') AND e.detail ->> 'task' = ident::text
        END;
    held := earlier.seal = ari_agent.seal(earlier.salt, CASE wanted
        WHEN 'call' THEN (SELECT ari_agent.personal(c) FROM ari_agent.call AS c WHERE c.id = ident)
        WHEN 'task' THEN (SELECT ari_agent.personal(t) FROM ari_agent.task AS t WHERE t.id = ident)
    END);
    IF was IS NULL THEN
        DELETE FROM ari_agent.unsealed AS u WHERE u.place = wanted AND u.id = ident;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    CASE wanted
        WHEN 'call' THEN
            UPDATE ari_agent.call SET caller = sealed, caller_digest = fresh_digest
            WHERE id = ident AND caller IS NOT DISTINCT FROM was AND (was IS NOT NULL OR caller_erased_at IS NULL);
        WHEN 'task' THEN
            UPDATE ari_agent.task SET number = sealed, number_digest = fresh_digest
            WHERE id = ident AND number IS NOT DISTINCT FROM was;
        WHEN 'contact' THEN
            UPDATE ari_agent.contact SET number = sealed, digest = fresh_digest
            WHERE id = ident AND number IS NOT DISTINCT FROM was;
        WHEN 'correction-old' THEN
            UPDATE ari_agent.correction SET old = ARRAY[encode(sealed, 'hex')], old_digest = fresh_digest, salt = NULL
            WHERE entry = ident AND old[1] IS NOT DISTINCT FROM encode(was, 'hex');
        WHEN 'correction-new' THEN
            UPDATE ari_agent.correction SET
                new = ARRAY[encode(sealed, 'hex')], new_digest = fresh_digest, salt = NULL
            WHERE entry = ident AND new[1] IS NOT DISTINCT FROM encode(was, 'hex');
    END CASE;
    IF NOT FOUND OR NOT coalesce(held, false) THEN
        RETURN FOUND;
    END IF;
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail, seal)
    SELECT
        made, earlier.call, clock_timestamp(), 'system', 'resealed',
        jsonb_strip_nulls(jsonb_build_object(
            'of', coalesce(earlier.detail ->> 'of', earlier.entry::text), 'kind', CASE wanted WHEN 'call' THEN 'opened' ELSE 'task' END,
            'task', earlier.detail ->> 'task'
        )),
        ari_agent.seal(fresh, CASE wanted
            WHEN 'call' THEN (SELECT ari_agent.personal(c) FROM ari_agent.call AS c WHERE c.id = ident)
            ELSE (SELECT ari_agent.personal(t) FROM ari_agent.task AS t WHERE t.id = ident)
        END);
    DELETE FROM ari_agent.salt AS s WHERE s.entry = earlier.entry;
    INSERT INTO ari_agent.salt (entry, call, salt) VALUES (made, earlier.call, fresh);
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION ari_agent.siegel_fehler(von bigint DEFAULT NULL, bis bigint DEFAULT NULL)
RETURNS TABLE (nummer bigint, anruf uuid, art text, befund text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY WITH salted AS (
    SELECT
        e.number, e.call, e.seal, e.detail, salt.salt,
        CASE e.kind WHEN 'system' THEN e.detail ->> 'kind' ELSE e.kind END AS kind
    FROM ari_agent.event AS e JOIN ari_agent.salt AS salt ON salt.entry = e.entry
    WHERE e.seal IS NOT NULL AND (von IS NULL OR e.number >= von) AND (bis IS NULL OR e.number <= bis)
), sealed AS (
    SELECT
        e.number, e.call, e.kind, e.seal, e.salt,
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
    FROM salted AS e
)
SELECT
    number, call, kind, CASE WHEN personal IS NULL THEN 'gelöscht, aber nicht das Salz' ELSE 'verändert' END
FROM sealed
WHERE personal IS NULL OR seal IS DISTINCT FROM ari_agent.seal(salt, personal)
ORDER BY number;
END
$$;

CREATE OR REPLACE VIEW ari_agent.v_siegel AS
SELECT
    e.number AS nummer, e.call AS anruf, CASE e.kind WHEN 'system' THEN e.detail ->> 'kind' ELSE e.kind END AS art,
    e.at AS zeitpunkt,
    CASE
        WHEN salt.entry IS NOT NULL THEN 'vorhanden'
        WHEN EXISTS (
            SELECT FROM ari_agent.event AS r
            WHERE
                r.call = e.call AND r.kind = 'system' AND r.code = 'resealed' AND r.seq > e.seq
                AND r.detail ->> 'of' = coalesce(e.detail ->> 'of', e.entry::text)
        ) THEN 'neu versiegelt'
        ELSE 'gelöscht'
    END AS personenbezogene_daten
FROM ari_agent.event AS e LEFT JOIN ari_agent.salt ON salt.entry = e.entry
WHERE e.seal IS NOT NULL;

COMMENT ON TABLE ari_agent.number_key IS
'Schlüssel, mit denen Rufnummern versiegelt wurden, nur ihre Kennungen; die Schlüssel liegen außerhalb der Datenbank';
COMMENT ON COLUMN ari_agent.number_key.id IS 'Kennung des Schlüssels, acht hexadezimale Ziffern';
COMMENT ON COLUMN ari_agent.number_key.since IS 'Seit wann er Rufnummern versiegelt';
COMMENT ON TABLE ari_agent.unsealed IS
'Rufnummern einer älteren Fassung, bis ari-agent sie versiegelt (personenbezogen); soll leer sein';
COMMENT ON COLUMN ari_agent.unsealed.place IS 'Tabelle, zu der die Rufnummer gehört';
COMMENT ON COLUMN ari_agent.unsealed.id IS 'Kennung der Zeile dort';
COMMENT ON COLUMN ari_agent.unsealed.owner IS 'Kennung der Zeile, für die sie versiegelt wird; bei einer Korrektur die der Aufgabe';
COMMENT ON COLUMN ari_agent.correction.old IS
'Was vorher galt; leer: nichts; eine Rufnummer verschlüsselt (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.new IS
'Was seitdem gilt; leer: nichts; eine Rufnummer verschlüsselt (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.old_digest IS 'HMAC der Rufnummer, die vorher galt (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.new_digest IS 'HMAC der Rufnummer, die seitdem gilt (personenbezogen)';
COMMENT ON COLUMN ari_agent.correction.salt IS
'Salz des Siegels im Eintrag dieser Korrektur; leer, wenn etwas darin geschwärzt, eine Rufnummer neu verschlüsselt oder sie importiert wurde';
COMMENT ON FUNCTION ari_agent.personal(ari_agent.correction) IS 'Personenbezogener Inhalt einer Korrektur';
COMMENT ON COLUMN ari_agent.unsealed.number IS 'Rufnummer (personenbezogen)';
COMMENT ON TABLE ari_agent.call IS
'Ein Anruf je Zeile; enthält die Rufnummer des Anrufers, verschlüsselt (personenbezogen)';
COMMENT ON COLUMN ari_agent.call.caller IS
'Rufnummer des Anrufers, verschlüsselt mit einem Schlüssel außerhalb der Datenbank (personenbezogen); leer, wenn unterdrückt';
COMMENT ON COLUMN ari_agent.call.caller_digest IS
'HMAC der Rufnummer, seine ersten zwölf Ziffern sind das Pseudonym (personenbezogen); bleibt bis zur Löschung der Zeile';
COMMENT ON COLUMN ari_agent.call.caller_erased_at IS
'Wann die Rufnummer gelöscht oder, weil der Schlüssel fehlte, nicht gespeichert wurde; sonst leer';
COMMENT ON COLUMN ari_agent.task.number IS
'Rufnummer für den Rückruf, verschlüsselt (personenbezogen); leer, wenn nicht genannt';
COMMENT ON COLUMN ari_agent.task.number_digest IS 'HMAC der Rufnummer, wie beim Anruf (personenbezogen)';
COMMENT ON COLUMN ari_agent.contact.id IS 'Kennung des Kontakts';
COMMENT ON COLUMN ari_agent.contact.number IS 'Rufnummer nach E.164, verschlüsselt (personenbezogen)';
COMMENT ON COLUMN ari_agent.contact.digest IS
'HMAC der Rufnummer, an dem ein Anrufer erkannt wird (personenbezogen); leer, solange sie unversiegelt ist';
COMMENT ON FUNCTION ari_agent.pseudonym IS 'Pseudonym einer Rufnummer: gleich für gleiche Rufnummern';
COMMENT ON FUNCTION ari_agent.unversiegelt IS 'Anzahl der Rufnummern, die noch unverschlüsselt sind; soll 0 sein';
COMMENT ON FUNCTION ari_agent.seal_number IS
'Versiegelt eine Rufnummer, oder mit einem neuen Schlüssel neu, und vermerkt es in der Kette';
COMMENT ON VIEW ari_agent.v_anrufe IS 'Anrufe für die Prüfung; Rufnummern als Pseudonym';
COMMENT ON VIEW ari_agent.v_rueckrufe IS
'Rückrufe und Nachrichten für die Prüfung; Rufnummern als Pseudonym, ohne Namen und Wortlaut';
COMMENT ON VIEW ari_agent.v_siegel IS
'Versiegelte Einträge und ob ihre personenbezogenen Daten noch vorhanden sind; neu versiegelt: die Rufnummer wurde mit einem anderen Schlüssel verschlüsselt, ein späterer Eintrag trägt das Siegel';
