//! Takes up edits of `proxy.toml`'s routes while the daemon runs. An edit that cannot be read changes nothing and is said in the log.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clauderon_policy::Routes;
use tokio::sync::watch;

use crate::config::Config;
use crate::paths::Paths;
use crate::sessions::Sessions;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks at the file for as long as the daemon runs.
pub async fn watch_routes(
    paths: Paths,
    sessions: Arc<Sessions>,
    routes: watch::Sender<Arc<Routes>>,
) {
    let file = paths.proxy_config();
    let mut seen = modified(&file);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = modified(&file);
        if now == seen {
            continue;
        }
        seen = now;
        match Config::load(&paths) {
            Ok(config) => {
                sessions.set_routes(&config.routes);
                routes.send_replace(config.routes);
                tracing::info!("the routes of proxy.toml were taken up");
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "proxy.toml was edited and is not taken up");
            }
        }
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file)
        .and_then(|meta| meta.modified())
        .ok()
}
