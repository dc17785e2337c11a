//! A TLS client that trusts one rehearsal and names any host it likes.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use clauderon_rehearsal::{Options, Rehearsal};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A rehearsal with one extra host.
pub async fn rehearsal() -> Rehearsal {
    Rehearsal::start(Options {
        extra_hosts: vec!["extra.example".to_owned()],
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Opens a connection whose handshake names `host`.
pub async fn connect(
    rehearsal: &Rehearsal,
    host: &str,
) -> std::io::Result<SendRequest<Full<Bytes>>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(rehearsal.ca_pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(rehearsal.addr()).await?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(std::io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends one request over a connection of its own.
pub async fn send(rehearsal: &Rehearsal, request: Request<String>) -> Response<Incoming> {
    let host = request.headers()["host"].to_str().unwrap().to_owned();
    let mut connection = connect(rehearsal, &host).await.unwrap();
    connection
        .send_request(request.map(|body| Full::new(Bytes::from(body))))
        .await
        .unwrap()
}

/// A GET request.
pub fn get(host: &str, target: &str) -> Request<String> {
    Request::get(target)
        .header("host", host)
        .header("authorization", "Bearer real")
        .body(String::new())
        .unwrap()
}

/// A streamed Messages request with that prompt.
pub fn messages(prompt: &str) -> Request<String> {
    let body = serde_json::json!({ "model": "m", "max_tokens": 9, "stream": true, "messages": [{ "role": "user", "content": prompt }] });
    let request = Request::post("/v1/messages?beta=true")
        .header("host", "api.anthropic.com")
        .header("authorization", "Bearer real");
    request.body(body.to_string()).unwrap()
}

/// The whole body as text.
pub async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
    .unwrap()
}
