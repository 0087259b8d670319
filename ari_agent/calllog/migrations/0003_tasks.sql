-- What a person has to do after a call, and what became of the call. Both go with the call's row when it is erased.

CREATE TABLE ari_agent.task (
    id uuid PRIMARY KEY,
    call uuid NOT NULL REFERENCES ari_agent.call ON DELETE CASCADE,
    taken_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('callback', 'message')),
    caller_name text CHECK (length(caller_name) <= 200),
    number text CHECK (length(number) <= 80),
    company text CHECK (length(company) <= 200),
    email text CHECK (length(email) <= 254),
    recipient text CHECK (length(recipient) <= 200),
    matter text CHECK (length(matter) <= 2000),
    earliest timestamptz,
    latest timestamptz,
    due timestamptz,
    urgency text NOT NULL CHECK (urgency IN ('low', 'normal', 'high')),
    intent text CHECK (intent ~ '^[A-Za-z0-9_-]{1,40}$'),
    reason text CHECK (reason ~ '^[A-Za-z0-9._:/+-]{1,80}$'),
    complete boolean NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    done_at timestamptz,
    done_by text CHECK (length(done_by) <= 80),
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK (state = 'done' OR done_by IS NULL)
);

-- Erasing a call looks for its tasks; the list of what is open is read in the order of what is due.
CREATE INDEX task_call ON ari_agent.task (call);
CREATE INDEX task_open ON ari_agent.task (due) WHERE state = 'open';

