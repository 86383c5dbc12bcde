//! The cursor itself: a position, and the signature that it is ours.

use aws_lc_rs::hmac::{Context, Key, verify};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Longest cursor, in characters.
pub(super) const CURSOR_MAX: usize = 512;
/// The version of the format: a signature and JSON follow.
const FORMAT: &[u8] = b"2";
/// Length of the signature, in bytes: HMAC-SHA256, whole.
const SIGNATURE: usize = 32;

/// A cursor as the caller sent it: of bounded length, and nothing else is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cursor(String);

impl Cursor {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Names `position`, JSON, in the list called `list`.
    pub(super) fn seal(key: &Key, list: &str, position: &[u8]) -> Self {
        let mut signed = Context::with_key(key);
        for part in [FORMAT, list.as_bytes(), position] {
            signed.update(part);
        }
        let signature = signed.sign();
        Self(URL_SAFE_NO_PAD.encode([FORMAT, signature.as_ref(), position].concat()))
    }

    /// The position, if `seal` gave it this name with the same key and list.
    pub(super) fn open<T: DeserializeOwned>(&self, key: &Key, list: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
        let (signature, position) = bytes.strip_prefix(FORMAT)?.split_at_checked(SIGNATURE)?;
        let signed = [FORMAT, list.as_bytes(), position].concat();
        verify(key, &signed, signature).ok()?;
        serde_json::from_slice(position).ok()
    }
}

domain::schema!(inline Cursor, { "type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": CURSOR_MAX });

impl TryFrom<String> for Cursor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() <= CURSOR_MAX {
            Ok(Self(text))
        } else {
            Err(format!("expected at most {CURSOR_MAX} characters"))
        }
    }
}
