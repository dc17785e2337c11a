//! The chain's head, signed with the installation's key and kept outside the log.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::chain::{Hash, hex};

/// The last entry that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub seq: u64,
    pub hash: Hash,
}

/// The installation's key.
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Reads the key; `None` where there is none.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut bytes = [0; 32];
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        file.read_exact(&mut bytes)?;
        Ok(Some(Key(bytes)))
    }

    /// Reads the key, or makes one (0600).
    pub fn read_or_make(path: &Path) -> io::Result<Self> {
        if let Some(key) = Self::read(path)? {
            return Ok(key);
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        // Whole or not at all: half a key would shut the log for good.
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        Ok(Key(bytes))
    }

    fn sign(&self, head: &Head) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("clauderon audit head {} {}", head.seq, head.hash).as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

#[derive(Serialize, Deserialize)]
struct Signed {
    seq: u64,
    hash: Hash,
    hmac: String,
}

/// Where a log's head lies: `audit.head` beside `audit.jsonl`.
pub(crate) fn path_of(log: &Path) -> PathBuf {
    log.with_extension("head")
}

/// The file of the head: two slots written in turn, so that a torn write leaves the one before.
pub(crate) struct HeadFile {
    file: File,
    slot: u64,
}

const SLOT: usize = 256;

impl HeadFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        // The older slot is written first.
        let slot = match read_slots(&file)? {
            [Some(a), Some(b)] => u64::from(a.seq > b.seq),
            [Some(_), None] => 1,
            [None, _] => 0,
        };
        // Room for both slots now, so that a full disk cannot stop a signature.
        file.set_len((2 * SLOT) as u64)?;
        let empty = vec![b'\n'; SLOT];
        let slots = read_slots(&file)?;
        for (index, found) in slots.iter().enumerate() {
            if found.is_none() {
                file.write_all_at(&empty, (index * SLOT) as u64)?;
            }
        }
        Ok(HeadFile { file, slot })
    }

    /// Signs a head. It is not synced on its own: after a power cut an older head is found, and the log says so.
    pub fn write(&mut self, key: &Key, head: &Head) -> io::Result<()> {
        let signed = Signed {
            seq: head.seq,
            hash: head.hash.clone(),
            hmac: key.sign(head),
        };
        let mut line = serde_json::to_vec(&signed)?;
        line.resize(SLOT - 1, b' ');
        line.push(b'\n');
        self.file.write_all_at(&line, self.slot * SLOT as u64)?;
        self.slot ^= 1;
        Ok(())
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn read_slots(file: &File) -> io::Result<[Option<Signed>; 2]> {
    let mut bytes = [0; 2 * SLOT];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    let slot = |index: usize| serde_json::from_slice(&bytes[index * SLOT..(index + 1) * SLOT]).ok();
    Ok([slot(0), slot(1)])
}

/// What the file of the head says.
#[derive(Debug, PartialEq)]
pub(crate) enum Anchor {
    /// There is no key, or no head.
    Absent,
    /// No slot's signature is right.
    Forged,
    /// The newest head whose signature is right.
    Signed(Head),
}

pub(crate) fn read(path: &Path, key: Option<&Key>) -> io::Result<Anchor> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Anchor::Absent),
        Err(error) => return Err(error),
    };
    let Some(key) = key else {
        return Ok(Anchor::Absent);
    };
    let slots: Vec<Signed> = read_slots(&file)?.into_iter().flatten().collect();
    if slots.is_empty() {
        return Ok(Anchor::Absent);
    }
    let newest = slots
        .into_iter()
        .map(|slot| {
            (
                slot.hmac,
                Head {
                    seq: slot.seq,
                    hash: slot.hash,
                },
            )
        })
        .filter(|(hmac, head)| *hmac == key.sign(head))
        .map(|(_, head)| head)
        .max_by_key(|head| head.seq);
    Ok(newest.map_or(Anchor::Forged, Anchor::Signed))
}
