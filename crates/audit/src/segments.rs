//! The files of a log: `audit.jsonl`, and before it `audit.1.jsonl`, `audit.2.jsonl`, …, the oldest first.

use std::io;
use std::path::{Path, PathBuf};

/// Gives the rotated files with their numbers, the oldest first.
pub(crate) fn rotated(log: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let (folder, stem) = (folder(log), stem(log));
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder)? {
        let path = item?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix(&format!("{stem}.")))
            .and_then(|name| name.strip_suffix(".jsonl"))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Gives the name of the next rotated file.
pub(crate) fn next(log: &Path) -> io::Result<PathBuf> {
    let number = rotated(log)?.last().map_or(1, |(number, _)| number + 1);
    Ok(folder(log).join(format!("{}.{number}.jsonl", stem(log))))
}

/// Gives all files that exist, the oldest first.
pub(crate) fn all(log: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = rotated(log)?.into_iter().map(|(_, path)| path).collect();
    if log.exists() {
        files.push(log.to_owned());
    }
    Ok(files)
}

pub(crate) fn folder(log: &Path) -> &Path {
    match log.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn stem(log: &Path) -> String {
    log.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
