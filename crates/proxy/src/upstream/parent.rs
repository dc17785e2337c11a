//! A parent proxy, as companies have them: `CONNECT` through it, nothing else.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clauderon_policy::Target;
use percent_encoding::percent_decode_str;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use zeroize::Zeroizing;

use super::{DialError, UpstreamError};
use crate::limits;

pub(super) struct Parent {
    target: Target,
    /// The value of `Proxy-Authorization`, where the address has a user.
    authorization: Option<Zeroizing<String>>,
}

impl Parent {
    pub fn parse(text: &str) -> Result<Self, UpstreamError> {
        let rest = text.strip_prefix("http://").unwrap_or_default();
        let rest = rest.trim_end_matches('/');
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        match Target::parse_authority(authority) {
            Ok(target) => Ok(Self {
                target,
                authorization: user.map(basic),
            }),
            // The password is not repeated.
            Err(_) => Err(UpstreamError::Parent(authority.to_owned())),
        }
    }

    /// Opens a tunnel to the target. The parent resolves the name: the address check is its own.
    pub async fn reach(&self, target: &Target) -> Result<TcpStream, DialError> {
        let Self {
            target: parent,
            authorization,
        } = self;
        let mut ask = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let Some(authorization) = authorization {
            ask.push_str(&format!("Proxy-Authorization: {}\r\n", **authorization));
        }
        ask.push_str("\r\n");
        let asking = async {
            let mut stream = TcpStream::connect((parent.host.as_str(), parent.port)).await?;
            stream.write_all(ask.as_bytes()).await?;
            read_answer(&mut stream).await?;
            Ok(stream)
        };
        timeout(limits::CONNECT_TIME, asking)
            .await
            .map_err(|_| DialError::Slow)?
            .map_err(DialError::Connect)
    }
}

/// Says who we are, as the parent wants to hear it; both parts may be percent-encoded.
fn basic(user: &str) -> Zeroizing<String> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut pair: Zeroizing<Vec<u8>> = Zeroizing::new(percent_decode_str(name).collect());
    pair.push(b':');
    pair.extend(percent_decode_str(password));
    let encoded = Zeroizing::new(STANDARD.encode(&*pair));
    Zeroizing::new(format!("Basic {}", *encoded))
}

async fn read_answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    // One byte at a time: what follows the head belongs to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= limits::GATE_HEAD {
            return Err(io::Error::other("the parent proxy's answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    match head.get(8..13) {
        Some(b" 200 " | b" 200\r") => Ok(()),
        Some(b" 407 ") => Err(io::Error::other(
            "the parent proxy wants a user and a password: http://user:password@host:port",
        )),
        _ => Err(io::Error::other("the parent proxy refused the tunnel")),
    }
}
