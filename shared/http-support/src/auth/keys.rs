//! The issuer's public keys, ready for use.
//!
//! A key alone decides the algorithms that it verifies: by its own type, and by its `alg` if it has one.
//! The token's header only has to agree, so it cannot talk us into an HMAC over a public key, or into no
//! signature at all.

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::ed25519;

/// One key with the rules for tokens that are signed with it.
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    pub(super) validation: Validation,
}

/// All keys of one fetch that can verify a signature.
pub(super) struct KeySet {
    by_id: HashMap<String, Key>,
    without_id: Vec<Key>,
}

/// Why no key was found for a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The token names a key that is not here, perhaps a new one.
    Unknown,
    /// The token names none, and there are too many to try.
    Ambiguous,
}

/// Keys that are tried with a token that names none, at most: each costs a check of a signature.
const TRIED: usize = 8;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWK Set (RFC 7517). Keys that are not for us, or that we cannot read, are left out,
    /// as its section 5 wants: an issuer may publish new kinds before we know them.
    pub(super) fn parse(body: &[u8], rules: &Validation) -> serde_json::Result<Self> {
        let document: Document = serde_json::from_slice(body)?;
        let mut set = Self { by_id: HashMap::new(), without_id: Vec::new() };
        let keys = document.keys.into_iter().map(ed25519::jwk);
        for jwk in keys.filter_map(|key| serde_json::from_value(key).ok()) {
            set.add(jwk, rules);
        }
        Ok(set)
    }

    fn add(&mut self, jwk: Jwk, rules: &Validation) {
        let algorithms = algorithms(&jwk);
        if algorithms.is_empty() {
            return;
        }
        let Ok(decoding) = DecodingKey::from_jwk(&jwk) else { return };
        let key = Key { decoding, validation: Validation { algorithms, ..rules.clone() } };
        match jwk.common.key_id {
            Some(id) => _ = self.by_id.entry(id).or_insert(key),
            None => self.without_id.push(key),
        }
    }

    /// The key that a token names; all that fit its algorithm if it names none.
    pub(super) fn find(&self, header: &Header) -> Result<Vec<&Key>, NoKey> {
        if let Some(id) = &header.kid {
            return self.by_id.get(id).map(|key| vec![key]).ok_or(NoKey::Unknown);
        }
        let all = self.by_id.values().chain(&self.without_id);
        let fitting = all.filter(|key| key.validation.algorithms.contains(&header.alg));
        let fitting: Vec<_> = fitting.take(TRIED + 1).collect();
        match fitting.len() {
            0 => Err(NoKey::Unknown),
            1..=TRIED => Ok(fitting),
            _ => Err(NoKey::Ambiguous),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len() + self.without_id.len()
    }
}

/// The algorithms that a key verifies; none if it is not for signatures that we accept.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let of_type: &[_] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => &[],
    };
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return Vec::new();
    }
    let is_stated = |algorithm: &&Algorithm| {
        jwk.common.key_algorithm.is_none_or(|stated| stated == KeyAlgorithm::from(**algorithm))
    };
    of_type.iter().filter(is_stated).copied().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(keys: &Value) -> KeySet {
        let body = json!({ "keys": keys }).to_string();
        KeySet::parse(body.as_bytes(), &Validation::new(Algorithm::RS256)).unwrap()
    }

    fn header(id: Option<&str>, algorithm: Algorithm) -> Header {
        Header { kid: id.map(str::to_owned), ..Header::new(algorithm) }
    }

    #[test]
    fn the_type_of_a_key_and_its_algorithm_decide() {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let set = parse(&json!([
            { "kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "rs512", "alg": "RS512", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "pss", "alg": "PS256", "n": "AQAB", "e": "AQAB" },
            { "kty": "EC", "kid": "p256", "crv": "P-256", "x": "AQAB", "y": "AQAB" },
            { "kty": "EC", "kid": "p384", "crv": "P-384", "x": "AQAB", "y": "AQAB" },
            { "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "AQAB" },
            { "kty": "OKP", "kid": "ed25519", "crv": "Ed25519", "alg": "Ed25519", "x": "AQAB" },
        ]));
        let any_rsa = [RS256, RS384, RS512, PS256, PS384, PS512];
        for (id, expected) in [
            ("rsa", &any_rsa[..]),
            ("rs512", &[RS512]),
            ("pss", &[PS256]),
            ("p256", &[ES256]),
            ("p384", &[ES384]),
            ("ed", &[EdDSA]),
            ("ed25519", &[EdDSA]),
        ] {
            let found = set.find(&header(Some(id), RS256)).ok().unwrap();
            assert_eq!(found[0].validation.algorithms, expected, "{id}");
        }
    }

    #[test]
    fn keys_that_are_not_for_us_are_left_out() {
        let set = parse(&json!([
            { "kty": "oct", "kid": "secret", "k": "AQAB" },
            { "kty": "RSA", "kid": "encryption", "use": "enc", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "mixed", "alg": "ES256", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "hmac", "alg": "HS256", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "curve", "alg": "Ed25519", "n": "AQAB", "e": "AQAB" },
            { "kty": "OKP", "kid": "other curve", "crv": "Ed448", "alg": "Ed25519", "x": "AQAB" },
            { "kty": "OKP", "kid": "exchange", "crv": "X25519", "alg": "Ed25519", "x": "AQAB" },
            { "kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AQAB" },
            { "kty": "RSA", "kid": 7, "n": "AQAB", "e": "AQAB" },
            "not a key",
        ]));
        assert_eq!(set.len(), 0);
    }

    #[test]
    fn a_token_that_names_no_key_is_tried_with_those_that_fit() {
        let rsa =
            |id: usize| json!({ "kty": "RSA", "kid": id.to_string(), "n": "AQAB", "e": "AQAB" });
        let ec = json!({ "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AQAB", "y": "AQAB" });
        let found = |keys: &Value, id| {
            parse(keys).find(&header(id, Algorithm::RS256)).map(|keys| keys.len())
        };
        assert_eq!(found(&json!([rsa(1), ec]), None), Ok(1));
        assert_eq!(found(&json!([rsa(1), rsa(2), ec]), None), Ok(2));
        assert_eq!(found(&json!([ec]), None), Err(NoKey::Unknown));
        assert_eq!(found(&json!([rsa(1)]), Some("other")), Err(NoKey::Unknown));
        let many: Vec<_> = (0..=TRIED).map(rsa).collect();
        assert_eq!(found(&json!(many[1..]), None), Ok(TRIED));
        assert_eq!(found(&json!(many), None), Err(NoKey::Ambiguous));
    }
}
