-- Statements about retention, persons' requests and proofs.

-- name: backup_report
INSERT INTO ari_agent.backup_proof (at, kind) VALUES (%(at)s, %(kind)s) RETURNING number
