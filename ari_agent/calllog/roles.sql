-- Accounts of the call log's database; `ari-agent calllog roles` prints this for psql. Can be run again at any time, by
-- a superuser, and must be after each update. No password stands here: \password ari_agent_agent in psql sets one.

-- name: roles
DO $$
DECLARE
    part text;
    object record;
BEGIN
    -- owner: of all tables, nobody logs in as it. migrate: updates and the administrator's commands. agent: the
    -- controller. reconcile: compares with Asterisk's records. metrics: counts. desk, auditor, privacy: granted to
    -- personal accounts.
    FOREACH part IN ARRAY ARRAY[
        'owner', 'migrate', 'agent', 'reconcile', 'metrics', 'desk', 'auditor', 'privacy'
    ] LOOP
        IF to_regrole('ari_agent_' || part) IS NULL THEN
            EXECUTE format(
                'CREATE ROLE %I %s', 'ari_agent_' || part,
                CASE WHEN part IN ('migrate', 'agent', 'reconcile', 'metrics') THEN 'LOGIN' ELSE 'NOLOGIN' END
            );
        END IF;
    END LOOP;
    FOR object IN
        SELECT c.relname AS name, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
        FROM pg_class AS c
        WHERE
            c.relnamespace = 'ari_agent'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            -- A sequence of an identity column follows its table.
            AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'i' AND c.relkind = 'S')
        ORDER BY c.relkind
    LOOP
        EXECUTE format('ALTER %s ari_agent.%I OWNER TO ari_agent_owner', object.kind, object.name);
    END LOOP;
    FOR object IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'ari_agent'::regnamespace LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO ari_agent_owner', object.name);
    END LOOP;
    -- Everybody may make temporary tables unless told otherwise; and sequences are used through their columns only.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
ALTER SCHEMA ari_agent OWNER TO ari_agent_owner;
GRANT ari_agent_owner TO ari_agent_migrate;

REVOKE ALL ON SCHEMA ari_agent FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ari_agent
FROM
PUBLIC, ari_agent_agent, ari_agent_reconcile, ari_agent_metrics, ari_agent_desk, ari_agent_auditor, ari_agent_privacy;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA ari_agent
FROM
PUBLIC, ari_agent_agent, ari_agent_reconcile, ari_agent_metrics, ari_agent_desk, ari_agent_auditor, ari_agent_privacy;
REVOKE ALL ON ALL ROUTINES IN SCHEMA ari_agent
FROM
PUBLIC, ari_agent_agent, ari_agent_reconcile, ari_agent_metrics, ari_agent_desk, ari_agent_auditor, ari_agent_privacy;
GRANT USAGE ON SCHEMA ari_agent
TO ari_agent_agent, ari_agent_reconcile, ari_agent_metrics, ari_agent_desk, ari_agent_auditor, ari_agent_privacy;
GRANT EXECUTE ON FUNCTION
ari_agent.pseudonym(bytea), ari_agent.unversiegelt(), ari_agent.frist(timestamptz, timestamptz),
ari_agent.ueberfaellig(timestamptz), ari_agent.held(jsonb, text, text), ari_agent.held(jsonb, text, timestamptz)
TO ari_agent_agent, ari_agent_reconcile, ari_agent_metrics, ari_agent_desk, ari_agent_auditor, ari_agent_privacy;

-- The controller writes and appends. Numbers, words, callbacks and notes that it wrote it cannot read back.
GRANT SELECT ON ari_agent.migration, ari_agent.contact, ari_agent.knowledge_version, ari_agent.knowledge_passage,
ari_agent.v_kennzahlen TO ari_agent_agent;
GRANT SELECT, INSERT (id) ON ari_agent.number_key TO ari_agent_agent, ari_agent_reconcile;
GRANT SELECT ON ari_agent.number_key TO ari_agent_desk, ari_agent_auditor, ari_agent_privacy;
GRANT INSERT, SELECT (
    id, opened_at, node, channel, dialled, test, answered_at, setup_ms, disclosure_played_ms, disclosure_sha256,
    closed_at, outcome, reason, turns, escalated_to
) ON ari_agent.call TO ari_agent_agent;
GRANT UPDATE (
    opened_at, node, channel, dialled, caller, caller_digest, caller_erased_at, test, answered_at, setup_ms,
    disclosure_played_ms, disclosure_sha256, closed_at, outcome, reason, turns, escalated_to
) ON ari_agent.call TO ari_agent_agent;
GRANT INSERT, SELECT (call) ON ari_agent.turn TO ari_agent_agent;
GRANT INSERT ON ari_agent.task, ari_agent.note, ari_agent.recording, ari_agent.consent_text TO ari_agent_agent;
GRANT INSERT (entry, call, at, kind, code, detail, seal), SELECT (seq, entry, number, hash)
ON ari_agent.event TO ari_agent_agent;
GRANT INSERT ON ari_agent.salt TO ari_agent_agent;
GRANT EXECUTE ON FUNCTION ari_agent.seal(bytea, jsonb) TO ari_agent_agent;

