//! One bearer token: where it stands in a request, and why it is not accepted.
//!
//! The reasons are constants. They go to the caller, and must not repeat a token that may have
//! been stolen.

use axum::http::{HeaderMap, header};
use jsonwebtoken::errors::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::ed25519;
use super::keys::Key;
use crate::Problem;

/// Longest token, in bytes.
const MAX_BYTES: usize = 12 * 1024;

/// What the issuer says of the caller.
pub(super) type Claims = Map<String, Value>;

/// The token of a request (RFC 6750, section 2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next().ok_or(Problem::Unauthenticated)?;
    if values.next().is_some() {
        return Err(Problem::InvalidToken("there is more than one header Authorization"));
    }
    let (scheme, token) = first
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or(Problem::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::Unauthenticated);
    }
    if token.len() > MAX_BYTES {
        return Err(Problem::InvalidToken("the token is larger than 12 KiB"));
    }
    Ok(token.trim())
}

/// What a token says of its signature.
pub(super) struct Header {
    /// Which key it says that it is signed with, and how.
    pub(super) header: jsonwebtoken::Header,
    /// Whether it says `Ed25519` for `EdDSA`.
    is_ed25519: bool,
}

/// Which key the token says it is signed with, and how.
pub(super) fn header(token: &str) -> Result<Header, Problem> {
    let (header, is_ed25519) = match jsonwebtoken::decode_header(token) {
        Ok(header) => (header, false),
        Err(error) => (ed25519::header(token).ok_or_else(|| not_accepted(error))?, true),
    };
    if header.crit.is_some() {
        return Err(Problem::InvalidToken("the token has critical extensions, we know none"));
    }
    Ok(Header { header, is_ed25519 })
}

/// Whether a claim is the audience, or has it in its list; or else why not.
pub(super) fn check_audience(
    claims: &Claims,
    claim: &str,
    audience: &str,
) -> Result<(), &'static str> {
    let is_audience = |value: &Value| value.as_str() == Some(audience);
    let found = match claims.get(claim) {
        Some(Value::Array(values)) => values.iter().any(is_audience),
        Some(value) => is_audience(value),
        None => return Err("the claim that names the audience is missing"),
    };
    if found { Ok(()) } else { Err("the token is for another audience") }
}

/// The token's claims, if its signature, issuer, audience and times are right.
pub(super) fn verify(token: &str, header: &Header, key: &Key) -> Result<Claims, Problem> {
    let claims = if header.is_ed25519 {
        ed25519::verify(token, &key.decoding, &key.validation)
    } else {
        jsonwebtoken::decode(token, &key.decoding, &key.validation).map(|token| token.claims)
    };
    claims.map_err(not_accepted)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn not_accepted(error: Error) -> Problem {
    Problem::InvalidToken(match error.kind() {
        ErrorKind::InvalidSignature => "the signature is wrong",
        ErrorKind::InvalidAlgorithm => "the algorithm is not the one of the issuer's key",
        ErrorKind::ExpiredSignature => "the token expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            match claim.as_str() {
                "exp" => "the claim exp is missing or not a number",
                "nbf" => "the claim nbf is not a number",
                "iss" => "the claim iss is missing or malformed",
                "aud" => "the claim aud is missing or malformed",
                _ => "a claim is missing or malformed",
            }
        }
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => {
            "the token is malformed, or its algorithm is unknown"
        }
        _ => "the token is malformed",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_of(values: &[&str]) -> Result<String, String> {
        let headers = values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
        bearer(&headers.collect()).map(str::to_owned).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn the_token_follows_the_scheme() {
        assert_eq!(token_of(&["Bearer a.b.c"]).unwrap(), "a.b.c");
        assert_eq!(token_of(&["bearer  a.b.c "]).unwrap(), "a.b.c");
    }

    #[test]
    fn other_schemes_are_no_token() {
        for values in [&[][..], &["Basic YTpi"], &["Bearer"], &["a.b.c"]] {
            assert_eq!(token_of(values).unwrap_err(), "Unauthenticated");
        }
    }

    #[test]
    fn two_tokens_or_a_huge_one_are_refused() {
        assert!(token_of(&["Bearer a", "Bearer b"]).unwrap_err().contains("more than one"));
        let huge = format!("Bearer {}", "a".repeat(MAX_BYTES + 1));
        assert!(token_of(&[&huge]).unwrap_err().contains("12 KiB"));
    }
}
