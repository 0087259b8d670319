-- Statements about contacts. Each begins with a line "-- name: x"; parameters are %(name)s.

-- name: contacts
SELECT id, number, digest, name, company, route, target, imported_at, source FROM ari_agent.contact

-- name: contacts_lock
-- Until the end of the transaction nobody else changes contacts; controllers go on reading them.
LOCK TABLE ari_agent.contact IN SHARE ROW EXCLUSIVE MODE

-- name: contacts_put
-- Whoever is there already keeps id and sealed number: a number is sealed for the row that it stands in.
INSERT INTO ari_agent.contact (id, number, digest, name, company, route, target, source)
SELECT * FROM unnest(
    %(ids)s::uuid[], %(numbers)s::bytea[], %(digests)s::bytea[], %(names)s::text[], %(companies)s::text[],
    %(routes)s::text[], %(targets)s::text[], %(sources)s::text[]
)
ON CONFLICT (digest) DO UPDATE SET
    name = EXCLUDED.name, company = EXCLUDED.company, route = EXCLUDED.route, target = EXCLUDED.target,
    source = EXCLUDED.source, imported_at = now()

-- name: contacts_remove
DELETE FROM ari_agent.contact WHERE digest = ANY(%(digests)s::bytea[]) RETURNING id

-- name: contacts_print
-- A fingerprint: it differs when any contact does. In the order of nothing, so that nothing is sorted.
SELECT count(*) AS contacts, sum(hashtextextended(c::text, 0)::numeric) AS print FROM ari_agent.contact AS c

-- name: contacts_listen
LISTEN ari_agent_contact
