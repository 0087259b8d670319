-- What an auditor asks, one view or two for each question; deploy/compliance/pruefer.rst has the questions.

-- A transaction that was rolled back has used its number as well: a gap calls for a look, it proves nothing.
CREATE VIEW ari_agent.v_nummernluecken AS
SELECT vorige + 1 AS von, seq - 1 AS bis, seq - vorige - 1 AS anzahl, davor, recorded_at AS danach
FROM (
    SELECT
        seq, recorded_at,
        lag(seq, 1, 0::bigint) OVER (ORDER BY seq) AS vorige,
        lag(recorded_at) OVER (ORDER BY seq) AS davor
    FROM ari_agent.event
) AS e
WHERE seq > vorige + 1;

CREATE VIEW ari_agent.v_unvollstaendig AS
SELECT id AS anruf, opened_at AS beginn, 'Beginn fehlt' AS mangel FROM ari_agent.call WHERE opened_at IS NULL
UNION ALL
SELECT id, opened_at, 'Ende fehlt' FROM ari_agent.call WHERE closed_at IS NULL AND opened_at < now() - interval '1 day'
UNION ALL
SELECT e.call, e.at, 'Zeile fehlt'
FROM ari_agent.event AS e
WHERE
    e.kind = 'opened'
    AND e.at > now() - (SELECT make_interval(days => days) FROM ari_agent.retention_rule WHERE kind = 'call')
    AND NOT EXISTS (SELECT FROM ari_agent.call AS c WHERE c.id = e.call);

-- Of a caller who hangs up while the notice is played nothing is heard, so nothing is missing.
CREATE VIEW ari_agent.v_ki_hinweis_fehlt AS
SELECT
    c.id AS anruf, c.opened_at AS beginn, t.schritt AS erster_schritt, d.hinweis,
    CASE WHEN d.hinweis IS NULL THEN 'Hinweis fehlt' ELSE 'Hinweis nach dem ersten Schritt' END AS mangel
FROM ari_agent.call AS c
INNER JOIN LATERAL (SELECT min(at) AS schritt FROM ari_agent.turn WHERE call = c.id) AS t ON t.schritt IS NOT NULL
LEFT JOIN LATERAL (
    SELECT min(at) AS hinweis FROM ari_agent.event WHERE call = c.id AND kind = 'disclosed'
) AS d ON true
WHERE d.hinweis IS NULL OR d.hinweis > t.schritt;

-- Sound is stored nowhere: no table has a place for it. What can be stored, in tests only, are words.
CREATE VIEW ari_agent.v_wortlaut AS
SELECT call AS anruf, count(*) AS schritte, min(at) AS von, max(at) AS bis
FROM ari_agent.turn
WHERE caller_text IS NOT NULL OR agent_text IS NOT NULL
GROUP BY call;

-- The timer runs several times a day, so what has been due for a day is late.
CREATE VIEW ari_agent.v_aufbewahrung AS
SELECT
    r.label AS datenart, r.starts AS fristbeginn, r.days AS tage, r.action AS danach,
    coalesce(u.zeilen, 0) AS ueberfaellig, r.changed_at AS geaendert
FROM ari_agent.retention_rule AS r
LEFT JOIN ari_agent.ueberfaellig(now() - interval '1 day') AS u ON u.art = r.kind
ORDER BY r.label;

CREATE VIEW ari_agent.v_loeschungen AS
SELECT
    d.number AS nummer, d.run AS lauf, d.at AS zeitpunkt,
    CASE d.cause WHEN 'retention' THEN 'Frist abgelaufen' WHEN 'request' THEN 'Anfrage' END AS anlass,
    coalesce(r.label, d.place) AS datenart, d.days AS tage, d.rows AS eintraege, q.ticket AS aktenzeichen,
    d.account AS konto
FROM ari_agent.deletion AS d
LEFT JOIN ari_agent.retention_rule AS r ON r.kind = d.place
LEFT JOIN ari_agent.subject_request AS q ON q.id = d.request;

CREATE VIEW ari_agent.v_betroffenenanfragen AS
SELECT
    r.ticket AS aktenzeichen, r.received_on AS eingang, r.due_on AS frist, a.beantwortet,
    CASE
        WHEN a.erase THEN 'gelöscht' WHEN a.export THEN 'Auskunft erteilt' WHEN a.nothing THEN 'Negativauskunft'
        ELSE 'offen'
    END AS stand,
    a.identitaet,
    coalesce(a.beantwortet::date, current_date) > r.due_on AS frist_ueberschritten