-- Compares the log with Asterisk's records: files calls that are missing, sees no caller's number, and of the rows can
-- change and take back its own only.
GRANT SELECT ON ari_agent.migration, ari_agent.chain, ari_agent.event, ari_agent.retention_rule TO ari_agent_reconcile;
GRANT SELECT (
    id, opened_at, node, channel, dialled, test, answered_at, closed_at, outcome, reason, turns, filed_at,
    caller_erased_at
) ON ari_agent.call TO ari_agent_reconcile;
GRANT INSERT (
    id, opened_at, node, channel, dialled, caller, caller_digest, test, closed_at, outcome, reason, filed_at,
    caller_erased_at
), UPDATE (
    opened_at, node, channel, dialled, caller, caller_digest, test, closed_at, outcome, reason, turns, filed_at,
    caller_erased_at
), DELETE ON ari_agent.call TO ari_agent_reconcile;
GRANT SELECT (call) ON ari_agent.turn TO ari_agent_reconcile;
GRANT INSERT (entry, call, at, kind, code, detail, seal) ON ari_agent.event TO ari_agent_reconcile;
GRANT INSERT ON ari_agent.salt TO ari_agent_reconcile;
GRANT EXECUTE ON FUNCTION ari_agent.seal(bytea, jsonb) TO ari_agent_reconcile;
GRANT SELECT (number), INSERT (
    since, until, source, calls, entries, filed, withdrawn, broken, rolled_back, unexplained
) ON ari_agent.reconciliation TO ari_agent_reconcile;
GRANT INSERT ON ari_agent.reconciliation_finding TO ari_agent_reconcile;

-- The desk calls back: it sees what is open or was done within two weeks, and of calls only those that this is about.
GRANT SELECT ON ari_agent.task, ari_agent.note, ari_agent.contact TO ari_agent_desk;
GRANT UPDATE (state, done_at, done_by) ON ari_agent.task TO ari_agent_desk;
GRANT SELECT (id, opened_at, closed_at, dialled, caller, outcome, reason, escalated_to, test)
ON ari_agent.call TO ari_agent_desk;
GRANT INSERT (entry, call, at, kind, code), SELECT (seq) ON ari_agent.event TO ari_agent_desk;
-- It corrects what it sees; what was there before, time, account and event are the database's own doing.
GRANT SELECT, INSERT (note, task, revision, field, person, new, new_digest) ON ari_agent.correction TO ari_agent_desk;

GRANT SELECT ON
ari_agent.v_anrufe, ari_agent.v_gespraechsschritte, ari_agent.v_rueckrufe, ari_agent.v_notizen,
ari_agent.v_wissensstaende, ari_agent.v_nummernluecken, ari_agent.v_unvollstaendig, ari_agent.v_ki_hinweis_fehlt,
ari_agent.v_wortlaut, ari_agent.v_aufbewahrung, ari_agent.v_loeschungen, ari_agent.v_betroffenenanfragen,
ari_agent.v_einsichten, ari_agent.v_server, ari_agent.v_anruf_versionen, ari_agent.v_uebergaben, ari_agent.v_konten,
ari_agent.v_ausfaelle, ari_agent.v_notizstichprobe, ari_agent.v_sicherungen, ari_agent.v_monatszahlen,
ari_agent.v_einwilligungen, ari_agent.v_aufzeichnungen, ari_agent.v_aufzeichnung_ohne_einwilligung,
ari_agent.v_aufzeichnung_einsichten, ari_agent.v_kennzahlen, ari_agent.v_korrekturen, ari_agent.v_korrekturquote,
ari_agent.v_korrekturfelder, ari_agent.v_uebertragungen, ari_agent.v_nummern, ari_agent.v_uebergaben_monate,
ari_agent.v_notizen_herkunft, ari_agent.v_abgleich, ari_agent.v_abgleich_befunde,
ari_agent.migration, ari_agent.event
TO ari_agent_auditor;
GRANT EXECUTE ON FUNCTION ari_agent.ursache(text) TO ari_agent_auditor, ari_agent_reconcile;

