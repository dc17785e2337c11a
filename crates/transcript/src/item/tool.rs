//! A tool's use: what was asked for, what it means, and what came of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool that the model uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ToolCall {
    /// The tool's name, as the agent knows it.
    pub tool: String,
    /// What it does, in a line that starts with a verb: `Editing src/lib.rs`.
    pub title: String,
    /// What the model asked for. A value that was too large is a text that says so.
    pub input: Value,
    /// What that means, for tools that are known.
    pub detail: ToolDetail,
    /// What came of it; none while it runs.
    pub outcome: Option<Outcome>,
}

/// What a tool's use means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "does", rename_all = "lowercase")]
pub enum ToolDetail {
    /// It runs a command.
    Command {
        /// The command.
        command: String,
        /// What the model says that it is for.
        purpose: Option<String>,
        /// Its exit code, where the agent tells it.
        exit: Option<i32>,
    },
    /// It changes a file.
    Edit {
        /// The file.
        path: String,
        /// The changes: of the whole file once it ran, of the replaced text before.
        hunks: Vec<Hunk>,
    },
    /// It reads a file.
    Read {
        /// The file.
        path: String,
    },
    /// It looks for something.
    Search {
        /// What for.
        pattern: String,
        /// Where, when it is not everywhere.
        path: Option<String>,
    },
    /// It reads from the web.
    Web {
        /// The address, or what is looked for.
        target: String,
    },
    /// Anything else.
    Other,
}

/// A part of a file that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Hunk {
    /// The first line in the old file, from 1; 0 where it is not known yet.
    pub old_start: u32,
    /// The first line in the new file, from 1; 0 where it is not known yet.
    pub new_start: u32,
    /// The lines, each with ` `, `-` or `+` in front.
    pub lines: Vec<String>,
}

/// What came of a tool's use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Outcome {
    /// What it printed or returned.
    pub text: String,
    /// Images in it.
    pub images: u32,
    /// How long it took in milliseconds, where the agent tells it.
    pub ms: Option<u64>,
}