-- When a callback is late: after the end of the time the caller wished, else an hour after it could be made.
CREATE FUNCTION ari_agent.frist(faellig timestamptz, gewuenscht_bis timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN gewuenscht_bis > faellig THEN gewuenscht_bis ELSE faellig + interval '1 hour' END;

CREATE TABLE ari_agent.note (
    call uuid PRIMARY KEY REFERENCES ari_agent.call ON DELETE CASCADE,
    written_at timestamptz NOT NULL,
    who text NOT NULL CHECK (length(who) <= 500),
    about text[] NOT NULL CHECK (cardinality(about) <= 100 AND length(about::text) <= 20000),
    agreed text[] NOT NULL CHECK (cardinality(agreed) <= 100 AND length(agreed::text) <= 20000),
    open text[] NOT NULL CHECK (cardinality(open) <= 100 AND length(open::text) <= 20000),
    urgency text NOT NULL CHECK (urgency IN ('low', 'normal', 'high')),
    ai_generated boolean NOT NULL DEFAULT true,
    made_by text NOT NULL CHECK (length(made_by) BETWEEN 1 AND 200)
);

ALTER TABLE ari_agent.event
    DROP CONSTRAINT event_kind_check,
    ADD CONSTRAINT event_kind_check CHECK (
        kind IN (
            'opened', 'answered', 'disclosed', 'turn', 'escalated', 'noted', 'task', 'note', 'closed', 'refused'
        )
    );

-- For checking whether callbacks are kept: neither names nor words, and no employee's name either.
CREATE VIEW ari_agent.v_rueckrufe AS
SELECT
    id AS aufgabe,
    call AS anruf,
    taken_at AS aufgenommen,
    CASE kind WHEN 'callback' THEN 'Rückruf' WHEN 'message' THEN 'Nachricht' END AS art,
    coalesce(ari_agent.gekuerzt(number), 'keine') AS rufnummer,
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
FROM ari_agent.task;

-- That there is a note, what made it and how much it holds: its lines name people and matters.
CREATE VIEW ari_agent.v_notizen AS
SELECT
    call AS anruf,
    written_at AS geschrieben,
    ai_generated AS ki_erzeugt,
    made_by AS erzeugt_von,
    CASE urgency WHEN 'low' THEN 'niedrig' WHEN 'normal' THEN 'normal' WHEN 'high' THEN 'hoch' END AS dringlichkeit,
    cardinality(about) AS themen,
    cardinality(agreed) AS vereinbart,
    cardinality(open) AS offen
FROM ari_agent.note;

COMMENT ON TABLE ari_agent.task IS 'Rückrufe und Nachrichten, die Anrufer hinterlassen haben (personenbezogen)';
COMMENT ON COLUMN ari_agent.task.id IS 'Kennung der Aufgabe';
COMMENT ON COLUMN ari_agent.task.call IS 'Kennung des Anrufs; wird er gelöscht, geht die Aufgabe mit';
COMMENT ON COLUMN ari_agent.task.taken_at IS 'Zeitpunkt der Aufnahme';
COMMENT ON COLUMN ari_agent.task.kind IS 'Art: callback (Rückruf), message (Nachricht)';
COMMENT ON COLUMN ari_agent.task.caller_name IS 'Name des Anrufers (personenbezogen); leer, wenn nicht genannt';
COMMENT ON COLUMN ari_agent.task.number IS 'Rufnummer für den Rückruf, E.164 (personenbezogen); leer, wenn nicht genannt';
COMMENT ON COLUMN ari_agent.task.company IS 'Firma des Anrufers (personenbezogen); leer, wenn nicht genannt';
COMMENT ON COLUMN ari_agent.task.email IS 'E-Mail-Adresse (personenbezogen); leer, wenn nicht genannt';
COMMENT ON COLUMN ari_agent.task.recipient IS 'Für wen, in den Worten des Anrufers (personenbezogen); leer: für alle';
COMMENT ON COLUMN ari_agent.task.matter IS 'Worum es geht, wie es verstanden wurde (personenbezogen)';
COMMENT ON COLUMN ari_agent.task.earliest IS 'Gewünschter Rückruf ab';
COMMENT ON COLUMN ari_agent.task.latest IS 'Gewünschter Rückruf bis; leer: jederzeit danach';
COMMENT ON COLUMN ari_agent.task.due IS 'Ab wann das Unternehmen zurückruft, innerhalb seiner Öffnungszeiten; leer: keine Zeit genannt';
COMMENT ON COLUMN ari_agent.task.urgency IS 'Dringlichkeit: low, normal, high';
COMMENT ON COLUMN ari_agent.task.intent IS 'Anliegen aus dem Verzeichnis der Einstellungen';
COMMENT ON COLUMN ari_agent.task.reason IS 'Grund als Code, warum ein Mensch gebraucht wird';
COMMENT ON COLUMN ari_agent.task.complete IS 'Falsch, wenn der Anrufer vor dem Ende der Aufnahme abbrach';
COMMENT ON COLUMN ari_agent.task.state IS 'Stand: open (offen), done (erledigt)';
COMMENT ON COLUMN ari_agent.task.done_at IS 'Zeitpunkt der Erledigung';
COMMENT ON COLUMN ari_agent.task.done_by IS 'Wer die Aufgabe erledigt hat, wenn angegeben (personenbezogen)';

COMMENT ON TABLE ari_agent.note IS 'Notiz zum Anruf, von der KI aus Formularen und Entscheidungen zusammengestellt (personenbezogen)';
COMMENT ON COLUMN ari_agent.note.call IS 'Kennung des Anrufs; wird er gelöscht, geht die Notiz mit';
COMMENT ON COLUMN ari_agent.note.written_at IS 'Zeitpunkt der Notiz';
COMMENT ON COLUMN ari_agent.note.who IS 'Wer anrief (personenbezogen)';
COMMENT ON COLUMN ari_agent.note.about IS 'Worum es ging (personenbezogen)';
COMMENT ON COLUMN ari_agent.note.agreed IS 'Was vereinbart wurde (personenbezogen)';
COMMENT ON COLUMN ari_agent.note.open IS 'Was offen blieb (personenbezogen)';
COMMENT ON COLUMN ari_agent.note.urgency IS 'Höchste Dringlichkeit des Anrufs: low, normal, high';
COMMENT ON COLUMN ari_agent.note.ai_generated IS 'Von der KI erzeugt, bitte prüfen';
COMMENT ON COLUMN ari_agent.note.made_by IS 'Programm und Modell mit Version, die die Notiz erzeugt haben';

COMMENT ON COLUMN ari_agent.event.kind IS
'Art des Eintrags; task: Rückruf oder Nachricht aufgenommen oder erledigt; note: Notiz geschrieben; refused: die Datenbank lehnte einen Eintrag ab, code nennt seine Art';

COMMENT ON FUNCTION ari_agent.frist IS 'Bis wann ein Rückruf geschehen sein soll; leer, wenn keine Zeit genannt ist';
COMMENT ON VIEW ari_agent.v_rueckrufe IS 'Rückrufe und Nachrichten für die Prüfung; Rufnummern gekürzt, ohne Namen und Wortlaut';
COMMENT ON VIEW ari_agent.v_notizen IS 'Notizen für die Prüfung: dass und womit sie erzeugt wurden, ohne Inhalt';
