//! GitHub's smart HTTP over real bare repositories: judges who may read, and lets git's own `http-backend` do the rest.
//!
//! Pushes are taken from anyone who shows a credential, so that a test can prove that none arrives.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::answer::Answer;
use crate::playground;
use crate::record::Recorded;

/// Bare repositories as `OWNER/NAME.git` below one folder.
#[derive(Debug)]
pub(crate) struct Repositories {
    pub folder: PathBuf,
    /// `owner/name` of those that need a credential.
    pub private: Vec<String>,
    /// The only token that opens a private repository; any will do when there is none.
    pub token: Option<String>,
}

/// What a request wants from a repository.
#[derive(Debug, PartialEq)]
struct Wanted {
    repository: String,
    service: Service,
}

#[derive(Debug, PartialEq)]
enum Service {
    Read,
    Push,
}

impl Repositories {
    /// Answers one request to the GitHub host.
    pub async fn answer(&self, request: &Recorded) -> Answer {
        let Some(wanted) = wanted(request) else {
            return playground::not_found(request);
        };
        let shown = credential(request.header("authorization"));
        let needed = wanted.service == Service::Push
            || self
                .private
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&wanted.repository));
        if needed && !self.opens(shown.as_deref()) {
            let refused = Answer::full(401, "text/plain; charset=UTF-8", "Repository not found.");
            return refused.with("www-authenticate", "Basic realm=\"GitHub\"");
        }
        match self.run_backend(request, shown.is_some()).await {
            Ok(answer) => answer,
            Err(error) => Answer::full(500, "text/plain; charset=utf-8", format!("{error:#}\n")),
        }
    }

    fn opens(&self, shown: Option<&str>) -> bool {
        match (&self.token, shown) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(token), Some(shown)) => token == shown,
        }
    }

    async fn run_backend(&self, request: &Recorded, authenticated: bool) -> Result<Answer> {
        let mut child = backend(&self.folder, request, authenticated)
            .spawn()
            .context("start git http-backend")?;
        let mut input = child
            .stdin
            .take()
            .context("git http-backend has no input")?;
        let body = request.body.clone();
        let feed = async move {
            // The backend may answer without reading all of it, which closes the pipe: its answer tells.
            let _ = input.write_all(&body).await;
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), feed);
        cgi_answer(&output.context("run git http-backend")?.stdout)
            .context("git http-backend gave no answer")
    }
}

fn backend(folder: &Path, request: &Recorded, authenticated: bool) -> Command {
    let mut command = Command::new("git");
    // Repositories of tests may belong to another user than this process runs as.
    command.args([
        "-c",
        "safe.directory=*",
        "-c",
        "http.receivepack=true",
        "http-backend",
    ]);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1");
    let passed = [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ];
    for (header, variable) in passed {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    if authenticated {
        command.env("REMOTE_USER", "rehearsal");
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

fn wanted(request: &Recorded) -> Option<Wanted> {
    let mut parts = request.path.trim_start_matches('/').splitn(3, '/');
    let (owner, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let repository = format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name));
    let pushing = rest == "git-receive-pack"
        || request.parameter("service").as_deref() == Some("git-receive-pack");
    Some(Wanted {
        repository,
        service: if pushing {
            Service::Push
        } else {
            Service::Read
        },
    })
}

/// The token in an `Authorization` header of any scheme.
fn credential(header: Option<&str>) -> Option<String> {
    let (scheme, value) = header?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Some(value.to_owned());
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}

fn cgi_answer(output: &[u8]) -> Option<Answer> {
    let end = output.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&output[..end]).ok()?;
    let mut answer = Answer::full(200, "application/octet-stream", output[end + 4..].to_vec());
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        match name.eq_ignore_ascii_case("status") {
            true => answer.status = value.split(' ').next()?.parse().ok()?,
            false => answer = answer.with(name, value),
        }
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::record::tests::request;

    #[test]
    fn tells_reads_from_pushes() {
        for (target, expected) in [
            (
                "/o/r.git/info/refs?service=git-upload-pack",
                Some(("o/r", Service::Read)),
            ),
            (
                "/o/r/info/refs?service=git-receive-pack",
                Some(("o/r", Service::Push)),
            ),
            ("/o/r.git/git-upload-pack", Some(("o/r", Service::Read))),
            ("/o/r.git/git-receive-pack", Some(("o/r", Service::Push))),
            ("/o/r.git", None),
            ("/", None),
        ] {
            let found = wanted(&request("GET", "github.com", target, &[], ""));
            let expected = expected.map(|(repository, service)| Wanted {
                repository: repository.to_owned(),
                service,
            });
            assert_eq!(found, expected, "{target}");
        }
    }

    #[test]
    fn reads_tokens_of_both_schemes() {
        let basic = format!("Basic {}", BASE64_STANDARD.encode("x-access-token:ghp_1"));
        for (header, expected) in [
            (Some(basic.as_str()), Some("ghp_1")),
            (Some("Bearer ghp_2"), Some("ghp_2")),
            (Some("junk"), None),
            (None, None),
        ] {
            assert_eq!(credential(header).as_deref(), expected, "{header:?}");
        }
    }

    #[test]
    fn reads_what_the_backend_says() {
        let answer =
            cgi_answer(b"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\ngone").unwrap();
        assert_eq!(
            (answer.status, answer.headers[0].1.as_str()),
            (404, "text/plain")
        );
        assert!(cgi_answer(b"nothing").is_none());
    }
}
