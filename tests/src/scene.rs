//! An installation on a desktop of its own, with the window that a person opens there.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::desktop::Desktop;
use crate::webdriver::Driver;
use crate::{World, lacks, programs};

/// An installation on a desktop of its own. The fields end in this order.
pub struct Scene {
    /// The desktop.
    pub desktop: Desktop,
    /// The installation.
    pub world: World,
}

impl Scene {
    /// Makes one, or says what is missing.
    pub fn new() -> Option<Scene> {
        Self::answering(&[])
    }

    /// As [`Scene::new`], with a model that answers each of these prompts with its own steps.
    pub fn answering(lines: &[(&str, Value)]) -> Option<Scene> {
        if lacks("window").is_some() {
            return None;
        }
        let world = World::answering(lines);
        let desktop = Desktop::start(world.root.path());
        Some(Scene { desktop, world })
    }

    /// Opens the window under a driver.
    pub fn drive(&self) -> Driver {
        let mut driver = self.on_desktop(programs::driver());
        driver.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        Driver::start(driver, &programs::folder().join("clauderon-desktop"))
    }

    /// Opens the window as a double click does.
    pub fn open(&self) -> Window {
        let child = self
            .on_desktop(programs::folder().join("clauderon-desktop"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the window's program starts");
        let window = Window(child);
        self.desktop
            .until("the window opens", || self.desktop.windows().pop());
        window
    }

    /// Launches the program again and waits for its end.
    pub fn launch_again(&self) -> Option<i32> {
        self.on_desktop(programs::folder().join("clauderon-desktop"))
            .status()
            .expect("the window's program starts")
            .code()
    }

    /// Launches it where this display, which nobody serves, is named; returns its exit code and what it says.
    pub fn launch_without(&self, display: &str) -> (Option<i32>, String) {
        let output = self
            .on_desktop(programs::folder().join("clauderon-desktop"))
            .env("DISPLAY", display)
            .output()
            .expect("the window's program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }

    fn on_desktop(&self, program: std::path::PathBuf) -> Command {
        // The installation's own environment, on the desktop.
        let settings = self.world.command(&[]);
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null());
        for (name, value) in settings.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        self.desktop.dress(&mut command);
        command
    }

    /// Chooses a line of the tray's menu, as the panel does: by the menu's own D-Bus interface.
    ///
    /// A menu that is replaced while the panel shows it refuses the click and is shown anew.
    #[track_caller]
    pub fn choose(&self, label: &str) {
        self.desktop
            .until(&format!("the tray's menu offers {label:?}"), || {
                let item = self.desktop.tray_items().pop()?;
                let menu = Menu::of(&item)?;
                let layout = self
                    .desktop
                    .ask("gdbus", &menu.call("GetLayout", &["0", "--", "-1", "[]"]));
                let line = line_of(&layout, label)?;
                let clicked = self.desktop.run(
                    "gdbus",
                    &menu.call("Event", &[&line, "clicked", "<0>", "0"]),
                );
                clicked.status.success().then_some(())
            });
    }

    /// Waits until the window hosts a daemon that answers.
    #[track_caller]
    pub fn daemon_answers(&self) {
        self.desktop.until("the window's daemon answers", || {
            (self.world.run(&["daemon", "status"]).code == 0).then_some(())
        });
    }

    /// Returns the identifier of a session.
    #[track_caller]
    pub fn id_of(&self, name: &str) -> String {
        let sessions = self.world.json(&["list"]);
        let session = sessions
            .as_array()
            .and_then(|all| all.iter().find(|one| one["name"] == name));
        let id = session.and_then(|session| session["id"].as_str());
        id.unwrap_or_else(|| panic!("no {name} in {sessions}"))
            .to_owned()
    }
}

/// The tray's menu on the bus.
struct Menu {
    bus: String,
    path: String,
}

impl Menu {
    /// `item` is `BUS/PATH`, as the panel registers it.
    fn of(item: &str) -> Option<Menu> {
        let (bus, path) = item.split_once('/')?;
        Some(Menu {
            bus: bus.to_owned(),
            path: format!("/{path}/Menu"),
        })
    }

    fn call<'a>(&'a self, method: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        let method = match method {
            "GetLayout" => "com.canonical.dbusmenu.GetLayout",
            _ => "com.canonical.dbusmenu.Event",
        };
        let call = [
            "call",
            "--session",
            "--dest",
            &self.bus,
            "--object-path",
            &self.path,
            "--method",
            method,
        ];
        [&call[..], args].concat()
    }
}

/// Finds a line's number in a menu's layout: `(12, {… 'label': <'Quit'> …`, the number before the line's properties.
fn line_of(layout: &str, label: &str) -> Option<String> {
    let (before, _) = layout.split_once(&format!("'{label}"))?;
    let (_, row) = before.rsplit_once('(')?;
    let number: String = row
        .chars()
        .skip_while(|character| !character.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    Some(number)
}

/// A window's process, ended with the value.
pub struct Window(Child);

impl Window {
    /// Returns its number.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a process number")
    }

    /// Says whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.0.try_wait().expect("ask for the process").is_none()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
