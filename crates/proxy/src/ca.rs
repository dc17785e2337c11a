//! A session's certificate authority and the leaf certificates it signs.
//!
//! The authority's key never leaves the host, and is never a leaf's key: whoever took a leaf key could speak for
//! one name, not sign others.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::NoServerSessionStorage,
};
use time::{Duration, OffsetDateTime};

use crate::{limits, tls};

/// Why a certificate authority or a leaf could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The certificate library refused.
    #[error("make a certificate: {0}")]
    Rcgen(#[from] rcgen::Error),
    /// The TLS library refused.
    #[error("use a certificate: {0}")]
    Tls(#[from] rustls::Error),
    /// The stored certificate is unreadable or does not belong to the stored key.
    #[error("the session's CA certificate and key do not belong together")]
    Mismatch,
}

/// A session's certificate authority.
pub struct SessionCa {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

impl SessionCa {
    /// Makes a new authority for a session.
    pub fn generate(session: &str) -> Result<Self, CaError> {
        let key = KeyPair::generate()?;
        let params = authority(session)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Takes up the authority that `generate` made for the same session, so that a restarted daemon is trusted still.
    pub fn load(session: &str, certificate_pem: &str, key_pem: &str) -> Result<Self, CaError> {
        let key = KeyPair::from_pem(key_pem)?;
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|_| CaError::Mismatch)?;
        let ca = Self {
            certificate_pem: certificate_pem.to_owned(),
            issuer: Issuer::new(authority(session)?, key),
        };
        let leaf = ca.sign("clauderon.internal", &KeyPair::generate()?)?;
        tls::verify(&certificate, leaf.der(), "clauderon.internal")
            .map_err(|_| CaError::Mismatch)?;
        Ok(ca)
    }

    /// Returns the certificate that the agent must trust.
    pub fn cert_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Returns the key, for a file of mode 0600 that is never mounted.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    fn sign(&self, host: &str, key: &KeyPair) -> Result<Certificate, CaError> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![match host.parse::<IpAddr>() {
            Ok(ip) => SanType::IpAddress(ip),
            Err(_) => SanType::DnsName(host.try_into()?),
        }];
        // The common name is limited to 64 characters; clients read the alternative name alone.
        params
            .distinguished_name
            .push(DnType::CommonName, host.get(..64).unwrap_or(host));
        let now = OffsetDateTime::now_utc();
        params.not_before = now - Duration::days(1);
        params.not_after = now + LEAF_LIFE;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params.signed_by(key, &self.issuer)?)
    }
}

const LEAF_LIFE: Duration = Duration::days(30);
/// A leaf is minted anew well before it ends.
const LEAF_RENEWAL: Duration = Duration::days(20);

fn authority(session: &str) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Clauderon session {session}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(3 * 365);
    Ok(params)
}

/// The leaves of one session: minted once each, kept up to a bound, all with one key.
pub struct Leaves {
    ca: Arc<SessionCa>,
    key: KeyPair,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_host: HashMap<String, (OffsetDateTime, Arc<ServerConfig>)>,
    oldest_first: VecDeque<String>,
}

impl Leaves {
    /// Makes the leaf key.
    pub fn new(ca: Arc<SessionCa>) -> Result<Self, CaError> {
        Ok(Self {
            ca,
            key: KeyPair::generate()?,
            kept: Mutex::default(),
        })
    }

    /// Returns the TLS configuration that speaks for a host.
    ///
    /// Minting takes some ten microseconds and is done under the lock, which makes it single-flight.
    pub fn speak_for(&self, host: &str) -> Result<Arc<ServerConfig>, CaError> {
        let now = OffsetDateTime::now_utc();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((minted, config)) = kept.by_host.get(host)
            && now - *minted < LEAF_RENEWAL
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.mint(host)?);
        if kept
            .by_host
            .insert(host.to_owned(), (now, Arc::clone(&config)))
            .is_none()
        {
            kept.oldest_first.push_back(host.to_owned());
        }
        if kept.oldest_first.len() > limits::LEAVES
            && let Some(oldest) = kept.oldest_first.pop_front()
        {
            kept.by_host.remove(&oldest);
        }
        Ok(config)
    }

    fn mint(&self, host: &str) -> Result<ServerConfig, CaError> {
        let leaf = self.ca.sign(host, &self.key)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Resumption would spare little and keep state for every name that an agent can think of.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_host
            .len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_reloaded_authority_is_the_same() {
        let ca = SessionCa::generate("abc").unwrap();
        let again = SessionCa::load("abc", ca.cert_pem(), &ca.key_pem()).unwrap();
        assert_eq!(ca.cert_pem(), again.cert_pem());
        let other = SessionCa::generate("abc").unwrap();
        assert!(matches!(
            SessionCa::load("abc", ca.cert_pem(), &other.key_pem()),
            Err(CaError::Mismatch)
        ));
        assert!(matches!(
            SessionCa::load("xyz", ca.cert_pem(), &ca.key_pem()),
            Err(CaError::Mismatch)
        ));
    }

    #[test]
    fn leaves_are_minted_once_and_bounded() {
        let leaves = Leaves::new(Arc::new(SessionCa::generate("abc").unwrap())).unwrap();
        let first = leaves.speak_for("a.example").unwrap();
        assert!(Arc::ptr_eq(&first, &leaves.speak_for("a.example").unwrap()));
        for n in 0..2 * limits::LEAVES {
            leaves.speak_for(&format!("{n}.example")).unwrap();
        }
        assert_eq!(leaves.len(), limits::LEAVES);
        assert_ne!(
            leaves.key.serialize_der(),
            leaves.ca.issuer.key().serialize_der()
        );
    }

    #[test]
    fn an_address_gets_an_address_name() {
        let ca = SessionCa::generate("abc").unwrap();
        let root = CertificateDer::from_pem_slice(ca.cert_pem().as_bytes()).unwrap();
        for host in ["203.0.113.7", "2001:db8::7", "a.example"] {
            let leaf = ca.sign(host, &KeyPair::generate().unwrap()).unwrap();
            tls::verify(&root, leaf.der(), host).unwrap();
        }
    }
}