-- Whoever anchors or examines the chain sees numbers and hashes; the functions read the rest with the owner's rights.
GRANT SELECT ON ari_agent.chain, ari_agent.anchor, ari_agent.v_siegel, ari_agent.v_ueberschrieben
TO ari_agent_agent, ari_agent_auditor, ari_agent_privacy;
GRANT INSERT ON ari_agent.anchor TO ari_agent_agent;
GRANT SELECT ON ari_agent.v_kette TO ari_agent_auditor, ari_agent_privacy;
GRANT EXECUTE ON FUNCTION
ari_agent.kette_fehler(bigint, bigint), ari_agent.kette_pruefen(), ari_agent.kette_seit(bigint, text),
ari_agent.siegel_fehler(bigint, bigint), ari_agent.korrektur_fehler(bigint, bigint)
TO ari_agent_agent, ari_agent_auditor, ari_agent_privacy;

GRANT SELECT ON ari_agent.v_kennzahlen TO ari_agent_metrics;

-- Finds, hands out and erases; neither writes what callers said nor touches the log of events.
GRANT SELECT, DELETE ON ari_agent.call, ari_agent.turn, ari_agent.task, ari_agent.note, ari_agent.correction,
ari_agent.contact TO ari_agent_privacy;
GRANT SELECT, DELETE ON ari_agent.salt, ari_agent.recording, ari_agent.unsealed TO ari_agent_privacy;
GRANT EXECUTE ON FUNCTION ari_agent.forget_events(timestamptz), ari_agent.hand_out(uuid, text) TO ari_agent_privacy;
GRANT UPDATE (caller, caller_digest, channel, caller_erased_at) ON ari_agent.call TO ari_agent_privacy;
GRANT UPDATE (caller_text, agent_text) ON ari_agent.turn TO ari_agent_privacy;
GRANT UPDATE (caller_name, number, number_digest, company, email, recipient, matter, done_by) ON ari_agent.task TO ari_agent_privacy;
GRANT UPDATE (who, about, agreed, open) ON ari_agent.note TO ari_agent_privacy;
GRANT UPDATE (old, new, old_digest, new_digest, salt) ON ari_agent.correction TO ari_agent_privacy;
GRANT UPDATE (name, company) ON ari_agent.contact TO ari_agent_privacy;
GRANT SELECT ON ari_agent.migration, ari_agent.event, ari_agent.v_aufbewahrung, ari_agent.v_loeschungen,
ari_agent.v_betroffenenanfragen, ari_agent.v_einsichten, ari_agent.v_einwilligungen,
ari_agent.v_aufzeichnung_einsichten, ari_agent.v_kennzahlen TO ari_agent_privacy;
GRANT SELECT, UPDATE (days, changed_at) ON ari_agent.retention_rule TO ari_agent_privacy;
GRANT SELECT, INSERT, UPDATE (calls, seconds) ON ari_agent.call_month TO ari_agent_privacy;
GRANT SELECT, INSERT (run, at, cause, place, days, rows, request) ON ari_agent.deletion TO ari_agent_privacy;
GRANT SELECT, INSERT, DELETE ON ari_agent.subject_request TO ari_agent_privacy;
GRANT SELECT, INSERT (request, action, identity, found, places) ON ari_agent.subject_action TO ari_agent_privacy;
GRANT SELECT, INSERT (at, kind) ON ari_agent.backup_proof TO ari_agent_privacy;
GRANT SELECT ON ari_agent.compaction TO ari_agent_privacy;
GRANT EXECUTE ON FUNCTION
ari_agent.days_of(text), ari_agent.began(uuid, timestamptz, timestamptz, timestamptz), ari_agent.expired_wording(timestamptz),
ari_agent.expired_notes(timestamptz), ari_agent.expired_tasks(timestamptz, text),
ari_agent.expired_numbers(timestamptz), ari_agent.expired_calls(timestamptz), ari_agent.expired_requests(timestamptz),
ari_agent.expired_recordings(timestamptz, text)
TO ari_agent_privacy;

