-- The chain: every event carries a hash over itself and the hash of the event before, so that an event that was changed,
-- slipped in or taken out shows at its place. Whoever may switch the triggers off and computes all hashes anew, or cuts
-- off the newest events, is found by the anchors that `ari-agent audit anchor` keeps outside the database.

SET LOCAL statement_timeout = 0;  -- an older log is chained as a whole

CREATE TABLE ari_agent.chain (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    single boolean NOT NULL DEFAULT true UNIQUE CHECK (single),
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    first bigint NOT NULL DEFAULT 1 CHECK (first >= 1),
    before bytea NOT NULL CHECK (length(before) = 32)
);

INSERT INTO ari_agent.chain (id, before)
SELECT id, sha256(convert_to('ari-agent chain ' || id::text, 'UTF8')) FROM (SELECT gen_random_uuid() AS id) AS made;

ALTER TABLE ari_agent.event
    ADD COLUMN number bigint,
    ADD COLUMN seal bytea CHECK (length(seal) = 32),
    ADD COLUMN hash bytea CHECK (length(hash) = 32),
    DROP CONSTRAINT event_kind_check,
    ADD CONSTRAINT event_kind_check CHECK (
        kind IN (
            'opened', 'answered', 'disclosed', 'turn', 'escalated', 'noted', 'task', 'note', 'closed', 'refused', 'system'
        )
    );

