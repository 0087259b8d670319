-- Statements about exports and imports. Names in braces are put in by psycopg, quoted: one statement serves all tables.

-- name: transfer_whole
-- An export of half the rows would be worse than none: where a policy would leave some out, Postgres raises an error.
SELECT set_config('row_security', 'off', true), set_config('statement_timeout', '600000', true)

-- name: transfer_refused
-- What the account may not read, or write, of all that is asked for.
SELECT c.relname AS name FROM pg_class AS c
WHERE
    c.relnamespace = 'ari_agent'::regnamespace
    AND (
        (c.relname = ANY(%(tables)s::text []) AND NOT has_table_privilege(c.oid, %(right)s))
        OR (c.relname = 'transfer' AND NOT has_table_privilege(c.oid, 'INSERT'))
    )
ORDER BY c.relname

-- name: transfer_begun
INSERT INTO ari_agent.transfer (action, what, rows, person)
VALUES (%(action)s, %(what)s::text [], %(rows)s, %(person)s)

-- name: transfer_calls
-- The calls of what is exported.
SELECT {columns} FROM ari_agent.call AS t
WHERE
    (
        %(notes)s::boolean
        AND (
            EXISTS (SELECT FROM ari_agent.note AS n WHERE n.call = t.id)
            OR EXISTS (SELECT FROM ari_agent.task AS k WHERE k.call = t.id)
        )
    )
    OR (%(turns)s::boolean AND EXISTS (SELECT FROM ari_agent.turn AS u WHERE u.call = t.id))
ORDER BY {key}

-- name: transfer_rows
SELECT {columns} FROM {table} AS t ORDER BY {key}

-- name: transfer_known
-- The rows that are there already under the keys of these.
SELECT {columns} FROM {table} AS t
INNER JOIN jsonb_populate_recordset(NULL::{table}, %(rows)s) AS r ON ({key}) = ({key_given})

-- name: transfer_put
INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %(rows)s)
