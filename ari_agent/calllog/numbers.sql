-- Statements about sealed numbers; the rules of queries.sql hold here as well.

-- name: number_keys
SELECT id FROM ari_agent.number_key ORDER BY since, id

-- name: number_key_used
INSERT INTO ari_agent.number_key (id) VALUES (%(key)s) ON CONFLICT (id) DO NOTHING

-- name: number_keys_end
-- An old key is told of until nothing of it is left: no number, and no pseudonym of a number that was deleted in time.
DELETE FROM ari_agent.number_key AS k
WHERE
    NOT k.id = ANY(%(used)s::text [])
    AND EXISTS (
        SELECT FROM ari_agent.number_key AS later
        WHERE later.since > k.since AND later.since < now() - ari_agent.days_of('call')
    )

-- name: long_session
-- Counting every number takes longer than writing one entry may.
SELECT set_config('statement_timeout', '600000', false)

-- name: unsealed_count
SELECT
    ari_agent.unversiegelt() AS waiting,
    has_table_privilege('ari_agent.unsealed', 'DELETE') OR (SELECT pg_has_role(relowner, 'MEMBER')) AS may
FROM pg_class WHERE oid = 'ari_agent.unsealed'::regclass

-- name: unsealed_next
SELECT place, id, owner, number FROM ari_agent.unsealed ORDER BY place, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: unsealed_end
-- The file of an empty table is given back, and what stood in it with it.
TRUNCATE ari_agent.unsealed

-- name: seal_number
SELECT ari_agent.seal_number(
    %(place)s::text, %(id)s::uuid, %(was)s::bytea, %(number)s::bytea, %(digest)s::bytea
) AS done

-- name: sealed_counts
SELECT encode(substring(number FROM 2 FOR 4), 'hex') AS key, count(*) AS numbers
FROM (
    SELECT caller AS number FROM ari_agent.call WHERE caller IS NOT NULL
    UNION ALL SELECT number FROM ari_agent.task WHERE number IS NOT NULL
    UNION ALL SELECT number FROM ari_agent.contact WHERE number IS NOT NULL
    UNION ALL SELECT decode(sealed, 'hex') FROM ari_agent.correction, unnest(old || new) AS sealed
    WHERE field = 'number'
) AS sealed
GROUP BY key

-- name: sealed_call
-- What another key than the newest sealed, after one id.
SELECT 'call' AS place, id, id AS owner, caller AS number FROM ari_agent.call
WHERE id > %(after)s AND substring(caller FROM 2 FOR 4) <> %(key)s::bytea ORDER BY id LIMIT %(limit)s

-- name: sealed_task
SELECT 'task' AS place, id, id AS owner, number FROM ari_agent.task
WHERE id > %(after)s AND substring(number FROM 2 FOR 4) <> %(key)s::bytea ORDER BY id LIMIT %(limit)s

-- name: sealed_contact
SELECT 'contact' AS place, id, id AS owner, number FROM ari_agent.contact
WHERE id > %(after)s AND substring(number FROM 2 FOR 4) <> %(key)s::bytea ORDER BY id LIMIT %(limit)s

-- name: sealed_correction
-- All of them: there are few.
SELECT c.place, c.entry AS id, c.task AS owner, decode(c.sealed, 'hex') AS number
FROM (
    SELECT 'correction-old' AS place, entry, task, old[1] AS sealed FROM ari_agent.correction WHERE field = 'number'
    UNION ALL SELECT 'correction-new', entry, task, new[1] FROM ari_agent.correction WHERE field = 'number'
) AS c
WHERE c.entry > %(after)s AND substr(c.sealed, 3, 8) <> encode(%(key)s::bytea, 'hex')
ORDER BY c.entry
