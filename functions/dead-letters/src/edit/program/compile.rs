//! From the text of a jq program to one that runs, or to what is wrong with it.
//!
//! It has neither the environment nor any other input, and includes no other program.

use std::thread::Builder;

use jaq_core::load::{self, Arena, File, Loader, span};
use jaq_core::{Compiler, compile, data::JustLut};
use jaq_json::Val;

use super::STACK;
use crate::mistake::Mistake;

/// The longest program, in bytes. Each may open a bracket, and then the parser calls itself once more.
const MOST_BYTES: usize = 16 * 1_024;

/// A program that runs.
pub(super) type Filter = jaq_core::Filter<JustLut<Val>>;

/// Checks a program, where its brackets cannot overflow the stack.
pub(super) fn check(text: &str) -> Result<(), Mistake> {
    if text.len() > MOST_BYTES {
        let size = text.len();
        return Err(Mistake::new(format!(
            "a jq program of {size} bytes: {MOST_BYTES} are taken at most"
        )));
    }
    let owned = text.to_owned();
    let thread = Builder::new().name("jq".to_owned()).stack_size(STACK);
    let checked = thread.spawn(move || compiled(&owned).map(drop));
    let checked =
        checked.map_err(|error| Mistake::new(format!("checking the jq program: {error}")));
    checked?.join().unwrap_or_else(|_| Err(Mistake::new("no jq program: its parser fails")))
}

/// Compiles a program. It needs a stack of [`STACK`] bytes.
pub(super) fn compiled(text: &str) -> Result<Filter, Mistake> {
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
            let mistake = check(program).unwrap_err().to_string();
            assert!(mistake.contains(expected), "{program}: {mistake}");
        }
    }

    #[test]
    fn no_program_overflows_the_stack_while_it_is_checked() {
        for opening in
            ["(", "[", "{a:", "-", "if ", "def f: ", "1 as $x|", ".[", ".a|", "try ", "\"\\("]
        {
            let deep = opening.repeat(MOST_BYTES / opening.len());
            assert!(check(&deep).is_err(), "{opening}");
        }
        for (opening, closing) in [("(", ")"), ("[", "]")] {
            let half = MOST_BYTES / 2 - 1;
            let deep = [opening.repeat(half), "1".to_owned(), closing.repeat(half)].concat();
            assert!(check(&deep).is_ok(), "{opening}");
        }
        assert!(check(&" ".repeat(MOST_BYTES)).is_err(), "no term");
        let mistake = check(&"1".repeat(MOST_BYTES + 1)).unwrap_err().to_string();
        assert!(mistake.contains("16385 bytes"), "{mistake}");
    }
}
