//! Files in a session's home. An agent owns that folder, so nothing in it is trusted: links are never followed,
//! and what is already there is never touched.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use clauderon_session::Agent;

use super::HomeFile;

/// Writes the files that are not there yet, for `owner` (uid and gid). The session's sandbox must not be running.
pub fn place_home_files(home: &Path, files: &[HomeFile], owner: (u32, u32)) -> io::Result<()> {
    for file in files {
        let folder = open_folders(home, Path::new(&file.path), owner)?;
        let name = Path::new(&file.path)
            .file_name()
            .expect("a home file has a name");
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(file.mode)
            .open(folder.join(name));
        match opened {
            Ok(mut opened) => {
                opened.write_all(&file.bytes)?;
                opened.set_permissions(fs::Permissions::from_mode(file.mode))?;
                fchown(&opened, Some(owner.0), Some(owner.1))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes the folders above a file, refusing any that is not a real folder.
fn open_folders(home: &Path, file: &Path, owner: (u32, u32)) -> io::Result<PathBuf> {
    let mut folder = home.to_path_buf();
    for part in file.parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let reason = format!("{} is not a folder", folder.display());
                return Err(io::Error::new(io::ErrorKind::NotADirectory, reason));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::DirBuilder::new().mode(0o700).create(&folder)?;
                chown(&folder, Some(owner.0), Some(owner.1))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(folder)
}

/// Says whether the home holds a conversation that `LaunchRequest::resume` can go on with.
pub fn conversation_exists(home: &Path, agent: Agent, agent_session: &str) -> bool {
    match agent {
        Agent::Claude => {
            let name = format!("{agent_session}.jsonl");
            folders(&home.join(".claude/projects"))
                .iter()
                .any(|folder| is_full_file(&folder.join(&name)))
        }
        Agent::Codex => {
            // sessions/YYYY/MM/DD/rollout-….jsonl
            let days = folders(&home.join(".codex/sessions"))
                .iter()
                .flat_map(|year| folders(year))
                .flat_map(|month| folders(&month))
                .collect::<Vec<_>>();
            days.iter()
                .any(|day| entries(day).iter().any(|file| is_full_file(file)))
        }
    }
}

/// The most entries of one folder that are looked at.
const ENTRIES: usize = 1_000;

fn entries(folder: &Path) -> Vec<PathBuf> {
    if !is_folder(folder) {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .take(ENTRIES)
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| is_folder(path))
        .collect()
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn is_full_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0)
}
