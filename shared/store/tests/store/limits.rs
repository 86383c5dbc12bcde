//! The limits of the database are those of the domain.

use domain::limits;

use crate::fixture::Fixture;

#[tokio::test]
async fn the_constraints_state_the_limits_of_the_domain() {
    let fixture = Fixture::new().await;
    let constraints = fixture
        .look(
            "SELECT string_agg(pg_get_constraintdef(oid), E'\n' ORDER BY conname)
             FROM pg_constraint WHERE conrelid = 'tasks'::regclass AND contype = 'c'",
        )
        .await;
    for (member, limit) in [
        ("char_length(tenant)", limits::TENANT_MAX),
        ("char_length(title)", limits::TITLE_MAX),
        ("char_length(description)", limits::DESCRIPTION_MAX),
        ("char_length(assignee)", limits::ASSIGNEE_MAX),
        ("cardinality(tags)", limits::TAGS_MAX),
    ] {
        let expected = format!("CHECK (({member} <= {limit}))");
        assert!(constraints.lines().any(|line| line == expected), "{expected}\n{constraints}");
    }
}