FROM ari_agent.subject_request AS r
LEFT JOIN LATERAL (
    SELECT
        min(at) FILTER (WHERE action <> 'find') AS beantwortet,
        bool_or(action = 'erase' AND found > 0) AS erase,
        bool_or(action = 'export' AND found > 0) AS export,
        bool_or(action <> 'find' AND found = 0) AS nothing,
        string_agg(DISTINCT identity, ', ') FILTER (WHERE identity <> 'none') AS identitaet
    FROM ari_agent.subject_action WHERE request = r.id
) AS a ON true;

CREATE VIEW ari_agent.v_einsichten AS
SELECT
    a.number AS nummer, a.at AS zeitpunkt, a.account AS konto,
    CASE a.action WHEN 'find' THEN 'Suche' WHEN 'export' THEN 'Auskunft' WHEN 'erase' THEN 'Löschung' END AS vorgang,
    r.ticket AS aktenzeichen, a.identity AS identitaet, a.found AS eintraege
FROM ari_agent.subject_action AS a
INNER JOIN ari_agent.subject_request AS r ON r.id = a.request;

-- What the server says of itself: reading is logged by pgaudit, logins by log_connections.
CREATE VIEW ari_agent.v_server AS
SELECT
    current_setting('server_version') AS version,
    current_setting('listen_addresses') AS lauscht_auf,
    current_setting('ssl') AS tls,
    coalesce(current_setting('pgaudit.log', true), 'nicht geladen') AS pgaudit,
    current_setting('log_connections') AS anmeldungen_protokolliert,
    current_setting('log_statement') AS anweisungen_protokolliert,
    current_setting('password_encryption') AS kennwoerter,
    current_setting('archive_mode') AS archivierung,
    (SELECT last_archived_time FROM pg_catalog.pg_stat_archiver) AS zuletzt_archiviert,
    pg_catalog.pg_postmaster_start_time() AS gestartet;

CREATE VIEW ari_agent.v_anruf_versionen AS
SELECT
    c.id AS anruf, c.opened_at AS beginn, k.number AS wissensstand, k.sha256 AS wissen_pruefsumme,
    c.disclosure_sha256 AS ki_hinweis_pruefsumme, n.made_by AS programm_und_modell,
    d.entschieden_von
FROM ari_agent.call AS c
LEFT JOIN LATERAL (
    SELECT number, sha256 FROM ari_agent.knowledge_version WHERE at <= c.opened_at ORDER BY number DESC LIMIT 1
) AS k ON true
LEFT JOIN ari_agent.note AS n ON n.call = c.id
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT decided_by, ', ' ORDER BY decided_by) AS entschieden_von
    FROM ari_agent.turn WHERE call = c.id
) AS d ON true;

CREATE VIEW ari_agent.v_uebergaben AS
SELECT
    e.call AS anruf, e.at AS zeitpunkt, e.detail ->> 'target' AS ziel, e.detail ->> 'reason' AS grund,
    e.code AS ergebnis, e.code = 'accepted' AS angenommen,
    round((e.detail ->> 'waited_ms')::numeric / 1000, 1) AS gewartet_s,
    r.rueckruf, r.rueckruf_erledigt, r.rueckruf_erledigt - e.at AS rueckruf_nach
FROM ari_agent.event AS e
LEFT JOIN LATERAL (
    SELECT id AS rueckruf, done_at AS rueckruf_erledigt FROM ari_agent.task
    WHERE call = e.call AND kind = 'callback' ORDER BY taken_at LIMIT 1
) AS r ON true
WHERE e.kind = 'escalated';

CREATE VIEW ari_agent.v_konten AS
SELECT
    r.rolname AS konto, r.rolsuper AS superuser, r.rolcanlogin AS darf_anmelden, r.rolcreaterole AS darf_konten_anlegen,
    r.rolbypassrls AS umgeht_zeilenrechte, r.rolvaliduntil AS gueltig_bis,
    (
        SELECT string_agg(g.rolname, ', ' ORDER BY g.rolname)
        FROM pg_catalog.pg_auth_members AS m
        INNER JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
        WHERE m.member = r.oid
    ) AS mitglied_von
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin OR r.rolname LIKE 'ari\_agent\_%';

