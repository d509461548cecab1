//! A provider's public keys (RFC 7517), and what they have signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use crate::error::IdTokenError;

/// The algorithms that are taken. None of them is without a key or with a shared one: whoever knows a public key can sign
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A key set as it comes: what is no key for signatures that we know is passed over.
#[derive(Deserialize)]
pub(crate) struct KeySet {
    keys: Vec<Value>,
}

/// The public keys of a provider, for the algorithms that are taken.
pub(crate) struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    material: Material,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// The point, uncompressed.
    P256(Vec<u8>),
}

impl From<KeySet> for Keys {
    fn from(set: KeySet) -> Self {
        Self(set.keys.into_iter().filter_map(key).collect())
    }
}

impl Keys {
    /// Whether one of these keys has the id that a token names.
    pub(crate) fn have(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Checks a signature. A token that names no key is taken if there is only one that it could be.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        signed: &str,
        signature: &[u8],
    ) -> Result<(), IdTokenError> {
        let is_meant = |key: &&Key| key.algorithm() == algorithm && (id.is_none() || key.id.as_deref() == id);
        let mut meant = self.0.iter().filter(is_meant);
        let (Some(key), None) = (meant.next(), meant.next()) else { return Err(IdTokenError::UnknownKey) };
        let is_signed = match &key.material {
            Material::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), signature),
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), signature)
            }
        };
        is_signed.map_err(|_| IdTokenError::Signature)
    }
}

impl Key {
    fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa(_) => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
        }
    }
}

/// `None`: it is no key for signatures of these algorithms.
fn key(jwk: Value) -> Option<Key> {
    #[derive(Deserialize)]
    struct Jwk {
        kty: String,
        kid: Option<String>,
        alg: Option<String>,
        #[serde(rename = "use")]
        used_for: Option<String>,
        key_ops: Option<Vec<String>>,
        n: Option<String>,
        e: Option<String>,
        crv: Option<String>,
        x: Option<String>,
        y: Option<String>,
    }
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let is_for_signatures = jwk.used_for.as_deref().is_none_or(|used_for| used_for == "sig")
        && jwk.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
    let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => Material::Rsa(RsaPublicKeyComponents { n: number(jwk.n?)?, e: number(jwk.e?)? }),
        ("EC", Some("P-256")) => Material::P256([vec![4], coordinate(jwk.x?)?, coordinate(jwk.y?)?].concat()),
        _ => return None,
    };
    let key = Key { id: jwk.kid, material };
    let is_of_it = jwk.alg.is_none_or(|alg| Algorithm::of(&alg) == Some(key.algorithm()));
    (is_for_signatures && is_of_it).then_some(key)
}

