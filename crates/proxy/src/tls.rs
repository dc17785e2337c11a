//! What both TLS legs share: the cryptography provider, the trusted roots, and the agent's ClientHello.

use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, RootCertStore,
    client::{
        WebPkiServerVerifier,
        danger::{ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::Acceptor,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::timeout,
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use crate::limits;

/// Returns the one cryptography provider.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Checks that a leaf speaks for a name under a root.
pub fn verify(
    root: &CertificateDer<'_>,
    leaf: &CertificateDer<'_>,
    name: &str,
) -> Result<ServerCertVerified, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone().into_owned())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let name =
        ServerName::try_from(name).map_err(|_| rustls::Error::General("server name".into()))?;
    verifier.verify_server_cert(leaf, &[], &name, &[], UnixTime::now())
}

/// Builds the verified client side: the system's roots and, where one is named, a file of more.
pub fn client(ca_file: Option<&Path>) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a system root certificate could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = ca_file {
        for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
            roots
                .add(certificate.map_err(io::Error::other)?)
                .map_err(io::Error::other)?;
        }
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Why no usable ClientHello came.
#[derive(Debug, thiserror::Error)]
pub enum HelloError {
    /// Nothing complete arrived in time.
    #[error("no ClientHello arrived in time")]
    Slow,
    /// The bytes are no ClientHello, or too many.
    #[error("what came was no ClientHello")]
    NotTls,
    /// It speaks other protocols than HTTP/1.1 only.
    #[error("the ClientHello does not offer http/1.1")]
    OtherProtocol,
    /// The name it asks for is not the name of the `CONNECT`.
    #[error("the ClientHello asks for another name than the CONNECT did")]
    OtherName,
}

/// Reads one whole ClientHello, however it is fragmented, and checks that it asks for `host` and nothing else.
pub async fn read_hello<S>(stream: S, host: &str) -> Result<StartHandshake<Bounded<S>>, HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bounded = Bounded {
        stream,
        left: Some(limits::HELLO),
    };
    let reading = LazyConfigAcceptor::new(Acceptor::default(), bounded);
    let mut start = match timeout(limits::HELLO_TIME, reading).await {
        Err(_) => return Err(HelloError::Slow),
        Ok(Err(_)) => return Err(HelloError::NotTls),
        Ok(Ok(start)) => start,
    };
    let hello = start.client_hello();
    // A name is never sent for an address (RFC 6066, section 3), so there its absence is the match.
    let wanted = host
        .parse::<std::net::IpAddr>()
        .is_err()
        .then(|| host.to_owned());
    let asked = hello
        .server_name()
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase());
    if asked != wanted {
        return Err(HelloError::OtherName);
    }
    if let Some(mut offered) = hello.alpn()
        && !offered.any(|protocol| protocol == b"http/1.1")
    {
        return Err(HelloError::OtherProtocol);
    }
    start.io.left = None;
    Ok(start)
}

/// A stream that can be read up to a bound, until the bound is lifted.
pub struct Bounded<S> {
    stream: S,
    left: Option<usize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(left) = this.left else {
            return Pin::new(&mut this.stream).poll_read(cx, into);
        };
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("the ClientHello is too large")));
        }
        let mut part = [0; 4096];
        let room = left.min(into.remaining()).min(part.len());
        let mut part = ReadBuf::new(&mut part[..room]);
        std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        into.put_slice(part.filled());
        this.left = Some(left - read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