-- Calls that went to people because something failed or was missing, not because somebody asked for a person.
CREATE VIEW ari_agent.v_ausfaelle AS
SELECT
    opened_at::date AS tag, reason AS grund, count(*) AS anrufe,
    count(DISTINCT date_trunc('minute', opened_at)) AS minuten, min(opened_at) AS erster, max(opened_at) AS letzter
FROM ari_agent.call
WHERE outcome = 'to-queue' AND NOT test
GROUP BY 1, 2;

-- Every fiftieth note, always the same ones, to be read and compared by people.
CREATE VIEW ari_agent.v_notizstichprobe AS
SELECT anruf, geschrieben, erzeugt_von, dringlichkeit
FROM ari_agent.v_notizen
WHERE mod(abs(hashtextextended(anruf::text, 0)), 50) = 0;

CREATE VIEW ari_agent.v_sicherungen AS
SELECT
    at AS zeitpunkt, CASE kind WHEN 'backup' THEN 'Sicherung' ELSE 'geprüfte Rücksicherung' END AS art, account AS konto
FROM ari_agent.backup_proof;

CREATE VIEW ari_agent.v_monatszahlen AS
SELECT month AS monat, outcome AS ergebnis, calls AS anrufe, round(seconds::numeric / 60, 1) AS minuten
FROM ari_agent.call_month;

-- For the metrics account: counts, and nothing that belongs to a call.
CREATE VIEW ari_agent.v_kennzahlen AS
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
    (SELECT max(at) FROM ari_agent.deletion WHERE cause = 'retention') AS letzter_loeschlauf;

COMMENT ON VIEW ari_agent.v_nummernluecken IS 'Lücken in den Nummern der Einträge; abgebrochenes Schreiben hinterlässt auch welche';
COMMENT ON VIEW ari_agent.v_unvollstaendig IS 'Anrufe, von denen ein Eintrag fehlt';
COMMENT ON VIEW ari_agent.v_ki_hinweis_fehlt IS 'Anrufe mit Gespräch, aber ohne vorherigen KI-Hinweis; soll leer sein';
COMMENT ON VIEW ari_agent.v_wortlaut IS 'Anrufe, deren Wortlaut gespeichert ist; Ton wird nie gespeichert';
COMMENT ON VIEW ari_agent.v_aufbewahrung IS 'Fristen je Datenart und wie viele Zeilen seit mehr als einem Tag gelöscht sein sollten';
COMMENT ON VIEW ari_agent.v_loeschungen IS 'Löschprotokoll: was wann aus welchem Anlass gelöscht wurde';
COMMENT ON VIEW ari_agent.v_betroffenenanfragen IS 'Anfragen betroffener Personen mit Frist und Stand';
COMMENT ON VIEW ari_agent.v_einsichten IS 'Wer mit ari-agent subject personenbezogene Daten suchte, ausgab oder löschte';
COMMENT ON VIEW ari_agent.v_server IS 'Einstellungen des Datenbankservers, die für die Prüfung zählen';
COMMENT ON VIEW ari_agent.v_anruf_versionen IS 'Welche Fassung von Wissen, Hinweis, Programm und Modell einen Anruf bediente';
COMMENT ON VIEW ari_agent.v_uebergaben IS 'Versuche, einen Menschen zu erreichen, mit Wartezeit und Rückruf';
COMMENT ON VIEW ari_agent.v_konten IS 'Konten des Datenbankservers mit ihren Sonderrechten';
COMMENT ON VIEW ari_agent.v_ausfaelle IS 'Anrufe, die an die Warteschlange gingen, je Tag und Grund';
COMMENT ON VIEW ari_agent.v_notizstichprobe IS 'Jede fünfzigste Notiz, zum Vergleich durch Menschen';
COMMENT ON VIEW ari_agent.v_sicherungen IS 'Gemeldete Sicherungen und geprüfte Rücksicherungen';
COMMENT ON VIEW ari_agent.v_monatszahlen IS 'Monatszahlen der Anrufe, deren Zeilen gelöscht sind';
COMMENT ON VIEW ari_agent.v_kennzahlen IS 'Zahlen für die Überwachung';
