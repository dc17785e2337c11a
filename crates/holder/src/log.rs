//! The log of all that the agent printed, and of the sizes that its terminal had: appended before anyone sees it, bounded,
//! with offsets that only grow. What a full disk refuses is kept and tried again: whoever appends stops reading the agent
//! meanwhile, so that it waits and loses nothing.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};

use clauderon_holder::files::{LOG_FRAME_HEADER, LOG_FRAME_MAX, LogFile, LogIndex};
use clauderon_holder::{LogFormat, SessionFiles, SizeMark};

use crate::sys;

/// At this size the older half is dropped.
pub const LIMIT: u64 = 64 * 1024 * 1024;
/// How far a clean place to cut at is looked for.
const SEARCH: usize = 64 * 1024;
/// Sizes beyond which the older half is forgotten: dragging a window's corner makes hundreds.
const MOST_SIZES: usize = 1024;

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
    sizes: Vec<SizeMark>,
    epoch: u64,
    /// What the disk did not take: raw pieces, or whole frames.
    backlog: VecDeque<Vec<u8>>,
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
        let goes_on = metadata.len() > 0 || index.knows(metadata.ino());
        let epoch = match index.epoch {
            epoch @ 1.. if goes_on => epoch,
            _ => sys::now_ms(),
        };
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
            sizes: files.read_sizes()?,
            epoch,
            backlog: VecDeque::new(),
        };
        log.sizes.retain(|mark| mark.offset <= end);
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
        match self.format {
            LogFormat::Raw => self.backlog.push_back(bytes.to_vec()),
            LogFormat::Frames => self.backlog.extend(
                bytes
                    .chunks(LOG_FRAME_MAX)
                    .map(|part| encode_frame(stream, part)),
            ),
        }
        if let Err(error) = self.write_backlog() {
            sys::note(&format!(
                "the log cannot be written, the agent waits until it can: {error}"
            ));
        }
    }

    /// Whether something waits for the disk.
    pub fn is_stuck(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Bytes that wait for the disk.
    pub fn unwritten(&self) -> usize {
        self.backlog.iter().map(Vec::len).sum()
    }

    /// Writes what waits.
    pub fn write_backlog(&mut self) -> io::Result<()> {
        while let Some(piece) = self.backlog.pop_front() {
            if let Err((error, rest)) = self.write_piece(piece) {
                self.backlog.push_front(rest);
                return Err(error);
            }
        }
        if self.end >= self.rotate_at {
            self.rotate_at = self.end + self.limit / 64;
            if let Err(error) = self.rotate() {
                sys::note(&format!("the log cannot be shortened: {error}"));
            }
        }
        Ok(())
    }

    /// The sizes that the terminal had, in the order of their offsets.
    pub fn sizes(&self) -> &[SizeMark] {
        &self.sizes
    }

    /// Notes the size of what is printed from now on.
    pub fn resized(&mut self, cols: u16, rows: u16) {
        let offset = self.end + self.unwritten() as u64;
        let mark = SizeMark { offset, cols, rows };
        let written = match self.sizes.last_mut() {
            Some(last) if (last.cols, last.rows) == (cols, rows) => Ok(()),
            Some(last) if last.offset == offset => {
                *last = mark;
                self.write_sizes()
            }
            _ => {
                self.sizes.push(mark);
                self.add_size(mark)
            }
        };
        if let Err(error) = written {
            sys::note(&format!("the terminal's size cannot be noted: {error}"));
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

    /// Writes a raw piece as far as it goes, a frame whole; returns what is left of it.
    fn write_piece(&mut self, mut piece: Vec<u8>) -> Result<(), (io::Error, Vec<u8>)> {
        match self.format {
            LogFormat::Raw => {
                let mut written = 0;
                while written < piece.len() {
                    match self.file.write(&piece[written..]) {
                        Ok(0) => {
                            return Err((
                                io::ErrorKind::WriteZero.into(),
                                piece.split_off(written),
                            ));
                        }
                        Ok(count) => {
                            written += count;
                            self.end += count as u64;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err((error, piece.split_off(written))),
                    }
                }
                Ok(())
            }
            LogFormat::Frames => self.write_frame(&piece).map_err(|error| (error, piece)),
        }
    }

    fn write_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(frame) {
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
        self.end += frame.len() as u64;
        Ok(())
    }

    fn add_size(&mut self, mark: SizeMark) -> io::Result<()> {
        if self.sizes.len() > MOST_SIZES {
            self.sizes.drain(..MOST_SIZES / 2);
            return self.write_sizes();
        }
        File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.files.sizes())?
            .write_all(mark.line().as_bytes())
    }

    fn write_sizes(&self) -> io::Result<()> {
        let lines: String = self.sizes.iter().map(SizeMark::line).collect();
        let new = self.files.sizes().with_extension("new");
        fs::write(&new, lines)?;
        fs::rename(new, self.files.sizes())
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
        // The old file stays in the index: a reader may have opened it just before the rename.
        let known = self.sizes.partition_point(|mark| mark.offset <= cut);
        self.sizes.drain(..known.saturating_sub(1));
        self.write_sizes()
    }

    /// Near the middle: where a checkpoint knows the screen, else the start of a frame, of a line, or of an escape
    /// sequence.
    fn place_to_cut(&self) -> io::Result<u64> {
        let middle = self.start + (self.end - self.start) / 2;
        let late = self.end - (self.end - self.start) / 4;
        if self.format == LogFormat::Frames {
            let mark = self
                .marks
                .iter()
                .find(|mark| **mark >= middle)
                .or(self.marks.last());
            return Ok(mark.copied().unwrap_or(self.start));
        }
        let checkpoints = self.files.checkpoint_offsets().unwrap_or_default();
        if let Some(checkpoint) = checkpoints
            .into_iter()
            .find(|offset| (middle..late).contains(offset))
        {
            return Ok(checkpoint);
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
            epoch: self.epoch,
        };
        let path = self.files.log_index();
        let new = path.with_extension("json.new");
        fs::write(&new, serde_json::to_vec(&index)?)?;
        fs::rename(new, path)
    }
}

fn encode_frame(stream: u8, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    let header = [stream, length[0], length[1], length[2], length[3]];
    [&header, bytes].concat()
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
    fn is_shortened_where_a_checkpoint_knows_the_screen() {
        let (_dir, files) = session();
        fs::create_dir(files.checkpoints()).unwrap();
        for offset in [10_000, 150_017, 250_000] {
            fs::write(files.checkpoints().join(offset.to_string()), "").unwrap();
        }
        let mut log = Log::open(&files, LogFormat::Raw, 256 * KIB).unwrap();
        log.resized(80, 24);
        log.append(1, &vec![b'a'; 100_000]);
        log.resized(90, 24);
        log.append(1, &vec![b'b'; 100_000]);
        log.resized(100, 24);
        log.append(1, &vec![b'c'; 100_000]);
        assert_eq!((log.start(), log.end()), (150_017, 300_000));
        let sizes: Vec<_> = log
            .sizes()
            .iter()
            .map(|mark| (mark.offset, mark.cols))
            .collect();
        assert_eq!(sizes, [(100_000, 90), (200_000, 100)]);
        assert_eq!(files.read_sizes().unwrap(), log.sizes());
    }

    #[test]
    fn keeps_its_epoch_unless_it_was_lost() {
        let (_dir, files) = session();
        let epoch = |files: &SessionFiles| files.read_log_index().unwrap().epoch;
        let mut log = Log::open(&files, LogFormat::Raw, LIMIT).unwrap();
        let first = epoch(&files);
        assert!(first > 0);
        log.append(1, b"old");
        drop(Log::open(&files, LogFormat::Raw, LIMIT).unwrap());
        assert_eq!(epoch(&files), first);
        // The clock of the epoch counts milliseconds.
        while sys::now_ms() == first {
            std::hint::spin_loop();
        }
        fs::rename(files.log(), files.log().with_extension("gone")).unwrap();
        drop(Log::open(&files, LogFormat::Raw, LIMIT).unwrap());
        assert_ne!(epoch(&files), first);
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
