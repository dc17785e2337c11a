//! Copies the untracked files that `.worktreeinclude` lists, but for those that look like secrets.
//!
//! It runs while the workspace is still empty, so that no link of the commit can lead a copy elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path};

use crate::git::{Input, QUESTION};
use crate::{Error, Notice, Source, secrets};

const LIST: &str = ".worktreeinclude";
const MOST_FILES: usize = 2_000;
const MOST_BYTES: u64 = 200 << 20;
/// How much of a file is searched for credentials.
const SEARCHED: u64 = 1 << 20;

/// Copies what is listed and says what was and was not.
pub(super) async fn copy(
    source: &Source,
    to: &Path,
    secrets_too: bool,
) -> Result<Vec<Notice>, Error> {
    let list = source.root.join(LIST);
    if source.bare || !list.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return Ok(Vec::new());
    }
    let doing = "list the files of .worktreeinclude";
    let args = [
        "ls-files",
        "--others",
        "--ignored",
        "--exclude-from",
        LIST,
        "-z",
    ];
    let listed = source.git.run(doing, &args, Input::Empty, QUESTION).await?;
    if !listed.ok {
        let why = "git could not read the list".to_owned();
        return Ok(vec![Notice::NotIncluded { why }]);
    }
    let paths = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = paths.split('\0').filter(|path| !path.is_empty());
    let mut copying = Copying {
        from: &source.root,
        to,
        secrets_too,
        count: 0,
        bytes: 0,
        secrets: Vec::new(),
        why: None,
    };
    for path in paths {
        copying.one(path)?;
    }
    Ok(copying.notices())
}

struct Copying<'a> {
    from: &'a Path,
    to: &'a Path,
    secrets_too: bool,
    count: usize,
    bytes: u64,
    secrets: Vec<String>,
    why: Option<String>,
}

impl Copying<'_> {
    fn one(&mut self, path: &str) -> Result<(), Error> {
        let relative = Path::new(path);
        let plain = |part: Component<'_>| matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git"));
        if !relative.components().all(plain) {
            return Ok(());
        }
        const NO_LINKS: i32 =
            (rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()) as i32;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(NO_LINKS)
            .open(self.from.join(relative));
        let described = opened.and_then(|file| file.metadata().map(|meta| (file, meta)));
        let Ok((mut file, meta)) = described else {
            self.why
                .get_or_insert_with(|| format!("{path} could not be opened"));
            return Ok(());
        };
        if !meta.is_file() {
            return Ok(());
        }
        if !self.secrets_too && looks_secret(path, &file) {
            self.secrets.push(path.to_owned());
            return Ok(());
        }
        if self.count >= MOST_FILES || self.bytes + meta.size() > MOST_BYTES {
            self.why
                .get_or_insert_with(|| "it is more than 2,000 files or 200 MiB".to_owned());
            return Ok(());
        }
        let doing = || format!("copy {path}");
        let target = self.to.join(relative);
        fs::create_dir_all(target.parent().unwrap_or(self.to)).map_err(Error::io(doing()))?;
        let mode = if meta.mode() & 0o100 == 0 {
            0o644
        } else {
            0o755
        };
        let mut options = OpenOptions::new();
        let mut copy = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&target)
            .map_err(Error::io(doing()))?;
        self.bytes += std::io::copy(&mut Read::by_ref(&mut file).take(MOST_BYTES), &mut copy)
            .map_err(Error::io(doing()))?;
        copy.flush().map_err(Error::io(doing()))?;
        self.count += 1;
        Ok(())
    }

    fn notices(self) -> Vec<Notice> {
        let mut notices = Vec::new();
        if self.count > 0 {
            notices.push(Notice::Included { count: self.count });
        }
        if !self.secrets.is_empty() {
            notices.push(Notice::SecretsLeftOut {
                paths: self.secrets,
            });
        }
        notices.extend(self.why.map(|why| Notice::NotIncluded { why }));
        notices
    }
}

/// Judges by name, then by content; the file is read from its beginning again afterwards.
fn looks_secret(path: &str, file: &File) -> bool {
    use std::os::unix::fs::FileExt;
    if secrets::suspicious_name(path) {
        return true;
    }
    let mut bytes = vec![0; SEARCHED as usize];
    let read = file.read_at(&mut bytes, 0).unwrap_or(0);
    secrets::suspicious_text(&String::from_utf8_lossy(&bytes[..read]))
}
