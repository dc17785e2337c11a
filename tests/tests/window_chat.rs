//! A whole task from the chat of the real window. The identifiers are those of `docs/scenarios.md`.

use std::time::Duration;

use clauderon_tests::webdriver::{Driver, Element, keys};
use clauderon_tests::{Scene, wait_until};
use serde_json::{Value, json};

/// For so long after a letter Codex takes an Enter for a part of what is pasted. A person is slower than that.
const BREATH: Duration = Duration::from_millis(300);

const TASK: &str = "Make the file";
/// An answer that takes a while to arrive, how it begins and how it ends.
const LINES: usize = 10;
const BEGINS: &str = "I look around.";
const ENDS: &str = "00000010 the quick brown fox";
/// What is asked on in the chat, by hand in the terminal and in the chat again, and what is answered.
const ON: [(&str, &str); 3] = [
    ("Is it there?", "It is."),
    ("And by hand?", "So it is."),
    ("Back again", "Welcome back."),
];

#[test]
fn w17_a_whole_task_with_claude_from_the_chat_alone_then_in_the_terminal_and_back() {
    let Some(scene) = scene(&[
        json!({"tool": "Bash", "input": {"command": "touch made.txt", "description": "Make a file"}}),
    ]) else {
        return;
    };
    scene.world.asks_before("Bash(touch *)");
    let window = scene.drive();
    let chat = Chat::begin(&scene, &window, "Claude Code");

    chat.watch_arrive();
    chat.send(TASK);
    chat.arrives();
    window.find("//*[@data-testid='approval']//pre[text()='touch made.txt']");
    window.find("//*[@data-testid='approval']//*[normalize-space()='seen by the proxy']");
    chat.stands("Needs approval");
    assert!(!chat.workspace().join("made.txt").exists());
    window.press_at(
        "//*[@data-testid='approval']//button[normalize-space()='Allow'][not(@disabled)]",
    );
    chat.says("It is made.");
    assert_eq!(window.look("//*[@data-testid='approval']"), None);
    chat.ran("touch made.txt");
    chat.goes_on_in_files_and_terminal();
}

#[test]
fn w18_a_whole_task_with_codex_from_the_chat_alone_then_in_the_terminal_and_back() {
    let Some(scene) = scene(&[]) else { return };
    let window = scene.drive();
    let chat = Chat::begin(&scene, &window, "Codex");

    chat.watch_arrive();
    chat.send(TASK);
    chat.arrives();
    chat.says("It is made.");
    chat.goes_on_in_files_and_terminal();
}

/// A scene whose model answers the task over a few seconds with a look around, these steps, and a file.
fn scene(steps: &[Value]) -> Option<Scene> {
    let look = json!({"text": BEGINS, "big": LINES * 60, "delay_ms": 200, "tool": "Bash", "input": {"command": "ls -a"}});
    let fill = json!({"tool": "Bash", "input": {"command": "echo made-by-chat > made.txt"}});
    let end = json!({"text": "It is made."});
    let task = [&[look], steps, &[fill, end]].concat();
    let on = ON.map(|(asked, answer)| (asked, json!([{"text": answer}])));
    Scene::answering(&[&[(TASK, Value::from(task))], &on[..]].concat())
}

/// The chat of the one session.
struct Chat<'a> {
    scene: &'a Scene,
    window: &'a Driver,
}

impl<'a> Chat<'a> {
    /// Makes a session in the dialog and waits until it can be written to.
    fn begin(scene: &'a Scene, window: &'a Driver, agent: &str) -> Self {
        window.press("Skip all");
        window.press("New session");
        window.type_into(
            &window.field("Repository"),
            &scene.world.repository.to_string_lossy(),
        );
        window.press_at(&format!("//label[normalize-space()='{agent}']"));
        window.press_at("//label[normalize-space()='Bubblewrap']");
        window.press("Create session");
        let chat = Self { scene, window };
        chat.composer();
        chat
    }

    fn composer(&self) -> Element {
        self.window
            .find("//textarea[@aria-label='Message to the agent'][not(@readonly)]")
    }

