//! A test double of Claude Code. It draws its titles, takes its prompts, asks the model's service through the proxy, writes its
//! transcript and fires its hooks like the real one, but each of it when the story in the prompt says so: it shows orders and
//! failures that the real one cannot be made to show. What it really does, and how long its reports take, stands in
//! `truth.jsonl` of the workspace.
//!
//! A prompt is `STORY:[…] SCRIPT:[…]`: what this program does, step by step, and what the scripted model answers. Each step is
//! an object of one key:
//!
//! | step | |
//! | --- | --- |
//! | `{"truth": "working"}` | says what it does from now on |
//! | `{"draw": "working"}`, `{"draw": "waiting"}` | draws the title |
//! | `{"ask": {}}`, `{"ask": {"leave_ms": 700}}` | asks the model, and leaves before its answer is whole |
//! | `{"run": {}}` | runs the commands that the model asked for |
//! | `{"fire": "Stop"}` | fires a hook, and waits for what it is answered |
//! | `{"write": "answer"}` | writes records: `prompt`, `answer`, `results`, `interrupted`, `over` |
//! | `{"tear": "answer"}`, `{"mend": {}}` | writes half of a record, and its other half |
//! | `{"dirt": "…"}` | writes what is no record |
//! | `{"shorten": 2}` | puts a transcript of its first lines in the place of the whole |
//! | `{"clock": 3600000}` | from now on its clock is wrong by so many milliseconds |
//! | `{"pause": 500}` | waits so many milliseconds |
//! | `{"meanwhile": […]}` | takes these steps beside those that follow |

mod outside;
mod terminal;
mod transcript;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use outside::Outside;
use terminal::Terminal;
use transcript::Transcript;

const WORKSPACE: &str = "/workspace";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut session, mut prompt) = (String::new(), None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--session-id" | "--resume" => session = args.next().context("an id follows")?,
            "--" => prompt = args.next(),
            _ => {}
        }
    }
    let mut terminal = Terminal::open()?;
    let mut agent = Agent::new(&session)?;
    agent.take(&json!({"draw": "waiting"}))?;
    if prompt.is_none() {
        agent.take(&json!({"truth": "idle"}))?;
    }
    while let Some(asked) = prompt.take().or_else(|| terminal.prompt()) {
        agent.answer(asked)?;
    }
    Ok(())
}

#[derive(Clone)]
struct Agent {
    outside: Outside,
    transcript: Transcript,
    /// What it was asked last.
    prompt: String,
    /// What the model is told.
    messages: Vec<Value>,
    /// The model's last answer.
    answer: Value,
    /// What came of the calls in it.
    results: Vec<Value>,
}

impl Agent {
    fn new(session: &str) -> Result<Self> {
        Ok(Self {
            outside: Outside::new(session)?,
            transcript: Transcript::new(session)?,
            prompt: String::new(),
            messages: Vec::new(),
            answer: Value::Null,
            results: Vec::new(),
        })
    }

    fn answer(&mut self, prompt: String) -> Result<()> {
        let (_, story) = prompt.split_once("STORY:").context("a prompt is a story")?;
        let mut values = serde_json::Deserializer::from_str(story).into_iter::<Value>();
        let steps = values.next().context("a story has steps")??;
        let asked = json!({"role": "user", "content": prompt});
        self.messages = vec![asked];
        self.prompt = prompt;
        self.all(&steps)?;
        say(&json!({"end": true}))
    }

    fn all(&mut self, steps: &Value) -> Result<()> {
        let steps = steps.as_array().context("steps are a list")?;
        steps.iter().try_for_each(|step| {
            self.take(step)
                .with_context(|| format!("take the step {step}"))
        })
    }

    fn take(&mut self, step: &Value) -> Result<()> {
        let fields = step.as_object().context("a step is an object")?;
        let (key, value) = fields.iter().next().context("a step has a key")?;
        let text = || value.as_str().context("it takes a word");
        let number = || value.as_i64().context("it takes a number");
        match key.as_str() {
            "truth" => say(&json!({"status": value}))?,
            "draw" => terminal::draw(text()?)?,
            "ask" => self.ask(value["leave_ms"].as_u64())?,
            "run" => self.run()?,
            "fire" => self.fire(text()?)?,
            "write" => self.transcript.write(&self.records(text()?)?)?,
            "tear" => self.transcript.tear(&self.records(text()?)?)?,
            "mend" => self.transcript.mend()?,
            "dirt" => self.transcript.append(text()?.as_bytes())?,
            "shorten" => self.transcript.shorten(usize::try_from(number()?)?)?,
            "clock" => self.transcript.wrong_ms = number()?,
            "pause" => thread::sleep(Duration::from_millis(u64::try_from(number()?)?)),
            "meanwhile" => {
                let (mut other, steps) = (self.clone(), value.clone());
                thread::spawn(move || other.all(&steps).expect("what happens meanwhile"));
            }
            _ => bail!("nobody knows how to"),
        }
        Ok(())
    }

