//! A program of the host's in a terminal of its own, with a home that goes away with it and none of the person's variables but those
//! by which the network is reached.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// So wide that neither a link nor a token is broken over two lines: the program breaks lines itself.
const SIZE: PtySize = PtySize {
    rows: 40,
    cols: 1000,
    pixel_width: 0,
    pixel_height: 0,
};
/// The variables that say how the network is reached, and by whom certificates are signed.
const NETWORK: [&str; 11] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The running program.
pub struct Program {
    /// What it prints; ends with it.
    pub output: mpsc::Receiver<Zeroizing<Vec<u8>>>,
    /// What is typed.
    pub keys: mpsc::Sender<Vec<u8>>,
    child: Box<dyn Child + Send + Sync>,
    _terminal: Box<dyn MasterPty + Send>,
    _home: TempDir,
}

impl Program {
    /// Starts `program` with these arguments.
    pub fn start(program: &Path, args: &[&str]) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("clauderon-sign-in-")
            .tempdir()
            .context("make a home for the sign-in")?;
        let pair = native_pty_system()
            .openpty(SIZE)
            .context("open a terminal")?;
        let child = pair
            .slave
            .spawn_command(command(program, args, home.path()))
            .context("start the sign-in")?;
        // Only the program holds its end from here on, so that its end is seen.
        drop(pair.slave);
        let reader = pair
            .master
            .try_clone_reader()
            .context("read the terminal")?;
        let writer = pair.master.take_writer().context("write to the terminal")?;
        let (printed, output) = mpsc::channel(16);
        let (keys, typed) = mpsc::channel(16);
        std::thread::spawn(move || read(reader, &printed));
        std::thread::spawn(move || write(writer, typed));
        Ok(Self {
            output,
            keys,
            child,
            _terminal: pair.master,
            _home: home,
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, args: &[&str], home: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env_clear();
    let given = |name: &str| Some((OsString::from(name), std::env::var_os(name)?));
    for (name, value) in NETWORK.iter().filter_map(|name| given(name)) {
        command.env(name, value);
    }
    command.cwd(home);
    command.env("HOME", home);
    command.env("CLAUDE_CONFIG_DIR", home.join(".claude"));
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    // The link is shown instead, and opened when the person says so.
    command.env("BROWSER", "true");
    command.env("DISABLE_AUTOUPDATER", "1");
    command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    command
}

fn read(mut terminal: Box<dyn Read + Send>, printed: &mpsc::Sender<Zeroizing<Vec<u8>>>) {
    let mut buffer = Zeroizing::new([0; 8192]);
    // A terminal whose program ended gives an error rather than an end.
    while let Ok(read @ 1..) = terminal.read(&mut *buffer) {
        let piece = Zeroizing::new(buffer[..read].to_vec());
        if printed.blocking_send(piece).is_err() {
            return;
        }
    }
}

fn write(mut terminal: Box<dyn Write + Send>, mut typed: mpsc::Receiver<Vec<u8>>) {
    while let Some(keys) = typed.blocking_recv() {
        if terminal
            .write_all(&keys)
            .and_then(|()| terminal.flush())
            .is_err()
        {
            return;
        }
    }
}
