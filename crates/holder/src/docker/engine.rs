//! The few requests a holder makes of an engine, by hand over its unix socket: a client library
//! would be many times the size of the holder. No version is named, so any engine answers.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

/// Starting may have to wait for a busy engine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Everything else waits meanwhile, so looking must be short.
const GLANCE: Duration = Duration::from_secs(5);
const LONGEST_HEAD: usize = 16 * 1024;
const LONGEST_BODY: u64 = 1024 * 1024;
/// The engine swallows what begins this sequence, by default Ctrl-P. These bytes are in no UTF-8
/// text, so nobody types them.
const DETACH: &str = "%FF,%FE,%FD,%FC,%FB,%FA,%F9,%F8";

pub struct Engine {
    socket: PathBuf,
    container: String,
}

pub enum State {
    Running,
    Ended {
        code: i32,
        oom: bool,
        error: Option<String>,
    },
    Absent,
}

struct Answer {
    status: u16,
    /// What was read beyond the head.
    rest: Vec<u8>,
    stream: UnixStream,
}

impl Engine {
    pub fn new(socket: &Path, container: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if container.is_empty() || !container.bytes().all(plain) {
            return Err(format!("{container:?} is no container"));
        }
        Ok(Self {
            socket: socket.into(),
            container: container.into(),
        })
    }

    /// The container's streams, and bytes of them that came with the answer.
    pub fn attach(&self) -> Result<(UnixStream, Vec<u8>), String> {
        let path = format!("attach?stream=1&stdin=1&stdout=1&stderr=1&detachKeys={DETACH}");
        let head = format!(
            "POST /containers/{}/{path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\
             Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
            self.container
        );
        let answer = self.ask(&head, GLANCE, "attach to the container")?;
        if !matches!(answer.status, 101 | 200) {
            return Err(answer.into_sentence("attach to the container"));
        }
        let nonblocking = answer.stream.set_nonblocking(true);
        nonblocking.map_err(|error| format!("cannot attach to the container: {error}"))?;
        Ok((answer.stream, answer.rest))
    }

    pub fn start(&self) -> Result<(), String> {
        let answer = self.ask(&self.head("POST", "start"), PATIENCE, "start the container")?;
        match answer.status {
            204 | 304 => Ok(()),
            _ => Err(answer.into_sentence("start the container")),
        }
    }

    /// Gives the terminal a size and waits until it has it.
    pub fn resize(&self, cols: u16, rows: u16) -> Result<(), String> {
        const WHAT: &str = "resize the terminal";
        let answer = self.ask(&self.head("POST", &resize_path(cols, rows)), GLANCE, WHAT)?;
        match answer.status {
            200 => Ok(()),
            _ => Err(answer.into_sentence(WHAT)),
        }
    }

    pub fn inspect(&self) -> Result<State, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Container {
            state: Details,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Details {
            running: bool,
            exit_code: i32,
            #[serde(default, rename = "OOMKilled")]
            oom_killed: bool,
            #[serde(default)]
            error: String,
        }
        const WHAT: &str = "inspect the container";
        let answer = self.ask(&self.head("GET", "json"), GLANCE, WHAT)?;
        match answer.status {
            404 => return Ok(State::Absent),
            200 => {}
            _ => return Err(answer.into_sentence(WHAT)),
        }
        let container: Container = serde_json::from_slice(&answer.into_body())
            .map_err(|error| format!("cannot {WHAT}: {error}"))?;
        let state = container.state;
        if state.running {
            return Ok(State::Running);
        }
        let error = (!state.error.is_empty()).then_some(state.error);
        Ok(State::Ended {
            code: state.exit_code,
            oom: state.oom_killed,
            error,
        })
    }

    /// Whether the engine has seen this container out of memory. It says so of its end only where it heard of the one before the
    /// other; here it has a second to hear of it.
    pub fn saw_out_of_memory(&self) -> Result<bool, String> {
        const WHAT: &str = "ask for the container's events";
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let until = since_1970.unwrap_or_default().as_secs() + 1;
        let filters = format!(
            "%7B%22container%22:%5B%22{}%22%5D,%22event%22:%5B%22oom%22%5D%7D",
            self.container
        );
        let head = format!(
            "GET /events?since=0&until={until}&filters={filters} HTTP/1.0\r\nHost: docker\r\n\r\n"
        );
        let answer = self.ask(&head, GLANCE, WHAT)?;
        match answer.status {
            200 => Ok(!answer.into_body().trim_ascii().is_empty()),
            _ => Err(answer.into_sentence(WHAT)),
        }
    }

    /// Asks without waiting for the answer; the stream must stay open until it comes.
    pub fn post(&self, path: &str) -> Result<UnixStream, String> {
        let cannot = |error: io::Error| format!("cannot reach the engine: {error}");
        let mut stream = UnixStream::connect(&self.socket).map_err(cannot)?;
        stream
            .write_all(self.head("POST", path).as_bytes())
            .map_err(cannot)?;
        stream.set_nonblocking(true).map_err(cannot)?;
        Ok(stream)
    }

    /// HTTP/1.0: the answer ends with the connection and is never chunked.
    fn head(&self, method: &str, path: &str) -> String {
        format!(
            "{method} /containers/{}/{path} HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n",
            self.container
        )
    }

    fn ask(&self, head: &str, patience: Duration, what: &str) -> Result<Answer, String> {
        let cannot = |error: io::Error| format!("cannot {what}: {error}");
        let mut stream = UnixStream::connect(&self.socket).map_err(cannot)?;
        stream.set_read_timeout(Some(patience)).map_err(cannot)?;
        stream.write_all(head.as_bytes()).map_err(cannot)?;
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let status = status(&bytes)
                    .ok_or_else(|| format!("cannot {what}: the engine does not speak HTTP"))?;
                return Ok(Answer {
                    status,
                    rest: bytes.split_off(end + 4),
                    stream,
                });
            }
            let count = stream.read(&mut piece).map_err(cannot)?;
            if count == 0 || bytes.len() > LONGEST_HEAD {
                return Err(format!("cannot {what}: the engine gave no answer"));
            }
            bytes.extend_from_slice(&piece[..count]);
        }
    }
}

impl Answer {
    fn into_body(self) -> Vec<u8> {
        let mut body = self.rest;
        let _ = self.stream.take(LONGEST_BODY).read_to_end(&mut body);
        body
    }

    fn into_sentence(self, what: &str) -> String {
        #[derive(Deserialize)]
        struct Failure {
            message: String,
        }
        let status = self.status;
        // Nothing may follow an answer on a connection that stays open.
        let _ = self
            .stream
            .set_read_timeout(Some(Duration::from_millis(200)));
        let body = self.into_body();
        if let Ok(failure) = serde_json::from_slice::<Failure>(&body) {
            return format!("cannot {what}: {}", failure.message);
        }
        // A refused attachment is answered in plain text.
        match std::str::from_utf8(&body).map(str::trim) {
            Ok(text) if !text.is_empty() && !text.contains('\n') => {
                format!("cannot {what}: {text}")
            }
            _ => format!("cannot {what}: the engine answered {status}"),
        }
    }
}

pub fn resize_path(cols: u16, rows: u16) -> String {
    format!("resize?h={rows}&w={cols}")
}

/// The number of `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    line.starts_with("HTTP/1.")
        .then(|| line.split(' ').nth(1)?.parse().ok())?
}
