//! A whole desktop for one test: a display, a window manager, a panel with a tray and a keychain, in one D-Bus session that
//! ends with the value.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::wait::PATIENCE;

const INTERVAL: Duration = Duration::from_millis(50);

/// Runs inside the session: says where the bus is, starts the desktop and ends when its input does.
const SESSION: &str = r#"
printf 'password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
openbox >/dev/null 2>&1 & one=$!
xfce4-panel --disable-wm-check >/dev/null 2>&1 & two=$!
echo "$DBUS_SESSION_BUS_ADDRESS"
cat >/dev/null
kill $one $two
"#;

/// A window to drag a file out of: the name of the window and the file's path are its arguments.
const DRAG_SOURCE: &str = r#"
import sys, gi
gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk, GLib
title, path = sys.argv[1:]
window = Gtk.Window(title=title)
window.set_default_size(120, 80)
window.set_keep_above(True)
window.move(20, 600)
handle = Gtk.EventBox()
handle.add(Gtk.Label(label="drag me"))
handle.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
handle.drag_source_add_uri_targets()
handle.connect("drag-data-get", lambda _w, _c, data, _i, _t: data.set_uris([GLib.filename_to_uri(path, None)]))
window.add(handle)
window.show_all()
Gtk.main()
"#;

/// A program of the desktop, ended with the value.
#[derive(Debug)]
pub struct Resident(Child);

