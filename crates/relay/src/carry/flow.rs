//! One direction of one connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

/// Reads a turn takes from one source before others have theirs.
const TURN: usize = 4;

/// What one direction still owes, and how far it is.
#[derive(Default)]
pub struct Flow {
    pending: Vec<u8>,
    sent: usize,
    source_ended: bool,
    end_passed_on: bool,
}

/// A stream whose writing side can be closed alone.
pub trait Half {
    fn end(&self) -> io::Result<()>;
}

impl Half for TcpStream {
    fn end(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Half for UnixStream {
    fn end(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Flow {
    pub fn is_over(&self) -> bool {
        self.end_passed_on
    }

    pub fn wants_to_read(&self) -> bool {
        self.pending.is_empty() && !self.source_ended
    }

    pub fn wants_to_write(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Moves bytes until either side would block; an error means that a side is gone.
    pub fn pump<S, D>(&mut self, source: &S, sink: &D, scratch: &mut [u8]) -> io::Result<()>
    where
        for<'a> &'a S: Read,
        for<'a> &'a D: Write,
        D: Half,
    {
        self.flush(sink)?;
        for _ in 0..TURN {
            if !self.wants_to_read() {
                break;
            }
            let mut source = source;
            match source.read(scratch) {
                Ok(0) => self.source_ended = true,
                Ok(count) => self.send(sink, &scratch[..count])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.source_ended && self.pending.is_empty() && !self.end_passed_on {
            self.end_passed_on = true;
            // A sink that is gone altogether shows itself in the other direction.
            let _ = sink.end();
        }
        Ok(())
    }

    fn flush<D>(&mut self, sink: &D) -> io::Result<()>
    where
        for<'a> &'a D: Write,
    {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.sent += write_some(sink, &self.pending[self.sent..])?;
        if self.sent == self.pending.len() {
            self.pending = Vec::new();
            self.sent = 0;
        }
        Ok(())
    }

    fn send<D>(&mut self, sink: &D, bytes: &[u8]) -> io::Result<()>
    where
        for<'a> &'a D: Write,
    {
        let count = write_some(sink, bytes)?;
        self.pending.extend_from_slice(&bytes[count..]);
        Ok(())
    }
}

/// Writes until done or until it would block, and says how much.
fn write_some<D>(mut sink: &D, bytes: &[u8]) -> io::Result<usize>
where
    for<'a> &'a D: Write,
{
    let mut done = 0;
    while done < bytes.len() {
        match sink.write(&bytes[done..]) {
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
