-- Tasks of 50 tenants, $1 of them, over a year; three quarters are completed. Of each tenant, every fourth
-- title has a word, and as many as fill a page have another one, however many tasks there are.
INSERT INTO tasks (
    tenant, id, title, description, status, priority, assignee, due_date, tags, version,
    created_at, updated_at, completed_at
)
SELECT
    CASE number % 50 WHEN 0 THEN 'bench' ELSE 'tenant-' || number % 50 END,
    id,
    concat_ws(
        ' ', 'Water plant', number % 1000, 'of room', number % 77,
        CASE WHEN number / 50 % 4 = 3 THEN 'quarterly' END,
        CASE WHEN number / 50 % greatest($1 / 50 / 60, 1) = 1 THEN 'needle' END
    ),
    'Two litres, and not too fast',
    CASE WHEN number < $1 * 0.75 THEN 'completed' ELSE 'open' END,
    CASE WHEN number / 50 % 5 < 2 THEN 'high' ELSE 'normal' END,
    'person-' || number % 200 || '@example.org',
    date '2026-01-01' + (number % 365)::integer,
    ARRAY['home', 'garden'],
    1,
    created_at,
    created_at,
    CASE WHEN number < $1 * 0.75 THEN created_at END
FROM (
    SELECT
        number,
        created_at,
        -- As UUIDs of version 7 are: in the order of their time.
        (
            lpad(to_hex((extract(EPOCH FROM created_at) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text), 4, 15)
        )::uuid AS id
    FROM (
        SELECT number, now() - interval '1 year' * ($1 - number) / $1 AS created_at
        FROM generate_series(1, $1) AS number
    ) AS numbered
) AS identified
