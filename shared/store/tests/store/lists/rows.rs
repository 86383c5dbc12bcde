//! A table with many tasks of several tenants, and what they are filtered by.

use sqlx::PgPool;

const TENANTS: i64 = 4;

/// Rows of several tenants. Most old tasks are completed and were not changed since; else each
/// column is on its own. Some values are rare.
const ROWS: &str = "
    INSERT INTO tasks (tenant, id, title, status, priority, assignee, due_date, tags, version,
        created_at, updated_at)
    SELECT 'tenant-' || floor(random() * $2), gen_random_uuid(),
        format('%s %s for %s%s', (ARRAY['Write', 'Check', 'Send', 'Quarterly'])[ceil(random() * 4)],
            CASE WHEN random() < 0.0001 THEN 'needle QA' ELSE
                (ARRAY['report', 'invoice', 'slides', 'PR', 'offer'])[ceil(random() * 5)] END,
            'customer ' || floor(random() * 1000),
            CASE WHEN random() < 0.1 THEN '会議の準備' WHEN random() < 0.0001 THEN '水' ELSE '' END),
        CASE WHEN random() < 0.01 THEN 'cancelled' WHEN n < (0.7 + 0.1 * random()) * $1 THEN 'completed'
            ELSE 'open' END,
        CASE WHEN random() < 0.8 THEN 'normal' WHEN random() < 0.9 THEN 'high'
            WHEN random() < 0.9 THEN 'low' ELSE 'urgent' END,
        CASE WHEN random() < 0.8 THEN 'user-' || floor(random() * 500) END,
        CASE WHEN random() < 0.6 THEN date '2026-01-01' + floor(random() * 365)::int END,
        CASE WHEN random() < 0.0005 THEN ARRAY['rare']
            ELSE ARRAY['tag-' || floor(random() * 50)] END,
        1,
        timestamptz '2026-01-01' + interval '1 year' * n / $1,
        timestamptz '2026-01-01' + interval '1 year' * n / $1 - interval '1 week' * ln(random())
    FROM generate_series(1, $1) AS n";

/// Values of each filter, in the order of the statements' parameters: common, rare and absent ones.
const FILTERS: [&[&str]; 8] = [
    &["{open}", "{completed}", "{cancelled}"],
    &["user-7", "nobody"],
    &["tag-7", "rare", "none"],
    &["low", "normal", "high", "urgent"],
    &["2026-01-03", "2026-06-01", "2027-01-01"],
    &["2026-12-29", "2026-06-01", "2025-01-01"],
    &["2026-12-30", "2026-06-01", "2025-01-01"],
    &[
        "%quarterly%",
        "%needle%",
        "%report for%",
        "%none such%",
        "PR",
        "QA",
        "7",
        "zq",
        "の",
        "会議",
        "水",
        "雨",
    ],
];
/// The place of the priority among the filters.
pub(super) const PRIORITY: usize = 3;
/// The place of the text in the title.
pub(super) const TITLE: usize = 7;
/// The one filter that is never left out.
const EVERY_STATUS: &str = "{open,completed,cancelled}";

/// The values of `$2` to `$9`, the last of which stands for `$9` to `$12`.
pub(super) type Filter = [Option<&'static str>; 8];

/// Fills the table and lets PostgreSQL analyze it.
pub(super) async fn fill(owner: &PgPool, rows: i64) {
    insert(owner, rows).await;
    sqlx::query("VACUUM (ANALYZE) tasks").execute(owner).await.expect("statistics");
}

/// Inserts rows, which are the same each time but for their identifiers.
pub(super) async fn insert(owner: &PgPool, rows: i64) {
    let mut owner = owner.acquire().await.expect("a connection");
    sqlx::query("SELECT setseed(0.5)").execute(&mut *owner).await.expect("a seed");
    let insert = sqlx::query(ROWS).bind(rows).bind(TENANTS);
    insert.execute(&mut *owner).await.expect("rows");
}

/// No filter, each with each of its values, and each two with their first values; of titles with the
/// first of each kind of search.
pub(super) fn filters() -> Vec<Filter> {
    let none: Filter = [Some(EVERY_STATUS), None, None, None, None, None, None, None];
    let mut filters = vec![none];
    for (place, values) in FILTERS.iter().enumerate() {
        for value in *values {
            let mut filter = none;
            filter[place] = Some(value);
            filters.push(filter);
        }
        for (other, values) in FILTERS.iter().enumerate().skip(place + 1) {
            for value in values.iter().step_by(4) {
                let mut filter = none;
                filter[place] = FILTERS[place].first().copied();
                filter[other] = Some(value);
                filters.push(filter);
            }
        }
    }
    filters
}
