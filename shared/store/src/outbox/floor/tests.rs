//! Floors against a database of numbers that are given out and committed in any order.

use proptest::prelude::*;

use super::*;

const SHARD: i16 = 3;

/// A database that gives out numbers to transactions. Each writes one fact.
#[derive(Default)]
struct Database {
    transactions: i64,
    last: i64,
    /// Transactions and their facts, in the order in which they began.
    open: Vec<(i64, i64)>,
    pending: Vec<i64>,
}

impl Database {
    fn begin(&mut self) {
        self.transactions += 1;
        self.last += 1;
        self.open.push((self.transactions, self.last));
    }

    fn commit(&mut self, which: usize) {
        if !self.open.is_empty() {
            let (_, seq) = self.open.remove(which % self.open.len());
            self.pending.push(seq);
        }
    }

    fn moment(&mut self, floors: &Floors) -> Moment {
        let transaction = floors.wants_transaction().then(|| {
            self.transactions += 1;
            self.transactions
        });
        let oldest = self.open.first().map_or(self.transactions + 1, |(oldest, _)| *oldest);
        Moment { last: self.last, oldest, transaction }
    }

    /// Polls and publishes up to two facts, and returns where the poll began.
    fn poll(&mut self, floors: &mut Floors, now: Instant) -> i64 {
        let moment = self.moment(floors);
        let floor = floors.begin(&[SHARD], moment, now)[0];
        self.pending.sort_unstable();
        let found: Vec<_> =
            self.pending.iter().copied().filter(|seq| *seq >= floor).take(2).collect();
        floors.end(&[SHARD], found.iter().map(|seq| (SHARD, *seq)));
        self.pending.retain(|seq| !found.contains(seq));
        floor
    }
}

proptest! {
    #[test]
    fn no_fact_is_missed_whatever_the_order_of_commits(
        steps in prop::collection::vec((0..3_u8, any::<usize>()), 0..200)
    ) {
        let now = Instant::now();
        let (mut database, mut floors) = (Database::default(), Floors::default());
        for (step, which) in steps {
            match step {
                0 => database.begin(),
                1 => database.commit(which),
                _ => { database.poll(&mut floors, now); }
            }
        }
        while !database.open.is_empty() {
            database.commit(0);
        }
        for _ in 0..=database.pending.len() {
            database.poll(&mut floors, now);
        }
        prop_assert_eq!(database.pending, Vec::<i64>::new());
    }
}

/// A database whose first hundred facts are published, and the floors that know of it.
fn published() -> (Database, Floors, Instant) {
    let now = Instant::now();
    let (mut database, mut floors) = (Database::default(), Floors::default());
    for _ in 0..100 {
        database.begin();
        database.commit(0);
        database.poll(&mut floors, now);
    }
    for _ in 0..4 {
        database.poll(&mut floors, now);
    }
    (database, floors, now)
}

#[test]
fn the_floor_rises_above_what_is_published() {
    let (mut database, mut floors, now) = published();
    assert_eq!(database.poll(&mut floors, now), 101);
}

#[test]
fn the_floor_waits_for_an_open_transaction_but_not_for_ever() {
    let (mut database, mut floors, now) = published();
    database.begin();
    for _ in 0..10 {
        database.begin();
        database.commit(1);
        database.poll(&mut floors, now);
    }
    assert_eq!(database.poll(&mut floors, now), 101);
    let later = now + LONGEST_TRANSACTION;
    database.poll(&mut floors, later);
    assert!(database.poll(&mut floors, later) > 101);
}

#[test]
fn a_poll_from_the_beginning_finds_what_is_below_the_floor_and_floors_begin_anew() {
    let (mut database, mut floors, now) = published();
    database.pending.push(7);
    assert_eq!(database.poll(&mut floors, now), 101);
    assert_eq!(database.pending, [7]);
    let later = now + FULL_EVERY;
    assert_eq!(database.poll(&mut floors, later), 0);
    assert_eq!(database.pending, [0_i64; 0]);
    database.pending.push(8);
    database.poll(&mut floors, later);
    assert_eq!(database.pending, [0_i64; 0], "what was written like the first is found at once");
}

#[test]
fn a_sequence_that_goes_back_takes_the_floor_with_it() {
    let (mut database, mut floors, now) = published();
    database.last = 4;
    database.begin();
    database.commit(0);
    database.poll(&mut floors, now);
    assert_eq!(database.pending, [0_i64; 0]);
}

#[test]
fn a_sequence_that_goes_back_while_its_numbers_are_being_settled_takes_the_floor_with_it() {
    let now = Instant::now();
    let (mut database, mut floors) = (Database::default(), Floors::default());
    for _ in 0..4 {
        database.begin();
        database.commit(0);
    }
    database.poll(&mut floors, now);
    database.poll(&mut floors, now);
    assert!(database.pending.is_empty() && floors.settled == 0 && floors.settling.is_some());
    database.last = 0;
    database.poll(&mut floors, now);
    database.begin();
    database.commit(0);
    database.poll(&mut floors, now);
    assert_eq!(database.pending, [0_i64; 0]);
}

#[test]
fn a_fact_that_is_unblocked_is_polled_again() {
    let (mut database, mut floors, now) = published();
    database.pending.push(7);
    floors.lower(SHARD, 7);
    database.poll(&mut floors, now);
    assert_eq!(database.pending, [0_i64; 0]);
}

#[test]
fn a_shard_that_comes_back_is_polled_from_the_beginning() {
    let (mut database, mut floors, now) = published();
    let moment = database.moment(&floors);
    floors.begin(&[], moment, now);
    floors.end(&[], [].into_iter());
    assert_eq!(database.poll(&mut floors, now), 0);
}
