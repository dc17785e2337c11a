//! Bytes on their way to the agent's input, bounded.

use std::fs::File;
use std::io::{self, Read, Write};

/// Above this, whoever types has to wait.
const ROOM: usize = 256 * 1024;

/// A queue, a file behind it, and the wish to close when both are empty.
#[derive(Default)]
pub struct Feed {
    queue: Vec<u8>,
    sent: usize,
    file: Option<File>,
    close: bool,
}

impl Feed {
    pub fn from_file(file: File) -> Self {
        Self {
            file: Some(file),
            close: true,
            ..Self::default()
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if !self.close {
            self.queue.extend_from_slice(bytes);
        }
    }

    pub fn has_room(&self) -> bool {
        self.queue.len() - self.sent < ROOM
    }

    pub fn close(&mut self) {
        self.close = true;
    }

    pub fn is_pending(&self) -> bool {
        !self.queue.is_empty() || self.file.is_some() || self.close
    }

    /// Writes what the sink takes; true when the sink is to be closed now.
    pub fn pump(&mut self, mut sink: impl Write) -> io::Result<bool> {
        loop {
            if self.sent == self.queue.len() && !self.refill()? {
                return Ok(self.close);
            }
            match sink.write(&self.queue[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// False when nothing is left.
    fn refill(&mut self) -> io::Result<bool> {
        self.queue = Vec::new();
        self.sent = 0;
        let Some(file) = &mut self.file else {
            return Ok(false);
        };
        let mut bytes = vec![0; 32 * 1024];
        let count = file.read(&mut bytes)?;
        if count == 0 {
            self.file = None;
            return Ok(false);
        }
        bytes.truncate(count);
        self.queue = bytes;
        Ok(true)
    }
}
