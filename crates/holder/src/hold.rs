//! The one loop of a holder: sandbox to log, log to viewers, commands to sandbox.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clauderon_holder::{Command, ExitRecord, Hello, Mode, Report, SessionFiles};

use crate::held::{Ended, Held};
use crate::log::Log;
use crate::sys::{self, PollSet, Signals};
use crate::viewer::{self, Viewer};

/// Output that no viewer has seen yet, above which the agent has to wait.
const PAUSE: u64 = 1024 * 1024;
/// And below which it goes on.
const RESUME: u64 = 256 * 1024;
/// How long viewers may take for the rest after the end.
const DRAIN: Duration = Duration::from_secs(10);
/// What the agent gets when the holder itself is asked to end.
const GRACE: Duration = Duration::from_secs(5);
const MOST_VIEWERS: usize = 64;
/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// How long the last output and the record of the end wait for a full disk.
const LAST_WRITE: Duration = Duration::from_secs(600);
/// Bytes of a record of the end, at most.
const EXIT_ROOM: usize = 1024;
const SCRATCH: usize = 32 * 1024;

pub struct Hold {
    mode: Mode,
    files: SessionFiles,
    _lock: File,
    signals: Signals,
    log: Log,
    listener: UnixListener,
    held: Box<dyn Held>,
    viewers: Vec<Viewer>,
    last_viewer: u64,
    paused: bool,
    kill_at: Option<Instant>,
    /// The disk is full, and the viewers know.
    told_full: bool,
    /// The engine does not answer, and the viewers know.
    told_away: bool,
    /// The agent has ended, and the disk does not take its last words.
    ending: Option<(ExitRecord, Instant)>,
    end: Option<(ExitRecord, Instant)>,
    leaving: bool,
    scratch: Box<[u8]>,
}

impl Hold {
    pub fn new(
        mode: Mode,
        files: SessionFiles,
        lock: File,
        signals: Signals,
        log: Log,
        listener: UnixListener,
        held: Box<dyn Held>,
    ) -> Self {
        reserve_exit(&files);
        Self {
            mode,
            files,
            _lock: lock,
            signals,
            log,
            listener,
            held,
            viewers: Vec::new(),
            last_viewer: 0,
            paused: false,
            kill_at: None,
            told_full: false,
            told_away: false,
            ending: None,
            end: None,
            leaving: false,
            scratch: vec![0; SCRATCH].into_boxed_slice(),
        }
    }

    /// Runs until the agent ended and its viewers know.
    pub fn run(mut self) {
        let mut set = PollSet::default();
        loop {
            let now = Instant::now();
            if self.is_done(now) && !self.close_the_door(now) {
                break;
            }
            self.watch(&mut set);
            if let Err(error) = set.wait(self.deadline()) {
                sys::note(&format!("cannot wait for events: {error}"));
                break;
            }
            self.turn(&set, Instant::now());
        }
    }

    /// From here on readers use the files; true when some had come before and are served still.
    fn close_the_door(&mut self, now: Instant) -> bool {
        let _ = fs::remove_file(self.files.socket());
        let before = self.viewers.len();
        while self.accept(now) {}
        self.viewers.len() > before && !self.leaving
    }

