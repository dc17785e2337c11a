//! A session's files, seen from outside while the agent does its worst inside.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::Duration;

use clauderon_api::{Client, EntryKind, ErrorCode, FileContent, Mark, SayText};
use clauderon_tests::{PATIENCE, Terminal, World, on_each_backend, script_prompt};
use serde_json::json;

on_each_backend!(
    files_are_listed_shown_and_compared,
    a_planted_link_leads_nowhere,
    an_uploaded_picture_is_an_image_of_the_next_prompt,
    what_cannot_be_uploaded_leaves_nothing,
    text_is_not_typed_where_nobody_reads_it,
    changes_are_told_to_whoever_looks_and_to_nobody_else,
);
fn files_are_listed_shown_and_compared(backend: &str) {
    let world = World::new();
    world.inside(
        backend,
        "a",
        "cd /workspace && mkdir -p src && echo one > src/one.txt && git add . && git commit -qm one && echo more >> README.md && printf '\\211PNG\\r\\n\\032\\n' > shot.txt",
    );
    let client = Client::at(world.home.join("clauderon.sock"));
    world.wait(async {
        let top = client
            .folder("a", "")
            .await
            .expect("the workspace is listed");
        let names: Vec<_> = top
            .entries
            .iter()
            .map(|one| (one.name.as_str(), one.kind))
            .collect();
        assert_eq!(
            names,
            [
                ("src", EntryKind::Folder),
                (".out", EntryKind::File),
                ("README.md", EntryKind::File),
                ("shot.txt", EntryKind::File)
            ]
        );
        let readme = client
            .file("a", "README.md")
            .await
            .expect("a file is shown");
        let text = FileContent::Text {
            text: "# A repository\nmore\n".into(),
            truncated: false,
        };
        assert_eq!(readme.content, text);
        let shot = client
            .file("a", "shot.txt")
            .await
            .expect("a picture is shown");
        assert_eq!(
            shot.content,
            FileContent::Image {
                mime: "image/png".into()
            }
        );
        let status = client
            .file_status("a")
            .await
            .expect("git answers from a sandbox");
        let marks: Vec<_> = status
            .files
            .iter()
            .map(|one| (one.path.as_str(), one.mark))
            .collect();
        assert!(marks.contains(&("README.md", Mark::Modified)), "{marks:?}");
        assert!(marks.contains(&("src/one.txt", Mark::Added)), "{marks:?}");
        let sides = client
            .file_sides("a", "README.md")
            .await
            .expect("both sides are shown");
        assert_eq!(sides.before.as_deref(), Some("# A repository\n"));
        assert_eq!(sides.now.as_deref(), Some("# A repository\nmore\n"));
    });
}

fn a_planted_link_leads_nowhere(backend: &str) {
    let world = World::new();
    let secret = world.home.join("secrets/anthropic_oauth_token");
    world.inside(
        backend,
        "a",
        &format!(
            "cd /workspace && ln -s {} file && ln -s / folder && mkfifo pipe && python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('socket')\"",
            secret.display()
        ),
    );
    let client = Client::at(world.home.join("clauderon.sock"));
    world.wait(async {
        let file = client.file("a", "file").await.expect("a link is named");
        let target = secret.display().to_string();
        assert_eq!(file.content, FileContent::Link { target });
        let look = async {
            for path in [
                "pipe",
                "socket",
                "folder/etc/passwd",
                "../session.json",
                "/etc/passwd",
                ".git/config",
            ] {
                let error = client.file("a", path).await.expect_err(path);
                assert_eq!(error.code, ErrorCode::Usage, "{path}: {error}");
                assert!(client.raw_file("a", path).await.is_err(), "{path}");
            }
            assert!(client.raw_file("a", "file").await.is_err());
            assert!(client.folder("a", "folder").await.is_err());
        };
        tokio::time::timeout(PATIENCE, look)
            .await
            .expect("nothing hangs");
    });
}

/// A picture of one red point.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

fn an_uploaded_picture_is_an_image_of_the_next_prompt(backend: &str) {
    let world = World::new();
    world.detached(backend, "claude", "a", None).expect(0);
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("bypass permissions on");
    let picture = world.root.path().join("My shot (1).png");
    std::fs::write(&picture, PICTURE).expect("write a picture");
    let file = picture.display().to_string();
    let path = world.run(&["upload", "a", &file]).expect(0).stdout;
    assert_eq!(path, "/clauderon/uploads/My-shot-1-.png\n");
    let path = path.trim();
    world.run(&["say", "a", "--no-send", path]).expect(0);
    terminal.wait_for("[Image #1]");
    // An end of the paste within the text presses no key.
    let prompt = script_prompt(&[json!({"text": "a red point"})]);
    let said = format!("{prompt} \x1b[201~\rmore");
    world.run(&["say", "a", &said]).expect(0);
    let request = world.wait(world.upstream.wait_for(
        |request| {
            let body = String::from_utf8_lossy(&request.body);
            body.contains("a red point") && body.contains("image/png")
        },
        PATIENCE,
    ));
    let body = request.expect("the picture reached the model").body;
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(body.contains("[201~"), "{body}");
    assert!(body.contains("\\nmore"), "the text was sent as one: {body}");
    terminal.wait_for("a red point");
}

