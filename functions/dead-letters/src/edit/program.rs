//! An edit by a jq program.
//!
//! The program sees one body and nothing else: no environment, no files, no other input. It runs in a
//! thread of its own, since nothing can interrupt one that never ends: that thread is given up, and ends
//! with the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use anyhow::Context as _;
use jaq_core::load::{self, Arena, File, Loader, span};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile, data::JustLut};
use jaq_json::{Val, read};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{EditFailure, merge};
use crate::mistake::Mistake;

/// Time for one body.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of the thread: a program may call itself deeply.
const STACK: usize = 64 << 20;

/// The text of a program that compiles.
#[derive(Clone, Debug)]
pub(super) struct Source(String);

/// A program that runs.
pub(super) struct Program {
    requests: mpsc::Sender<Request>,
    is_stuck: AtomicBool,
}

struct Request {
    body: String,
    answer: oneshot::Sender<Result<String, EditFailure>>,
}

impl Source {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        compiled(text)?;
        Ok(Self(text.to_owned()))
    }

    pub(super) fn start(&self) -> anyhow::Result<Program> {
        let (requests, mut received) = mpsc::channel::<Request>(1);
        let Self(text) = self.clone();
        let work = move || {
            // It did so before.
            let Ok(filter) = compiled(&text) else { return };
            while let Some(Request { body, answer }) = received.blocking_recv() {
                // Nobody waits any more if this fails.
                let _ = answer.send(run(&filter, &body));
            }
        };
        let thread = Builder::new().name("jq".to_owned()).stack_size(STACK).spawn(work);
        thread.context("starting a thread for the jq program")?;
        Ok(Program { requests, is_stuck: AtomicBool::new(false) })
    }
}

impl Program {
    pub(super) async fn apply(&self, body: &str) -> Result<String, EditFailure> {
        let too_long = || {
            let seconds = PATIENCE.as_secs();
            EditFailure::Refused(format!("the jq program takes longer than {seconds} s for a body"))
        };
        if self.is_stuck.load(Ordering::Relaxed) {
            return Err(too_long());
        }
        let (answer, answered) = oneshot::channel();
        let request = Request { body: body.to_owned(), answer };
        let output = timeout(PATIENCE, async {
            self.requests.send(request).await.ok()?;
            answered.await.ok()
        });
        let output = output.await.map_err(|_| {
            self.is_stuck.store(true, Ordering::Relaxed);
            too_long()
        })?;
        let ended = || EditFailure::Refused("the jq program ended by a fault".to_owned());
        Ok(merge::by_value(body, &output.ok_or_else(ended)??))
    }
}

fn run(filter: &Filter<JustLut<Val>>, body: &str) -> Result<String, EditFailure> {
    // The same numbers and the same depth as for everybody else.
    serde_json::from_str::<Value>(body).map_err(EditFailure::NotJson)?;
    let failed = |cause: String| EditFailure::Refused(format!("the jq program: {cause}"));
    let input = read::parse_single(body.as_bytes()).map_err(|error| failed(error.to_string()))?;
    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut outputs = filter.id.run((context, input)).map(|output| {
        output.map_err(|exception| match exception.get_err() {
            Ok(error) => error.to_string(),
            Err(_) => "it halts".to_owned(),
        })
    });
    let output = outputs.next().ok_or_else(|| failed("it has no output".to_owned()))?;
    let output = output.map_err(failed)?.to_string();
    if let Some(second) = outputs.next() {
        let cause = second.err().unwrap_or_else(|| "it has more than one output".to_owned());
        return Err(failed(cause));
    }
    // jq has values that are not JSON, such as `nan`.
    match serde_json::from_str::<Value>(&output) {
        Ok(_) => Ok(output),
        Err(error) => Err(failed(format!("its output is no JSON: {error}"))),
    }
}

fn compiled(text: &str) -> Result<Filter<JustLut<Val>>, Mistake> {
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let functions = functions.filter(|(name, ..)| *name != "env");
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: text, path: () });
    let modules = modules.map_err(|errors| unreadable(text, &errors))?;
    let filter = Compiler::default().with_funs(functions).compile(modules);
    filter.map_err(|errors| undefined(text, &errors))
}

