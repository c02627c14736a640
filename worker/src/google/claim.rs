//! The claim that a service account signs with its private key (RFC 7523, RS256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};
use ring::{digest, rand, signature};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use crate::ask;

pub(super) fn signed(
    data: &Map,
    name: &str,
    audience: &str,
    scopes: &str,
    target: Option<&str>,
    now: i64,
    life: i64,
) -> Result<String, TaskError> {
    let wrong = |what: &str| {
        ask::coded(Code::CredentialShape, format!("credential {name:?} is no Google service account: {what}"))
    };
    let text = |key: &str| data.get(key).and_then(Value::as_str);
    let email = text("client_email").ok_or_else(|| wrong("it has no client_email"))?;
    let pem = text("private_key").ok_or_else(|| wrong("it has no private_key"))?;
    // Keys that went through environment variables keep their line ends as two characters.
    let pem = pem.replace("\\n", "\n");
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| wrong(&format!("its private_key is not a PEM key: {error}")))?;
    let key = match &key {
        PrivateKeyDer::Pkcs8(der) => signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => signature::RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(wrong("its private_key is not an RSA key")),
    };
    let key = key.map_err(|error| wrong(&format!("its private_key cannot be used: {error}")))?;

    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = text("private_key_id") {
        header["kid"] = id.into();
    }
    let mut claims = json!({"iss": email, "aud": audience, "iat": now, "exp": now + life});
    match target {
        Some(target) => claims["target_audience"] = target.into(),
        None => claims["scope"] = scopes.into(),
    }
    if let Some(subject) = text("subject").or_else(|| text("sub")) {
        claims["sub"] = subject.into();
    }
    let mut claim = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let mut proof = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &rand::SystemRandom::new(), claim.as_bytes(), &mut proof)
        .map_err(|_| wrong("its private_key cannot sign"))?;
    claim.push('.');
    claim.push_str(&BASE64.encode(proof));
    Ok(claim)
}

/// Seconds until a JWT ends, by its own word.
pub(super) fn seconds_left(token: &str, now: i64) -> Option<f64> {
    let claims = BASE64.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some((claims.get("exp")?.as_i64()? - now).max(0) as f64)
}

/// Tells one secret from another without holding it.
pub(super) fn fingerprint(data: &Map) -> String {
    let secret = ["private_key", "refresh_token"].iter().find_map(|key| data.get(*key)?.as_str());
    BASE64.encode(digest::digest(&digest::SHA256, secret.unwrap_or_default().as_bytes()))
}
