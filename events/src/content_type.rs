//! The content type of a command's `data`: JSON, in each form that producers write it.
//!
//! A media type as RFC 2045 and RFC 2046 have it: names in any case, white space around semicolons,
//! parameters in any order. JSON is what has the subtype `json` or ends in `+json` (CloudEvents' JSON
//! format, 3.1). The event is UTF-8 as a whole, so `charset` can say nothing else.

use domain::json::name;
use domain::portable::names;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The content type of `data`: `application/json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "ContentType", transform = names)]
pub enum JsonContent {
    /// JSON.
    #[serde(rename = "application/json")]
    Json,
}

/// For those who wrote it themselves: the name, and nothing like it.
impl<'de> Deserialize<'de> for JsonContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        enum Name {
            #[serde(rename = "application/json")]
            Json,
        }
        name(deserializer).map(|Name::Json| Self::Json)
    }
}

/// A content type that says JSON, in whichever form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AnyJson;

impl TryFrom<String> for AnyJson {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "application/json" {
            return Ok(Self);
        }
        let mut parts = text.split(';').map(|part| part.trim_matches([' ', '\t']));
        if !parts.next().is_some_and(is_json) {
            return Err(
                "must be JSON: `application/json`, or another type whose name ends in `/json` \
                or `+json`",
            );
        }
        parts.try_for_each(parameter).map(|()| Self)
    }
}

fn is_json(media_type: &str) -> bool {
    let Some((kind, subtype)) = media_type.split_once('/') else { return false };
    let subtype = subtype.to_ascii_lowercase();
    is_token(kind) && (subtype == "json" || subtype.strip_suffix("+json").is_some_and(is_token))
}

fn parameter(text: &str) -> Result<(), &'static str> {
    const MALFORMED: &str =
        "a parameter is `name=value`; a value in quotes has no `\"`, `\\` or `;`";
    let (name, value) = text.split_once('=').ok_or(MALFORMED)?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let well_formed =
        quoted.map_or_else(|| is_token(value), |value| value.bytes().all(is_quotable));
    if !is_token(name) || !well_formed {
        return Err(MALFORMED);
    }
    let is_other = !quoted.unwrap_or(value).eq_ignore_ascii_case("utf-8");
    if name.eq_ignore_ascii_case("charset") && is_other {
        return Err("the charset must be `utf-8`: the whole event is");
    }
    Ok(())
}

fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

fn is_quotable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b';')
}

// `not` finds a charset that is another one: it differs from `utf-8` at some character. Some engines
// of regular expressions could not say so by looking ahead.
domain::schema!(AnyJson, {
    "title": "ContentType",
    "description": "JSON: `application/json`, or another type whose name ends in `/json` or `+json`; its \
        charset, if it has one, is `utf-8`. As RFC 2046 has it, in upper or lower case, with other \
        parameters. A value in quotes has no `\"`, `\\` or `;`.",
    "type": "string",
    "examples": ["application/json", "application/json; charset=utf-8"],
    "pattern": "^[ \\t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+/([!#$%&'*+.^_`|~0-9A-Za-z-]+\\+)?[jJ][sS][oO][nN][ \\t]*(;[ \\t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+=([!#$%&'*+.^_`|~0-9A-Za-z-]+|\"[ !#-:<-\\[\\]-~]*\")[ \\t]*)*$",
    "not": {
        "type": "string",
        "pattern": ";[ \\t]*[cC][hH][aA][rR][sS][eE][tT]=(\"[^\"]* |\"\"|\"?([^uU\"]|[uU]([^tT]|$|[tT]([^fF]|$|[fF]([^-]|$|-([^8]|$|8[^\"; \\t]))))))"
    },
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_json_however_it_is_written() {
        for text in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON;CHARSET=UTF-8",
            "application/json ; charset=\"utf-8\" ;odata.metadata=minimal",
            "application/vnd.acme.task+json; version=1",
            "text/json",
            "application/json; profile=\"a b\"",
        ] {
            assert_eq!(AnyJson::try_from(text.to_owned()), Ok(AnyJson), "{text}");
        }
    }

    #[test]
    fn what_is_refused_says_why() {
        for (text, why) in [
            ("", "must be JSON"),
            ("application/xml", "must be JSON"),
            ("application/jsonl", "must be JSON"),
            ("application/+json", "must be JSON"),
            ("application/xjson", "must be JSON"),
            ("json", "must be JSON"),
            ("application/json;", "name=value"),
            ("application/json; charset", "name=value"),
            ("application/json; charset = utf-8", "name=value"),
            ("application/json; x=\"a;b\"", "name=value"),
            ("application/json; charset=latin1", "charset"),
            ("application/json; charset=utf-16", "charset"),
            ("application/json; charset=\"\"", "charset"),
            ("application/json; charset=utf-8; charset=ascii", "charset"),
        ] {
            let refused = AnyJson::try_from(text.to_owned()).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
