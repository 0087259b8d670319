-- Events go after their time: always the oldest, without a hole, up to an anchor. The anchor stays and is what the rest
-- of the chain is examined from: its number, hash and signature stand for all that went.

CREATE TABLE ari_agent.anchor (
    number bigint NOT NULL CHECK (number >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    at timestamptz NOT NULL,
    key text NOT NULL CHECK (key ~ '^[0-9a-f]{16}$'),
    signature text NOT NULL CHECK (signature ~ '^[A-Za-z0-9+/=]{88}$'),
    PRIMARY KEY (number, signature)
);

CREATE TRIGGER anchor_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.anchor
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();

ALTER TABLE ari_agent.retention_rule
    -- Whoever may change periods may not shorten this one until nothing is left to examine.
    ADD CONSTRAINT retention_rule_event_check CHECK (kind <> 'event' OR days >= 180);

INSERT INTO ari_agent.retention_rule (kind, label, starts, action, days) VALUES
('event', 'Ereignis der Kette, ohne personenbezogene Daten', 'Zeitpunkt des Schreibens', 'lückenlos bis zu einem Anker löschen', 730);

CREATE INDEX event_system ON ari_agent.event (number) WHERE kind = 'system';

-- The oldest event whose time is not over; the one to come when it is over for all.
CREATE FUNCTION ari_agent.first_kept(moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    (
        SELECT e.number FROM ari_agent.event AS e
        WHERE e.recorded_at > moment - ari_agent.days_of('event') ORDER BY e.number LIMIT 1
    ),
    (SELECT max(e.number) + 1 FROM ari_agent.event AS e)
);

-- Forget the oldest events up to the newest anchor that has none of the younger ones before it, say so in an event of
-- the chain, and return how many went. Nobody can forget what is younger by looking ahead.
DROP FUNCTION ari_agent.forget_events(timestamptz);
CREATE FUNCTION ari_agent.forget_events(moment timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    begins ari_agent.chain;
    cut ari_agent.anchor;
    gone bigint;
BEGIN
    SELECT * INTO STRICT begins FROM ari_agent.chain FOR UPDATE;
    SELECT a.* INTO cut
    FROM ari_agent.anchor AS a INNER JOIN ari_agent.event AS e ON e.number = a.number AND e.hash = a.hash
    WHERE a.number < ari_agent.first_kept(least(moment, clock_timestamp()))
    ORDER BY a.number DESC, a.at LIMIT 1;
    IF cut.number IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM ari_agent.salt AS s USING ari_agent.event AS e WHERE e.number <= cut.number AND s.entry = e.entry;
    PERFORM set_config('ari_agent.forgetting', pg_current_xact_id()::text, true);
    DELETE FROM ari_agent.event WHERE number <= cut.number;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE ari_agent.chain SET first = cut.number + 1, before = cut.hash;
    PERFORM set_config('ari_agent.forgetting', '', true);
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    VALUES (
        gen_random_uuid(), '00000000-0000-0000-0000-000000000000', clock_timestamp(), 'system', 'events-forgotten',
        jsonb_build_object('events', gone, 'last', cut.number, 'hash', encode(cut.hash, 'hex'), 'anchor', cut.signature)
    );
    RETURN gone;
END
$$;
REVOKE ALL ON FUNCTION ari_agent.forget_events(timestamptz) FROM PUBLIC;

-- What is wrong with where the chain begins: with its own id, or after an anchor, as old as forgetting needs it, which
-- an event of the chain names. Whether the anchor's signature is good only `ari-agent audit verify` can tell.
CREATE FUNCTION ari_agent.anfang_fehler() RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT CASE
        WHEN c.first = 1 AND c.before = sha256(convert_to('ari-agent chain ' || c.id::text, 'UTF8')) THEN NULL
        WHEN c.first = 1 THEN 'der Anfang gehört nicht zur Kennung der Kette'
        WHEN NOT EXISTS (
            SELECT FROM ari_agent.event AS e
            INNER JOIN ari_agent.anchor AS a
                ON a.number = c.first - 1 AND a.hash = c.before AND a.signature = e.detail ->> 'anchor'
            WHERE
                e.kind = 'system' AND e.code = 'events-forgotten' AND e.detail ->> 'last' = (c.first - 1)::text
                AND a.at <= e.recorded_at - interval '180 days'
        ) THEN format('davor fehlen %s Ereignisse, und nicht nach ihrer Frist', c.first - 1)
    END
    FROM ari_agent.chain AS c
);

-- Planned anew for every span: a plan for any span would look at the whole chain.
CREATE OR REPLACE FUNCTION ari_agent.kette_fehler(von bigint DEFAULT NULL, bis bigint DEFAULT NULL)
RETURNS TABLE (nummer bigint, befund text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY WITH begins AS (
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
UNION ALL
SELECT first, ari_agent.anfang_fehler() FROM begins
WHERE (von IS NULL OR von <= first) AND ari_agent.anfang_fehler() IS NOT NULL
ORDER BY 1;
END
$$;

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
    UNION ALL SELECT 'event', count(*) FROM ari_agent.event AS e WHERE e.number < ari_agent.first_kept(zeitpunkt);
END
$$;

-- What a statement deletes stays in the files of the tables, also after VACUUM, until a table is written anew: `ari-agent
-- calllog compact` does that and remembers up to which line of the log of deletions.
CREATE TABLE ari_agent.compaction (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deletion bigint NOT NULL CHECK (deletion >= 0),
    tables text[] NOT NULL,
    account name NOT NULL DEFAULT session_user
);

CREATE TRIGGER compaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.compaction
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_rewriting();

CREATE VIEW ari_agent.v_ueberschrieben AS
SELECT
    (SELECT max(at) FROM ari_agent.compaction) AS zuletzt, min(d.at) AS offen_seit, count(*) AS offene_loeschungen
FROM ari_agent.deletion AS d
WHERE
    d.rows > 0
    AND d.place IN ('wording', 'note', 'task', 'open-task', 'caller-number', 'call', 'correction', 'contact', 'mention')
    AND d.number > (SELECT coalesce(max(deletion), 0) FROM ari_agent.compaction);

-- Postgres copies frequent values of a column into its statistics: not of these.
ALTER TABLE ari_agent.call ALTER caller SET STATISTICS 0, ALTER channel SET STATISTICS 0;
ALTER TABLE ari_agent.turn ALTER caller_text SET STATISTICS 0, ALTER agent_text SET STATISTICS 0;
ALTER TABLE ari_agent.task
    ALTER caller_name SET STATISTICS 0, ALTER number SET STATISTICS 0, ALTER company SET STATISTICS 0,
    ALTER email SET STATISTICS 0, ALTER recipient SET STATISTICS 0, ALTER matter SET STATISTICS 0;
ALTER TABLE ari_agent.note
    ALTER who SET STATISTICS 0, ALTER about SET STATISTICS 0, ALTER agreed SET STATISTICS 0,
    ALTER open SET STATISTICS 0;
ALTER TABLE ari_agent.correction
    ALTER old SET STATISTICS 0, ALTER new SET STATISTICS 0, ALTER person SET STATISTICS 0;
ALTER TABLE ari_agent.contact
    ALTER number SET STATISTICS 0, ALTER name SET STATISTICS 0, ALTER company SET STATISTICS 0;

COMMENT ON TABLE ari_agent.compaction IS
'Wann Tabellen neu geschrieben wurden, damit Gelöschtes auch in ihren Dateien nicht mehr steht; nur Anfügen';
COMMENT ON COLUMN ari_agent.compaction.number IS 'Laufende Nummer';
COMMENT ON COLUMN ari_agent.compaction.at IS 'Zeitpunkt';
COMMENT ON COLUMN ari_agent.compaction.deletion IS 'Bis zu dieser Nummer des Löschprotokolls ist alles Gelöschte überschrieben';
COMMENT ON COLUMN ari_agent.compaction.tables IS 'Neu geschriebene Tabellen';
COMMENT ON COLUMN ari_agent.compaction.account IS 'Konto der Datenbank, das sie neu schrieb';
COMMENT ON VIEW ari_agent.v_ueberschrieben IS
'Wann Tabellen zuletzt neu geschrieben wurden, und welche Löschungen seither noch in ihren Dateien stehen';
COMMENT ON TABLE ari_agent.anchor IS
'Anker der Ereigniskette, wie sie auch außerhalb der Datenbank liegen; nur Anfügen. Die Unterschrift prüft ari-agent audit verify';
COMMENT ON COLUMN ari_agent.anchor.number IS 'Nummer des Ereignisses, das damals das neueste war';
COMMENT ON COLUMN ari_agent.anchor.hash IS 'Hash dieses Ereignisses';
COMMENT ON COLUMN ari_agent.anchor.at IS 'Zeitpunkt des Ankers';
COMMENT ON COLUMN ari_agent.anchor.key IS 'Kennung des Schlüssels';
COMMENT ON COLUMN ari_agent.anchor.signature IS 'Unterschrift (Ed25519, Base64)';
COMMENT ON TABLE ari_agent.chain IS
'Anfang der Ereigniskette, genau eine Zeile; ändert sich nur, wenn die ältesten Ereignisse nach ihrer Frist bis zu einem Anker entfallen';
COMMENT ON FUNCTION ari_agent.first_kept IS 'Nummer des ältesten Ereignisses, dessen Frist noch läuft';
COMMENT ON FUNCTION ari_agent.forget_events IS
'Löscht die ältesten Ereignisse nach ihrer Frist, lückenlos bis zu einem Anker und mit Vermerk in der Kette';
COMMENT ON FUNCTION ari_agent.anfang_fehler IS
'Was am Anfang der Kette nicht stimmt: fehlende Ereignisse, die nicht nach ihrer Frist bis zu einem Anker entfielen';
