//! The page over HTTP: closed unless asked for, and then open to one's own browser alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use clauderon_tests::{World, lacks, sockets};

/// A daemon that serves a page, in the foreground of this test.
struct Served {
    world: World,
    daemon: Child,
    port: u16,
    token: String,
}

impl Served {
    fn start() -> Served {
        let world = World::new();
        let ui = world.root.path().join("ui");
        std::fs::create_dir(&ui).expect("make the page's folder");
        std::fs::write(ui.join("index.html"), "<!doctype html>the page").expect("write the page");
        std::fs::write(world.root.path().join("outside.txt"), "outside").expect("write a file");
        let mut daemon = world
            .command(&["daemon", "--http-port", "0", "--ui-dir"])
            .arg(&ui)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut link = String::new();
        BufReader::new(daemon.stdout.take().expect("it is a pipe"))
            .read_line(&mut link)
            .expect("the daemon prints its link");
        let (port, token) = parse(&link);
        Served {
            world,
            daemon,
            port,
            token,
        }
    }

    /// Sends a request as it stands, with `PORT` filled in, and returns the whole answer.
    fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the port is open");
        let request = request.replace("PORT", &self.port.to_string());
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let head = head.replace('\n', "\r\n");
        write!(stream, "{head}\r\n\r\n{body}").expect("send a request");
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(
                reader.read_line(&mut head).expect("an answer's head"),
                0,
                "{head}"
            );
        }
        let mut answer = Answer {
            head,
            body: String::new(),
        };
        let length = match request.starts_with("HEAD") {
            true => None,
            false => answer.header("content-length"),
        };
        let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        reader
            .take(length)
            .read_to_string(&mut answer.body)
            .expect("an answer's body");
        answer
    }

    /// Uses the first link, as a browser does, and returns the cookie.
    fn sign_in(&self) -> String {
        let answer = self.ask(&format!(
            "GET /?token={} HTTP/1.1\nHost: 127.0.0.1:PORT",
            self.token
        ));
        answer.expect(303);
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
            "{cookie}"
        );
        assert_eq!(answer.header("location").as_deref(), Some("/"));
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.world.run(&["daemon", "stop"]);
        let _ = self.daemon.wait();
    }
}

struct Answer {
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn expect(&self, status: u16) {
        let line = format!("HTTP/1.1 {status} ");
        assert!(
            self.head.starts_with(&line),
            "wanted {status}\n{}{}",
            self.head,
            self.body
        );
        let policy = self.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe-eval"),
            "{policy}"
        );
        if status != 101 {
            assert_eq!(
                self.header("x-content-type-options").as_deref(),
                Some("nosniff")
            );
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

fn parse(link: &str) -> (u16, String) {
    link.trim()
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.split_once("/?token="))
        .and_then(|(port, token)| Some((port.parse().ok()?, token.to_owned())))
        .unwrap_or_else(|| panic!("not a link: {link:?}"))
}

#[test]
fn a_daemon_listens_on_no_network_port_by_default() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world
        .detached("bubblewrap", "claude", "a", Some("hello"))
        .expect(0);
    assert_eq!(sockets::listening(world.daemon_pid()), Vec::<String>::new());
    let refused = world.run(&["web"]).expect(4);
    assert!(refused.stderr.contains("--http-port"), "{}", refused.stderr);
}

#[test]
fn a_browser_with_the_link_gets_the_page_and_the_api() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let served = Served::start();
    let pid = i32::try_from(served.daemon.id()).expect("a process number");
    let port = format!("tcp 0100007F:{:04X}", served.port);
    assert_eq!(
        sockets::listening(pid),
        vec![port],
        "loopback, and nothing else"
    );

    let cookie = served.sign_in();
    let page = served.ask(&format!(
        "GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nCookie: {cookie}"
    ));
    page.expect(200);
    assert_eq!(page.body, "<!doctype html>the page");
    let api = served.ask(&format!(
        "GET /api/sessions HTTP/1.1\nHost: localhost:PORT\nCookie: {cookie}"
    ));
    api.expect(200);
    assert_eq!(api.body, "[]");
    served
        .ask(&format!(
            "GET /ws/events HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://127.0.0.1:PORT\nCookie: {cookie}\n\
             Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        ))
        .expect(101);
    served
        .ask(&format!(
            "GET /../outside.txt HTTP/1.1\nHost: 127.0.0.1:PORT\nCookie: {cookie}"
        ))
        .expect(404);
}

#[test]
fn a_link_works_once_and_another_is_made_through_the_socket() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let served = Served::start();
    served.sign_in();
    let again = served.ask(&format!(
        "GET /?token={} HTTP/1.1\nHost: 127.0.0.1:PORT",
        served.token
    ));
    again.expect(401);
    assert!(again.body.contains("`clauderon web`"), "{}", again.body);
    assert_eq!(again.header("set-cookie"), None);

    let (port, fresh) = parse(&served.world.run(&["web"]).expect(0).stdout);
    assert_eq!(port, served.port);
    served
        .ask(&format!(
            "HEAD /?token={fresh} HTTP/1.1\nHost: 127.0.0.1:PORT"
        ))
        .expect(401);
    served
        .ask(&format!(
            "GET /?token={fresh} HTTP/1.1\nHost: 127.0.0.1:PORT"
        ))
        .expect(303);
}

#[test]
fn nobody_else_gets_anything() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let served = Served::start();
    let cookie = served.sign_in();
    let upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    for (what, request, status) in [
        (
            "no cookie",
            "GET / HTTP/1.1\nHost: 127.0.0.1:PORT".to_owned(),
            401,
        ),
        (
            "no cookie, API",
            "GET /api/sessions HTTP/1.1\nHost: 127.0.0.1:PORT".to_owned(),
            401,
        ),
        (
            "a made-up cookie",
            "GET /api/sessions HTTP/1.1\nHost: 127.0.0.1:PORT\nCookie: clauderon-PORT=0".to_owned(),
            401,
        ),
        (
            "no cookie, WebSocket",
            format!(
                "GET /ws/events HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://127.0.0.1:PORT\n{upgrade}"
            ),
            401,
        ),
        (
            "a name bent to this address",
            format!("GET /api/sessions HTTP/1.1\nHost: evil.example:PORT\nCookie: {cookie}"),
            403,
        ),
        (
            "another page's WebSocket",
            format!(
                "GET /ws/events HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://127.0.0.1:3000\nCookie: {cookie}\n{upgrade}"
            ),
            403,
        ),
        (
            "a WebSocket of nobody",
            format!("GET /ws/events HTTP/1.1\nHost: 127.0.0.1:PORT\nCookie: {cookie}\n{upgrade}"),
            403,
        ),
        (
            "another page's change",
            format!(
                "POST /api/daemon/stop HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: https://evil.example\nCookie: {cookie}"
            ),
            403,
        ),
        (
            "nobody's change",
            format!("POST /api/daemon/stop HTTP/1.1\nHost: 127.0.0.1:PORT\nCookie: {cookie}"),
            403,
        ),
        (
            "another port's page looks",
            format!(
                "GET /api/sessions HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: same-site\nCookie: {cookie}"
            ),
            403,
        ),
    ] {
        let answer = served.ask(&request);
        assert!(
            answer.body.contains('.'),
            "{what}: a sentence says why\n{}",
            answer.body
        );
        answer.expect(status);
    }
    // None of it ended the daemon.
    served.world.run(&["daemon", "status"]).expect(0);
}
