//! The server's certificate: made at each start by a certificate authority that is forgotten at once.
//!
//! kubectl sends a bearer token over TLS only (`client-go/tools/clientcmd/client_config.go`), so plain HTTP would shut
//! it out. Two X.509 certificates written by hand (RFC 5280) cost less than a crate for them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;

/// What a server needs, and what its clients need to trust it.
pub(crate) struct Identity {
    pub acceptor: TlsAcceptor,
    /// The authority's certificate as PEM.
    pub authority: String,
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        n @ 0..128 => out.push(n as u8),
        n => {
            let bytes = n.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(0)..];
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

const ECDSA_WITH_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

fn name(common: &str) -> Vec<u8> {
    let attribute = sequence(&[vec![0x06, 0x03, 0x55, 0x04, 0x03], der(0x0c, common.as_bytes())]);
    sequence(&[der(0x31, &attribute)])
}

fn extension(id: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![vec![0x06, 0x03, 0x55, 0x1d, id]];
    if critical {
        parts.push(vec![0x01, 0x01, 0xff]);
    }
    parts.push(der(0x04, value));
    sequence(&parts)
}

struct Certificate<'a> {
    subject: &'a str,
    serial: u8,
    key: &'a EcdsaKeyPair,
    extensions: Vec<Vec<u8>>,
}

impl Certificate<'_> {
    /// DER, signed by `by`.
    fn signed(&self, by: &EcdsaKeyPair, random: &SystemRandom) -> Result<Vec<u8>, ring::error::Unspecified> {
        let algorithm = sequence(&[ECDSA_WITH_SHA256.to_vec()]);
        // From yesterday on, so that a clock that is a little off does no harm; until the end of GeneralizedTime (RFC 5280, 4.1.2.5).
        let from = (chrono::Utc::now() - chrono::TimeDelta::days(1)).format("%Y%m%d%H%M%SZ").to_string();
        let until = (chrono::Utc::now() + chrono::TimeDelta::days(30)).format("%Y%m%d%H%M%SZ").to_string();
        let time = |text: &str| if text < "2050" { der(0x17, &text.as_bytes()[2..]) } else { der(0x18, text.as_bytes()) };
        let mut public = vec![0];
        public.extend_from_slice(self.key.public_key().as_ref());
        let body = sequence(&[
            der(0xa0, &[0x02, 0x01, 0x02]),
            vec![0x02, 0x01, self.serial],
            algorithm.clone(),
            name("cutoff demo authority"),
            sequence(&[time(&from), time(&until)]),
            name(self.subject),
            sequence(&[sequence(&[EC_PUBLIC_KEY.to_vec(), PRIME256V1.to_vec()]), der(0x03, &public)]),
            der(0xa3, &sequence(&self.extensions)),
        ]);
        let mut signature = vec![0];
        signature.extend_from_slice(by.sign(random, &body)?.as_ref());
        Ok(sequence(&[body, algorithm, der(0x03, &signature)]))
    }
}

/// Makes an authority and a certificate for 127.0.0.1.
pub(crate) fn identity() -> Result<Identity, String> {
    let random = SystemRandom::new();
    let fresh = || {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(|e| e.to_string())?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).map_err(|e| e.to_string())?;
        Ok::<_, String>((document, key))
    };
    let (_, authority_key) = fresh()?;
    let (server_document, server_key) = fresh()?;
    let constraints = extension(0x13, true, &sequence(&[vec![0x01, 0x01, 0xff]]));
    let key_usage = extension(0x0f, true, &[0x03, 0x02, 0x02, 0x04]);
    let authority =
        Certificate { subject: "cutoff demo authority", serial: 1, key: &authority_key, extensions: vec![constraints, key_usage] };
    let names = extension(0x11, false, &sequence(&[der(0x82, b"localhost"), der(0x87, &[127, 0, 0, 1])]));
    let server_auth = extension(0x25, false, &sequence(&[vec![0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]]));
    let server = Certificate { subject: "127.0.0.1", serial: 2, key: &server_key, extensions: vec![names, server_auth] };
    let authority = authority.signed(&authority_key, &random).map_err(|e| e.to_string())?;
    let server = server.signed(&authority_key, &random).map_err(|e| e.to_string())?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(
            vec![rustls::pki_types::CertificateDer::from(server)],
            rustls::pki_types::PrivatePkcs8KeyDer::from(server_document.as_ref().to_vec()).into(),
        )
        .map_err(|e| e.to_string())?;
    let lines: Vec<String> =
        STANDARD.encode(&authority).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let authority = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), authority })
}
