//! Being inside a sandbox: commands and Python scripts that the agent's own tool runs, and what they printed.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::programs::Finished;
use crate::world::{World, create, script_prompt};

/// Raw bytes to the gate, for scripts that run inside.
const GATE: &str = include_str!("gate.py");

impl World {
    /// Runs a shell command inside a sandbox, through the agent's own tool, and returns what it printed there.
    #[track_caller]
    pub fn inside(&self, backend: &str, name: &str, command: &str) -> String {
        self.inside_with(backend, name, &[], command)
    }

    /// As [`World::inside`], in a session made with more arguments; a later one overrides `--agent` or `--image`.
    #[track_caller]
    pub fn inside_with(&self, backend: &str, name: &str, more: &[&str], command: &str) -> String {
        let script = format!("{{ {command}\n}} > /workspace/.out 2>&1");
        let prompt = script_prompt(&[
            json!({"tool": "Bash", "input": {"command": script, "description": "look"}}),
            json!({"text": "looked"}),
        ]);
        self.print_with(backend, name, more, &prompt).expect(0);
        let folder = self.session_folder(&self.id_of(name));
        let seen = std::fs::read(folder.join("workspace/.out"));
        String::from_utf8_lossy(&seen.expect("the command wrote its output")).into_owned()
    }

    /// Runs a Python script inside a sandbox, with the words of `gate.py` at hand. Nothing of it stands in clear in the
    /// conversation or on a command line, so that what it looks for is not found in itself.
    #[track_caller]
    pub fn python(&self, backend: &str, name: &str, more: &[&str], script: &str) -> String {
        let script = format!("{GATE}\n{script}");
        let encoded = base64::engine::general_purpose::STANDARD.encode(script);
        let command = format!("echo {encoded} | base64 -d | python3 -");
        self.inside_with(backend, name, more, &command)
    }

    /// Creates a session in print mode with more arguments and waits for its end.
    pub fn print_with(&self, backend: &str, name: &str, more: &[&str], prompt: &str) -> Finished {
        let mut args = create(backend, name, more);
        args.extend(["--print", "--prompt", prompt]);
        self.run(&args)
    }

    /// Returns what `list` says of a session.
    #[track_caller]
    pub fn listed(&self, name: &str) -> Value {
        let all = self.json(&["list"]);
        let mut all = all.as_array().into_iter().flatten();
        all.find(|one| one["name"] == name)
            .cloned()
            .unwrap_or_else(|| panic!("session {name} is not listed"))
    }

    /// Returns the identifier of a session.
    #[track_caller]
    pub fn id_of(&self, name: &str) -> String {
        let id = self.listed(name)["id"].as_str().map(str::to_owned);
        id.expect("a session has an id")
    }

    /// Returns the audit's refusals.
    pub fn refusals(&self) -> Vec<Value> {
        let mut rows = self.audit();
        rows.retain(|row| row["kind"] == "refusal");
        rows
    }

    /// Fails the test unless the audit holds a refusal of this host (empty: of none that could be read) with this code.
    #[track_caller]
    pub fn assert_refused(&self, host: &str, code: &str) {
        let refusals = self.refusals();
        let fits = |row: &&Value| row["host"].as_str().unwrap_or("") == host && row["note"] == code;
        let found = refusals.iter().find(fits);
        assert!(found.is_some(), "no {code} of {host:?} in {refusals:#?}");
    }
}
