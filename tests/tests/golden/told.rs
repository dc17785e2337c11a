//! One session under test, and what everybody tells of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clauderon_api::{Client, ConversationQuery};
use clauderon_tests::{Terminal, World, script_prompt, wait_for, wait_until};
use serde_json::{Value, json};

use crate::outline::outline;

/// Who writes a golden file anew waits this long for what may still be told.
const ALL_TOLD: Duration = Duration::from_secs(5);

/// One session, called `a`, and what everybody tells of it.
pub(crate) struct Told {
    pub world: World,
    agent: String,
}

impl Told {
    pub fn begin(backend: &str, agent: &str, steps: &[Value]) -> Self {
        Self::begin_in(World::new(), backend, agent, steps)
    }

    /// As [`Told::begin`], in an installation that was prepared.
    pub fn begin_in(world: World, backend: &str, agent: &str, steps: &[Value]) -> Self {
        let prompt = script_prompt(steps);
        world.detached(backend, agent, "a", Some(&prompt)).expect(0);
        let agent = agent.to_owned();
        let told = Self { world, agent };
        if !steps.iter().any(asks) {
            told.idle();
        }
        told
    }

    pub fn say(&self, text: &str) {
        self.send(&["send", "a", text, "--timeout", "30"]);
    }

    /// One whole turn.
    pub fn turn(&self, steps: &[Value]) {
        let text = script_prompt(steps);
        self.send(&["send", "a", &text, "--wait", "--timeout", "60"]);
        self.idle();
    }

    fn send(&self, command: &[&str]) {
        let sent = self.world.run(command);
        if sent.code != 0 {
            let messages = self.world.run(&["messages", "a"]).stdout;
            let standing = self.world.json(&["chat", "a", "--standing"]);
            panic!(
                "{}{messages}{}{:#?}{standing:#}",
                sent.stderr,
                self.screen(),
                self.items()
            );
        }
    }

    pub fn interrupted(&self, tool: Value) {
        self.say(&script_prompt(&[tool, json!({"text": "never"})]));
        let began = self
            .world
            .session_folder(&self.world.id_of("a"))
            .join("workspace/began");
        wait_until("its tool runs", || began.exists());
        self.until(|standing| standing["status"]["status"] == "working");
        self.escape();
        self.until(|standing| standing["status"]["status"] == "interrupted");
    }

    /// Presses Esc in its terminal.
    fn escape(&self) {
        self.escape_from("");
    }

    /// Presses Esc in its terminal once this is shown there.
    pub fn escape_from(&self, shown: &str) {
        let mut terminal = Terminal::open(self.world.command(&["attach", "a"]), 100, 30);
        if self.agent == "codex" {
            terminal.wait_until_asked();
            // What it draws then it draws with the last size: it has nothing more to ask.
            terminal.forget();
            terminal.wait_for("esc to interrupt");
        }
        terminal.wait_for(shown);
        terminal.type_in(b"\x1b\x1d");
        assert_eq!(terminal.wait_end(), 0);
    }

    pub fn answer(&self, command: &[&str]) {
        self.until(|standing| standing["approvals"] != json!([]));
        self.world.run(command).expect(0);
    }

    pub fn idle(&self) {
        self.until(|standing| standing["status"]["status"] == "idle");
    }

    /// A turn that the service does not let end well. Everybody says so, with these words.
    pub fn fails(&self, steps: &[Value], why: &str) {
        self.say(&script_prompt(steps));
        let client = Client::at(self.world.home.join("clauderon.sock"));
        wait_for(|| {
            let session = self.world.wait(client.session("a")).expect("a session");
            let all = [
                serde_json::to_value(&session.status).expect("JSON"),
                self.world.json(&["chat", "a", "--standing"])["status"].clone(),
                self.world.listed("a")["status"].clone(),
            ];
            let failed = |status: &Value| {
                let says = status["why"]
                    .as_str()
                    .is_some_and(|says| says.contains(why));
                status["status"] == "failed" && says
            };
            match all.iter().all(failed) && all.iter().all(|one| *one == all[0]) {
                true => Ok(()),
                false => Err(std::fmt::from_fn(move |f| {
                    write!(f, "{all:#?}\n{:#?}\n{}", self.items(), self.screen())
                })),
            }
        });
    }

    pub fn idle_after(&self, items: usize) {
        wait_for(|| match self.items() {
            found if found.len() < items => Err(found),
            _ => Ok(()),
        });
        self.idle();
    }

    pub fn wait_for_kind(&self, kind: &str) {
        wait_for(|| match self.items() {
            found if found.iter().any(|item| item["kind"] == kind) => Ok(()),
            found => Err(found),
        });
        self.idle();
    }

    pub fn until(&self, is: impl Fn(&Value) -> bool) {
        wait_for(|| {
            let standing = self.world.json(&["chat", "a", "--standing"]);
            match is(&standing) {
                true => Ok(()),
                false => Err(std::fmt::from_fn(move |f| {
                    write!(f, "{standing:#}\n{:#?}\n{}", self.items(), self.screen())
                })),
            }
        });
    }

    /// What its terminal showed last.
    fn screen(&self) -> String {
        self.world.run(&["logs", "a", "--tail", "3000"]).stdout
    }

    /// The items as scripts get them.
    fn items(&self) -> Vec<Value> {
        let printed = self.world.run(&["logs", "a", "--json"]).expect(0).stdout;
        let item = |line: &str| serde_json::from_str(line).expect("one item a line");
        printed.lines().map(item).collect()
    }

    /// Waits until the items are those of the golden file; the API and `chat` tell the same.
    pub fn is_golden(&self, name: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("golden")
            .join(format!("{name}.json"));
        let bless = std::env::var_os("CLAUDERON_BLESS").is_some();
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        let begun = Instant::now();
        let items = wait_for(|| {
            let items = self.items();
            let found = outline(&items);
            match found == golden {
                true => Ok(items),
                false if bless && begun.elapsed() > ALL_TOLD => {
                    std::fs::write(&path, &found).expect("write the golden file");
                    Ok(items)
                }
                false => Err(std::fmt::from_fn(move |f| {
                    write!(f, "{name} became\n{found}")
                })),
            }
        });
        self.agree(&items);
    }

    /// What everybody tells of a session that rests.
    fn agree(&self, items: &[Value]) {
        let printed = self.world.run(&["chat", "a", "--json"]).expect(0).stdout;
        let lines: Vec<Value> = printed
            .lines()
            .map(|line| serde_json::from_str(line).expect("one item a line"))
            .collect();
        assert_eq!(lines, items, "chat and logs");
        let client = Client::at(self.world.home.join("clauderon.sock"));
        let query = ConversationQuery::default();
        let view = self.world.wait(client.conversation("a", &query));
        let view = view.expect("a conversation");
        let told = serde_json::to_value(&view.items).expect("JSON");
        assert_eq!(told, json!(items), "the API and the command line");
        let status = serde_json::to_value(&view.standing.status).expect("JSON");
        assert_eq!(self.world.listed("a")["status"], status, "the list");
    }
}

fn asks(step: &Value) -> bool {
    let tool = step["tool"].as_str().unwrap_or_default();
    ["AskUserQuestion", "ExitPlanMode"].contains(&tool)
}
