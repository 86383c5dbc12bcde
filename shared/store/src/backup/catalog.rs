//! What a schema has beside its rows, as one line for each thing.
//!
//! By names, and not as PostgreSQL prints a definition: that differs between its versions.

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;

/// Constraints, indexes, triggers, policies, row-level security, owners and rights.
pub(super) async fn objects(connection: &mut PgConnection) -> Result<Vec<String>> {
    let objects = sqlx::query_scalar!(
        r#"
        -- no tenant's
        WITH relations AS (
            SELECT pg_class.oid, relname, relkind, relowner, relacl, relrowsecurity
            FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = 'public'
        )
        -- Since version 18, columns that are NOT NULL have constraints of their own.
        SELECT format('constraint %s of %s', conname, relname) AS "object!"
        FROM pg_constraint JOIN relations ON relations.oid = conrelid
        WHERE contype <> 'n'
        UNION ALL
        SELECT format('index %s of %s', indexes.relname, relations.relname)
        FROM pg_index JOIN relations ON relations.oid = indrelid
        JOIN pg_class AS indexes ON indexes.oid = indexrelid
        UNION ALL
        SELECT format('trigger %s of %s', tgname, relname)
        FROM pg_trigger JOIN relations ON relations.oid = tgrelid
        WHERE NOT tgisinternal AND tgenabled <> 'D'
        UNION ALL
        SELECT format('policy %s of %s: %s for %s using %s', policyname, tablename, permissive,
            array_to_string(roles, ','), coalesce(qual, 'none'))
        FROM pg_policies WHERE schemaname = 'public'
        UNION ALL
        SELECT format('row-level security of %s', relname) FROM relations WHERE relrowsecurity
        UNION ALL
        SELECT format('%s belongs to %s', relname, pg_get_userbyid(relowner))
        FROM relations WHERE relkind IN ('r', 'p', 'v', 'S')
        UNION ALL
        -- What the owner may is its own affair, and more in a newer version.
        SELECT format('%s may %s on %s', pg_get_userbyid(grantee), privilege_type, relname)
        FROM relations, aclexplode(relacl) WHERE grantee <> relowner
        UNION ALL
        SELECT format('%s may %s column %s of %s', pg_get_userbyid(grantee), privilege_type,
            attname, relname)
        FROM pg_attribute JOIN relations ON relations.oid = attrelid, aclexplode(attacl)
        ORDER BY 1
        "#
    );
    objects.fetch_all(connection).await.context("listing constraints, policies and rights")
}

/// The roles that the schema's rights name: they belong to a server, and are in no dump.
pub(super) async fn roles(connection: &mut PgConnection) -> Result<Vec<String>> {
    let roles = sqlx::query_scalar!(
        r#"
        -- no tenant's
        SELECT rolname::text AS "role!" FROM pg_roles
        WHERE rolname ~ '^task_app_[a-z_]+$' AND NOT rolcanlogin
        ORDER BY rolname
        "#
    );
    roles.fetch_all(connection).await.context("listing the roles")
}

/// Relations that this user would dump without all of their rows, or not at all.
pub(super) async fn unreadable(connection: &mut PgConnection) -> Result<Vec<String>> {
    let unreadable = sqlx::query_scalar!(
        r#"
        -- no tenant's
        SELECT relname::text AS "name!"
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind IN ('r', 'p', 'S') AND (
            NOT has_table_privilege(pg_class.oid, 'SELECT')
            OR row_security_active(pg_class.oid) AND (
                NOT EXISTS (
                    SELECT FROM pg_policy
                    WHERE polrelid = pg_class.oid AND polpermissive AND polcmd IN ('r', '*')
                    AND pg_get_expr(polqual, polrelid) = 'true'
                    AND EXISTS (
                        SELECT FROM unnest(polroles) AS role
                        WHERE role = 0 OR pg_has_role(role, 'USAGE')
                    )
                )
                OR EXISTS (
                    SELECT FROM pg_policy
                    WHERE polrelid = pg_class.oid AND NOT polpermissive AND polcmd IN ('r', '*')
                )
            )
        )
        ORDER BY relname
        "#
    );
    unreadable.fetch_all(connection).await.context("looking at the rights of this user")
}
