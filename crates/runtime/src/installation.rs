//! The facts about this installation that every backend needs. Found by the caller; nothing here reads an environment.

use std::path::PathBuf;

/// This installation of Clauderon.
#[derive(Debug, Clone)]
pub struct Installation {
    /// A random name made once, written on every container.
    pub id: String,
    /// The product's version.
    pub version: String,
    /// Clauderon's own folder (`~/.clauderon`).
    pub home: PathBuf,
    /// The person's home folder, never mounted.
    pub user_home: Option<PathBuf>,
    /// The `clauderon-holder` program.
    pub holder: PathBuf,
}
