-- Whether anything was recorded without consent is answered within a second for hundreds of thousands of recordings too:
-- all that the answer needs stands in two indexes in the same order.

SET LOCAL statement_timeout = 0;  -- indexes of a large log

CREATE INDEX event_consent_told ON ari_agent.event (call) INCLUDE (at, code, detail) WHERE kind = 'consent';
CREATE INDEX event_recording_told ON ari_agent.event (call) INCLUDE (at, code, detail) WHERE kind = 'recording';
DROP INDEX ari_agent.event_consent, ari_agent.event_recording;

CREATE OR REPLACE VIEW ari_agent.v_aufzeichnung_ohne_einwilligung AS
SELECT
    f.call AS anruf, f.aufzeichnung, f.at AS beginn,
    CASE
        WHEN f.erteilt IS NULL THEN 'keine Einwilligung'
        WHEN f.erteilt > f.at THEN 'vor der Einwilligung begonnen'
        ELSE 'trotz Widerruf aufbewahrt'
    END AS mangel
FROM (
    SELECT
        r.call, (r.detail ->> 'recording')::uuid AS aufzeichnung, r.at, c.widerrufen,
        CASE r.detail ->> 'kind' WHEN 'audio' THEN c.ton WHEN 'transcript' THEN c.mitschrift END AS erteilt
    FROM ari_agent.event AS r
    LEFT JOIN (
        SELECT
            call,
            min(at) FILTER (WHERE code = 'given' AND detail ->> 'scope' IN ('audio', 'audio+transcript')) AS ton,
            min(at) FILTER (WHERE code = 'given' AND detail ->> 'scope' IN ('transcript', 'audio+transcript'))
                AS mitschrift,
            max(at) FILTER (WHERE code = 'withdrawn') AS widerrufen
        FROM ari_agent.event
        WHERE kind = 'consent'
        GROUP BY call
    ) AS c ON c.call = r.call
    WHERE r.kind = 'recording' AND r.code = 'kept'
) AS f
WHERE f.erteilt IS NULL OR f.erteilt > f.at OR f.widerrufen IS NOT NULL
UNION ALL
SELECT r.call, r.id, r.at, 'nicht protokolliert'
FROM ari_agent.recording AS r
WHERE NOT EXISTS (
    SELECT FROM ari_agent.event AS e
    WHERE e.call = r.call AND e.kind = 'recording' AND e.code = 'kept' AND e.detail ->> 'recording' = r.id::text
);
