-- Statements about contacts. Each begins with a line "-- name: x"; parameters are %(name)s.

-- name: contacts
SELECT number, name, company, route, target, imported_at, source FROM ari_agent.contact ORDER BY number

-- name: contacts_lock
-- Until the end of the transaction nobody else changes contacts; controllers go on reading them.
LOCK TABLE ari_agent.contact IN SHARE ROW EXCLUSIVE MODE

-- name: contacts_put
INSERT INTO ari_agent.contact (number, name, company, route, target, source)
SELECT * FROM unnest(
    %(numbers)s::text[], %(names)s::text[], %(companies)s::text[], %(routes)s::text[], %(targets)s::text[],
    %(sources)s::text[]
)
ON CONFLICT (number) DO UPDATE SET
    name = EXCLUDED.name, company = EXCLUDED.company, route = EXCLUDED.route, target = EXCLUDED.target,
    source = EXCLUDED.source, imported_at = now()

-- name: contacts_remove
DELETE FROM ari_agent.contact WHERE number = ANY(%(numbers)s::text[]) RETURNING number

-- name: contacts_print
-- A fingerprint: it differs when any contact does. In the order of nothing, so that nothing is sorted.
SELECT count(*) AS contacts, sum(hashtextextended(c::text, 0)::numeric) AS print FROM ari_agent.contact AS c

-- name: contacts_listen
LISTEN ari_agent_contact
