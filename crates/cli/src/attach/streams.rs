//! Standard input and output as channels, each on a thread of its own: a slow terminal holds up no
//! key press, and a blocked read no output.

use std::io::{Read, Write};
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::mpsc;

/// Reads standard input until it ends or nobody listens. The thread ends with the process.
pub fn input() -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(64);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut input = std::io::stdin().lock();
        while let Ok(count @ 1..) = input.read(&mut buffer) {
            let typed = Bytes::copy_from_slice(&buffer[..count]);
            if sender.blocking_send(typed).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Writes to standard output.
#[derive(Debug)]
pub struct Output {
    sender: mpsc::Sender<Vec<u8>>,
    thread: JoinHandle<()>,
}

impl Output {
    /// Starts the writer.
    pub fn start() -> Output {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(4);
        let thread = std::thread::spawn(move || {
            let mut output = std::io::stdout().lock();
            while let Some(bytes) = receiver.blocking_recv() {
                if output
                    .write_all(&bytes)
                    .and_then(|()| output.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        Output { sender, thread }
    }

    /// Waits for room; `None` where the terminal is gone.
    pub async fn room(&self) -> Option<mpsc::OwnedPermit<Vec<u8>>> {
        self.sender.clone().reserve_owned().await.ok()
    }

    /// Writes, waiting for room.
    pub async fn write(&self, bytes: Vec<u8>) {
        let _ = self.sender.send(bytes).await;
    }

    /// Waits until all is written.
    pub fn finish(self) {
        drop(self.sender);
        let _ = self.thread.join();
    }
}
