//! The limits of the database are those of the domain.

use domain::limits;

use crate::fixture::Fixture;

/// Asserts that one of the constraints is a check of this expression.
fn assert_stated(constraints: &str, expression: &str) {
    let expected = format!("CHECK (({expression}))");
    assert!(constraints.lines().any(|line| line == expected), "{expected}\n{constraints}");
}

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
        assert_stated(&constraints, &format!("{member} <= {limit}"));
    }
}

#[tokio::test]
async fn the_constraints_of_attachments_do_too() {
    let fixture = Fixture::new().await;
    let constraints = fixture
        .look(
            "SELECT string_agg(pg_get_constraintdef(oid), E'\n' ORDER BY conname)
             FROM pg_constraint WHERE conrelid = 'attachments'::regclass AND contype = 'c'",
        )
        .await;
    for (member, limit) in [
        ("char_length(tenant)", limits::TENANT_MAX),
        ("char_length(name)", limits::ATTACHMENT_NAME_MAX),
        ("char_length(content_type)", limits::CONTENT_TYPE_MAX),
    ] {
        assert_stated(&constraints, &format!("{member} <= {limit}"));
    }
    let (most, bytes) = (limits::ATTACHMENTS_MAX, limits::ATTACHMENT_BYTES_MAX);
    assert_stated(&constraints, &format!("(place >= 1) AND (place <= {most})"));
    assert_stated(&constraints, &format!("(size_bytes >= 1) AND (size_bytes <= {bytes})"));
}
