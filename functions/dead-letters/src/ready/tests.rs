//! Which items leave, and in which order.

use super::*;
use proptest::prelude::*;

#[derive(Debug, PartialEq)]
struct Numbered(usize, Option<String>);

impl Item for Numbered {
    fn group(&self) -> Option<&str> {
        self.1.as_deref()
    }

    fn bytes(&self) -> usize {
        10
    }
}

proptest! {
    #[test]
    fn of_each_group_one_is_on_its_way_and_all_leave_in_order(
        groups in prop::collection::vec(prop::option::of(0..4_u8), 0..80),
        most in 1..8_usize,
        finish in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let mut ready = Ready::new();
        for (number, group) in groups.iter().enumerate() {
            ready.push(Numbered(number, group.map(|group| group.to_string()))).unwrap();
        }
        let (mut on_their_way, mut left): (Vec<Vec<Numbered>>, Vec<Numbered>) = Default::default();
        for finish in finish {
            let batch = ready.take(most, 45);
            prop_assert!(batch.len() <= most.min(4));
            if !batch.is_empty() {
                on_their_way.push(batch);
            }
            let busy: Vec<_> = on_their_way.iter().flatten().filter_map(Item::group).collect();
            let distinct: HashSet<_> = busy.iter().collect();
            prop_assert_eq!(distinct.len(), busy.len());
            if on_their_way.is_empty() {
                break;
            }
            for item in on_their_way.swap_remove(finish.index(on_their_way.len())) {
                if let Some(group) = item.group() {
                    ready.sent(group);
                }
                left.push(item);
            }
        }
        prop_assert_eq!((left.len(), ready.len(), ready.bytes()), (groups.len(), 0, 0));
        for group in ["0", "1", "2", "3"] {
            let of_group = left.iter().filter(|item| item.group() == Some(group));
            prop_assert!(of_group.is_sorted_by_key(|item| item.0));
        }
    }

    #[test]
    fn what_is_dropped_does_not_leave_and_the_others_do(
        groups in prop::collection::vec(prop::option::of(0..4_u8), 0..40), taken in 0..5_usize,
    ) {
        let mut ready = Ready::new();
        for (number, group) in groups.iter().enumerate() {
            ready.push(Numbered(number, group.map(|group| group.to_string()))).unwrap();
        }
        let mut sent = ready.take(taken, usize::MAX);
        let dropped = ready.retain(|item| item.0 < 20);
        prop_assert!(dropped.iter().all(|item| item.0 >= 20));
        let mut left = sent.len();
        loop {
            sent.iter().filter_map(Item::group).for_each(|group| ready.sent(group));
            sent = ready.take(10, usize::MAX);
            prop_assert!(sent.iter().all(|item| item.0 < 20));
            left += sent.len();
            if sent.is_empty() {
                break;
            }
        }
        prop_assert_eq!((left + dropped.len(), ready.len(), ready.bytes()), (groups.len(), 0, 0));
    }
}

#[test]
fn a_group_that_is_blocked_leaves_nothing_more() {
    let item = |number, group: &str| Numbered(number, Some(group.to_owned()));
    let mut ready = Ready::new();
    for number in 0..3 {
        ready.push(item(number, "a")).unwrap();
        ready.push(item(number + 3, "b")).unwrap();
    }
    assert_eq!(ready.take(10, usize::MAX).len(), 2);
    assert_eq!(ready.block("a"), 2);
    ready.sent("b");
    assert_eq!(ready.push(item(9, "a")), Err(item(9, "a")));
    assert_eq!(ready.take(10, usize::MAX), [item(4, "b")]);
    assert_eq!(ready.len(), 1);
}

#[test]
fn what_a_closed_group_has_leaves() {
    let item = |number| Numbered(number, Some("a".to_owned()));
    let mut ready = Ready::new();
    ready.push(item(0)).unwrap();
    ready.close("a");
    assert_eq!(ready.push(item(1)), Err(item(1)));
    assert_eq!(ready.take(10, usize::MAX), [item(0)]);
}

#[test]
fn a_batch_has_room_for_one_however_large() {
    let mut ready = Ready::new();
    for number in 0..3 {
        ready.push(Numbered(number, None)).unwrap();
    }
    assert_eq!(ready.take(10, 5).len(), 1);
    assert_eq!(ready.take(10, 20).len(), 2);
}