impl Drop for Resident {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running desktop.
pub struct Desktop {
    display: String,
    bus: String,
    folder: PathBuf,
    server: Child,
    session: Child,
    input: Option<ChildStdin>,
}

impl Desktop {
    /// Starts one whose files lie below `folder`.
    pub fn start(folder: &Path) -> Desktop {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder.join("desktop");
        std::fs::create_dir_all(&folder).expect("make the desktop's folder");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))
            .expect("narrow the desktop's folder");
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x800x24",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let display = format!(":{}", first_line(&mut server));
        let mut session = Command::new("dbus-run-session")
            .args(["--", "bash", "-c", SESSION])
            .env("DISPLAY", &display)
            .env("HOME", &folder)
            .env("XDG_RUNTIME_DIR", &folder)
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the session starts");
        let bus = first_line(&mut session);
        let input = session.stdin.take();
        let desktop = Desktop {
            display,
            bus,
            folder,
            server,
            session,
            input,
        };
        desktop.until("the panel's tray answers", || {
            let answer = desktop.tray_property("IsStatusNotifierHostRegistered");
            answer.contains("true").then_some(())
        });
        desktop
    }

    /// Puts a program on this desktop.
    pub fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            // Without a language the tools print a question mark for each sign that is not ASCII.
            .env("LANG", "C.UTF-8")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env("XDG_CURRENT_DESKTOP", "XFCE")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
    }

    /// Runs a tool on this desktop to its end.
    pub fn run(&self, program: &str, args: &[&str]) -> Output {
        self.dress(Command::new(program).args(args))
            .output()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"))
    }

    /// Runs a tool and returns what it printed.
    pub fn ask(&self, program: &str, args: &[&str]) -> String {
        String::from_utf8_lossy(&self.run(program, args).stdout).into_owned()
    }

    /// Returns the titles of the windows that can be seen.
    pub fn windows(&self) -> Vec<String> {
        self.ask(
            "xdotool",
            &["search", "--onlyvisible", "--name", "^Clauderon$"],
        )
        .lines()
        .map(str::to_owned)
        .collect()
    }

    /// Waits until a window with this title has the keyboard, and returns its number.
    #[track_caller]
    pub fn active(&self, title: &str) -> String {
        self.until(&format!("{title:?} has the keyboard"), || {
            let number = self.ask("xdotool", &["getactivewindow"]);
            let named = self.ask("xdotool", &["getwindowname", number.trim()]);
            (named.trim() == title).then(|| number.trim().to_owned())
        })
    }

    /// Presses a key where the keyboard is.
    pub fn key(&self, key: &str) {
        self.run("xdotool", &["key", "--clearmodifiers", key]);
    }

    /// Closes the window as the panel's list of windows does, and waits until it is gone. A key that the window manager has
    /// for that is lost where it arrives while that takes its keys anew.
    #[track_caller]
    pub fn close_window(&self) {
        let window = self.active("Clauderon");
        self.run("wmctrl", &["-i", "-c", &window]);
        self.until("the window is gone", || {
            self.windows().is_empty().then_some(())
        });
    }

    /// Returns where the middle of a window is on the screen, if there is such a window.
    pub fn middle(&self, window: &[&str]) -> Option<(i32, i32)> {
        let found = [&["search", "--onlyvisible"], window].concat();
        let number = self.ask("xdotool", &found);
        let number = number.lines().last()?;
        let geometry = self.ask("xdotool", &["getwindowgeometry", "--shell", number]);
        let value = |name: &str| {
            let line = geometry.lines().find_map(|line| line.strip_prefix(name));
            line?.parse::<i32>().ok()
        };
        let (width, height) = (value("WIDTH=")?, value("HEIGHT=")?);
        Some((value("X=")? + width / 2, value("Y=")? + height / 2))
    }

    /// Moves the pointer.
    pub fn point_at(&self, (x, y): (i32, i32)) {
        self.run("xdotool", &["mousemove", &x.to_string(), &y.to_string()]);
    }

    /// Starts a program that lives on this desktop until the value is gone.
    pub fn launch(&self, program: &str, args: &[&str]) -> Resident {
        let child = self
            .dress(Command::new(program).args(args))
            .env("HOME", &self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        Resident(child)
    }

    /// Starts a notification service whose notices a click opens.
    pub fn notifications(&self) -> Resident {
        let settings = self.folder.join("dunstrc");
        std::fs::write(
            &settings,
            "[global]\nmouse_left_click = do_action, close_current\n[urgency_normal]\ntimeout = 0\n",
        )
        .expect("write the service's settings");
        let service = self.launch("dunst", &["-conf", &settings.to_string_lossy()]);
        self.until("notifications are served", || {
            let owned = self.ask(
                "gdbus",
                &[
                    "call",
                    "--session",
                    "--dest",
                    "org.freedesktop.DBus",
                    "--object-path",
                    "/org/freedesktop/DBus",
                    "--method",
                    "org.freedesktop.DBus.NameHasOwner",
                    "org.freedesktop.Notifications",
                ],
            );
            owned.contains("true").then_some(())
        });
        service
    }

    /// Takes hold of a file in another program and begins to drag it. The pointer's button stays down.
    pub fn take_hold_of(&self, file: &Path) -> Resident {
        const TITLE: &str = "Files of another program";
        let source = self.launch(
            "/usr/bin/python3",
            &["-c", DRAG_SOURCE, TITLE, &file.to_string_lossy()],
        );
        let place = self.until("the other program is there", || {
            self.middle(&["--name", TITLE])
        });
        self.point_at(place);
        self.run("xdotool", &["mousedown", "1"]);
        source
    }

    /// Returns the tray items that the panel shows, as `BUS/PATH`.
    pub fn tray_items(&self) -> Vec<String> {
        self.tray_property("RegisteredStatusNotifierItems")
            .split('\'')
            .filter(|part| part.starts_with(':'))
            .map(str::to_owned)
            .collect()
    }

    /// Takes a picture of the whole screen.
    pub fn picture(&self, path: &Path) {
        let path = path.to_string_lossy();
        self.run("import", &["-window", "root", &path]);
    }

    /// Waits until something is there, and fails saying what was awaited.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            if started.elapsed() >= PATIENCE {
                let picture = format!("clauderon-window-{}.png", std::process::id());
                let picture = std::env::temp_dir().join(picture);
                self.picture(&picture);
                panic!(
                    "waited in vain until {what}; the screen is {}",
                    picture.display()
                );
            }
            std::thread::sleep(INTERVAL);
        }
    }

    fn tray_property(&self, name: &str) -> String {
        let service = "org.kde.StatusNotifierWatcher";
        self.ask(
            "gdbus",
            &[
                "call",
                "--session",
                "--dest",
                service,
                "--object-path",
                "/StatusNotifierWatcher",
                "--method",
                "org.freedesktop.DBus.Properties.Get",
                service,
                name,
            ],
        )
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.session.wait();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let output = child.stdout.take().expect("it is a pipe");
    let mut reader = BufReader::new(output);
    reader.read_line(&mut line).expect("a line is printed");
    // Whatever else is printed there must not end the program for want of a reader.
    child.stdout = Some(reader.into_inner());
    line.trim().to_owned()
}
