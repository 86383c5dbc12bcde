//! What belongs together, and how much is kept.

use super::*;

fn dead_letter(number: i64, reason: &str, detail: &str) -> Summary {
    Summary {
        message_id: number.to_string(),
        sent_at: DateTime::from_timestamp(number, 0),
        moved_by: Some(MovedBy::Handler),
        reason: Some(reason.to_owned()),
        detail: Some(detail.to_owned()),
        ..Summary::example()
    }
}

#[test]
fn one_cause_is_one_group_with_the_first_and_the_last_time() {
    let mut groups = Counted::default();
    for (number, reason) in [(5, "a"), (3, "b"), (9, "b"), (7, "b")] {
        groups.add(dead_letter(number, reason, &format!("column {number}")));
    }
    let groups = groups.sorted();
    let found: Vec<_> = groups.iter().map(|g| (g.cause.reason.as_deref(), g.count)).collect();
    assert_eq!(found, [(Some("b"), 3), (Some("a"), 1)]);
    let time = |seconds| DateTime::from_timestamp(seconds, 0);
    assert_eq!((groups[0].first_sent_at, groups[0].last_sent_at), (time(3), time(9)));
    assert_eq!(groups[0].cause.fingerprint.as_deref(), Some("column #"));
    let sample = Sample { message_id: "3".to_owned(), detail: Some("column 3".to_owned()) };
    assert_eq!(groups[0].sample, sample);
}

#[test]
fn what_sqs_moved_and_what_somebody_sent_without_a_reason_are_two_groups() {
    let mut groups = Counted::default();
    for moved_by in [Some(MovedBy::Sqs), None, Some(MovedBy::Sqs)] {
        groups.add(Summary { moved_by, ..Summary::example() });
    }
    let groups = groups.sorted();
    let found: Vec<_> = groups.iter().map(|group| (group.cause.moved_by, group.count)).collect();
    assert_eq!(found, [(Some(MovedBy::Sqs), 2), (None, 1)]);
}

#[test]
fn there_are_no_more_groups_than_fit_into_memory() {
    let mut groups = Counted::default();
    for number in 0..=MOST_GROUPS {
        groups.add(dead_letter(0, &number.to_string(), ""));
    }
    groups.add(dead_letter(0, "0", ""));
    assert_eq!((groups.groups.len(), groups.ungrouped), (MOST_GROUPS, 1));
    assert_eq!(groups.sorted()[0].count, 2);
}