    /// Writes a message and sends it with Enter.
    fn send(&self, text: &str) {
        let composer = self.composer();
        self.window.type_into(&composer, text);
        wait_until("it is written", || self.window.value(&composer) == text);
        self.window.type_into(&composer, keys::ENTER);
        wait_until("it is sent", || self.window.value(&composer).is_empty());
    }

    /// Notes from now on whether an answer stands there before all of it has come.
    fn watch_arrive(&self) {
        self.window.run(
            "const [begins, ends] = arguments;
             window.arrived = false;
             new MutationObserver(() => {
               for (const { textContent } of document.querySelectorAll('[data-testid=conversation] [data-kind=text]'))
                 if (textContent.includes(begins) && !textContent.includes(ends)) window.arrived = true;
             }).observe(document.body, { childList: true, subtree: true, characterData: true });",
            &[BEGINS.into(), ENDS.into()],
        );
    }

    fn arrives(&self) {
        self.says(ENDS);
        let arrived = self.window.run("return window.arrived", &[]);
        assert_eq!(arrived, true, "it was shown while it came");
        self.ran("ls -a");
    }

    /// Waits for an answer.
    fn says(&self, text: &str) {
        self.window.find(&format!(
            "//*[@data-testid='conversation']//*[@data-kind='text'][contains(., '{text}')]"
        ));
    }

    /// Waits for a command that has run.
    fn ran(&self, command: &str) {
        self.window.find(&format!(
            "//*[@data-testid='conversation']//button[contains(., 'Ran {command}')]"
        ));
    }

    /// Sends a message and has it answered.
    fn asks(&self, (asked, answer): (&str, &str)) {
        self.send(asked);
        self.says(answer);
        self.prompt(asked, "Answered");
    }

    /// Waits for a prompt whose words are these and that went so far.
    fn prompt(&self, text: &str, stage: &str) {
        self.window.find(&format!(
            "//article[@aria-label='Prompt'][contains(., '{text}')]//footer[contains(., '{stage}')]"
        ));
    }

    fn stands(&self, word: &str) {
        self.window.find(&format!(
            "//*[@data-testid='chat-status'][contains(., '{word}')]"
        ));
    }

    fn workspace(&self) -> std::path::PathBuf {
        self.scene
            .world
            .session_folder(&self.id())
            .join("workspace")
    }

    /// The session's identifier.
    fn id(&self) -> String {
        let (_, sessions) = self.window.api("GET", "/api/sessions", None);
        let id = sessions[0]["id"].as_str().expect("there is a session");
        id.to_owned()
    }

    /// What was made is found, the agent is asked on, taken over in its terminal, and asked in its chat again.
    fn goes_on_in_files_and_terminal(&self) {
        let window = self.window;
        let [on, by_hand, back] = ON;
        self.prompt(TASK, "Answered");
        self.ran("echo made-by-chat");
        window.press("Files");
        window.find("//*[@aria-label='Files of the workspace']//*[contains(., 'made.txt')]");
        window.press("Diff");
        window.find("//article[@aria-label='made.txt'][contains(., 'made-by-chat')]");

        window.press("Chat");
        self.asks(on);

        window.press("Terminal");
        self.shows(on.1);
        window.press_at("//*[contains(@class,'xterm-screen')]");
        let keyboard = window.find("//textarea[contains(@class,'xterm-helper-textarea')]");
        window.type_into(&keyboard, by_hand.0);
        self.shows(by_hand.0);
        std::thread::sleep(BREATH);
        window.type_into(&keyboard, keys::ENTER);
        window.press("Chat");
        self.says(by_hand.1);

        self.asks(back);
        let path = format!("/api/sessions/{}/conversation", self.id());
        let (_, conversation) = window.api("GET", &path, None);
        let prompts = conversation["items"].as_array().into_iter().flatten();
        let prompts = prompts.filter(|item| item["kind"] == "prompt").count();
        assert_eq!(prompts, 4, "{conversation:#}");
    }

    /// Waits until the terminal shows something.
    fn shows(&self, text: &str) {
        wait_until(text, || {
            let shown = self.window.run(
                "return [...document.querySelectorAll('.xterm-rows > *')].map((row) => row.textContent).join('')",
                &[],
            );
            squeezed(shown.as_str().unwrap_or_default()).contains(&squeezed(text))
        });
    }
}

/// A terminal breaks lines where it likes.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}
