//! Just enough WebDriver to look at the real window and to use it as a person does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use serde_json::{Value, json};

use crate::sockets::family;
use crate::wait::PATIENCE;

const INTERVAL: Duration = Duration::from_millis(50);
/// How long one question may take: longer than a script of the page may.
const ANSWER: Duration = Duration::from_secs(120);
/// How long the driver may take to end the window.
const ENDING: Duration = Duration::from_secs(10);
/// The key that holds an element's reference, as the WebDriver standard has it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that write nothing, as the WebDriver standard numbers them.
pub mod keys {
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
}

/// The window under a driver.
pub struct Driver {
    server: Child,
    port: u16,
    session: String,
    /// The window's own process, once it runs.
    app: Option<OwnedFd>,
}

/// Something on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

impl Driver {
    /// Starts `program` under a driver with the environment of `command`.
    pub fn start(mut command: Command, program: &Path) -> Driver {
        let [port, native] = free_ports();
        let server = command
            .args([
                "--port",
                &port.to_string(),
                "--native-port",
                &native.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tauri-driver starts");
        let mut driver = Driver {
            server,
            port,
            session: String::new(),
            app: None,
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err()
            || TcpStream::connect(("127.0.0.1", native)).is_err()
        {
            assert!(started.elapsed() < PATIENCE, "the driver does not answer");
            std::thread::sleep(INTERVAL);
        }
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"tauri:options": {"application": program}}}});
        let answer = driver.send("POST", "", &wanted);
        assert!(
            answer["error"].is_null(),
            "the window does not open: {answer}"
        );
        driver.session = answer["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("the window does not open: {answer}"))
            .to_owned();
        driver.app = driver.find_app(program);
        assert!(driver.app.is_some(), "the driver runs the window");
        driver
    }

