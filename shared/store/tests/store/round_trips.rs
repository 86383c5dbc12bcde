//! How often `apply` waits for PostgreSQL: counted on the wire, by a proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use store::{CommandKey, Incoming, RequestKey};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::fixture::{Fixture, complete, connect_with, create, incoming, new_task, now, rename};

/// Passes everything on to `target`; counts how often a request follows an answer.
async fn proxy(target: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let trips = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&trips);
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("a client");
        let mut server = TcpStream::connect(target).await.expect("the server");
        let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut answered = true;
        loop {
            tokio::select! {
                Ok(length @ 1..) = client.read(&mut request) => {
                    counter.fetch_add(usize::from(answered), Ordering::SeqCst);
                    answered = false;
                    server.write_all(&request[..length]).await.expect("sent");
                }
                Ok(length @ 1..) = server.read(&mut answer) => {
                    answered = true;
                    client.write_all(&answer[..length]).await.expect("sent");
                }
                else => return,
            }
        }
    });
    (port, trips)
}

#[tokio::test]
async fn a_batch_takes_a_constant_number_of_round_trips_whatever_its_size() {
    let fixture = Fixture::new().await;
    let url = fixture.database.writer_url.expose_secret();
    let (login, rest) = url.split_once('@').expect("a login");
    let (target, database) = rest.split_once('/').expect("a database");
    let (port, trips) = proxy(target.to_owned()).await;
    let store = connect_with(
        &format!("{login}@127.0.0.1:{port}/{database}").into(),
        &["--database-max-connections=1"],
    );

    let batch = |size: usize| -> Vec<_> {
        let command = |task: domain::TaskId| incoming(&task.to_string(), task, create("Buy milk"));
        (0..size).map(|_| command(new_task())).collect()
    };
    let change = |one: &Incoming| {
        incoming(&format!("{}-2", one.key.id), one.command.task, rename("Buy bread", None))
    };
    let changes_of = |creates: &[Incoming]| creates.iter().map(change).collect::<Vec<_>>();
    // The first ones connect and prepare the statements.
    let first = batch(1);
    store.apply(first.clone(), now()).await.expect("applied");
    for _ in 0..2 {
        store.apply(vec![change(&first[0])], now()).await.expect("applied");
    }
    let tenant = "acme".parse().expect("a tenant");
    let request = async |id: &str, commands: Vec<Incoming>| {
        let key = CommandKey { source: "/requests".to_owned(), id: id.to_owned() };
        let key = RequestKey { key, caller: "ann".parse().expect("a caller") };
        store.apply_request(&tenant, Some(&key), commands, now()).await.expect("applied");
    };
    request("first", batch(1)).await;
    settled(&trips).await;
    for size in [1, 10, 100] {
        let (creates, second, third, fourth) = (batch(size), batch(size), batch(size), batch(size));
        let partly_new = [creates.clone(), batch(size)].concat();
        let changes = changes_of(&creates);
        // Commands are looked up if they turn out to be repeats, those after them first.
        let (creates, changes) = (&creates, &changes);
        for (commands, expected) in [
            (creates, 1),
            (creates, 1 + AFTERWARDS + 1),
            (creates, 1),
            (&second, 2),
            (&third, 1),
            (&partly_new, 1 + AFTERWARDS + 2),
            (&fourth, 2),
            (changes, 2),
            (changes, 1 + AFTERWARDS + 1),
            (changes, 1),
            (&changes_of(&second), 2),
            (&changes_of(&third), 2),
        ] {
            trips.store(0, Ordering::SeqCst);
            store.apply(commands.clone(), now()).await.expect("applied");
            let trips = settled(&trips).await;
            assert_eq!(trips, expected + AFTERWARDS, "for {size} commands");
        }
        let commands = batch(size);
        for expected in [4, 3] {
            trips.store(0, Ordering::SeqCst);
            request(&size.to_string(), commands.clone()).await;
            let trips = settled(&trips).await;
            assert_eq!(trips, expected + AFTERWARDS, "for a request of {size} commands");
        }
    }
    // What is refused locks its task, so that the fact says what is true; so do the next ones.
    let (same, other) = (batch(1), batch(1));
    let complete = |id: &str, one: &Incoming| vec![incoming(id, one.command.task, complete())];
    for (commands, expected) in [
        (same.clone(), 1),
        (other.clone(), 1),
        (complete("3", &same[0]), 2),
        (complete("4", &same[0]), 1 + AFTERWARDS + 1 + AFTERWARDS + 4),
        (complete("5", &other[0]), 4),
    ] {
        trips.store(0, Ordering::SeqCst);
        store.apply(commands, now()).await.expect("applied");
        assert_eq!(settled(&trips).await, expected + AFTERWARDS);
    }
}

/// The pool checks each connection that comes back to it; nobody waits for that.
const AFTERWARDS: usize = 1;

/// The count once it no longer changes.
async fn settled(trips: &AtomicUsize) -> usize {
    let mut before = usize::MAX;
    loop {
        let count = trips.load(Ordering::SeqCst);
        if count == before {
            return count;
        }
        before = count;
        sleep(Duration::from_millis(200)).await;
    }
}
