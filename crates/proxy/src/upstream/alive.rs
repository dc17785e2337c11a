//! Notices that an upstream is gone without a word, as after a machine slept or changed its network: nothing else would tell for
//! a quarter of an hour.

use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpStream;

/// How long a connection may rest before the other side is asked whether it is there.
const REST: Duration = Duration::from_secs(30);
/// How often it is asked again.
const AGAIN: Duration = Duration::from_secs(10);
/// How many questions may stay without an answer.
const UNANSWERED: u32 = 3;

/// Lets the system ask, and give up what was sent and not received within a minute.
pub(crate) fn watch(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, REST)?;
    sockopt::set_tcp_keepintvl(stream, AGAIN)?;
    sockopt::set_tcp_keepcnt(stream, UNANSWERED)?;
    give_up(stream)
}

#[cfg(target_os = "linux")]
fn give_up(stream: &TcpStream) -> io::Result<()> {
    let limit = REST + AGAIN * UNANSWERED;
    let limit = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(stream, limit)?)
}

#[cfg(not(target_os = "linux"))]
fn give_up(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_asked_whether_it_lives() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        watch(&stream).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), REST);
    }
}