    fn ask(&mut self, leave_ms: Option<u64>) -> Result<()> {
        self.answer = self.outside.ask(&self.messages, leave_ms)?;
        let said = json!({"role": "assistant", "content": self.answer["content"]});
        self.messages.push(said);
        Ok(())
    }

    fn calls(&self) -> impl Iterator<Item = &Value> {
        let blocks = self.answer["content"].as_array().into_iter().flatten();
        blocks.filter(|block| block["type"] == "tool_use")
    }

    fn run(&mut self) -> Result<()> {
        let mut results = Vec::new();
        for call in self.calls() {
            let command = call["input"]["command"].as_str().context("a command")?;
            let output = Command::new("bash")
                .args(["-c", command])
                .current_dir(WORKSPACE)
                .stdin(Stdio::null())
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            results.push(json!({"type": "tool_result", "tool_use_id": call["id"], "content": text, "is_error": false}));
        }
        let told = json!({"role": "user", "content": results});
        self.results = results;
        self.messages.push(told);
        Ok(())
    }

    fn fire(&self, event: &str) -> Result<()> {
        let call = self.calls().next();
        let told = match event {
            "PermissionRequest" => {
                let call = call.context("a call to ask about")?;
                json!({"tool_name": call["name"], "tool_input": call["input"]})
            }
            "Stop" => json!({"stop_hook_active": false, "last_assistant_message": "Done."}),
            "StopFailure" => {
                json!({"error": "unknown", "last_assistant_message": "API Error: 500"})
            }
            "Notification" => {
                json!({"notification_type": "idle_prompt", "message": "Claude is waiting for your input"})
            }
            "SubagentStart" => json!({"agent_id": "a1", "agent_type": "general-purpose"}),
            _ => json!({"reason": "prompt_input_exit"}),
        };
        let begun = Instant::now();
        self.outside.fire(event, told, self.transcript.path())?;
        // A question is answered when a person answers it.
        match event {
            "PermissionRequest" => Ok(()),
            _ => say(&json!({"report_ms": begun.elapsed().as_millis() as u64})),
        }
    }

    /// The records that the real one would write now.
    fn records(&self, what: &str) -> Result<Vec<Value>> {
        let user = |content: Value| json!({"type": "user", "message": {"role": "user", "content": content}, "isSidechain": false, "userType": "external", "entrypoint": "cli"});
        let note = |text: &str| user(json!([{"type": "text", "text": text}]));
        let calls = || self.calls();
        Ok(match what {
            "prompt" => vec![user(json!(self.prompt))],
            "answer" => {
                let blocks = self.answer["content"].as_array().into_iter().flatten();
                blocks.map(|block| json!({"type": "assistant", "isSidechain": false, "message": {
                    "id": self.answer["id"], "type": "message", "role": "assistant", "model": self.answer["model"], "content": [block], "usage": {}
                }})).collect()
            }
            "results" => self
                .results
                .iter()
                .map(|result| user(json!([result])))
                .collect(),
            "interrupted" if calls().next().is_some() => {
                let refused = "The user doesn't want to proceed with this tool use. The tool use was rejected.";
                let refused = calls().map(|call| user(json!([{"type": "tool_result", "tool_use_id": call["id"], "content": refused, "is_error": true}])));
                refused
                    .chain([note("[Request interrupted by user for tool use]")])
                    .collect()
            }
            "interrupted" => vec![note("[Request interrupted by user]")],
            "over" => vec![
                json!({"type": "system", "subtype": "turn_duration", "durationMs": 1000, "messageCount": 4}),
            ],
            _ => bail!("nobody knows such records"),
        })
    }
}

/// Writes down what is true from now on, for the test.
fn say(line: &Value) -> Result<()> {
    let at_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let mut line = line.clone();
    line["at_ms"] = json!(at_ms);
    let path = Path::new(WORKSPACE).join("truth.jsonl");
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}