/// A number without the zeros that some providers put before it.
fn number(text: String) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn coordinate(text: String) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(keys: &Value) -> Keys {
        serde_json::from_value::<KeySet>(json!({ "keys": keys })).unwrap().into()
    }

    /// RFC 7515, appendix A.2.
    fn rsa() -> Value {
        json!({"kty": "RSA", "e": "AQAB",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})
    }

    const RSA_SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    /// RFC 7515, appendix A.3.
    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    const P256_SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const P256_SIGNATURE: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn with(mut key: Value, members: &[(&str, Value)]) -> Value {
        for (name, value) in members {
            key[*name] = value.clone();
        }
        key
    }

    fn bytes(signature: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(signature).unwrap()
    }

    #[test]
    fn the_signatures_of_the_standard_are_good_and_nothing_near_them() {
        let keys = keys(&json!([rsa(), p256()]));
        for (algorithm, signed, signature) in
            [(Algorithm::Rs256, RSA_SIGNED, RSA_SIGNATURE), (Algorithm::Es256, P256_SIGNED, P256_SIGNATURE)]
        {
            let signature = bytes(signature);
            assert_eq!(keys.verify(algorithm, None, signed, &signature), Ok(()));
            assert_eq!(keys.verify(algorithm, None, &signed[1..], &signature), Err(IdTokenError::Signature));
            for place in [0, signature.len() / 2, signature.len() - 1] {
                let mut wrong = signature.clone();
                wrong[place] ^= 1;
                assert_eq!(keys.verify(algorithm, None, signed, &wrong), Err(IdTokenError::Signature));
            }
            let zeros = vec![0; signature.len()];
            for wrong in [&[], &signature[1..], &[signature.as_slice(), &[0]].concat(), zeros.as_slice()] {
                assert_eq!(keys.verify(algorithm, None, signed, wrong), Err(IdTokenError::Signature));
            }
        }
        // A key of the one kind checks nothing of the other.
        let wrong = keys.verify(Algorithm::Es256, None, RSA_SIGNED, &bytes(RSA_SIGNATURE));
        assert_eq!(wrong, Err(IdTokenError::Signature));
    }

    #[test]
    fn a_key_is_found_by_its_id_or_where_there_is_no_other() {
        let named = |id: &str| with(rsa(), &[("kid", id.into())]);
        let verify = |set: &Keys, id| set.verify(Algorithm::Rs256, id, RSA_SIGNED, &bytes(RSA_SIGNATURE));
        let two = keys(&json!([named("a"), named("b"), p256()]));
        assert_eq!(verify(&two, Some("a")), Ok(()));
        assert_eq!([verify(&two, Some("c")), verify(&two, None)], [Err(IdTokenError::UnknownKey); 2]);
        let one = keys(&json!([named("a"), p256()]));
        assert_eq!(verify(&one, None), Ok(()));
        let unnamed = keys(&json!([rsa()]));
        assert_eq!(verify(&unnamed, Some("a")), Err(IdTokenError::UnknownKey));
        assert_eq!(verify(&keys(&json!([named("a"), named("a")])), Some("a")), Err(IdTokenError::UnknownKey));
        assert!(two.have("b") && !two.have("c"));
    }

    #[test]
    fn a_key_for_something_else_is_none_and_takes_no_other_with_it() {
        let odd = [
            with(rsa(), &[("use", "enc".into())]),
            with(rsa(), &[("key_ops", json!(["encrypt"]))]),
            with(rsa(), &[("alg", "RS512".into())]),
            with(rsa(), &[("alg", "RSA-OAEP".into())]),
            with(rsa(), &[("alg", "ES256".into())]),
            with(rsa(), &[("n", Value::Null)]),
            with(rsa(), &[("n", "ofgW+".into())]),
            with(p256(), &[("crv", "P-384".into())]),
            with(p256(), &[("x", "AAAA".into())]),
            json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            json!("no key"),
            Value::Null,
        ];
        for odd in &odd {
            assert!(keys(&json!([odd])).0.is_empty(), "{odd}");
        }
        let all: Vec<_> =
            odd.into_iter().chain([with(rsa(), &[("use", "sig".into()), ("alg", "RS256".into())])]).collect();
        assert_eq!(keys(&json!(all)).0.len(), 1);
    }

    #[test]
    fn zeros_before_a_number_do_no_harm_and_a_short_key_is_never_good() {
        let zeros = URL_SAFE_NO_PAD.encode([&[0, 0], bytes(rsa()["n"].as_str().unwrap()).as_slice()].concat());
        let padded = keys(&json!([with(rsa(), &[("n", zeros.into())])]));
        assert_eq!(padded.verify(Algorithm::Rs256, None, RSA_SIGNED, &bytes(RSA_SIGNATURE)), Ok(()));
        let short = keys(&json!([with(rsa(), &[("n", URL_SAFE_NO_PAD.encode([255; 128]).into())])]));
        let verified = short.verify(Algorithm::Rs256, None, RSA_SIGNED, &[1; 128]);
        assert_eq!(verified, Err(IdTokenError::Signature));
    }
}
