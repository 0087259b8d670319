-- Versions of what the company lets its callers know. Nothing is ever changed: the newest version is in force.

CREATE TABLE ari_agent.knowledge_version (
    -- Given by the writer as the number after the one that was looked at: of two at the same time one is refused.
    number integer PRIMARY KEY CHECK (number >= 1),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL CHECK (action IN ('import', 'suggest', 'rollback')),
    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 80),
    note text NOT NULL CHECK (length(note) <= 1000),
    restores integer REFERENCES ari_agent.knowledge_version CHECK ((restores IS NULL) = (action <> 'rollback')),
    sources jsonb NOT NULL CHECK (jsonb_typeof(sources) = 'array'),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    gate jsonb CHECK (jsonb_typeof(gate) = 'object'),
    passages integer NOT NULL CHECK (passages >= 1),
    added integer NOT NULL CHECK (added >= 0),
    changed integer NOT NULL CHECK (changed >= 0),
    removed integer NOT NULL CHECK (removed >= 0)
);

CREATE TABLE ari_agent.knowledge_passage (
    version integer NOT NULL REFERENCES ari_agent.knowledge_version,
    position integer NOT NULL CHECK (position >= 1),
    id text NOT NULL CHECK (id ~ '^[a-z0-9-]+$'),
    title text NOT NULL,
    text text NOT NULL CHECK (text <> ''),
    questions text [] NOT NULL,
    accepted text [] NOT NULL CHECK (accepted <@ questions),
    valid_from date,
    valid_until date CHECK (valid_until >= valid_from),
    audience text NOT NULL,
    source text NOT NULL,
    page integer CHECK (page >= 1),
    row integer CHECK (row >= 1),
    PRIMARY KEY (version, position),
    UNIQUE (version, id)
);

CREATE FUNCTION ari_agent.refuse_knowledge_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ari_agent.% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER knowledge_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.knowledge_version
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_knowledge_change();
CREATE TRIGGER knowledge_passage_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ari_agent.knowledge_passage
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.refuse_knowledge_change();

CREATE VIEW ari_agent.v_wissensstaende AS
SELECT
    number AS stand,
    at AS gespeichert,
    lead(at) OVER (ORDER BY number) AS gueltig_bis,
    CASE action
        WHEN 'import' THEN 'Einlesen von Dokumenten'
        WHEN 'suggest' THEN 'Annahme vorgeschlagener Fragen'
        WHEN 'rollback' THEN 'Rückkehr zu einem früheren Stand'
    END AS vorgang,
    restores AS wiederhergestellt,
    passages AS textstellen,
    added AS neu,
    changed AS geaendert,
    removed AS entfernt,
    sources AS dateien,
    sha256 AS pruefsumme
FROM ari_agent.knowledge_version;

COMMENT ON TABLE ari_agent.knowledge_version IS
'Ein Stand des Wissens je Zeile; der mit der höchsten Nummer gilt; nur Anfügen';
COMMENT ON COLUMN ari_agent.knowledge_version.number IS 'Laufende Nummer ohne Lücken, ab 1';
COMMENT ON COLUMN ari_agent.knowledge_version.at IS 'Zeitpunkt, von dem an der Stand gilt';
COMMENT ON COLUMN ari_agent.knowledge_version.action IS
'Vorgang als Code: import, suggest (vorgeschlagene Fragen angenommen), rollback';
COMMENT ON COLUMN ari_agent.knowledge_version.author IS 'Konto, das den Stand speicherte (personenbezogen)';
COMMENT ON COLUMN ari_agent.knowledge_version.note IS 'Bemerkung dessen, der ihn speicherte; kann Personen nennen';
COMMENT ON COLUMN ari_agent.knowledge_version.restores IS 'Bei rollback die Nummer des Standes, dem dieser gleicht';
COMMENT ON COLUMN ari_agent.knowledge_version.sources IS 'Namen der Dateien und SHA-256 ihres Inhalts';
COMMENT ON COLUMN ari_agent.knowledge_version.sha256 IS 'SHA-256 aller Textstellen des Standes';
COMMENT ON COLUMN ari_agent.knowledge_version.gate IS
'An den eigenen Fragen gemessene Schwelle, ab der geantwortet wird: engine, answer (leer: die übliche), reason';
COMMENT ON COLUMN ari_agent.knowledge_version.passages IS 'Anzahl der Textstellen';
COMMENT ON COLUMN ari_agent.knowledge_version.added IS 'Davon neu gegenüber dem vorigen Stand';
COMMENT ON COLUMN ari_agent.knowledge_version.changed IS 'Davon geändert gegenüber dem vorigen Stand';
COMMENT ON COLUMN ari_agent.knowledge_version.removed IS 'Anzahl der Textstellen des vorigen Standes, die es nicht mehr gibt';

COMMENT ON TABLE ari_agent.knowledge_passage IS 'Eine Textstelle eines Standes je Zeile, wie Anrufer sie hören; nur Anfügen';
COMMENT ON COLUMN ari_agent.knowledge_passage.version IS 'Nummer des Standes';
COMMENT ON COLUMN ari_agent.knowledge_passage.position IS 'Stelle in der Reihenfolge der Dokumente, ab 1';
COMMENT ON COLUMN ari_agent.knowledge_passage.id IS 'Kennung, aus der Überschrift gebildet; in turn.source genannt';
COMMENT ON COLUMN ari_agent.knowledge_passage.title IS 'Überschrift';
COMMENT ON COLUMN ari_agent.knowledge_passage.text IS 'Was gesagt wird, Zahlen und Abkürzungen in Worten';
COMMENT ON COLUMN ari_agent.knowledge_passage.questions IS 'Fragen, mit denen Anrufer danach fragen';
COMMENT ON COLUMN ari_agent.knowledge_passage.accepted IS 'Davon vom Sprachmodell vorgeschlagen und von einem Menschen angenommen';
COMMENT ON COLUMN ari_agent.knowledge_passage.valid_from IS 'Erster Tag, an dem es gesagt werden darf';
COMMENT ON COLUMN ari_agent.knowledge_passage.valid_until IS 'Letzter Tag, an dem es gesagt werden darf';
COMMENT ON COLUMN ari_agent.knowledge_passage.audience IS 'Zielgruppe; was nicht für Anrufer ist, wird nie gesagt';
COMMENT ON COLUMN ari_agent.knowledge_passage.source IS 'Name der Datei';
COMMENT ON COLUMN ari_agent.knowledge_passage.page IS 'Seite der Datei';
COMMENT ON COLUMN ari_agent.knowledge_passage.row IS 'Zeile der Datei oder der Tabelle';

COMMENT ON FUNCTION ari_agent.refuse_knowledge_change IS 'Lehnt jede Änderung ab';
COMMENT ON VIEW ari_agent.v_wissensstaende IS
'Stände des Wissens für die Prüfung: wann sie galten, woraus sie entstanden; ohne Namen von Personen';
