//! The token that the API wants. It is in no cookie, so that no other site can make a browser send it.

use std::sync::Arc;

use anyhow::anyhow;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::problem::Problem;

const BYTES: usize = 32;
const SCHEME: &str = "Bearer ";
/// What a browser says of a request that it makes for a page of ours.
const OWN_PAGE: &str = "same-origin";

pub(super) struct Token(String);

impl Token {
    pub(super) fn random() -> anyhow::Result<Self> {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes).map_err(|_| anyhow!("this machine gives no random numbers"))?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let given = given.and_then(|value| value.strip_prefix(SCHEME.as_bytes()));
        // In constant time, so that how long it takes says nothing of the token.
        given.is_some_and(|given| verify_slices_are_equal(given, self.0.as_bytes()).is_ok())
    }
}

/// Middleware: only who has the token, and no other site in the browser of one who has.
pub(super) async fn check(
    State(token): State<Arc<Token>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let site = request.headers().get("sec-fetch-site");
    if site.is_some_and(|site| site != OWN_PAGE) {
        return Err(Problem::forbidden("this is for the page of this tool and for programs"));
    }
    if !token.is_in(request.headers()) {
        return Err(Problem::unauthorized(
            "the token is missing or wrong. Open the address that `dead-letters serve` printed at \
             its start; programs send it as `Authorization: Bearer TOKEN`",
        ));
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_token_is_accepted() {
        let (token, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert!(token.text().len() * 6 >= 128 && token.text() != other.text());
        let accepts = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            token.is_in(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
        };
        let text = token.text();
        assert!(accepts(&format!("Bearer {text}")));
        let shorter = text.get(1..).unwrap();
        for wrong in [text, shorter, other.text(), "", "x"] {
            assert!(!accepts(&format!("Basic {wrong}")) && !accepts(wrong), "{wrong}");
        }
        for wrong in [shorter, other.text(), "", &format!("{text}x")] {
            assert!(!accepts(&format!("Bearer {wrong}")), "{wrong}");
        }
        assert!(!token.is_in(&HeaderMap::new()));
    }
}
