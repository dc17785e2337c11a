//! What a tool's use means: a command, an edit, a question, a plan, a list of steps, another agent.

use serde_json::Value;

use super::thing::Thing;
use super::threads::{Thread, starts_an_agent};
use crate::bounded;
use crate::claude::questions_of;
use crate::item::{Body, Entry, Hunk, Outcome, State, Step, ToolCall, ToolDetail};
use crate::observation::{Account, CallResult, End};

/// The body and the state of a tool's use. `agent` is the sub-agent that it started.
pub(super) fn body(thing: &Thing, agent: Option<(&String, &Thread)>) -> (Body, State) {
    let tool = thing.tool().unwrap_or("unknown");
    let input = thing.input().unwrap_or(&Value::Null);
    let result = thing.result();
    let state = state(thing, result);
    if starts_an_agent(tool) {
        return sub_agent(input, result, agent, state);
    }
    let body = match tool {
        "AskUserQuestion" | "request_user_input" => Body::Question {
            questions: questions_of(input),
            answers: match result.and_then(|result| result.account.as_ref()) {
                Some(Account::Answers(answers)) => answers.clone(),
                _ => Vec::new(),
            },
        },
        "ExitPlanMode" => Body::Plan {
            text: text(input, "plan").unwrap_or_default(),
            approved: result
                .map(|result| result.end == End::Done)
                .or(thing.calls().find_map(|(_, call)| call.allowed)),
        },
        "TodoWrite" => Body::Todos {
            entries: entries(&input["todos"], "content"),
        },
        "update_plan" => Body::Todos {
            entries: entries(&input["plan"], "step"),
        },
        _ => Body::Tool(Box::new(tool_call(tool, input, result))),
    };
    (body, state)
}

fn state(thing: &Thing, result: Option<&CallResult>) -> State {
    match result.map(|result| result.end) {
        Some(End::Done) => return State::Done,
        Some(End::Failed) => return State::Failed,
        Some(End::Interrupted) => return State::Interrupted,
        None => {}
    }
    if thing.input().is_some() {
        return State::Running;
    }
    match thing.calls().any(|(_, call)| call.cut) {
        true => State::Interrupted,
        false => State::Streaming,
    }
}

fn sub_agent(
    input: &Value,
    result: Option<&CallResult>,
    agent: Option<(&String, &Thread)>,
    state: State,
) -> (Body, State) {
    let thread = agent.map(|(_, thread)| thread);
    let answered = match result.and_then(|result| result.account.as_ref()) {
        Some(Account::Agent { result, .. }) => result.clone(),
        _ => None,
    };
    let told = result.map(|result| result.text.clone());
    let by_itself = thread.and_then(|thread| thread.result.clone());
    let body = Body::Agent {
        agent: agent.map(|(id, _)| id.clone()),
        role: thread
            .and_then(|thread| thread.role.clone())
            .or_else(|| text(input, "subagent_type")),
        title: text(input, "description").unwrap_or_default(),
        prompt: text(input, "prompt")
            .or_else(|| thread.and_then(|thread| thread.prompt.clone()))
            .unwrap_or_default(),
        result: answered.or(by_itself).or(told),
    };
    let state = match thread {
        Some(thread) if thread.ended => state.max(State::Done),
        Some(_) => state.max(State::Running),
        None => state,
    };
    (body, state)
}

fn tool_call(tool: &str, input: &Value, result: Option<&CallResult>) -> ToolCall {
    let mut detail = detail(tool, input);
    let mut outcome = result.map(|result| Outcome {
        text: result.text.clone(),
        images: result.images,
        ms: result.ms,
    });
    match (
        &mut detail,
        result.and_then(|result| result.account.as_ref()),
    ) {
        (ToolDetail::Command { exit, .. }, Some(Account::Shell { output, exit: told })) => {
            *exit = *told;
            if let Some(outcome) = &mut outcome {
                outcome.text.clone_from(output);
            }
        }
        (ToolDetail::Edit { hunks, .. }, Some(Account::Edit { hunks: told, .. }))
            if !told.is_empty() =>
        {
            hunks.clone_from(told);
        }
        (detail @ ToolDetail::Other, Some(Account::Edit { path, hunks })) => {
            *detail = ToolDetail::Edit {
                path: path.clone(),
                hunks: hunks.clone(),
            };
        }
        _ => {}
    }
    ToolCall {
        tool: tool.to_owned(),
        title: title(tool, &detail),
        input: input.clone(),
        detail,
        outcome,
    }
}