-- What the hash covers: every column but the hash itself. Times are microseconds since 1970, whatever the session's
-- time zone; a seal is written in hexadecimal.
CREATE FUNCTION ari_agent.content(e ari_agent.event) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_array(
    e.number, e.seq, e.entry, e.call, (extract(epoch FROM e.at) * 1000000)::bigint,
    (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.kind, e.code, e.detail, encode(e.seal, 'hex')
)::text;

CREATE FUNCTION ari_agent.link(before bytea, content text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sha256(before || convert_to(content, 'UTF8'));

-- Chain what an older version wrote.
ALTER TABLE ari_agent.event DISABLE TRIGGER event_append_only;
DO $$
DECLARE
    here ari_agent.event;
    last bytea := (SELECT before FROM ari_agent.chain);
    counted bigint := 0;
BEGIN
    FOR here IN SELECT * FROM ari_agent.event ORDER BY seq LOOP
        counted := counted + 1;
        here.number := counted;
        last := ari_agent.link(last, ari_agent.content(here));
        UPDATE ari_agent.event SET number = counted, hash = last WHERE seq = here.seq;
    END LOOP;
END
$$;

ALTER TABLE ari_agent.event
    ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN hash SET NOT NULL,
    ADD CONSTRAINT event_number_key UNIQUE (number),
    -- A code, too short in digits for a telephone number; what is there already stays.
    ADD CONSTRAINT event_noted_check CHECK (
        kind <> 'noted' OR NOT detail ? 'detail'
        OR (detail ->> 'detail' ~ '^[A-Za-z0-9._:/+=-]{1,80}$' AND detail ->> 'detail' !~ '[0-9]{5}')
    ) NOT VALID;

-- Runs with the rights of its owner: who may add events needs no right to read or lock anything.
CREATE FUNCTION ari_agent.chain_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    begins ari_agent.chain;
    last record;
BEGIN
    -- One writer at a time until its transaction ends: numbers follow the order of commits and have no gaps.
    SELECT * INTO STRICT begins FROM ari_agent.chain FOR UPDATE;
    -- Before it takes a number: ON CONFLICT comes too late for that.
    IF EXISTS (SELECT FROM ari_agent.event WHERE entry = NEW.entry) THEN
        RETURN NULL;
    END IF;
    SELECT number, hash INTO last FROM ari_agent.event ORDER BY number DESC LIMIT 1;
    NEW.number := coalesce(last.number + 1, begins.first);
    NEW.recorded_at := clock_timestamp();
    NEW.hash := ari_agent.link(coalesce(last.hash, begins.before), ari_agent.content(NEW));
    RETURN NEW;
END
$$;

CREATE TRIGGER event_chain BEFORE INSERT ON ari_agent.event
FOR EACH ROW EXECUTE FUNCTION ari_agent.chain_event();

-- Only the oldest events may go, after their time, and only in forget_events.
CREATE OR REPLACE FUNCTION ari_agent.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'UPDATE') AND current_setting('ari_agent.forgetting', true) = pg_current_xact_id()::text
        AND (TG_OP = 'DELETE') = (TG_TABLE_NAME = 'event')
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'ari_agent.% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER chain_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.chain
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_change();

-- ALWAYS: a session that calls itself a replica is no exception.
ALTER TABLE ari_agent.event ENABLE ALWAYS TRIGGER event_append_only, ENABLE ALWAYS TRIGGER event_chain;
ALTER TABLE ari_agent.chain ENABLE ALWAYS TRIGGER chain_fixed;

-- Forget the oldest events without a hole: the chain then begins later, with the hash that its first event follows,
-- and says so in an event of its own. Returns how many were forgotten.
CREATE FUNCTION ari_agent.forget_events(older_than timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    begins ari_agent.chain;
    kept bigint;
    last ari_agent.event;
    gone bigint;
BEGIN
    SELECT * INTO STRICT begins FROM ari_agent.chain FOR UPDATE;
    SELECT min(number) INTO kept FROM ari_agent.event WHERE recorded_at >= older_than;
    SELECT * INTO last FROM ari_agent.event
    WHERE number < coalesce(kept, (SELECT max(number) FROM ari_agent.event)) ORDER BY number DESC LIMIT 1;
    IF last.number IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM set_config('ari_agent.forgetting', pg_current_xact_id()::text, true);
    DELETE FROM ari_agent.event WHERE number <= last.number;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE ari_agent.chain SET first = last.number + 1, before = last.hash;
    PERFORM set_config('ari_agent.forgetting', '', true);
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        gen_random_uuid(), '00000000-0000-0000-0000-000000000000', clock_timestamp(), 'system', 'events-forgotten',
        jsonb_build_object('events', gone, 'last', last.number, 'hash', encode(last.hash, 'hex'))
    );
    RETURN gone;
END
$$;

-- Seals: a salted hash of what an entry says of a person. The seal is in the chain, the words are in their own table,
-- the salt is here. Without the salt the seal tells nothing: erasing it erases the last trace, and the chain holds.
CREATE TABLE ari_agent.salt (
    entry uuid PRIMARY KEY,
    call uuid NOT NULL REFERENCES ari_agent.call ON DELETE CASCADE,
    salt bytea NOT NULL CHECK (length(salt) = 32)
);

CREATE INDEX salt_call ON ari_agent.salt (call);

CREATE FUNCTION ari_agent.seal(salt bytea, personal jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sha256(salt || convert_to(personal::text, 'UTF8'));

CREATE FUNCTION ari_agent.personal(c ari_agent.call) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object('caller', c.caller, 'channel', c.channel, 'dialled', c.dialled);

CREATE FUNCTION ari_agent.personal(t ari_agent.turn) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object('caller_text', t.caller_text, 'agent_text', t.agent_text);

CREATE FUNCTION ari_agent.personal(t ari_agent.task) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'name', t.caller_name, 'number', t.number, 'company', t.company, 'email', t.email, 'recipient', t.recipient,
    'matter', t.matter
);

CREATE FUNCTION ari_agent.personal(n ari_agent.note) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object('who', n.who, 'about', n.about, 'agreed', n.agreed, 'open', n.open);

-- What an auditor runs. Each works with the rights of the owner, so that no right on the tables is needed.
CREATE FUNCTION ari_agent.kette_fehler(von bigint DEFAULT NULL, bis bigint DEFAULT NULL)
RETURNS TABLE (nummer bigint, befund text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
WITH begins AS (
    SELECT first, before, greatest(first, coalesce(von, first)) AS lowest FROM ari_agent.chain
), row_by_row AS (
    SELECT
        e.number, e.hash, ari_agent.content(e) AS content,
        coalesce(lag(e.number) OVER neighbours, begins.first - 1) AS last_number,
        coalesce(lag(e.hash) OVER neighbours, begins.before) AS last_hash,
        begins.lowest
    FROM begins, ari_agent.event AS e
    WHERE e.number >= coalesce((SELECT max(number) FROM ari_agent.event WHERE number < begins.lowest), begins.lowest)
        AND (bis IS NULL OR e.number <= bis)
    WINDOW neighbours AS (ORDER BY e.number)
)
SELECT
    CASE WHEN number > last_number + 1 THEN last_number + 1 ELSE number END,
    CASE
        WHEN number > last_number + 1 THEN format('%s Ereignisse fehlen', number - last_number - 1)
        WHEN number <= last_number THEN 'liegt vor dem Anfang der Kette'
        ELSE 'dieses Ereignis oder das davor wurde verändert'
    END
FROM row_by_row
WHERE number >= lowest
    AND (number <> last_number + 1 OR hash IS DISTINCT FROM ari_agent.link(last_hash, content))
UNION ALL
SELECT e.number, 'liegt vor dem Anfang der Kette' FROM begins, ari_agent.event AS e
WHERE von IS NULL AND e.number < begins.first
ORDER BY 1
$$;

CREATE FUNCTION ari_agent.kette_pruefen()
RETURNS TABLE (
    in_ordnung boolean, kette uuid, ereignisse bigint, erste_nummer bigint, letzte_nummer bigint, letzter_hash text,
    erster_fehler bigint, befund text
) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
WITH fault AS (SELECT nummer, befund FROM ari_agent.kette_fehler() ORDER BY nummer LIMIT 1)
SELECT
    NOT EXISTS (SELECT FROM fault), chain.id, (SELECT count(*) FROM ari_agent.event), chain.first,
    last.number, encode(last.hash, 'hex'), fault.nummer, coalesce(fault.befund, 'in Ordnung')
FROM ari_agent.chain
LEFT JOIN (SELECT number, hash FROM ari_agent.event ORDER BY number DESC LIMIT 1) AS last ON true
LEFT JOIN fault ON true
$$;

CREATE FUNCTION ari_agent.siegel_fehler(von bigint DEFAULT NULL, bis bigint DEFAULT NULL)
RETURNS TABLE (nummer bigint, anruf uuid, art text, befund text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
WITH sealed AS (
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
ORDER BY number
$$;

CREATE VIEW ari_agent.v_kette AS
SELECT first - 1 AS nummer, id::text AS inhalt, encode(before, 'hex') AS hash FROM ari_agent.chain
UNION ALL
SELECT e.number, ari_agent.content(e), encode(e.hash, 'hex') FROM ari_agent.event AS e;

CREATE VIEW ari_agent.v_siegel AS
SELECT
    e.number AS nummer, e.call AS anruf, e.kind AS art, e.at AS zeitpunkt,
    CASE WHEN salt.entry IS NULL THEN 'gelöscht' ELSE 'vorhanden' END AS personenbezogene_daten
FROM ari_agent.event AS e LEFT JOIN ari_agent.salt ON salt.entry = e.entry
WHERE e.seal IS NOT NULL;

COMMENT ON TABLE ari_agent.chain IS
'Anfang der Ereigniskette, genau eine Zeile; ändert sich nur, wenn die ältesten Ereignisse nach ihrer Frist entfallen';
COMMENT ON COLUMN ari_agent.chain.id IS 'Kennung der Kette';
COMMENT ON COLUMN ari_agent.chain.single IS 'Sorgt dafür, dass es nur eine Zeile gibt';
COMMENT ON COLUMN ari_agent.chain.began_at IS 'Seit wann die Kette geführt wird';
COMMENT ON COLUMN ari_agent.chain.first IS 'Nummer des ersten vorhandenen Ereignisses';
COMMENT ON COLUMN ari_agent.chain.before IS 'Hash, an den das erste vorhandene Ereignis anschließt';
COMMENT ON COLUMN ari_agent.event.number IS 'Nummer in der Kette, ohne Lücken';
COMMENT ON COLUMN ari_agent.event.seal IS
'Siegel: SHA-256 aus Salz und personenbezogenem Inhalt des Eintrags; ohne das Salz ohne Aussage';
COMMENT ON COLUMN ari_agent.event.hash IS 'SHA-256 aus dem Hash des Ereignisses davor und dem eigenen Inhalt';
COMMENT ON TABLE ari_agent.salt IS
'Salz der Siegel; wird mit den personenbezogenen Daten eines Anrufs gelöscht: DELETE FROM ari_agent.salt WHERE call = …';
COMMENT ON COLUMN ari_agent.salt.entry IS 'Eintrag, dessen Siegel damit gebildet ist';
COMMENT ON COLUMN ari_agent.salt.call IS 'Kennung des Anrufs';
COMMENT ON COLUMN ari_agent.salt.salt IS '32 zufällige Bytes';
COMMENT ON FUNCTION ari_agent.content IS 'Inhalt eines Ereignisses, wie er in den Hash eingeht';
COMMENT ON FUNCTION ari_agent.link IS 'Hash eines Ereignisses aus dem Hash davor und seinem Inhalt';
COMMENT ON FUNCTION ari_agent.chain_event IS 'Gibt jedem neuen Ereignis Nummer und Hash';
COMMENT ON FUNCTION ari_agent.refuse_change IS 'Lehnt jede Änderung ab, außer dem Entfallen der ältesten Ereignisse';
COMMENT ON FUNCTION ari_agent.forget_events IS 'Löscht die ältesten Ereignisse nach ihrer Frist, ohne Lücke und mit Vermerk';
COMMENT ON FUNCTION ari_agent.seal IS 'Siegel aus Salz und personenbezogenem Inhalt';
COMMENT ON FUNCTION ari_agent.personal(ari_agent.call) IS 'Personenbezogener Inhalt, den das Siegel eines Anrufs umfasst';
COMMENT ON FUNCTION ari_agent.personal(ari_agent.turn) IS 'Personenbezogener Inhalt eines Gesprächsschritts';
COMMENT ON FUNCTION ari_agent.personal(ari_agent.task) IS 'Personenbezogener Inhalt einer Aufgabe';
COMMENT ON FUNCTION ari_agent.personal(ari_agent.note) IS 'Personenbezogener Inhalt einer Notiz';
COMMENT ON FUNCTION ari_agent.kette_fehler IS
'Prüft die Kette von einer Nummer bis zu einer anderen: eine Zeile je Fehler, keine Zeile heißt in Ordnung';
COMMENT ON FUNCTION ari_agent.kette_pruefen IS
'Prüft die ganze Kette, eine Zeile; ein abgeschnittenes Ende zeigt erst der Vergleich mit den Ankern';
COMMENT ON FUNCTION ari_agent.siegel_fehler IS
'Personenbezogene Daten, die nicht mehr so sind, wie sie geschrieben wurden: eine Zeile je Fehler';
COMMENT ON VIEW ari_agent.v_kette IS
'Kette zum Export: Inhalt und Hash jedes Ereignisses; die erste Zeile ist der Anfang der Kette';
COMMENT ON VIEW ari_agent.v_siegel IS 'Versiegelte Einträge und ob ihre personenbezogenen Daten noch vorhanden sind';
