//! Which letters the database knows. The database's locale says so, and cannot be changed afterwards.
//!
//! In the locale `C` a letter is one of ASCII: a search would not find `É` by `é`, and the index of
//! titles would know no word of another script, so that such a search would read all of a tenant's.

use anyhow::{Context as _, bail};
use sqlx::postgres::PgConnection;

const MEND: &str = "make the database by CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8' \
                    LC_CTYPE 'C.UTF-8' (or another UTF-8 locale of the server)";

/// Refuses a new database whose letters are not those of Unicode. One that is in use is left as it is.
pub(super) async fn check(connection: &mut PgConnection) -> anyhow::Result<()> {
    let database = sqlx::query!(
        r#"
        -- no tenant's
        SELECT datctype AS "locale!",
            pg_encoding_to_char(encoding) = 'UTF8' AND datctype NOT IN ('C', 'POSIX')
                AND 'É' ILIKE 'é' AS "is_unicode!",
            to_regclass('public.tasks') IS NULL AS "is_new!"
        FROM pg_database WHERE datname = current_database()
        "#
    );
    let database = database.fetch_one(connection).await.context("reading the database's locale")?;
    let locale = database.locale;
    if database.is_unicode {
        return Ok(());
    }
    if database.is_new {
        bail!("the locale {locale} of this database has no letters but those of ASCII: {MEND}");
    }
    tracing::warn!(
        locale,
        "the database knows letters of ASCII only: searches for others are slow, and do not fold case"
    );
    Ok(())
}