fn what_cannot_be_uploaded_leaves_nothing(backend: &str) {
    let world = World::new();
    world.inside(
        backend,
        "a",
        "cd /clauderon/uploads && ln -s /tmp/elsewhere a.txt",
    );
    let folder = world.session_folder(&world.id_of("a"));
    let uploads = folder.join("uploads");
    let names = || {
        let entries = std::fs::read_dir(&uploads).expect("the folder is there");
        entries
            .map(|one| one.expect("a name").file_name())
            .collect::<Vec<_>>()
    };
    let large = std::fs::File::create(world.root.path().join("large")).expect("make a file");
    large.set_len(100_000_001).expect("make it large");
    let large = world.root.path().join("large").display().to_string();
    let refused = world.run(&["upload", "a", &large]).expect(2).stderr;
    assert!(refused.contains("100 MB"), "{refused}");
    assert_eq!(names(), ["a.txt"]);
    world.run(&["upload", "a", "."]).expect(2);
    world.run(&["upload", "a", "/nothing"]).expect(2);
    // The agent's link is left alone, and the file belongs to the agent.
    let file = world.root.path().join("a.txt");
    std::fs::write(&file, "mine").expect("write a file");
    let taken = world.json(&["upload", "a", &file.display().to_string()]);
    assert_eq!(taken[0]["path"], "/clauderon/uploads/a-2.txt");
    assert!(!std::path::Path::new("/tmp/elsewhere").exists());
    let owner = |path: &str| {
        std::fs::metadata(folder.join(path))
            .expect("it is there")
            .uid()
    };
    assert_eq!(owner("uploads/a-2.txt"), owner("workspace"));
    // What is put into the folder's place leads nowhere either.
    std::fs::rename(&uploads, folder.join("away")).expect("move the folder");
    symlink(world.root.path(), &uploads).expect("plant a link");
    world
        .run(&["upload", "a", &file.display().to_string()])
        .expect(1);
}

fn text_is_not_typed_where_nobody_reads_it(backend: &str) {
    let world = World::new();
    world.inside(backend, "a", "true");
    let refused = world.run(&["say", "a", "hello"]).expect(4).stderr;
    assert!(refused.contains("no terminal"), "{refused}");
    world.detached(backend, "codex", "b", None).expect(0);
    world.run(&["stop", "b"]).expect(0);
    let refused = world.run(&["say", "b", "hello"]).expect(4).stderr;
    assert!(refused.contains("clauderon start b"), "{refused}");
    world.run(&["say", "nobody", "hello"]).expect(3);
}

/// Counts the watches that the daemon has with the kernel.
fn watches(daemon: i32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{daemon}/fd")).expect("the daemon runs");
    files
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok())
        .filter(|target| target.ends_with("anon_inode:inotify"))
        .count()
}

fn changes_are_told_to_whoever_looks_and_to_nobody_else(backend: &str) {
    let world = World::new();
    world.detached(backend, "claude", "a", None).expect(0);
    let daemon = world.daemon_pid();
    assert_eq!(watches(daemon), 0, "nobody looks yet");
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("bypass permissions on");
    let client = Client::at(world.home.join("clauderon.sock"));
    world.wait(async {
        let mut changes = client.watch_files("a").await.expect("it is watched");
        assert_eq!(watches(daemon), 1);
        let command = "cd /workspace && mkdir -p src/new && git commit -q --allow-empty -m x && sleep 1 && echo x > src/new/file";
        let text = script_prompt(&[
            json!({"tool": "Bash", "input": {"command": command, "description": "write"}}),
            json!({"text": "written"}),
        ]);
        let say = SayText { text, send: true };
        client.say("a", &say).await.expect("the agent runs");
        let wait = async {
            let (mut git, mut file) = (false, false);
            while !(git && file) {
                let change = changes.next().await.expect("it goes on").expect("it goes on");
                git |= change.git;
                file |= change.folders.contains(&"src/new".to_owned());
                assert_eq!(change.note, None);
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.expect("the changes were told");
        drop(changes);
        let ended = async {
            while watches(daemon) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, ended).await;
        waited.expect("the watch ended with its viewer");
    });
}
