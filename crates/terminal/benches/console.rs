//! How long a viewer waits for a terminal with 10 MB of history, and how much passes through a console in a second. Prints
//! a table and judges nothing. `cargo bench -p clauderon-terminal`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clauderon_holder::{Mode, Sandbox, SessionFiles, Spec};
use clauderon_terminal::screen::Screen;
use clauderon_terminal::{ConsoleEvent, Keeper, Place, View, history};

const ROUNDS: u32 = 10;
const FLOOD: u64 = 50_000_000;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, log) in [("lines", lines()), ("a repainting screen", repaints())] {
        println!("\n{name}, {:.1} MB of history", log.len() as f64 / 1e6);
        history_of(&runtime, &log);
    }
    println!("\n50 MB printed at once, one viewer");
    runtime.block_on(flood());
}

fn history_of(runtime: &tokio::runtime::Runtime, log: &[u8]) {
    let folder = Folder::new();
    fs::write(folder.files().log(), log).unwrap();
    fs::write(folder.files().sizes(), "0 120 40\n").unwrap();
    let begun = Instant::now();
    history::advance(&folder.files()).unwrap();
    row("all checkpoints at once", begun.elapsed());
    let offsets = folder.files().checkpoint_offsets().unwrap();
    let sizes = offsets.iter().map(|offset| {
        let path = folder.files().checkpoints().join(offset.to_string());
        fs::metadata(path).unwrap().len()
    });
    println!(
        "  {:<44}{:>5} files, {} KiB",
        "checkpoints kept",
        offsets.len(),
        sizes.sum::<u64>() / 1024
    );
    let mut shown = Vec::new();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        shown = runtime.block_on(snapshot(folder.path()));
    }
    row("attach, to the whole snapshot", begun.elapsed() / ROUNDS);
    let bytes: usize = shown.iter().map(Vec::len).sum();
    let mut screen = Screen::with_scrollback(120, 40, 100_000);
    shown.iter().for_each(|bytes| screen.push(bytes));
    let scrollback = screen.terminal().primary_screen().all_lines().count() - 40;
    println!(
        "  {:<44}{:>5} KiB, {scrollback} lines above the screen",
        "what it is",
        bytes / 1024
    );
}

async fn snapshot(folder: &Path) -> Vec<Vec<u8>> {
    let mut view = View::open(folder, None).await.unwrap();
    let mut shown = Vec::new();
    while let Some(event) = view.next().await {
        if let ConsoleEvent::Output { bytes, .. } = event {
            shown.push(bytes.to_vec());
        }
    }
    shown
}

/// A holder with a program that prints, a bookkeeper that writes checkpoints, and one viewer.
async fn flood() {
    let Some(holder) = holder() else {
        println!("  skipped: clauderon-holder is not built beside this");
        return;
    };
    let folder = Folder::new();
    let script = format!(
        "read x; yes 'compiling a crate with a long name, and its features, and more' | head -c {FLOOD}"
    );
    let argv = "bwrap --unshare-all --die-with-parent --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib \
         --symlink usr/lib64 /lib64 --proc /proc --dev /dev";
    let spec = Spec {
        session: "benchbench".into(),
        dir: folder.path().to_owned(),
        mode: Mode::Pty,
        cols: 120,
        rows: 40,
        stdin: None,
        sandbox: Sandbox::Bubblewrap {
            argv: argv
                .split_whitespace()
                .chain(["bash", "-c", &script])
                .map(str::to_owned)
                .collect(),
            seccomp: None,
            user: None,
            stage: Vec::new(),
            cgroups: Vec::new(),
        },
    };
    let order = folder.path().join("private/holder.json");
    fs::write(&order, serde_json::to_vec(&spec).unwrap()).unwrap();
    let mut child = Command::new(holder)
        .arg(order)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut announced = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut announced)
        .unwrap();
    let place = Place {
        offset: 0,
        epoch: None,
    };
    let mut view = View::open(folder.path(), Some(place)).await.unwrap();
    let mut books = clauderon_terminal::Console::follow(folder.path(), |end| end)
        .await
        .unwrap();
    let mut checkpoints = Keeper::start().unwrap().of(folder.files());
    let keeper = tokio::spawn(async move {
        while let Some(event) = books.next().await {
            if let ConsoleEvent::Output { next, .. } = event {
                checkpoints.reached(next);
            }
        }
    });
    view.input().unwrap().write(b"\r").await.unwrap();
    let begun = Instant::now();
    let (mut bytes, mut snapshots) = (0u64, 0);
    while let Some(event) = view.next().await {
        match event {
            ConsoleEvent::Output {
                stream,
                bytes: piece,
                ..
            } => {
                bytes += piece.len() as u64;
                snapshots += u64::from(stream == clauderon_terminal::SNAPSHOT);
            }
            ConsoleEvent::Exit(_) => break,
            _ => {}
        }
    }
    let taken = begun.elapsed();
    row("time", taken);
    println!(
        "  {:<44}{:>5.1} MB/s, {snapshots} snapshots",
        "to the viewer",
        bytes as f64 / 1e6 / taken.as_secs_f64()
    );
    keeper.abort();
    child.wait().unwrap();
}

fn row(what: &str, taken: Duration) {
    println!("  {what:<44}{:>5.1} ms", taken.as_secs_f64() * 1e3);
}

fn lines() -> Vec<u8> {
    (0..)
        .map(|line| format!("\x1b[32m{line:08}\x1b[0m \x1b[1msrc/main.rs\x1b[0m: warning: unused variable `x{}` ─ 日本\r\n", line % 97))
        .take(120_000)
        .collect::<String>()
        .into_bytes()
}

fn repaints() -> Vec<u8> {
    (0..1_600)
        .map(|frame| {
            let rows: String = (1..=40)
                .map(|row| format!("\x1b[{row};1H\x1b[2K\x1b[38;2;{};119;87m│ \x1b[39mcell {frame} of row {row}, and \x1b[7m{}\x1b[27m some words on the screen, and more of them", (frame * row) % 255, frame * 7919 % 10_007))
                .collect();
            format!("\x1b[?2026h{rows}\x1b[?2026l")
        })
        .collect::<String>()
        .into_bytes()
}

fn holder() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let target = own.ancestors().nth(3)?;
    ["release", "debug"]
        .map(|profile| target.join(profile).join("clauderon-holder"))
        .into_iter()
        .find(|path| path.is_file())
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("console-bench-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("private")).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn files(&self) -> SessionFiles {
        SessionFiles::new(&self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
