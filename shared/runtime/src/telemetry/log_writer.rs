//! Lines of the log on their way to standard output: a thread of its own writes them, those of a
//! millisecond at once, so that a request neither makes a system call for its line nor waits for another's.
//!
//! None is dropped. Who logs faster than standard output takes it waits, as without this thread. What a
//! process has logged is written before it ends, unless it is killed: then lines of its last moment,
//! at most [`MOST_BYTES`], are lost.
//!
//! Not in a Lambda, whose threads stand still between its invocations: its lines are written at once.

use std::io::{self, Write};
use std::mem::take;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait to be written, at most; a longer line waits alone.
const MOST_BYTES: usize = 1 << 20;
/// How long lines are gathered after others were written. The first one after a pause is written at once.
const GATHER: Duration = Duration::from_millis(1);
/// What is kept of the memory for them, since few are the rule.
const KEPT_BYTES: usize = 64 << 10;

/// Takes lines. Clones are one.
#[derive(Clone, Default)]
pub(super) struct LogWriter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write after a pause, no room for more, or no more will come.
    filled: Condvar,
    /// There is room again, or the thread has ended.
    taken: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    /// Whether the thread sleeps.
    is_idle: bool,
    /// How many wait for room.
    waiting: usize,
    phase: Phase,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// The thread writes what is pending, and takes no more.
    Closing,
    Closed,
}

/// The thread. Dropped, it writes what is pending and ends; lines that come later are written at once.
pub(crate) struct LogThread {
    lines: LogWriter,
    thread: Option<JoinHandle<()>>,
}

impl LogThread {
    /// Starts it. Its writer takes the lines, and `output` gets them.
    pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<(Self, LogWriter)> {
        let lines = LogWriter::default();
        let shared = Arc::clone(&lines.0);
        let thread =
            Builder::new().name("log".to_owned()).spawn(move || shared.write_to(output))?;
        Ok((Self { lines: lines.clone(), thread: Some(thread) }, lines))
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.lines.0.state().phase = Phase::Closing;
        self.lines.0.filled.notify_all();
        if let Some(thread) = self.thread.take() {
            // It does not panic, and there is nowhere to say so.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line. `false` if the thread has ended.
    fn take(&self, line: &[u8]) -> bool {
        let mut state = self.state();
        while !state.has_room(line.len()) {
            state.waiting += 1;
            self.filled.notify_one();
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        if state.phase == Phase::Closed {
            return false;
        }
        state.pending.extend_from_slice(line);
        // To wake it costs a system call, and while it writes it needs none.
        if take(&mut state.is_idle) {
            drop(state);
            self.filled.notify_one();
        }
        true
    }

    fn write_to(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut state = self.state();
            while state.pending.is_empty() {
                if state.phase == Phase::Closing {
                    state.phase = Phase::Closed;
                    self.taken.notify_all();
                    return;
                }
                state.is_idle = true;
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_idle = false;
            std::mem::swap(&mut state.pending, &mut lines);
            let is_awaited = state.waiting > 0;
            drop(state);
            if is_awaited {
                self.taken.notify_all();
            }
            // Nobody reads the log any more, and there is nowhere else to say so.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            lines.clear();
            lines.shrink_to(KEPT_BYTES);
            let gathers = |state: &mut State| state.phase == Phase::Open && state.waiting == 0;
            drop(self.filled.wait_timeout_while(self.state(), GATHER, gathers));
        }
    }
}

impl State {
    fn has_room(&self, bytes: usize) -> bool {
        match self.phase {
            Phase::Open => self.pending.is_empty() || self.pending.len() + bytes <= MOST_BYTES,
            // Two that write at once would tear each other's lines.
            Phase::Closing => false,
            Phase::Closed => true,
        }
    }
}

impl Write for &LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.take(line) { Ok(line.len()) } else { io::stdout().write(line) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{scope, yield_now};

    use super::*;

    /// An output that takes nothing while somebody holds its lock.
    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_before_the_process_ends() {
        let output = Output::default();
        let (thread, lines) = LogThread::start(output.clone()).unwrap();
        scope(|all| {
            for number in 0..4 {
                let lines = &lines;
                all.spawn(move || (0..1_000).for_each(|_| writeln_of(lines, number)));
            }
        });
        drop(thread);
        let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        for number in 0..4 {
            let line = "x".repeat(100) + &number.to_string();
            assert_eq!(written.lines().filter(|it| **it == line).count(), 1_000);
        }
        assert_eq!(written.lines().count(), 4_000);
    }

    #[test]
    fn who_logs_faster_than_the_output_takes_it_waits_and_loses_nothing() {
        let output = Output::default();
        let (thread, lines) = LogThread::start(output.clone()).unwrap();
        let blocked = output.0.lock().unwrap();
        let half = vec![b'x'; MOST_BYTES / 2 + 1];
        let writer = std::thread::spawn(move || {
            for _ in 0..5 {
                (&lines).write_all(&half).unwrap();
            }
        });
        // One is with the thread, one is pending, and a third one has no room.
        while thread.lines.0.state().waiting == 0 {
            yield_now();
        }
        assert!(thread.lines.0.state().pending.len() <= MOST_BYTES);
        drop(blocked);
        writer.join().unwrap();
        drop(thread);
        assert_eq!(output.0.lock().unwrap().len(), 5 * (MOST_BYTES / 2 + 1));
    }

    fn writeln_of(mut lines: &LogWriter, number: u8) {
        let line = "x".repeat(100) + &number.to_string() + "\n";
        lines.write_all(line.as_bytes()).unwrap();
    }
}
