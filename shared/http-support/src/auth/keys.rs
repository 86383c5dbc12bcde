//! The issuer's public keys, ready for use.
//!
//! A key alone decides the algorithm that it verifies, from its own type. The token's header only
//! has to agree, so it cannot talk us into an HMAC over a public key, or into no signature at all.

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

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
    /// The token names none, and there is more than one to choose from.
    Ambiguous,
}

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
        for jwk in document.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()) {
            set.add(jwk, rules);
        }
        Ok(set)
    }

    fn add(&mut self, jwk: Jwk, rules: &Validation) {
        let Some(algorithm) = algorithm(&jwk) else { return };
        let Ok(decoding) = DecodingKey::from_jwk(&jwk) else { return };
        let key = Key {
            decoding,
            validation: Validation { algorithms: vec![algorithm], ..rules.clone() },
        };
        match jwk.common.key_id {
            Some(id) => _ = self.by_id.entry(id).or_insert(key),
            None => self.without_id.push(key),
        }
    }

    /// The key that a token names, or the only one there is.
    pub(super) fn find(&self, id: Option<&str>) -> Result<&Key, NoKey> {
        if let Some(id) = id {
            return self.by_id.get(id).ok_or(NoKey::Unknown);
        }
        let mut keys = self.by_id.values().chain(&self.without_id);
        match (keys.next(), keys.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(NoKey::Unknown),
            (Some(_), Some(_)) => Err(NoKey::Ambiguous),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len() + self.without_id.len()
    }
}

/// The one algorithm that a key verifies; `None` if it is not for signatures that we accept.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let stated = jwk.common.key_algorithm.unwrap_or_else(|| KeyAlgorithm::from(algorithm));
    (for_signatures && stated == KeyAlgorithm::from(algorithm)).then_some(algorithm)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(keys: &Value) -> KeySet {
        let body = json!({ "keys": keys }).to_string();
        KeySet::parse(body.as_bytes(), &Validation::new(Algorithm::RS256)).unwrap()
    }

    #[test]
    fn the_type_of_a_key_decides_its_algorithm() {
        let set = parse(&json!([
            { "kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB" },
            { "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AQAB", "y": "AQAB" },
            { "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "AQAB" },
        ]));
        for (id, algorithm) in
            [("rsa", Algorithm::RS256), ("ec", Algorithm::ES256), ("ed", Algorithm::EdDSA)]
        {
            assert_eq!(set.find(Some(id)).ok().unwrap().validation.algorithms, [algorithm]);
        }
    }

    #[test]
    fn keys_that_are_not_for_us_are_left_out() {
        let set = parse(&json!([
            { "kty": "oct", "kid": "secret", "k": "AQAB" },
            { "kty": "RSA", "kid": "encryption", "use": "enc", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "pss", "alg": "PS256", "n": "AQAB", "e": "AQAB" },
            { "kty": "EC", "kid": "p384", "crv": "P-384", "x": "AQAB", "y": "AQAB" },
            { "kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AQAB" },
            { "kty": "RSA", "kid": 7, "n": "AQAB", "e": "AQAB" },
            "not a key",
        ]));
        assert_eq!(set.len(), 0);
    }

    #[test]
    fn a_token_may_leave_out_the_key_only_if_there_is_one() {
        let one = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
        let two = json!({ "kty": "RSA", "kid": "two", "n": "AQAB", "e": "AQAB" });
        assert!(parse(&json!([one])).find(None).is_ok());
        assert_eq!(parse(&json!([one, two])).find(None).err(), Some(NoKey::Ambiguous));
        assert_eq!(parse(&json!([])).find(None).err(), Some(NoKey::Unknown));
        assert_eq!(parse(&json!([one])).find(Some("other")).err(), Some(NoKey::Unknown));
    }
}
