//! Tokens and keys that say `Ed25519` (RFC 9864), where older ones say `EdDSA`: the same signatures by
//! the same keys, under a name that has the curve in it.
//!
//! `jsonwebtoken` does not know the name, and reads the header of a token itself. So the signature of such a
//! token is checked here, by the library's own primitive. Its claims are then signed once more with a secret
//! of this process, which nobody else has, and read by the library: the rules for claims are in one place.
//! Nothing else is taken under this name: neither another algorithm, nor a key of another type.

use std::sync::LazyLock;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto};
use serde_json::{Map, Value};

const NAME: &str = "Ed25519";
/// As `jsonwebtoken` has it.
const OLD_NAME: &str = "EdDSA";

/// A secret of this process.
static SECRET: LazyLock<Option<[u8; 32]>> = LazyLock::new(|| {
    let mut secret = [0; 32];
    rand::fill(&mut secret).ok().map(|()| secret)
});

/// The header of a token that says `Ed25519`, under the older name; `None` of any other token.
pub(super) fn header(token: &str) -> Option<Header> {
    let encoded = token.split('.').next()?;
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let mut header: Map<String, Value> = serde_json::from_slice(&decoded).ok()?;
    renamed(&mut header).then(|| serde_json::from_value(header.into()).ok())?
}

/// A JWK that says so, under the older name. `alg` of any other is left as it is.
pub(super) fn jwk(mut jwk: Value) -> Value {
    if let Some(jwk) = jwk.as_object_mut()
        && jwk.get("kty").is_some_and(|kind| kind == "OKP")
        && jwk.get("crv").is_some_and(|curve| curve == NAME)
    {
        renamed(jwk);
    }
    jwk
}

fn renamed(object: &mut Map<String, Value>) -> bool {
    let Some(algorithm) = object.get_mut("alg").filter(|name| **name == NAME) else { return false };
    *algorithm = OLD_NAME.into();
    true
}

/// The claims of a token with such a header.
pub(super) fn verify(
    token: &str,
    key: &DecodingKey,
    rules: &Validation,
) -> Result<Map<String, Value>, Error> {
    let Some((message, signature)) = token.rsplit_once('.') else {
        return Err(ErrorKind::InvalidToken.into());
    };
    if rules.algorithms != [Algorithm::EdDSA] {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    if !crypto::verify(signature, message.as_bytes(), key, Algorithm::EdDSA)? {
        return Err(ErrorKind::InvalidSignature.into());
    }
    claims(message, rules)
}

/// What a message says whose signature was right, if its claims are.
fn claims(message: &str, rules: &Validation) -> Result<Map<String, Value>, Error> {
    let (Some((_, claims)), Some(secret)) = (message.split_once('.'), &*SECRET) else {
        return Err(ErrorKind::InvalidToken.into());
    };
    let ours = serde_json::to_vec(&Header::new(Algorithm::HS256))?;
    let message = format!("{}.{claims}", BASE64_URL_SAFE_NO_PAD.encode(ours));
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256)?;
    let rules = Validation { algorithms: vec![Algorithm::HS256], ..rules.clone() };
    let token = format!("{message}.{signature}");
    jsonwebtoken::decode(token, &DecodingKey::from_secret(secret), &rules).map(|token| token.claims)
}
