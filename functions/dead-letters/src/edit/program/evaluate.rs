//! What a jq program makes of one body.

use jaq_core::{Ctx, Vars, data::JustLut};
use jaq_json::{Val, read};
use serde_json::Value;

use super::compile::Filter;
use crate::claimed_body;

/// The largest output, in bytes.
const MOST_BYTES: usize = claimed_body::MOST_BYTES as usize;

/// The one output of a program, which is JSON, for a body that is JSON; or why there is none.
pub(super) fn evaluated(filter: &Filter, body: &str) -> Result<String, String> {
    let input = read::parse_single(body.as_bytes()).map_err(|error| error.to_string())?;
    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut outputs = filter.id.run((context, input)).map(|output| {
        output.map_err(|exception| match exception.get_err() {
            Ok(error) => error.to_string(),
            Err(_) => "it halts".to_owned(),
        })
    });
    let output = outputs.next().ok_or_else(|| "it has no output".to_owned())??.to_string();
    if let Some(second) = outputs.next() {
        return Err(second.err().unwrap_or_else(|| "it has more than one output".to_owned()));
    }
    if output.len() > MOST_BYTES {
        return Err(format!("its output has {} bytes; {MOST_BYTES} at most", output.len()));
    }
    // jq has values that are not JSON, such as `nan`.
    match serde_json::from_str::<Value>(&output) {
        Ok(_) => Ok(output),
        Err(error) => Err(format!("its output is no JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile::compiled;
    use super::*;

    fn edited(program: &str, body: &str) -> Result<String, String> {
        evaluated(&compiled(program).unwrap(), body)
    }

    #[test]
    fn anything_but_one_value_of_json_is_refused() {
        for (program, cause) in [
            ("empty", "it has no output"),
            (".a, .b", "it has more than one output"),
            ("range(1e12)", "it has more than one output"),
            ("repeat(.)", "it has more than one output"),
            ("error(\"odd\")", "odd"),
            ("1, error(\"odd\")", "odd"),
            ("halt", "it halts"),
            ("nan", "no JSON"),
            ("reduce range(200) as $i (1; [.])", "no JSON"),
            ("reduce range(25) as $i (\"x\"; . + .)", "33554434 bytes"),
            (".a.b.c = (1 | .x)", "cannot index"),
        ] {
            let failure = edited(program, "{\"a\":1}").unwrap_err();
            assert!(failure.contains(cause), "{program}: {failure}");
        }
        assert_eq!(edited("first(repeat(.a))", "{\"a\":1}").unwrap(), "1");
    }
}
