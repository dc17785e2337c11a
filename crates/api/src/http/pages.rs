//! The window's page: the files of one folder, by their names and nothing beneath a name.

use std::path::{Path, PathBuf};

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// A folder of built files, or none.
pub struct Pages {
    folder: Option<PathBuf>,
}

impl Pages {
    /// Serves `folder`.
    pub fn new(folder: Option<PathBuf>) -> Pages {
        Pages { folder }
    }

    /// Answers with the file that `path` names.
    pub async fn answer(&self, method: &Method, path: &str) -> Response {
        if is_api(path) {
            return Error::not_found("There is no such endpoint.").into_response();
        }
        if method != Method::GET && method != Method::HEAD {
            return (StatusCode::METHOD_NOT_ALLOWED, "A page can only be read.\n").into_response();
        }
        let Some(folder) = &self.folder else {
            return (
                StatusCode::NOT_FOUND,
                "The window's page is not installed here; `clauderon daemon --ui-dir DIR` names its folder.\n",
            )
                .into_response();
        };
        let Some(name) = file_name(path) else {
            return (StatusCode::NOT_FOUND, "There is no such page.\n").into_response();
        };
        match read(folder.clone(), name).await {
            Some((name, bytes)) => (
                [
                    (CONTENT_TYPE, mime(&name)),
                    (CACHE_CONTROL, freshness(&name)),
                ],
                bytes,
            )
                .into_response(),
            None => (StatusCode::NOT_FOUND, "There is no such page.\n").into_response(),
        }
    }
}

/// Says whether a path belongs to the API, which answers in JSON.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/ws/")
}

/// Turns a path into a relative name. Only plain names pass: no `..`, nothing hidden, nothing percent-encoded.
fn file_name(path: &str) -> Option<PathBuf> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some("index.html".into());
    }
    let plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    path.split('/').all(plain).then(|| path.into())
}

/// Reads a regular file that really lies in the folder, wherever links point.
async fn read(folder: PathBuf, name: PathBuf) -> Option<(PathBuf, Vec<u8>)> {
    let read = move || {
        let folder = folder.canonicalize().ok()?;
        let file = folder.join(&name).canonicalize().ok()?;
        if !file.starts_with(&folder) || !file.is_file() {
            return None;
        }
        Some((name, std::fs::read(file).ok()?))
    };
    tokio::task::spawn_blocking(read).await.ok().flatten()
}

fn mime(name: &Path) -> &'static str {
    match name.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Built files carry a hash in their names and never change; the page that names them does.
fn freshness(name: &Path) -> &'static str {
    match name.starts_with("assets") {
        true => "private, max-age=31536000, immutable",
        false => "no-cache",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_plain_names_are_files() {
        for (path, expected) in [
            ("/", Some("index.html")),
            ("/assets/index-BxY_1.js", Some("assets/index-BxY_1.js")),
            ("/../secret", None),
            ("/assets/../../secret", None),
            ("/%2e%2e/secret", None),
            ("/.env", None),
            ("//etc/passwd", None),
            ("/a\\..\\b", None),
            ("", None),
        ] {
            assert_eq!(file_name(path), expected.map(PathBuf::from), "{path}");
        }
    }

    #[tokio::test]
    async fn a_link_out_of_the_folder_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("ui");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("index.html"), "page").unwrap();
        std::fs::write(root.path().join("secret.txt"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret.txt", folder.join("out.txt")).unwrap();
        let pages = Pages::new(Some(folder));
        for (path, status) in [
            ("/", 200),
            ("/out.txt", 404),
            ("/nothing", 404),
            ("/api/x", 404),
        ] {
            let answer = pages.answer(&Method::GET, path).await;
            assert_eq!(answer.status(), status, "{path}");
        }
        assert_eq!(pages.answer(&Method::POST, "/").await.status(), 405);
    }
}
