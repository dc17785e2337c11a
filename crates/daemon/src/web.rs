//! The window's page for a browser on this machine. Off unless it was asked for by name: without it the daemon listens on
//! its unix socket alone.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use clauderon_api::{Door, Error, WebLink};
use tokio::net::TcpListener;

/// How to serve the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// The loopback port; 0 for a free one.
    pub port: u16,
    /// The folder of the page; the one beside the program where `None`.
    pub folder: Option<PathBuf>,
}

/// A bound port that nobody serves yet.
pub struct Bound {
    /// The port.
    pub listener: TcpListener,
    /// Who may come in.
    pub door: Arc<Door>,
    /// The page's folder, where there is one.
    pub folder: Option<PathBuf>,
}

/// Binds the port.
pub async fn bind(web: Web) -> Result<Bound> {
    let folder = match web.folder {
        Some(folder) => Some(
            folder
                .canonicalize()
                .with_context(|| format!("{} cannot be served", folder.display()))?,
        ),
        None => beside_the_program(),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, web.port))
        .await
        .with_context(|| format!("port {} cannot be opened", web.port))?;
    let port = listener.local_addr().context("read the port")?.port();
    Ok(Bound {
        listener,
        door: Arc::new(Door::new(port)),
        folder,
    })
}

/// Makes a fresh link.
pub fn link(door: Option<&Arc<Door>>) -> Result<WebLink, Error> {
    let door = door.ok_or_else(|| {
        Error::conflict("This daemon serves no page.").hint(
            "`clauderon daemon stop`, then `clauderon daemon --http-port 0` runs one that does; sessions go on meanwhile.",
        )
    })?;
    Ok(WebLink {
        url: door.link(Instant::now()),
    })
}

/// `ui/` beside the program, as it is built, or in `lib/clauderon/` beside `bin/`, as it is installed.
fn beside_the_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let folder = program.parent()?;
    [folder.join("ui"), folder.join("../lib/clauderon/ui")]
        .into_iter()
        .find(|folder| Path::is_file(&folder.join("index.html")))
}
