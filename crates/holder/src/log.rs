//! The log of all that the agent printed: appended before anyone sees it, bounded, with offsets that
//! only grow. A full disk costs output, never the agent.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};

use clauderon_holder::files::{LOG_FRAME_HEADER, LOG_FRAME_MAX, LogFile, LogIndex};
use clauderon_holder::{LogFormat, SessionFiles};

use crate::sys;

/// At this size the older half is dropped.
pub const LIMIT: u64 = 64 * 1024 * 1024;
/// How far a clean place to cut at is looked for.
const SEARCH: usize = 64 * 1024;

pub struct Log {
    files: SessionFiles,
    format: LogFormat,
    file: File,
    start: u64,
    end: u64,
    limit: u64,
    rotate_at: u64,
    /// Beginnings of frames, about one for a 64th of the limit.
    marks: Vec<u64>,
    failing: bool,
}

impl Log {
    /// Opens the session's log, going on where it ended.
    pub fn open(files: &SessionFiles, format: LogFormat, limit: u64) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(files.log())?;
        let metadata = file.metadata()?;
        let index = files.read_log_index()?;
        let mut start = index.start_of(metadata.ino());
        let mut end = start + metadata.len();
        if index.format != format && metadata.len() > 0 {
            // The bytes of one format would be read as the other.
            file.set_len(0)?;
            start = end;
        }
        let mut log = Self {
            files: files.clone(),
            format,
            file,
            start,
            end,
            limit,
            rotate_at: start + limit,
            marks: Vec::new(),
            failing: false,
        };
        if format == LogFormat::Frames {
            end = log.end_of_whole_frames()?;
            log.file.set_len(end - start)?;
            log.end = end;
        }
        log.write_index(&[LogFile {
            inode: metadata.ino(),
            start,
        }])?;
        log.file.seek(SeekFrom::End(0))?;
        Ok(log)
    }

    pub fn start(&self) -> u64 {
        self.start
    }

    pub fn end(&self) -> u64 {
        self.end
    }

    /// Adds what the agent printed on a stream (1 or 2; a terminal has but one).
    pub fn append(&mut self, stream: u8, bytes: &[u8]) {
        let result = match self.format {
            LogFormat::Raw => self.append_raw(bytes),
            LogFormat::Frames => bytes
                .chunks(LOG_FRAME_MAX)
                .try_for_each(|part| self.append_frame(stream, part)),
        };
        match result {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                sys::note(&format!(
                    "the log cannot be written, output is lost until it can: {error}"
                ));
            }
            Err(_) => {}
        }
        if self.end >= self.rotate_at {
            self.rotate_at = self.end + self.limit / 64;
            if let Err(error) = self.rotate() {
                sys::note(&format!("the log cannot be shortened: {error}"));
            }
        }
    }

    /// Reads from an offset that is in the log; 0 at its end.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        debug_assert!(offset >= self.start);
        let room = usize::try_from(self.end.saturating_sub(offset))
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.file.read_at(&mut bytes[..room], offset - self.start)
    }

    fn append_raw(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.file.write(bytes)?;
            self.end += count as u64;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn append_frame(&mut self, stream: u8, bytes: &[u8]) -> io::Result<()> {
        let length = (bytes.len() as u32).to_le_bytes();
        let header = [stream, length[0], length[1], length[2], length[3]];
        if let Err(error) = self
            .file
            .write_all(&header)
            .and_then(|()| self.file.write_all(bytes))
        {
            // Half a frame would make the rest unreadable.
            self.file.set_len(self.end - self.start)?;
            self.file.seek(SeekFrom::End(0))?;
            return Err(error);
        }
        if self
            .marks
            .last()
            .is_none_or(|last| self.end - last >= self.limit / 64)
        {
            self.marks.push(self.end);
        }
        self.end += (LOG_FRAME_HEADER + bytes.len()) as u64;
        Ok(())
    }

    /// Replaces the file by one with its newer half. Until the rename the old one is whole; both are
    /// in the index, so that neither side of a crash loses the offsets.
    fn rotate(&mut self) -> io::Result<()> {
        let cut = self.place_to_cut()?;
        let path = self.files.log().with_extension("log.new");
        let mut new = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        (&self.file).seek(SeekFrom::Start(cut - self.start))?;
        let copied = io::copy(&mut (&self.file).take(self.end - cut), &mut new);
        (&self.file).seek(SeekFrom::End(0))?;
        if copied? != self.end - cut {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let old = LogFile {
            inode: self.file.metadata()?.ino(),
            start: self.start,
        };
        let newer = LogFile {
            inode: new.metadata()?.ino(),
            start: cut,
        };
        self.write_index(&[old, newer])?;
        fs::rename(&path, self.files.log())?;
        self.file = new;
        self.start = cut;
        self.rotate_at = cut + self.limit;
        self.marks.retain(|mark| *mark >= cut);
        self.write_index(&[newer])
    }

    /// Near the middle: the start of a frame, of a line, or of an escape sequence.
    fn place_to_cut(&self) -> io::Result<u64> {
        let middle = self.start + (self.end - self.start) / 2;
        if self.format == LogFormat::Frames {
            let mark = self
                .marks
                .iter()
                .find(|mark| **mark >= middle)
                .or(self.marks.last());
            return Ok(mark.copied().unwrap_or(self.start));
        }
        let mut bytes = vec![0; SEARCH];
        let count = self.read_at(middle, &mut bytes)?;
        let bytes = &bytes[..count];
        let line = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| at + 1);
        let place = line
            .or_else(|| bytes.iter().position(|byte| *byte == 0x1b))
            .unwrap_or(0);
        Ok(middle + place as u64)
    }

    /// Walks over the frames, since a holder that was killed may have left half of one.
    fn end_of_whole_frames(&mut self) -> io::Result<u64> {
        let mut at = self.start;
        let mut header = [0; LOG_FRAME_HEADER];
        while at + LOG_FRAME_HEADER as u64 <= self.end {
            self.file.read_exact_at(&mut header, at - self.start)?;
            let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
            let next = at + LOG_FRAME_HEADER as u64 + u64::from(length);
            if next > self.end {
                break;
            }
            if self
                .marks
                .last()
                .is_none_or(|last| at - last >= self.limit / 64)
            {
                self.marks.push(at);
            }
            at = next;
        }
        Ok(at)
    }

    fn write_index(&self, files: &[LogFile]) -> io::Result<()> {
        let index = LogIndex {
            format: self.format,
            files: files.to_vec(),
        };
        let path = self.files.log_index();
        let new = path.with_extension("json.new");
        fs::write(&new, serde_json::to_vec(&index)?)?;
        fs::rename(new, path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KIB: u64 = 1024;

    fn session() -> (tempfile::TempDir, SessionFiles) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("private")).unwrap();
        let files = SessionFiles::new(dir.path());
        (dir, files)
    }

    fn all(log: &Log) -> Vec<u8> {
        let mut bytes = vec![0; (log.end() - log.start()) as usize];
        let count = log.read_at(log.start(), &mut bytes).unwrap();
        assert_eq!(count, bytes.len());
        bytes
    }

    #[test]
    fn stays_bounded_with_offsets_that_only_grow() {
        let (_dir, files) = session();
        let mut log = Log::open(&files, LogFormat::Raw, 256 * KIB).unwrap();
        let mut written = Vec::new();
        for number in 0..100_000 {
            let line = format!("line {number}\r\n");
            written.extend_from_slice(line.as_bytes());
            log.append(1, line.as_bytes());
        }
        assert_eq!(log.end(), written.len() as u64);
        assert!(log.end() - log.start() <= 264 * KIB && log.end() - log.start() >= 120 * KIB);
        assert_eq!(all(&log), written[log.start() as usize..]);
        assert!(all(&log).starts_with(b"line "));
        let (file, start, format) = files.open_log().unwrap();
        assert_eq!((start, format), (log.start(), LogFormat::Raw));
        assert_eq!(file.metadata().unwrap().len(), log.end() - log.start());

        let end = log.end();
        drop(log);
        let log = Log::open(&files, LogFormat::Raw, 256 * KIB).unwrap();
        assert_eq!((log.start(), log.end()), (start, end));
    }

    #[test]
    fn cuts_frames_only_where_one_begins() {
        let (_dir, files) = session();
        let mut log = Log::open(&files, LogFormat::Frames, 256 * KIB).unwrap();
        for number in 0..2000u32 {
            log.append(
                1 + (number % 2) as u8,
                &vec![b'x'; 1 + (number % 1500) as usize],
            );
        }
        let bytes = all(&log);
        assert!(log.start() > 0);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = u32::from_le_bytes(rest[1..5].try_into().unwrap()) as usize;
            assert!(matches!(rest[0], 1 | 2) && length <= 1500);
            rest = &rest[5 + length..];
        }
    }

    #[test]
    fn drops_half_a_frame_that_a_killed_holder_left() {
        let (_dir, files) = session();
        let mut log = Log::open(&files, LogFormat::Frames, LIMIT).unwrap();
        log.append(1, b"whole");
        let end = log.end();
        log.append(2, b"torn");
        drop(log);
        File::options()
            .write(true)
            .open(files.log())
            .unwrap()
            .set_len(end + 7)
            .unwrap();
        let log = Log::open(&files, LogFormat::Frames, LIMIT).unwrap();
        assert_eq!(log.end(), end);
    }

    #[test]
    fn knows_the_offsets_on_both_sides_of_a_crash_in_a_rotation() {
        let (_dir, files) = session();
        let mut log = Log::open(&files, LogFormat::Raw, 256 * KIB).unwrap();
        log.append(1, b"old");
        let old = LogFile {
            inode: fs::metadata(files.log()).unwrap().ino(),
            start: 0,
        };
        log.write_index(&[
            old,
            LogFile {
                inode: 1,
                start: 99,
            },
        ])
        .unwrap();
        assert_eq!(files.open_log().unwrap().1, 0);
    }
}
