//! What a secret holds.

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

/// These members of a JSON object, each a text that is not empty. No error shows what is there:
/// those of `serde_json` would.
pub(crate) fn members<const N: usize>(
    text: &SecretString,
    names: [&str; N],
) -> anyhow::Result<[SecretString; N]> {
    let object: Option<Map<String, Value>> = serde_json::from_str(text.expose_secret()).ok();
    let expected = || format!("expected JSON with {}", list(&names));
    let object = object.with_context(|| format!("is no JSON object: {}", expected()))?;
    let mut members = [const { None }; N];
    for (member, name) in members.iter_mut().zip(names) {
        match object.get(name) {
            Some(Value::String(text)) if !text.is_empty() => *member = Some(text.as_str().into()),
            _ => bail!("has no text `{name}`: {}", expected()),
        }
    }
    Ok(members.map(Option::unwrap_or_default))
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let text = r#"{"engine":"postgres","port":5432,"password":"p4ss","username":"u"}"#;
        let [username, password] = members(&text.into(), ["username", "password"]).unwrap();
        assert_eq!((username.expose_secret(), password.expose_secret()), ("u", "p4ss"));
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_shown() {
        for (text, complaint) in [
            ("postgres://u:p4ss@h/d", "no JSON object"),
            (r#"["p4ss"]"#, "no JSON object"),
            (r#"{"password":"p4ss"}"#, "has no text `username`"),
            (r#"{"username":"u","password":["p4ss"]}"#, "has no text `password`"),
            (r#"{"username":"","password":"p4ss"}"#, "has no text `username`"),
        ] {
            let error = members(&text.into(), ["username", "password"]).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains(complaint), "{text}: {error}");
            assert!(error.contains("expected JSON with `username` and `password`"), "{error}");
            assert!(!error.contains("p4ss"), "{error}");
        }
    }
}
