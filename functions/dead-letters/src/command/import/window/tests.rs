//! Which messages are sent together.

use proptest::prelude::*;

use super::*;

fn message(line: u64, group: Option<u8>, bytes: usize) -> Outgoing {
    Outgoing::of_group(line, group.map(|group| group.to_string()), bytes)
}

proptest! {
    #[test]
    fn of_each_group_one_is_on_its_way_and_all_are_sent_in_order(
        groups in prop::collection::vec(prop::option::of(0..4_u8), 0..80),
        finish in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let mut window = Window::default();
        for (line, group) in (0..).zip(&groups) {
            window.add(message(line, *group, 10));
        }
        let (mut on_their_way, mut sent): (Vec<Vec<Outgoing>>, Vec<Outgoing>) = Default::default();
        for finish in finish {
            let batch = window.take(45, u64::MAX);
            prop_assert!(batch.len() <= 4);
            if !batch.is_empty() {
                on_their_way.push(batch);
            }
            let busy: Vec<_> =
                on_their_way.iter().flatten().filter_map(|m| m.ordered_group.clone()).collect();
            let distinct: HashSet<_> = busy.iter().collect();
            prop_assert_eq!(distinct.len(), busy.len());
            if on_their_way.is_empty() {
                break;
            }
            for message in on_their_way.swap_remove(finish.index(on_their_way.len())) {
                window.sent(&message);
                sent.push(message);
            }
        }
        prop_assert_eq!(sent.len(), groups.len());
        for group in 0..4_u8 {
            let of_group = sent.iter().filter(|m| m.ordered_group == Some(group.to_string()));
            prop_assert!(of_group.map(|message| message.line).is_sorted());
        }
    }
}

#[test]
fn up_to_a_line_only_the_gaps_are_taken() {
    let mut window = Window::default();
    for (line, group) in [(2, 1), (3, 1), (4, 2), (5, 1), (6, 3)] {
        window.add(message(line, Some(group), 10));
    }
    let first = window.take(25, u64::MAX);
    assert_eq!(lines(&first), [2, 4]);
    assert_eq!((window.last_taken(), window.first_line()), (4, Some(3)));
    assert!(window.take(25, window.last_taken()).is_empty());
    for message in &first {
        window.sent(message);
    }
    assert_eq!(lines(&window.take(25, window.last_taken())), [3]);
    assert_eq!(window.first_line(), Some(5));
}

#[test]
fn a_batch_has_ten_messages_and_the_bytes_that_a_queue_takes() {
    let mut window = Window::default();
    (0..25).for_each(|line| window.add(message(line, None, if line == 20 { 1_000 } else { 10 })));
    for expected in [10, 10, 1, 4] {
        assert_eq!(window.take(100, u64::MAX).len(), expected);
    }
    assert!(!window.is_full());
    (0..1_000).for_each(|line| window.add(message(line, None, 10)));
    assert!(window.is_full());
}

fn lines(batch: &[Outgoing]) -> Vec<u64> {
    batch.iter().map(|message| message.line).collect()
}
