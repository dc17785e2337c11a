//! Waits for a file that another process is about to move into its place.
//!
//! It is looked for again and again: the folder is not ours to read, so the kernel tells no news of it.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The first looks are this far apart, later ones a twentieth of what was waited.
const SOONEST: Duration = Duration::from_millis(2);
const LATEST: Duration = Duration::from_millis(100);

/// Returns once the file is there, or the time is up, or its folder is none.
pub fn wait(path: &Path, patience: Duration) {
    let begun = Instant::now();
    let folder = path.parent().unwrap_or(Path::new("/"));
    while !path.exists() && folder.is_dir() && begun.elapsed() < patience {
        sleep((begun.elapsed() / 20).clamp(SOONEST, LATEST));
    }
}
