//! Which function a command line calls, and with which command line of its own.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::{FUNCTIONS, Function};

const AFTER_HELP: &str = "\
`task-app <FUNCTION> --help` explains a function's options. A link to this binary that has a function's
name runs that function.";

/// Every function of task-app in one binary.
#[derive(Parser)]
#[command(
    name = "task-app",
    version,
    override_usage = "task-app <FUNCTION> [OPTIONS]...",
    after_help = AFTER_HELP,
    arg_required_else_help = true,
    // One line for each function.
    term_width = 0
)]
struct CommandLine {
    /// The function to run. In a Lambda, the function's handler names it
    #[arg(env = "_HANDLER", value_parser = known())]
    function: &'static Function,
}

/// The function, and the command line for [`Function::run`].
pub(crate) fn parse(
    mut command_line: Vec<OsString>,
) -> Result<(&'static Function, Vec<OsString>), clap::Error> {
    let program = command_line.first().map(Path::new).and_then(Path::file_name);
    if let Some(function) = program.and_then(named) {
        return Ok((function, command_line));
    }
    // What follows the name is the function's own, `--help` too.
    let options = command_line.split_off(command_line.len().min(2));
    let CommandLine { function } = CommandLine::try_parse_from(command_line)?;
    let program = OsString::from(format!("task-app {}", function.name));
    Ok((function, [vec![program], options].concat()))
}

fn named(name: &OsStr) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn known() -> impl TypedValueParser<Value = &'static Function> {
    let values = FUNCTIONS.iter().map(|f| PossibleValue::new(f.name).help(f.about));
    PossibleValuesParser::new(values).try_map(|name| named(name.as_ref()).ok_or("no such function"))
}
