//! How an agent is started inside its sandbox so that it asks nothing and holds no credential.
//!
//! Every value here was measured with the versions in `pins.toml`. This module builds values only; the one
//! exception, `place_home_files`, writes into a home whose sandbox is not running yet. A prompt never passes a shell.

mod claude;
mod codex;
mod environment;
mod home;

use std::collections::BTreeMap;

use clauderon_session::{Agent, Mode};
use serde::Serialize;
use thiserror::Error;

pub use home::{conversation_exists, place_home_files};

/// The greatest prompt in bytes that travels as an argument; the kernel refuses one of 131,072.
pub const PROMPT_LIMIT: usize = 120_000;

/// The folder in which an agent starts.
const WORKSPACE: &str = "/workspace";
/// The home inside every sandbox.
const HOME: &str = "/clauderon/home";
/// Where the pinned agent is mounted.
const AGENT: &str = "/clauderon/agent";

/// Where hooks report to: the gate answers it by itself, and knows the session by its stream.
const HOOKS: &str = "http://clauderon.internal/hooks";
/// The seconds that a report may take; the gate answers it at once, but for a moment at which no daemon runs.
const REPORT_SECONDS: u64 = 5;

/// How long an agent waits for the answer to a hook that asks, in seconds. Its dialog stands in the terminal meanwhile,
/// and goes on standing there when the time is over; whoever holds the request gives up before.
pub const ASKING_SECONDS: u64 = 12 * 60 * 60;

/// How the conversation of a start begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Conversation {
    /// With nothing.
    #[default]
    New,
    /// Where the one in this home stopped.
    GoesOn,
    /// With all that another one said, which lies in this home as well and stays as it is.
    Copy {
        /// The other one's UUID.
        of: String,
    },
}

/// What is to be started.
#[derive(Debug, Clone)]
pub struct LaunchRequest {
    /// The agent.
    pub agent: Agent,
    /// How it meets its person.
    pub mode: Mode,
    /// The model; none for the agent's own default.
    pub model: Option<String>,
    /// What it is asked, byte for byte.
    pub prompt: Option<String>,
    /// The UUID that the conversation gets (Claude Code) or got.
    pub agent_session: String,
    /// How it begins.
    pub conversation: Conversation,
    /// The bundle of authorities inside the sandbox: system roots and the session's own.
    pub ca_bundle: String,
    /// The session's own authority alone, inside, for what brings the world's along.
    pub ca: String,
    /// The relay's address inside the sandbox, `127.0.0.1:3128`.
    pub relay: String,
    /// The terminal's type in interactive mode; none for `xterm-256color`.
    pub term: Option<String>,
    /// The image's own environment: its PATH is kept, after ours.
    pub image_env: BTreeMap<String, String>,
    /// Further arguments for the agent, before the prompt.
    pub extra: Vec<String>,
}

/// A file for the session's `run` folder, which is mounted read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// Its name in `run/`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A run file that also appears elsewhere in the sandbox, read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The name of a run file.
    pub run_file: String,
    /// Its place in the sandbox.
    pub target: String,
}

/// A file that the agent finds in its home at its first start, and may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeFile {
    /// Its path below the home.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its mode.
    pub mode: u32,
}

/// All that a sandbox needs to start an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program, by absolute path, and its arguments.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// The folder in which it starts.
    pub cwd: String,
    /// Files for the `run` folder.
    pub run_files: Vec<RunFile>,
    /// Where some of them appear as well.
    pub mounts: Vec<Mount>,
    /// Files for the home.
    pub home_files: Vec<HomeFile>,
    /// What is fed to its standard input, print mode only; none closes it at once.
    pub stdin: Option<Vec<u8>>,
    /// The stand-ins for credentials that it holds, so that one seen in a wrong place is refused.
    pub placeholders: Vec<String>,
}

/// Why an agent cannot be started as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LaunchError {
    /// Print mode has nothing to answer.
    #[error("print mode needs a prompt")]
    NoPrompt,
    /// The prompt does not fit into an argument.
    #[error(
        "the prompt has {bytes} bytes; an interactive session takes at most {PROMPT_LIMIT} (write it to a file in the repository and name the file, or use --print)"
    )]
    PromptTooLong {
        /// Its length.
        bytes: usize,
    },
    /// An argument cannot hold a NUL byte.
    #[error("the prompt contains a NUL byte, which an interactive session cannot take")]
    PromptHasNul,
    /// A value that would be read as a flag or break an argument.
    #[error("{0:?} is not a model name")]
    BadModel(String),
    /// The conversation's id is not a UUID.
    #[error("{0:?} is not a conversation id")]
    BadConversation(String),
}

impl Launch {
    /// Builds the launch of an agent.
    pub fn new(request: &LaunchRequest) -> Result<Self, LaunchError> {
        request.check()?;
        let prompt = request.delivery()?;
        Ok(match request.agent {
            Agent::Claude => claude::launch(request, prompt),
            Agent::Codex => codex::launch(request, prompt),
        })
    }

    /// Returns the bytes of `run/launch.json`, from which the relay starts the agent.
    pub fn launch_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct File<'a> {
            argv: &'a [String],
            env: &'a BTreeMap<String, String>,
            cwd: &'a str,
        }
        let file = File {
            argv: &self.argv,
            env: &self.env,
            cwd: &self.cwd,
        };
        serde_json::to_vec_pretty(&file).expect("strings and maps of strings always serialise")
    }
}

/// How the prompt reaches the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery<'a> {
    None,
    Argument(&'a str),
    Stdin(&'a str),
}

impl LaunchRequest {
    fn check(&self) -> Result<(), LaunchError> {
        if let Some(model) = &self.model {
            let allowed =
                |letter: char| letter.is_ascii_alphanumeric() || "-_.:/@[]".contains(letter);
            if model.is_empty()
                || model.len() > 200
                || model.starts_with('-')
                || !model.chars().all(allowed)
            {
                return Err(LaunchError::BadModel(model.chars().take(80).collect()));
            }
        }
        let of = match &self.conversation {
            Conversation::Copy { of } => Some(of),
            Conversation::New | Conversation::GoesOn => None,
        };
        let mut ids = [&self.agent_session].into_iter().chain(of);
        match ids.find(|id| !is_uuid(id)) {
            None => Ok(()),
            Some(odd) => Err(LaunchError::BadConversation(odd.chars().take(80).collect())),
        }
    }

    fn delivery(&self) -> Result<Delivery<'_>, LaunchError> {
        let prompt = self.prompt.as_deref().filter(|prompt| !prompt.is_empty());
        // `codex exec -` means standard input, also behind `--` (tried).
        let word =
            |prompt: &str| self.agent == Agent::Codex && self.mode == Mode::Print && prompt == "-";
        let fits =
            |prompt: &str| prompt.len() <= PROMPT_LIMIT && !prompt.contains('\0') && !word(prompt);
        match (self.mode, prompt) {
            (Mode::Print, None) => Err(LaunchError::NoPrompt),
            (Mode::Interactive, None) => Ok(Delivery::None),
            (_, Some(prompt)) if fits(prompt) => Ok(Delivery::Argument(prompt)),
            (Mode::Print, Some(prompt)) => Ok(Delivery::Stdin(prompt)),
            (Mode::Interactive, Some(prompt)) if prompt.len() > PROMPT_LIMIT => {
                Err(LaunchError::PromptTooLong {
                    bytes: prompt.len(),
                })
            }
            (Mode::Interactive, Some(_)) => Err(LaunchError::PromptHasNul),
        }
    }
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
