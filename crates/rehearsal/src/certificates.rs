//! A certificate authority that lives as long as one rehearsal, and one leaf for each name it answers to.
//! A name it does not answer to gets no certificate at all.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The authority's certificate and a TLS configuration that serves its leaves.
pub(crate) struct Certificates {
    pub ca_pem: String,
    pub server: Arc<ServerConfig>,
}

impl Certificates {
    /// Makes an authority and a leaf for each of `names`; a client that sends no name gets the leaf of `localhost`.
    pub fn generate(names: &[String]) -> Result<Self> {
        let authority = authority().context("make the rehearsal's certificate authority")?;
        let leaves = names
            .iter()
            .map(|name| {
                Ok((
                    name.clone(),
                    Arc::new(
                        leaf(name, &authority)
                            .with_context(|| format!("make a certificate for {name}"))?,
                    ),
                ))
            })
            .collect::<Result<HashMap<_, _>>>()?;
        let unnamed =
            Arc::new(leaf("localhost", &authority).context("make a certificate for localhost")?);
        let mut server =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .context("set up TLS")?
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(Leaves { leaves, unnamed }));
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            ca_pem: authority.pem(),
            server: Arc::new(server),
        })
    }
}

#[derive(Debug)]
struct Leaves {
    leaves: HashMap<String, Arc<CertifiedKey>>,
    unnamed: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) => self.leaves.get(name).cloned(),
            None => Some(self.unnamed.clone()),
        }
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Clauderon rehearsal authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn leaf(host: &str, authority: &CertifiedIssuer<'_, KeyPair>) -> Result<CertifiedKey> {
    let mut alternatives = vec![host.to_owned()];
    if host == "localhost" {
        alternatives.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    }
    let mut params = CertificateParams::new(alternatives)?;
    params.distinguished_name = name(host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(CertifiedKey::from_der(
        vec![certificate.der().clone()],
        private,
        &aws_lc_rs::default_provider(),
    )?)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}
