//! How much room this installation takes, counted anew at each question and off the threads that serve.

use std::path::{Path, PathBuf};

use clauderon_api::{Error, StorageRow, StorageView};

use crate::doctor::free_bytes;
use crate::failure;
use crate::paths::Paths;
use crate::sessions::Sessions;
use crate::sessions::disk::used;

/// Counts everything. An agent owns what is in its folders, so links are not followed, and depth and entries are bounded.
pub async fn view(sessions: &Sessions) -> Result<StorageView, Error> {
    let rows: Vec<(String, String, PathBuf)> = sessions
        .views()
        .into_iter()
        .map(|session| {
            let folder = sessions.shared().paths.sessions().join(&session.id);
            (session.id, session.name, folder)
        })
        .collect();
    let paths = sessions.shared().paths.clone();
    // One count at a time: a window that asks again and again must not keep every disk busy.
    let _alone = sessions.shared().counting.lock().await;
    tokio::task::spawn_blocking(move || count(&paths, rows))
        .await
        .map_err(|error| failure::anyhow(error.into()))
}

fn count(paths: &Paths, sessions: Vec<(String, String, PathBuf)>) -> StorageView {
    let mut sessions: Vec<StorageRow> = sessions
        .into_iter()
        .map(|(id, name, folder)| StorageRow {
            id,
            name,
            bytes: used(&folder),
        })
        .collect();
    sessions.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    StorageView {
        sessions,
        trash_bytes: used(&paths.trash()),
        agents_bytes: used(&paths.home().join("agents")),
        logs_bytes: used(&paths.logs()) + audit_bytes(paths),
        free_bytes: free_bytes(paths.home()).unwrap_or_default(),
    }
}

/// The audit log and the parts of it that were rotated away lie beside each other.
fn audit_bytes(paths: &Paths) -> u64 {
    let is_audit = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("audit.")
    };
    let entries = std::fs::read_dir(paths.home());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| is_audit(&entry.path()))
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_part_is_counted_once_and_the_largest_session_comes_first() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let fill = |path: PathBuf, kib: usize| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![1; kib << 10]).unwrap();
        };
        fill(paths.sessions().join("a/workspace/x"), 100);
        fill(paths.sessions().join("b/terminal.log"), 300);
        fill(paths.trash().join("c/workspace/x"), 500);
        fill(paths.home().join("agents/claude/1/claude"), 700);
        fill(paths.logs().join("daemon.log"), 40);
        fill(paths.audit(), 50);
        fill(paths.home().join("audit.1.jsonl"), 60);
        let rows = ["a", "b"].map(|name| {
            let folder = paths.sessions().join(name);
            (name.to_owned(), format!("name-{name}"), folder)
        });
        let view = count(&paths, rows.into());
        let near = |bytes: u64, kib: u64| {
            assert!(
                (kib << 10..(kib + 40) << 10).contains(&bytes),
                "{bytes} is not near {kib} KiB"
            );
        };
        let names: Vec<_> = view.sessions.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["name-b", "name-a"]);
        near(view.sessions[0].bytes, 300);
        near(view.sessions[1].bytes, 100);
        near(view.trash_bytes, 500);
        near(view.agents_bytes, 700);
        near(view.logs_bytes, 150);
        assert!(view.free_bytes > 0);
    }
}