    /// Finds the program among what the driver started.
    fn find_app(&self, program: &Path) -> Option<OwnedFd> {
        let own = std::fs::canonicalize(program).ok()?;
        let runs = |pid: &i32| {
            std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == own)
        };
        let pid = family(pid_of(&self.server)).into_iter().find(runs)?;
        pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
    }

    /// Runs a script in the page and returns what it returns; a promise is awaited.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let wrapped = format!(
            "const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);
             Promise.resolve((function () {{ {script} }}).apply(null, given)).then((value) => done({{ value }}), (why) => done({{ why: why?.message ?? String(why) }}));"
        );
        let answer = self.send(
            "POST",
            "/execute/async",
            &json!({"script": wrapped, "args": arguments}),
        );
        assert!(answer["why"].is_null(), "the script failed: {answer}");
        answer["value"].clone()
    }

    /// Asks the API through the page's own way to it, and returns status and answer.
    pub fn api(&self, method: &str, path: &str, body: Option<Value>) -> (u64, Value) {
        let answer = self.run(
            "const [method, path, body] = arguments;
             return window.__TAURI_INTERNALS__.invoke('api_request', body === null ? { method, path } : { method, path, body }).then((buffer) => {
               const view = new DataView(buffer);
               const text = new TextDecoder().decode(new Uint8Array(buffer, 3 + view.getUint8(2)));
               return { status: view.getUint16(0, true), text };
             });",
            &[method.into(), path.into(), body.unwrap_or(Value::Null)],
        );
        let text = answer["text"].as_str().unwrap_or_default();
        (
            answer["status"].as_u64().unwrap_or(0),
            serde_json::from_str(text).unwrap_or(Value::Null),
        )
    }

    /// Returns the text that the page shows.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText", &[])
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn see(&self, text: &str) {
        let mut last = String::new();
        let seen = until(|| {
            last = self.text();
            last.contains(text).then_some(())
        });
        assert!(seen.is_some(), "waited in vain for {text:?} on\n{last}");
    }

    /// Waits for the element that an XPath names.
    #[track_caller]
    pub fn find(&self, xpath: &str) -> Element {
        until(|| self.look(xpath))
            .unwrap_or_else(|| panic!("nothing is {xpath} on\n{}", self.text()))
    }

    /// Returns the element that an XPath names, if it is there.
    pub fn look(&self, xpath: &str) -> Option<Element> {
        let answer = self.send(
            "POST",
            "/element",
            &json!({"using": "xpath", "value": xpath}),
        );
        answer[ELEMENT].as_str().map(|id| Element(id.to_owned()))
    }

    /// Waits for the button, link, tab or menu item whose name begins so, and clicks it.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.press_at(&format!(
            "//*[self::button or self::a or @role='button' or @role='menuitem' or @role='tab'][starts-with(normalize-space(), '{name}') or @aria-label='{name}'][not(@disabled)]"
        ));
    }

    /// Waits until the element that an XPath names rests where nothing covers it, and clicks it.
    ///
    /// A person does not click what still moves, and a click is sent to a place: it would meet what has come there since.
    #[track_caller]
    pub fn press_at(&self, xpath: &str) {
        let answer = until(|| {
            let found = self.run(RESTING, &[xpath.into()]);
            let element = found[ELEMENT].as_str()?;
            let answer = self.send("POST", &format!("/element/{element}/click"), &json!({}));
            // Drawn anew between the two: nothing was clicked, and another one is there.
            (answer["error"] != "stale element reference").then_some(answer)
        });
        let answer =
            answer.unwrap_or_else(|| panic!("nothing to click is {xpath} on\n{}", self.text()));
        assert!(answer["error"].is_null(), "cannot be clicked: {answer}");
    }

    /// Waits for the field with this label.
    #[track_caller]
    pub fn field(&self, label: &str) -> Element {
        self.find(&format!(
            "//label[contains(normalize-space(), '{label}')]/following::*[self::input or self::textarea][1]"
        ))
    }

    /// Returns what has the keyboard.
    pub fn focused(&self) -> Option<Element> {
        let answer = self.send("GET", "/element/active", &json!({}));
        answer[ELEMENT].as_str().map(|id| Element(id.to_owned()))
    }

    /// Shows another place of the page.
    pub fn go(&self, hash: &str) {
        self.run("location.hash = arguments[0]", &[hash.into()]);
    }

    /// Types into an element.
    #[track_caller]
    pub fn type_into(&self, element: &Element, text: &str) {
        let answer = self.send(
            "POST",
            &format!("/element/{}/value", element.0),
            &json!({"text": text}),
        );
        assert!(answer["error"].is_null(), "cannot be typed into: {answer}");
    }

    /// Returns what a field holds.
    pub fn value(&self, element: &Element) -> String {
        let answer = self.send(
            "GET",
            &format!("/element/{}/property/value", element.0),
            &json!({}),
        );
        answer.as_str().unwrap_or_default().to_owned()
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let target = match self.session.is_empty() {
            true => "/session".to_owned(),
            false => format!("/session/{}{path}", self.session),
        };
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver answers");
        stream
            .set_read_timeout(Some(ANSWER))
            .expect("a socket takes a limit");
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .expect("ask the driver");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = reader
                .read_line(&mut line)
                .unwrap_or_else(|error| panic!("{method} {target}: {error}"));
            if read == 0 || line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut answer = String::new();
        reader
            .take(length)
            .read_to_string(&mut answer)
            .expect("the driver's answer");
        let answer: Value = serde_json::from_str(&answer).unwrap_or(Value::Null);
        answer["value"].clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.send("DELETE", "", &json!({}));
        }
        // The driver answers first and ends the window then; asked to end before, it would leave the window behind, and the
        // next launch would find that one.
        if let Some(app) = self.app.take()
            && (std::thread::panicking() || !has_ended(&app, ENDING))
        {
            // It may have ended just now.
            let _ = pidfd_send_signal(&app, Signal::KILL);
            has_ended(&app, PATIENCE);
        }
        // Asked to end, it ends the system's own driver too; killed, it would leave it behind.
        if let Some(pid) = Pid::from_raw(pid_of(&self.server)) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.server.wait();
    }
}

/// Waits until a process with all its threads has ended, and says whether it has.
fn has_ended(process: &OwnedFd, patience: Duration) -> bool {
    let patience = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).expect("seconds"),
        tv_nsec: 0,
    };
    let mut ends = [PollFd::new(process, PollFlags::IN)];
    poll(&mut ends, Some(&patience)).is_ok_and(|ready| ready > 0)
}

fn pid_of(child: &Child) -> i32 {
    i32::try_from(child.id()).expect("a process id")
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let found = look();
        if found.is_some() || started.elapsed() >= PATIENCE {
            return found;
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Two ports that nobody has. They lie below those that the system gives to connections, and each test begins at its own.
fn free_ports() -> [u16; 2] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 4_000).expect("less than 4,000");
    let free = std::iter::repeat_with(|| {
        10_000 + (own * 5 + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000
    })
    .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let found: Vec<u16> = free.take(2).collect();
    [found[0], found[1]]
}

/// Returns the element that an XPath names, once it stays where it is for two frames and is what a click there meets.
const RESTING: &str = "
    const [xpath] = arguments;
    const one = document.evaluate(xpath, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
    if (!one) return null;
    one.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const place = () => { const { x, y, width, height } = one.getBoundingClientRect(); return [x, y, width, height]; };
    const before = place();
    const frame = () => new Promise(requestAnimationFrame);
    return frame().then(frame).then(() => {
      const [x, y, width, height] = place();
      const met = document.elementFromPoint(x + width / 2, y + height / 2);
      const rests = [x, y, width, height].every((value, at) => value === before[at]);
      return rests && one.isConnected && met && one.contains(met) ? one : null;
    });
";
