//! A rehearsal inside another program: no port, no TLS, no memory of what was received.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::DuplexStream;

use crate::connection;
use crate::github::Repositories;
use crate::lines::Lines;
use crate::server::Stage;
use crate::tries::Tries;

/// How many bytes may wait in each direction of a connection.
const BUFFER: usize = 64 << 10;

/// A rehearsal whose connections are made by [`InProcess::connect`] alone.
#[derive(Clone)]
pub struct InProcess(Arc<Stage>);

impl InProcess {
    /// Prepares it; nothing runs before the first connection.
    pub fn new(lines: Lines) -> Self {
        let repositories = Repositories {
            folder: PathBuf::from("/nonexistent"),
            private: Vec::new(),
            token: None,
        };
        Self(Arc::new(Stage {
            record: None,
            extra_hosts: Vec::new(),
            repositories,
            lines,
            tries: Tries::default(),
        }))
    }

    /// Opens a connection that speaks plain HTTP; the `Host` of each request says which service is meant. It is served on
    /// the current tokio runtime until either end closes it.
    pub fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        let stage = Arc::clone(&self.0);
        tokio::spawn(async move {
            if let Err(error) = connection::in_clear(stage, ours).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
        theirs
    }
}
