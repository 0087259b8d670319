-- Statements about the chain of events; the rules of queries.sql hold here as well.

-- name: chain_head
SELECT chain.id, chain.first, encode(chain.before, 'hex') AS before, last.number, encode(last.hash, 'hex') AS hash
FROM ari_agent.chain
LEFT JOIN (SELECT number, hash FROM ari_agent.event ORDER BY number DESC LIMIT 1) AS last ON true

-- name: chain_hash
SELECT encode(hash, 'hex') AS hash FROM ari_agent.event WHERE number = %(number)s

-- name: chain_faults
SELECT nummer AS number, befund AS finding FROM ari_agent.kette_fehler(%(first)s::bigint, %(last)s::bigint)

-- name: seal_faults
SELECT nummer AS number, befund AS finding FROM ari_agent.siegel_fehler(%(first)s::bigint, %(last)s::bigint)

-- name: correction_faults
SELECT nummer AS number, befund AS finding FROM ari_agent.korrektur_fehler(%(first)s::bigint, %(last)s::bigint)

-- name: seal_counts
SELECT count(*) AS sealed, count(*) FILTER (WHERE personenbezogene_daten = 'gelöscht') AS erased FROM ari_agent.v_siegel
WHERE nummer BETWEEN %(first)s AND %(last)s

-- name: anchor_keep
INSERT INTO ari_agent.anchor (number, hash, at, key, signature)
VALUES (%(number)s, decode(%(hash)s, 'hex'), %(at)s::timestamptz, %(key)s, %(signature)s)
ON CONFLICT DO NOTHING

-- name: chain_forgotten
SELECT recorded_at FROM ari_agent.event
WHERE kind = 'system' AND code = 'events-forgotten' AND detail ->> 'last' = %(number)s::text
ORDER BY number DESC LIMIT 1

-- name: anchors_at
SELECT number, encode(hash, 'hex') AS hash, at, key, signature FROM ari_agent.anchor WHERE number = %(number)s
