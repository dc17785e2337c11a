//! A tiny TLS upstream on loopback: it records all it receives and says what a test tells it to.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub connection: usize,
    pub head: String,
    pub body: Vec<u8>,
}

/// What the upstream says.
pub enum Reply {
    /// These bytes.
    Raw(Vec<u8>),
    /// These bytes, as they are sent.
    Live(mpsc::Receiver<Vec<u8>>),
}

pub fn ok(body: &str) -> Reply {
    raw("200 OK", "content-type: text/plain\r\n", body.as_bytes())
}

pub fn raw(status: &str, headers: &str, body: &[u8]) -> Reply {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Reply::Raw(bytes)
}

pub type Script = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

pub struct Upstream {
    pub tls: SocketAddr,
    pub plain: SocketAddr,
    pub ca_file: PathBuf,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

pub const NAMES: [&str; 6] = [
    "api.anthropic.com",
    "api.openai.com",
    "echo.example",
    "sink.example",
    "open.example",
    "github.com",
];

impl Upstream {
    pub async fn start(dir: &Path, script: Script) -> Self {
        let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let ca_file = dir.join("upstream.pem");
        std::fs::write(&ca_file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(script);
        let (tls, plain) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let upstream = Self {
            tls: tls.local_addr().unwrap(),
            plain: plain.local_addr().unwrap(),
            ca_file,
            seen: Arc::clone(&seen),
        };
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, encrypted) = tokio::select! {
                    stream = tls.accept() => (stream.unwrap().0, true),
                    stream = plain.accept() => (stream.unwrap().0, false),
                };
                let (acceptor, seen, script) =
                    (acceptor.clone(), Arc::clone(&seen), Arc::clone(&script));
                tokio::spawn(async move {
                    if !encrypted {
                        return converse(stream, connection, &seen, &script).await;
                    }
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, connection, &seen, &script).await;
                    }
                });
            }
        });
        upstream
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn converse<S>(mut stream: S, connection: usize, seen: &Mutex<Vec<Seen>>, script: &Script)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(head) = read_head(&mut stream).await {
        let mut request = Seen {
            connection,
            head,
            body: Vec::new(),
        };
        let reply = script(&request);
        let Some(body) = read_body(&mut stream, &request.head).await else {
            return;
        };
        request.body = body;
        seen.lock().unwrap().push(request);
        match reply {
            Reply::Raw(bytes) => stream.write_all(&bytes).await.unwrap_or_default(),
            Reply::Live(mut pieces) => {
                while let Some(piece) = pieces.recv().await {
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                    stream.flush().await.unwrap_or_default();
                }
                return;
            }
        }
        stream.flush().await.unwrap_or_default();
    }
}

pub async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .next()
}

pub async fn read_body<S: AsyncRead + Unpin>(stream: &mut S, head: &str) -> Option<Vec<u8>> {
    if let Some(length) = header(head, "content-length") {
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.ok()?;
        return Some(body);
    }
    if header(head, "transfer-encoding") != Some("chunked") {
        return Some(Vec::new());
    }
    let mut body = Vec::new();
    loop {
        let piece = read_chunk(stream).await?;
        if piece.is_empty() {
            return Some(body);
        }
        body.extend_from_slice(&piece);
    }
}

pub async fn read_chunk<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let mut size = Vec::new();
    while !size.ends_with(b"\r\n") {
        size.push(stream.read_u8().await.ok()?);
    }
    let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
    let mut piece = vec![0; size + 2];
    stream.read_exact(&mut piece).await.ok()?;
    piece.truncate(size);
    Some(piece)
}
