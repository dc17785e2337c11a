//! The agents themselves: which versions, how they get onto this machine, and how one is started without a question.
//!
//! Nothing here runs an agent or reads a credential: installing unpacks a checked archive, launching returns values.

mod launch;

pub use launch::{
    HomeFile, Launch, LaunchError, LaunchRequest, Mount, PROMPT_LIMIT, RunFile,
    conversation_exists, place_home_files,
};
