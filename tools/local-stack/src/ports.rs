//! Ports on the loopback interface, checked to be free before anybody gets them.
//!
//! A program binds its port a moment after it was chosen. So a port is reserved for the process that
//! chose it, until that process ends: tests are processes of their own, and start thousands of
//! programs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use nix::unistd::getuid;

/// Below the range from which systems take the local port of an outgoing connection, so that
/// a port which was free when chosen is not taken by a client a moment later.
const CHOICE: std::ops::RangeInclusive<u16> = 20_000..=32_000;
/// One after the other, from a random one on: a port that was given out may not be in use yet when
/// the next one is wanted.
static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random_range(CHOICE)));

/// The locks of the ports that were given to this process.
static RESERVED: Mutex<BTreeMap<u16, File>> = Mutex::new(BTreeMap::new());

/// `port` on the loopback interface.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A free port: `preferred` where it is free, else any. No other process of this user gets it before
/// this one ends.
pub fn free(preferred: Option<u16>) -> Result<u16> {
    // Each of them: another process may have hundreds in a row.
    for port in preferred.into_iter().chain(CHOICE.map(|_| next())) {
        if reserve(port)? && is_unused(port) {
            return Ok(port);
        }
    }
    Err(anyhow!("no free port found on 127.0.0.1"))
}

/// Asked by a connection: a socket that is bound for the question would be inherited by a program
/// that another thread starts at that moment, and keep the port taken for a while.
fn is_unused(port: u16) -> bool {
    TcpStream::connect(loopback(port)).is_err_and(|it| it.kind() == ErrorKind::ConnectionRefused)
}

/// Whether the port is reserved for this process, now or since before.
fn reserve(port: u16) -> Result<bool> {
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    if reserved.contains_key(&port) {
        return Ok(true);
    }
    let folder = std::env::temp_dir().join(format!("task-app-ports-{}", getuid()));
    let lock =
        fs::create_dir_all(&folder).and_then(|()| File::create(folder.join(port.to_string())));
    let lock = lock.with_context(|| format!("cannot reserve a port in {}", folder.display()))?;
    let is_ours = lock.try_lock().is_ok();
    if is_ours {
        reserved.insert(port, lock);
    }
    Ok(is_ours)
}

fn next() -> u16 {
    let after = |port| Some(if port < *CHOICE.end() { port + 1 } else { *CHOICE.start() });
    NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).unwrap_or_else(|port| port)
}

/// Checks that a configured port is free; the error says who wants it and
/// which `option` chooses another.
pub fn require(port: u16, wanted_by: &str, option: &str) -> Result<()> {
    match TcpListener::bind(loopback(port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(anyhow!(
            "port {port} on 127.0.0.1, which {wanted_by} needs, is taken by another program: \
             stop that program, or choose another port with {option}"
        )),
        Err(error) => {
            Err(error).with_context(|| format!("{wanted_by} cannot use port {port}: see {option}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn a_taken_port_is_refused_by_name() {
        let listener = TcpListener::bind(loopback(0)).unwrap();
        let port = listener.local_addr().unwrap().port();

        let error = require(port, "the API", "--api-port").unwrap_err().to_string();
        assert!(error.contains(&port.to_string()), "{error}");
        assert!(error.contains("the API") && error.contains("--api-port"), "{error}");
    }

    #[test]
    fn a_free_port_can_be_bound_while_other_threads_start_programs() {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::process::Command::new("true").status().unwrap();
                }
            });
            let bound: Vec<_> =
                (0..500).map(|_| TcpListener::bind(loopback(free(None).unwrap()))).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(bound.iter().all(Result::is_ok), "{bound:?}");
        });
    }

    #[test]
    fn a_port_that_another_process_was_given_is_not_free() {
        let port = free(None).unwrap();
        // A lock of a file belongs to whoever opened it, so this is as good as another process.
        let other = std::mem::take(&mut *RESERVED.lock().unwrap());
        assert_ne!(free(Some(port)).unwrap(), port);
        drop(other);
        assert_eq!(free(Some(port)).unwrap(), port);
    }

    #[test]
    fn a_free_port_is_found_behind_hundreds_that_another_process_was_given() {
        let held: Vec<_> = (0..500).map(|_| free(None).unwrap()).collect();
        let other = std::mem::take(&mut *RESERVED.lock().unwrap());
        NEXT.store(held[0], Ordering::Relaxed);
        assert!(!held.contains(&free(None).unwrap()));
        drop(other);
    }

    #[test]
    fn the_preferred_port_is_kept_while_it_is_free() {
        let port = free(None).unwrap();
        assert_eq!(free(Some(port)).unwrap(), port);

        let _taken = TcpListener::bind(loopback(port)).unwrap();
        assert_ne!(free(Some(port)).unwrap(), port);
    }
}
