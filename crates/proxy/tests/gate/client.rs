//! An agent that speaks in raw bytes.

use std::sync::Arc;

use clauderon_proxy::EgressSession;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    upstream::{read_body, read_head},
    world::World,
};

pub type Tunnel = TlsStream<DuplexStream>;

/// An answer.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Got {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Reads one answer; `None` is a closed stream.
pub async fn answer<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Got> {
    let head = read_head(stream).await?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = read_body(stream, &head).await?;
    Some(Got { status, head, body })
}

/// Sends bytes and reads one answer.
pub async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    bytes: impl AsRef<[u8]>,
) -> Option<Got> {
    // The other side may have hung up already: then its answer is what counts.
    drop(stream.write_all(bytes.as_ref()).await);
    drop(stream.flush().await);
    answer(stream).await
}

/// Tells whether the stream ends without another byte.
pub async fn is_closed<S: AsyncRead + Unpin>(stream: &mut S) -> bool {
    !matches!(stream.read(&mut [0; 64]).await, Ok(n) if n > 0)
}

impl World {
    pub fn trust(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.ca.cert_pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// Asks for a tunnel and gets it.
    pub async fn connect(&self, session: &Arc<EgressSession>, host: &str) -> DuplexStream {
        let mut stream = self.open_for(session);
        let got = say(
            &mut stream,
            format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n"),
        )
        .await
        .unwrap();
        assert_eq!(got.status, 200, "{got:?}");
        stream
    }

    /// Opens a tunnel and speaks TLS in it.
    pub async fn tunnel(&self, host: &str) -> Tunnel {
        self.tunnel_for(&self.session, host).await
    }

    pub async fn tunnel_for(&self, session: &Arc<EgressSession>, host: &str) -> Tunnel {
        let stream = self.connect(session, host).await;
        let name = ServerName::try_from(host.to_owned()).unwrap();
        TlsConnector::from(Arc::new(self.trust()))
            .connect(name, stream)
            .await
            .unwrap()
    }

    /// Sends one request through a tunnel of its own.
    pub async fn ask(&self, host: &str, request: &str) -> Got {
        say(&mut self.tunnel(host).await, request).await.unwrap()
    }
}

/// A request with a JSON body.
pub fn post(host: &str, target: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

pub fn get(host: &str, target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")
}

pub const MESSAGES: &str =
    r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}"#;
pub const ANTHROPIC: &str = "api.anthropic.com";