fn unreadable(text: &str, errors: &load::Errors<&str, ()>) -> Mistake {
    let at = |part: &str, message: String| {
        Mistake::at(text, span(text, part).start, format!("no jq program: {message}"))
    };
    let Some((_, error)) = errors.first() else { return Mistake::new("no jq program") };
    let mistake = match error {
        load::Error::Io(errors) => {
            errors.first().map(|(part, _)| at(part, "it cannot include others".to_owned()))
        }
        load::Error::Lex(errors) => errors
            .first()
            .map(|(expected, part)| at(part, format!("{} expected", expected.as_str()))),
        load::Error::Parse(errors) => errors
            .first()
            .map(|(expected, part)| at(part, format!("{} expected", expected.as_str()))),
    };
    mistake.unwrap_or_else(|| Mistake::new("no jq program"))
}

fn undefined(text: &str, errors: &compile::Errors<&str, ()>) -> Mistake {
    let first = errors.iter().flat_map(|(_, errors)| errors).next();
    first.map_or_else(
        || Mistake::new("no jq program"),
        |(name, kind)| {
            let message = format!("no jq program: there is no {} `{name}`", kind.as_str());
            Mistake::at(text, span(text, name).start, message)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn edited(program: &str, body: &str) -> Result<String, String> {
        let program = Source::parse(program).unwrap().start().unwrap();
        program.apply(body).await.map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn one_output_is_the_body_and_what_is_untouched_keeps_its_digits() {
        let body = r#"{"data": {"cost": 1.50, "n": 12345678901234567890.1}, "title": " a"}"#;
        let output = edited(".title |= ltrimstr(\" \") | .data.tags = [\"x\"]", body).await;
        let expected =
            r#"{"data":{"cost":1.50,"n":12345678901234567890.1,"tags":["x"]},"title":"a"}"#;
        assert_eq!(output.as_deref(), Ok(expected));
        assert_eq!(edited(".", body).await.as_deref(), Ok(body));
        assert_eq!(edited("if test(\"a\") then \"b\" else . end", "\"a\"").await.unwrap(), "\"b\"");
    }

    #[tokio::test]
    async fn anything_but_one_value_of_json_is_refused() {
        for (program, cause) in [
            ("empty", "it has no output"),
            (".a, .b", "it has more than one output"),
            ("error(\"odd\")", "odd"),
            ("1, error(\"odd\")", "odd"),
            ("halt", "it halts"),
            ("nan", "no JSON"),
            (".a.b.c = (1 | .x)", "cannot index"),
        ] {
            let failure = edited(program, "{\"a\":1}").await.unwrap_err();
            assert!(failure.contains(cause), "{program}: {failure}");
        }
        assert!(edited(".", "{\"cut").await.is_err());
    }

    #[tokio::test]
    async fn a_program_that_never_ends_is_given_up_once_for_all() {
        let program = Source::parse("def f: f; f").unwrap().start().unwrap();
        for _ in 0..100 {
            let failure = program.apply("1").await.unwrap_err().to_string();
            assert!(failure.contains("longer than 2 s"), "{failure}");
        }
    }

    #[test]
    fn a_mistake_is_pointed_at_and_the_environment_is_not_there() {
        for (program, expected) in [
            (".a | ltrim_str(1)", "there is no filter `ltrim_str`\n  .a | ltrim_str(1)\n       ^"),
            (".a = [1", "closing bracket expected\n  .a = [1\n         ^"),
            (".a.[", "expected"),
            (". as $x | $y", "there is no variable `$y`\n  . as $x | $y\n            ^"),
            ("$ENV.HOME", "there is no variable `$ENV`"),
            ("env.HOME", "there is no filter `env`"),
            ("input", "there is no filter `input`"),
            ("include \"x\"; .", "it cannot include others"),
            ("", "term expected"),
        ] {
            let mistake = Source::parse(program).unwrap_err().to_string();
            assert!(mistake.contains(expected), "{program}: {mistake}");
        }
    }
}
