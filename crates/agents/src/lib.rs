//! The agents themselves: which versions, how they get onto this machine, and how one is started without a question.
//!
//! Nothing here runs an agent or reads a credential: installing unpacks a checked archive, launching returns values.

mod install;
mod launch;
mod pin;
mod tested;

pub use install::{
    InstallError, Installed, Progress, Source, install, installed, installed_version,
};
pub use launch::{
    ASKING_SECONDS, Conversation, HomeFile, Launch, LaunchError, LaunchRequest, Mount,
    PROMPT_LIMIT, RunFile, conversation_exists, place_home_files,
};
pub use pin::Pin;
pub use tested::untested;
