//! An agent's archive: compared with its pin first, then unpacked, regular files only.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};
use tar::{Archive, EntryType};

use super::{InstallError, make_dir, sync_dir};
use crate::pin::Pin;

/// The most bytes that an archive may unpack to; the greatest of today has 420 MB.
const UNPACKED_LIMIT: u64 = 2 << 30;
/// The most files in it; the greatest of today has 44.
const FILES_LIMIT: usize = 2_000;
/// The greatest archive that is read at all.
pub(super) const ARCHIVE_LIMIT: u64 = 1 << 30;

/// Copies an archive to our own folder, so that nobody changes it between the check and the unpacking.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), InstallError> {
    let doing = || InstallError::io(format!("read {}", from.display()));
    let source = File::open(from).map_err(doing())?;
    let found = source.metadata().map_err(doing())?;
    if !found.is_file() {
        return Err(doing()(io::Error::other("it is not a file")));
    }
    if found.len() > ARCHIVE_LIMIT {
        return Err(doing()(io::Error::other(
            "it is larger than any agent's archive",
        )));
    }
    let mut target = File::create(to).map_err(InstallError::io("write a copy of the archive"))?;
    io::copy(&mut source.take(ARCHIVE_LIMIT), &mut target).map_err(doing())?;
    Ok(())
}

/// Compares an archive with its pin. `origin` is what a refusal calls it.
pub(super) fn check(
    archive: &Path,
    origin: &Path,
    pin: &Pin,
    cancelled: &AtomicBool,
) -> Result<(), InstallError> {
    let doing = || InstallError::io("read the archive");
    let mut file = File::open(archive).map_err(doing())?;
    let mut sum = Sha512::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        stop_if(cancelled)?;
        match file.read(&mut buffer).map_err(doing())? {
            0 => break,
            read => sum.update(&buffer[..read]),
        }
    }
    let found = sum.finalize();
    if pin
        .digest()
        .is_some_and(|expected| expected == found.as_slice())
    {
        return Ok(());
    }
    Err(InstallError::WrongArchive {
        archive: origin.to_path_buf(),
        agent: pin.agent,
        version: pin.version.clone(),
        found: STANDARD.encode(found),
    })
}

/// Unpacks what lies below the pin's folder into a new folder, durably.
pub(super) fn unpack(
    archive: &Path,
    target: &Path,
    pin: &Pin,
    cancelled: &AtomicBool,
) -> Result<(), InstallError> {
    let refused = |reason: String| InstallError::BadArchive {
        agent: pin.agent,
        reason,
    };
    let broken = |error: io::Error| refused(format!("it cannot be read ({error})"));
    make_dir(target)?;
    let file = File::open(archive).map_err(InstallError::io("read the archive"))?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut left = UNPACKED_LIMIT;
    for (number, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        if number >= FILES_LIMIT {
            return Err(refused(format!("it holds more than {FILES_LIMIT} files")));
        }
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| refused("a name in it is not UTF-8".to_owned()))?;
        let inside = match entry.header().entry_type() {
            EntryType::Regular => inside(&name, &pin.folder).map_err(refused)?,
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => {
                return Err(refused(format!(
                    "{name:?} in it is neither a file nor a folder"
                )));
            }
        };
        let Some(inside) = inside else { continue };
        let executable = entry.header().mode().map_err(broken)? & 0o111 != 0;
        let path = target.join(inside);
        make_parents(target, &path)?;
        let mode = if executable { 0o755 } else { 0o644 };
        let copied = write(&mut entry, &path, mode, left, cancelled)?;
        left = left
            .checked_sub(copied)
            .ok_or_else(|| refused("it unpacks to more than 2 GiB".to_owned()))?;
    }
    sync_tree(target)
}

/// Returns the path below the pin's folder; none for a file elsewhere in the package.
fn inside(name: &str, folder: &str) -> Result<Option<PathBuf>, String> {
    let path = Path::new(name);
    if name.contains('\0')
        || !path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(format!("{name:?} in it leads outside"));
    }
    Ok(name
        .strip_prefix(folder)
        .filter(|rest| !rest.is_empty())
        .map(PathBuf::from))
}

fn make_parents(target: &Path, path: &Path) -> Result<(), InstallError> {
    let mut missing: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|dir| *dir != target && !dir.is_dir())
        .collect();
    while let Some(dir) = missing.pop() {
        make_dir(dir)?;
    }
    Ok(())
}

fn write(
    from: &mut impl Read,
    path: &Path,
    mode: u32,
    limit: u64,
    cancelled: &AtomicBool,
) -> Result<u64, InstallError> {
    let doing = || InstallError::io(format!("write {}", path.display()));
    // A name that comes twice is an error, not a replacement.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(doing())?;
    let mut buffer = vec![0; 256 * 1024];
    let mut copied = 0;
    while copied <= limit {
        stop_if(cancelled)?;
        match from.read(&mut buffer).map_err(doing())? {
            0 => break,
            read => {
                file.write_all(&buffer[..read]).map_err(doing())?;
                copied += read as u64;
            }
        }
    }
    file.set_permissions(Permissions::from_mode(mode))
        .map_err(doing())?;
    file.sync_all().map_err(doing())?;
    Ok(copied)
}

fn sync_tree(dir: &Path) -> Result<(), InstallError> {
    let doing = || InstallError::io(format!("write down {}", dir.display()));
    for entry in fs::read_dir(dir).map_err(doing())? {
        let entry = entry.map_err(doing())?;
        if entry.file_type().map_err(doing())?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_dir(dir)
}

fn stop_if(cancelled: &AtomicBool) -> Result<(), InstallError> {
    if cancelled.load(Ordering::Relaxed) {
        Err(InstallError::Cancelled)
    } else {
        Ok(())
    }
}
