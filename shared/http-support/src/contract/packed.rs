//! What never changes while the process runs, packed once: it is for everybody, and nobody may have it
//! packed anew with each request.

use std::io::{self, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::VARY;
use crate::conditional::is_not_modified;

/// For some minutes nobody need fetch it again.
const CACHE_CONTROL: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
/// It is what it says, whatever a browser thinks.
const NO_SNIFF: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
const GZIP: (HeaderName, HeaderValue) =
    (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));

/// A text, as it is and packed.
pub(super) struct Served {
    kind: HeaderValue,
    plain: Bytes,
    plain_tag: HeaderValue,
    /// Empty if it could not be packed.
    packed: Bytes,
    packed_tag: HeaderValue,
}

impl Served {
    pub(super) fn new(kind: &'static str, text: String) -> Self {
        let packed = Bytes::from(pack(&text).unwrap_or_default());
        Self {
            kind: HeaderValue::from_static(kind),
            plain_tag: tag(text.as_bytes()),
            plain: text.into(),
            packed_tag: tag(&packed),
            packed,
        }
    }

    /// The text as the caller takes it, or that the caller has it.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let packs = accepts_gzip(request) && !self.packed.is_empty();
        let (tag, body) =
            if packs { (&self.packed_tag, &self.packed) } else { (&self.plain_tag, &self.plain) };
        let headers = [(header::ETAG, tag.clone()), CACHE_CONTROL, NO_SNIFF, VARY];
        if [&self.plain_tag, &self.packed_tag].iter().any(|tag| is_not_modified(request, tag)) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let kind = [(header::CONTENT_TYPE, self.kind.clone())];
        (headers, packs.then_some([GZIP]), kind, body.clone()).into_response()
    }
}

fn pack(text: &str) -> io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes())?;
    packer.finish()
}

/// A strong entity tag: the same tag is the same bytes.
fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = STANDARD.encode(digest(&SHA256, bytes));
    HeaderValue::try_from(format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings =
        values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_who_accepts_it() {
        for (value, accepted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate,gzip; q=1.0", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("identity", false),
            ("x-gzip", false),
            ("", false),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts_gzip(&headers), accepted, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