-- Rows: the owner and the views see all of them, the accounts those that a policy gives them.
ALTER TABLE ari_agent.call ENABLE ROW LEVEL SECURITY;
ALTER TABLE ari_agent.task ENABLE ROW LEVEL SECURITY;
ALTER TABLE ari_agent.note ENABLE ROW LEVEL SECURITY;
ALTER TABLE ari_agent.correction ENABLE ROW LEVEL SECURITY;
ALTER TABLE ari_agent.event ENABLE ROW LEVEL SECURITY;
DO $$
DECLARE
    object text;
BEGIN
    FOREACH object IN ARRAY ARRAY['call', 'task', 'note', 'correction', 'event'] LOOP
        EXECUTE format('DROP POLICY IF EXISTS whole ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS desk ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS desk_done ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS desk_corrects ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS reconcile ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS reconcile_filing ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS reconcile_filed ON ari_agent.%I', object);
        EXECUTE format('DROP POLICY IF EXISTS reconcile_withdrawn ON ari_agent.%I', object);
        EXECUTE format(
            'CREATE POLICY whole ON ari_agent.%I TO ari_agent_agent, ari_agent_privacy, ari_agent_auditor USING (true)',
            object
        );
    END LOOP;
END
$$;
CREATE POLICY desk ON ari_agent.task FOR SELECT TO ari_agent_desk
USING (state = 'open' OR done_at > now() - interval '14 days');
CREATE POLICY desk_done ON ari_agent.task FOR UPDATE TO ari_agent_desk USING (state = 'open') WITH CHECK (state = 'done');
CREATE POLICY desk ON ari_agent.call FOR SELECT TO ari_agent_desk
USING (EXISTS (SELECT FROM ari_agent.task AS t WHERE t.call = ari_agent.call.id));
CREATE POLICY desk ON ari_agent.note FOR SELECT TO ari_agent_desk
USING (EXISTS (SELECT FROM ari_agent.task AS t WHERE t.call = note.call));
CREATE POLICY desk ON ari_agent.correction FOR SELECT TO ari_agent_desk
USING (EXISTS (SELECT FROM ari_agent.task AS t WHERE t.call = correction.call));
CREATE POLICY desk_corrects ON ari_agent.correction FOR INSERT TO ari_agent_desk WITH CHECK (
    EXISTS (SELECT FROM ari_agent.note AS n WHERE n.call = correction.note)
    OR EXISTS (SELECT FROM ari_agent.task AS t WHERE t.id = correction.task)
);
CREATE POLICY desk ON ari_agent.event FOR SELECT TO ari_agent_desk USING (kind = 'task' AND code = 'done');
CREATE POLICY desk_done ON ari_agent.event FOR INSERT TO ari_agent_desk WITH CHECK (kind = 'task' AND code = 'done');
CREATE POLICY reconcile ON ari_agent.call FOR SELECT TO ari_agent_reconcile USING (true);
CREATE POLICY reconcile_filing ON ari_agent.call FOR INSERT TO ari_agent_reconcile
WITH CHECK (node = '' OR filed_at IS NOT NULL);
CREATE POLICY reconcile_filed ON ari_agent.call FOR UPDATE TO ari_agent_reconcile
USING (node = '' OR filed_at IS NOT NULL OR opened_at IS NULL) WITH CHECK (node = '' OR filed_at IS NOT NULL);
CREATE POLICY reconcile_withdrawn ON ari_agent.call FOR DELETE TO ari_agent_reconcile USING (filed_at IS NOT NULL);
CREATE POLICY reconcile ON ari_agent.event FOR SELECT TO ari_agent_reconcile USING (true);
CREATE POLICY reconcile_filing ON ari_agent.event FOR INSERT TO ari_agent_reconcile
WITH CHECK (kind IN ('opened', 'filed', 'refused'));

-- The controller's own statements are short; its connection sets a shorter limit still.
ALTER ROLE ari_agent_metrics SET statement_timeout = '10s';
ALTER ROLE ari_agent_metrics SET default_transaction_read_only = on

-- name: rights_in_force
SELECT
    pg_get_userbyid(n.nspowner) = 'ari_agent_owner' AS installed,
    pg_has_role(n.nspowner, 'MEMBER') AS owns,
    has_table_privilege('ari_agent.task', 'SELECT') AS reads
FROM pg_namespace AS n
WHERE n.nspname = 'ari_agent'