pub(super) fn detail(tool: &str, input: &Value) -> ToolDetail {
    let path = || {
        ["file_path", "notebook_path", "path"]
            .iter()
            .find_map(|key| text(input, key))
    };
    match tool {
        "Bash" | "exec_command" | "shell" | "local_shell" | "shell_command" => {
            ToolDetail::Command {
                command: command(input),
                purpose: text(input, "description").or_else(|| text(input, "justification")),
                exit: None,
            }
        }
        "Edit" | "MultiEdit" | "Write" | "NotebookEdit" => ToolDetail::Edit {
            path: path().unwrap_or_default(),
            hunks: hunks(input),
        },
        "Read" | "view_image" => ToolDetail::Read {
            path: path().unwrap_or_default(),
        },
        "Grep" | "Glob" | "LS" => ToolDetail::Search {
            pattern: text(input, "pattern").unwrap_or_default(),
            path: path(),
        },
        "WebFetch" | "WebSearch" | "web_search" => ToolDetail::Web {
            target: text(input, "url")
                .or_else(|| text(input, "query"))
                .unwrap_or_default(),
        },
        "apply_patch" => ToolDetail::Edit {
            path: patched(input),
            hunks: patch(input),
        },
        _ => ToolDetail::Other,
    }
}

/// A line that starts with a verb. While the input is still arriving, what it is about is not known.
fn title(tool: &str, detail: &ToolDetail) -> String {
    let (verb, object, unknown) = match detail {
        ToolDetail::Command { command, .. } => ("Running", command.as_str(), "a command"),
        ToolDetail::Edit { path, .. } if tool == "Write" => ("Writing", short(path), "a file"),
        ToolDetail::Edit { path, .. } => ("Editing", short(path), "a file"),
        ToolDetail::Read { path } => ("Reading", short(path), "a file"),
        ToolDetail::Search { pattern, .. } => ("Looking for", pattern.as_str(), "something"),
        ToolDetail::Web { target } => ("Reading", target.as_str(), "the web"),
        ToolDetail::Other => ("Using", tool, "a tool"),
    };
    match object.is_empty() {
        true => format!("{verb} {unknown}"),
        false => bounded::line(&format!("{verb} {}", bounded::line(object))),
    }
}

/// A path as a person knows it: the workspace is where everything is.
fn short(path: &str) -> &str {
    path.strip_prefix("/workspace/").unwrap_or(path)
}

fn text(input: &Value, key: &str) -> Option<String> {
    input[key].as_str().map(str::to_owned)
}

/// A command as one line of shell. Codex gives a list with the shell in front.
fn command(input: &Value) -> String {
    if let Some(command) = text(input, "command").or_else(|| text(input, "cmd")) {
        return command;
    }
    let words: Vec<&str> = input["command"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match &words[..] {
        [shell, "-lc" | "-c", script] if shell.ends_with("sh") => (*script).to_owned(),
        words => words.join(" "),
    }
}

fn entries(list: &Value, key: &str) -> Vec<Entry> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .map(|entry| Entry {
            text: text(entry, key).unwrap_or_default(),
            step: match entry["status"].as_str() {
                Some("completed") => Step::Done,
                Some("in_progress") => Step::Active,
                _ => Step::Open,
            },
        })
        .collect()
}

/// What an edit asks for, before it is known where in the file that is.
fn hunks(input: &Value) -> Vec<Hunk> {
    if let Some(edits) = input["edits"].as_array() {
        return edits.iter().map(replaced).collect();
    }
    match input["old_string"].is_string() {
        true => vec![replaced(input)],
        false => {
            let content = text(input, "content").or_else(|| text(input, "new_source"));
            content
                .map(|content| hunk(lines('+', &content)))
                .into_iter()
                .collect()
        }
    }
}

fn replaced(edit: &Value) -> Hunk {
    let old = text(edit, "old_string").unwrap_or_default();
    let new = text(edit, "new_string").unwrap_or_default();
    hunk(lines('-', &old).chain(lines('+', &new)))
}

fn lines(sign: char, text: &str) -> impl Iterator<Item = String> {
    text.lines().map(move |line| format!("{sign}{line}"))
}

fn hunk(lines: impl Iterator<Item = String>) -> Hunk {
    Hunk {
        old_start: 0,
        new_start: 0,
        lines: lines.collect(),
    }
}

/// The first file of Codex's patch format.
fn patched(input: &Value) -> String {
    let marks = ["*** Update File: ", "*** Add File: ", "*** Delete File: "];
    let text = patch_text(input);
    let path = text
        .lines()
        .find_map(|line| marks.iter().find_map(|mark| line.strip_prefix(mark)));
    path.unwrap_or_default().to_owned()
}

fn patch(input: &Value) -> Vec<Hunk> {
    let text = patch_text(input);
    let changes = text
        .lines()
        .filter(|line| line.starts_with(['+', '-', ' ']));
    vec![hunk(changes.map(str::to_owned))]
}

fn patch_text(input: &Value) -> String {
    input
        .as_str()
        .map(str::to_owned)
        .or_else(|| text(input, "input"))
        .or_else(|| text(input, "patch"))
        .unwrap_or_default()
}