    fn is_done(&self, now: Instant) -> bool {
        match &self.end {
            Some((_, deadline)) => {
                now >= *deadline || !self.viewers.iter().any(|viewer| viewer.is_owed(now))
            }
            None => self.leaving && self.ending.is_none(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let held = if self.is_running() {
            self.held.deadline()
        } else {
            None
        };
        let full = (self.log.is_stuck() || self.ending.is_some()).then(|| Instant::now() + RETRY);
        // A pause is looked at again, since a viewer may stop looking without a sign.
        let pause = self
            .paused
            .then(|| Instant::now() + Duration::from_millis(500));
        let drain = self.end.as_ref().map(|(_, deadline)| *deadline);
        // A viewer that came but does not attach is not waited for long.
        let newcomers = self
            .end
            .is_some()
            .then(|| Instant::now() + viewer::FIRST_WORD);
        let drain = drain.into_iter().chain(newcomers).min();
        held.into_iter()
            .chain(self.kill_at)
            .chain(pause)
            .chain(full)
            .chain(drain)
            .min()
    }

    fn watch(&mut self, set: &mut PollSet) {
        set.clear();
        set.add(self.signals.fd(), libc::POLLIN);
        if self.viewers.len() < MOST_VIEWERS {
            set.add(self.listener.as_raw_fd(), libc::POLLIN);
        }
        if self.is_running() {
            self.held.watch(!self.paused && !self.log.is_stuck(), set);
            if let Some(execs) = self.held.execs() {
                let viewers = &self.viewers;
                let room = |id| {
                    viewers
                        .iter()
                        .find(|viewer| viewer.id == id)
                        .is_none_or(Viewer::has_room)
                };
                execs.watch(room, set);
            }
        }
        for viewer in &self.viewers {
            viewer.watch(&self.log, self.end.is_some(), set);
        }
    }

    fn turn(&mut self, set: &PollSet, now: Instant) {
        while let Some(signal) = self.signals.next() {
            if signal == libc::SIGTERM {
                self.leave(now);
            }
        }
        if self.kill_at.is_some_and(|at| now >= at) {
            self.kill_at = None;
            self.held.kill();
        }
        self.write_what_waits(now);
        if self.is_running() {
            self.turn_held(set, now);
        }
        if set.is_ready(self.listener.as_raw_fd()) {
            while self.accept(now) {}
        }
        self.take_commands(set, now);
        let exit = self.end.as_ref().map(|(record, _)| record);
        for viewer in &mut self.viewers {
            viewer.send(&self.log, exit, now, &mut self.scratch);
        }
        self.forget_the_gone();
        self.paused = self.must_pause(now);
    }

    fn turn_held(&mut self, set: &PollSet, now: Instant) {
        let log = &mut self.log;
        let ended = self
            .held
            .turn(set, now, &mut |stream, bytes| log.append(stream, bytes));
        if let Some(execs) = self.held.execs() {
            let viewers = &mut self.viewers;
            execs.turn(set, &mut self.scratch, &mut |id, report| {
                if let Some(viewer) = viewers.iter_mut().find(|viewer| viewer.id == id) {
                    viewer.tell(&report);
                }
            });
        }
        if let Some(ended) = ended {
            self.finish(ended, now);
        }
        self.say_whether_away();
    }

    fn say_whether_away(&mut self) {
        let away = self.held.away();
        if let (Some(why), false) = (away, self.told_away) {
            let report = Report::Away(why.to_owned());
            self.viewers
                .iter_mut()
                .for_each(|viewer| viewer.tell(&report));
        }
        self.told_away = away.is_some();
    }

    /// Whether there is a sandbox to ask.
    fn is_running(&self) -> bool {
        self.end.is_none() && self.ending.is_none()
    }

    /// Tries a full disk again, and says to whoever looks that the agent waits for it.
    fn write_what_waits(&mut self, now: Instant) {
        let _ = self.log.write_backlog();
        if self.log.is_stuck() && !self.told_full {
            let notice = Report::Notice(
                "the disk is full: the agent waits until there is room, nothing is lost".to_owned(),
            );
            self.viewers
                .iter_mut()
                .for_each(|viewer| viewer.tell(&notice));
        }
        self.told_full = self.log.is_stuck();
        if let Some((record, deadline)) = self.ending.take() {
            self.conclude(record, deadline, now);
        }
    }

    fn finish(&mut self, ended: Ended, now: Instant) {
        let Ended {
            code,
            signal,
            oom,
            error,
        } = ended;
        let record = ExitRecord {
            code,
            signal,
            oom,
            at_ms: sys::now_ms(),
            error,
        };
        self.kill_at = None;
        self.conclude(record, now + LAST_WRITE, now);
    }

    /// Records the end once all output is in the log; a full disk is waited for, but not for ever.
    fn conclude(&mut self, mut record: ExitRecord, deadline: Instant, now: Instant) {
        let waits = now < deadline && !self.leaving;
        if self.log.is_stuck() {
            if waits {
                self.ending = Some((record, deadline));
                return;
            }
            let lost = self.log.unwritten();
            record.error = Some(format!(
                "the disk was full: the last {lost} bytes that it printed are lost"
            ));
        }
        if let Err(error) = write_exit(&self.files, &record) {
            // A folder that was moved away does not come back to where it was.
            let comes_back = error.kind() != io::ErrorKind::NotFound;
            if waits && comes_back {
                self.ending = Some((record, deadline));
                return;
            }
            sys::note(&format!("the exit record cannot be written: {error}"));
        }
        self.end = Some((record, now + DRAIN));
    }

    /// Asked to end: a sandbox that is bound to the holder goes with it, another stays.
    fn leave(&mut self, now: Instant) {
        if self.held.is_bound_to_holder() && self.is_running() {
            self.stop(now + GRACE);
        } else {
            self.leaving = true;
        }
    }

    fn stop(&mut self, kill_at: Instant) {
        if let Err(sentence) = self.held.signal(libc::SIGTERM) {
            sys::note(&sentence);
        }
        self.kill_at = Some(self.kill_at.map_or(kill_at, |earlier| earlier.min(kill_at)));
    }

    /// False when nobody is at the door, or there is no room.
    fn accept(&mut self, now: Instant) -> bool {
        if self.viewers.len() >= MOST_VIEWERS {
            return false;
        }
        let Ok((stream, _)) = self.listener.accept() else {
            return false;
        };
        let hello = Report::Hello(Hello {
            mode: self.mode,
            offset_start: self.log.start(),
            offset_end: self.log.end(),
            running: self.end.is_none(),
            pid: std::process::id(),
        });
        self.last_viewer += 1;
        if let Ok(mut viewer) = Viewer::new(self.last_viewer, stream, hello, now) {
            if let (true, Some(why)) = (self.told_away, self.held.away()) {
                viewer.tell(&Report::Away(why.to_owned()));
            }
            self.viewers.push(viewer);
        }
        true
    }

    fn take_commands(&mut self, set: &PollSet, now: Instant) {
        for index in 0..self.viewers.len() {
            if set.is_ready(self.viewers[index].fd()) {
                self.viewers[index].receive(&mut self.scratch);
            }
            self.viewers[index].block(false);
            loop {
                match self.viewers[index].peek() {
                    Ok(None) => break,
                    Ok(Some(Command::Input(_)))
                        if self.is_running() && !self.held.feed().has_room() =>
                    {
                        self.viewers[index].block(true);
                        break;
                    }
                    Ok(Some(command)) => {
                        self.viewers[index].consume();
                        if let Err(sentence) = self.obey(index, command, now) {
                            self.viewers[index].tell(&Report::Error(sentence));
                        }
                    }
                    Err(_) => {
                        self.viewers[index].dismiss();
                        break;
                    }
                }
            }
        }
    }

    fn obey(&mut self, index: usize, command: Command, now: Instant) -> Result<(), String> {
        if let Command::Attach { from } | Command::Follow { from } = command {
            let follows = matches!(command, Command::Follow { .. });
            self.viewers[index].attach(from, follows, &self.log, now);
            return Ok(());
        }
        if !self.is_running() {
            return Err("the agent has ended".into());
        }
        match command {
            Command::Attach { .. } | Command::Follow { .. } => {}
            Command::Input(bytes) => self.held.feed().push(&bytes),
            Command::CloseStdin if self.mode == Mode::Pipes => self.held.feed().close(),
            Command::CloseStdin => return Err("a terminal's input cannot be closed".into()),
            Command::Resize { cols, rows } => {
                self.held.resize(cols, rows)?;
                self.log.resized(cols, rows);
            }
            Command::Signal(signal) => return self.held.signal(signal),
            Command::Stop { grace_ms } => self.stop(now + Duration::from_millis(grace_ms.into())),
            Command::Exec(request) => {
                let id = self.viewers[index].id;
                let execs = self
                    .held
                    .execs()
                    .ok_or("the engine starts programs beside the agent")?;
                return execs.start(id, &request);
            }
        }
        Ok(())
    }

    fn forget_the_gone(&mut self) {
        for viewer in self.viewers.iter().filter(|viewer| viewer.is_gone()) {
            if let Some(execs) = self.held.execs() {
                execs.abandon(viewer.id);
            }
        }
        self.viewers.retain(|viewer| !viewer.is_gone());
    }

    /// The agent waits only while everyone who looks is far behind.
    fn must_pause(&self, now: Instant) -> bool {
        let nearest = self
            .viewers
            .iter()
            .filter_map(|viewer| viewer.lag(&self.log, now))
            .min();
        nearest.is_some_and(|lag| lag > if self.paused { RESUME } else { PAUSE })
    }
}

fn write_exit(files: &SessionFiles, record: &ExitRecord) -> io::Result<()> {
    let (new, mut file) = open_exit(files)?;
    let text = serde_json::to_vec(record)?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()?;
    fs::rename(new, files.exit())
}

/// Takes the room for the record of the end while there is some: a full disk must not hide that the agent has ended.
fn reserve_exit(files: &SessionFiles) {
    let reserved = open_exit(files).and_then(|(_, mut file)| file.write_all(&[b' '; EXIT_ROOM]));
    if let Err(error) = reserved {
        sys::note(&format!(
            "no room is kept for the record of the end: {error}"
        ));
    }
}

fn open_exit(files: &SessionFiles) -> io::Result<(PathBuf, File)> {
    let new = files.exit().with_extension("json.new");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    Ok((new, file))
}
