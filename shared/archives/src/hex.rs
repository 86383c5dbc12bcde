//! How a digest of an archive is written beside it.

use std::fmt::Write as _;

/// Bytes as hexadecimal digits, two for each, in lower case: 64 for a SHA-256.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
