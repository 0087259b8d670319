-- What the proof of measures (`ari-agent report compliance`) asks of the database: counts, settings and rights, and
-- nothing that tells of a person.

-- name: rights_by_account
-- By account and kind of statement: tables and views of which it may do so with all columns, and with some of them.
WITH account AS (
    SELECT oid, rolname FROM pg_catalog.pg_roles
    WHERE rolname IN (
        'ari_agent_agent', 'ari_agent_reconcile', 'ari_agent_desk', 'ari_agent_auditor', 'ari_agent_metrics',
        'ari_agent_privacy'
    )
), relation AS (
    SELECT oid, relname FROM pg_catalog.pg_class
    WHERE relnamespace = 'ari_agent'::regnamespace AND relkind IN ('r', 'p', 'v')
), granted AS (
    SELECT
        a.rolname AS account, r.relname AS relation, p.statement,
        has_table_privilege(a.oid, r.oid, p.statement) AS whole,
        -- There is no deleting of columns.
        CASE p.statement WHEN 'DELETE' THEN false ELSE has_any_column_privilege(a.oid, r.oid, p.statement) END AS partly
    FROM account AS a CROSS JOIN relation AS r
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (statement)
)
SELECT account, statement, whole, array_agg(relation::text ORDER BY relation::text COLLATE "C") AS relations
FROM granted
WHERE whole OR partly
GROUP BY account, statement, whole
ORDER BY account, statement, whole DESC

-- name: proof_accounts
-- Accounts that may log in, by the part that was granted to them; without their names, which may be those of people.
SELECT
    coalesce(part.name, CASE WHEN v.superuser THEN 'superuser' ELSE 'other' END) AS part,
    count(*) AS accounts,
    count(*) FILTER (WHERE v.gueltig_bis IS NULL) AS endless,
    count(*) FILTER (WHERE v.gueltig_bis <= now()) AS expired,
    min(v.gueltig_bis) FILTER (WHERE v.gueltig_bis > now()) AS next_end
FROM ari_agent.v_konten AS v
LEFT JOIN LATERAL (
    SELECT name FROM unnest(ARRAY['owner', 'migrate', 'agent', 'reconcile', 'metrics', 'desk', 'auditor', 'privacy']) AS name
    WHERE v.konto <> 'ari_agent_' || name AND 'ari_agent_' || name = ANY(string_to_array(v.mitglied_von, ', '))
) AS part ON true
WHERE v.darf_anmelden AND NOT starts_with(v.konto::text, 'ari_agent_')
GROUP BY 1
ORDER BY 1

-- name: proof_roles
SELECT konto AS account, darf_anmelden AS logs_in, superuser OR umgeht_zeilenrechte AS unbound
FROM ari_agent.v_konten WHERE starts_with(konto::text, 'ari_agent_') ORDER BY konto

-- name: proof_connection
-- How this connection comes to the server: address of the server (null: a Unix socket) and encryption.
SELECT inet_server_addr() AS server, s.ssl AS tls, s.version AS protocol
FROM pg_catalog.pg_stat_ssl AS s WHERE s.pid = pg_backend_pid()

-- name: proof_retention
SELECT datenart AS label, fristbeginn AS starts, tage AS days, ueberfaellig AS overdue FROM ari_agent.v_aufbewahrung
ORDER BY datenart

-- name: proof_counts
SELECT
    letzter_loeschlauf AS last_run, ueberfaellige_anfragen AS late_requests, ueberfaellige_rueckrufe AS late_callbacks
FROM ari_agent.v_kennzahlen

-- name: proof_wording
SELECT count(*) AS calls FROM ari_agent.v_wortlaut

-- name: proof_notice
-- Whether every conversation began with the notice, and the wording that was played last.
SELECT
    (SELECT count(*) FROM ari_agent.v_ki_hinweis_fehlt) AS missing,
    (
        SELECT ki_hinweis_pruefsumme FROM ari_agent.v_anruf_versionen
        WHERE ki_hinweis_pruefsumme IS NOT NULL ORDER BY beginn DESC NULLS LAST LIMIT 1
    ) AS sha256

-- name: proof_knowledge
SELECT stand AS version, gespeichert AS at, textstellen AS passages, pruefsumme AS sha256
FROM ari_agent.v_wissensstaende ORDER BY stand DESC LIMIT 1

-- name: proof_schema
SELECT name FROM ari_agent.migration ORDER BY number DESC LIMIT 1

-- name: proof_backups
SELECT
    max(zeitpunkt) FILTER (WHERE art = 'Sicherung') AS backup,
    max(zeitpunkt) FILTER (WHERE art <> 'Sicherung') AS restore_test
FROM ari_agent.v_sicherungen

-- name: proof_recordings
SELECT
    (SELECT count(*) FROM ari_agent.v_aufzeichnung_ohne_einwilligung) AS missing,
    (SELECT count(*) FROM ari_agent.v_aufzeichnungen) AS kept

-- name: proof_reconciliation
SELECT
    nummer AS number, zeitpunkt AS at, anrufe_der_anlage AS calls, ungeklaert AS unexplained,
    unlesbare_zeilen AS broken
FROM ari_agent.v_abgleich ORDER BY nummer DESC LIMIT 1

-- name: proof_numbers
SELECT
    ari_agent.unversiegelt() AS waiting, (SELECT id FROM ari_agent.number_key ORDER BY since DESC, id LIMIT 1) AS key
