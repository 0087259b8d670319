-- Whom the company knows, by calling number.

CREATE TABLE ari_agent.contact (
    number text PRIMARY KEY CHECK (number ~ '^\+[1-9][0-9]{3,14}$'),
    name text NOT NULL DEFAULT '' CHECK (length(name) <= 120),
    company text NOT NULL DEFAULT '' CHECK (length(company) <= 120),
    route text NOT NULL DEFAULT 'ai' CHECK (route IN ('ai', 'vip', 'blocked')),
    target text CHECK (target ~ '^[A-Za-z0-9_-]{1,40}$'),
    imported_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 200)
);

-- Controllers hold the contacts in memory and look again when told so, whoever has changed them and by what means.
CREATE FUNCTION ari_agent.tell_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ari_agent_contact', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER contact_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ari_agent.contact
FOR EACH STATEMENT EXECUTE FUNCTION ari_agent.tell_contacts();

COMMENT ON TABLE ari_agent.contact IS
'Bekannte Anrufer, eine Rufnummer je Zeile (personenbezogen); die Rufnummer beweist nicht, wer anruft';
COMMENT ON COLUMN ari_agent.contact.number IS 'Rufnummer nach E.164, etwa +4989123456';
COMMENT ON COLUMN ari_agent.contact.name IS 'Name; leer, wenn unbekannt oder mehrere die Rufnummer nutzen';
COMMENT ON COLUMN ari_agent.contact.company IS 'Firma; leer, wenn keine bekannt ist';
COMMENT ON COLUMN ari_agent.contact.route IS
'Behandlung: ai = wie jeder Anrufer, vip = ohne KI zu einem Menschen, blocked = wird abgewiesen';
COMMENT ON COLUMN ari_agent.contact.target IS 'Zuständige Stelle aus den Einstellungen (escalation.targets); leer: keine';
COMMENT ON COLUMN ari_agent.contact.imported_at IS 'Zeitpunkt der letzten Übernahme oder Änderung';
COMMENT ON COLUMN ari_agent.contact.source IS
'Herkunft: Name der eingelesenen Datei, oder "von Hand"; von Hand Gesetztes ändert keine Datei';
COMMENT ON FUNCTION ari_agent.tell_contacts IS 'Meldet den Controllern, dass sich Kontakte geändert haben';
