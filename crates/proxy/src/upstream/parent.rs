//! A parent proxy, as companies have them: `CONNECT` through it, nothing else.

use std::io;

use clauderon_policy::Target;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{DialError, UpstreamError};
use crate::limits;

pub(super) struct Parent(Target);

impl Parent {
    pub fn parse(text: &str) -> Result<Self, UpstreamError> {
        let authority = text
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        let target = authority.and_then(|authority| Target::parse_authority(authority).ok());
        target
            .map(Self)
            .ok_or_else(|| UpstreamError::Parent(text.to_owned()))
    }

    /// Opens a tunnel to the target. The parent resolves the name: the address check is its own.
    pub async fn reach(&self, target: &Target) -> Result<TcpStream, DialError> {
        let Self(parent) = self;
        let asking = async {
            let mut stream = TcpStream::connect((parent.host.as_str(), parent.port)).await?;
            stream
                .write_all(
                    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes(),
                )
                .await?;
            read_answer(&mut stream).await?;
            Ok(stream)
        };
        timeout(limits::CONNECT_TIME, asking)
            .await
            .map_err(|_| DialError::Slow)?
            .map_err(DialError::Connect)
    }
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
    let ok = head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.0 200");
    ok.then_some(())
        .ok_or_else(|| io::Error::other("the parent proxy refused the tunnel"))
}
