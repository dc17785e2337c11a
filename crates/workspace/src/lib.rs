//! A session's git workspace: made from the person's repository, compared with it, brought back to it.
//!
//! Two rules hold everywhere. On the host, git runs only on the person's own repository, as plumbing, with an
//! environment that ignores hooks, monitors and filters. Whatever an agent could have written (the workspace and its
//! `.git`) is only ever opened by git inside a throw-away sandbox, and what comes out is checked before it is kept.
//! This crate must never read, list or follow a path below a workspace that an agent has had.

mod create;
mod diff;
mod error;
mod forget;
mod git;
mod inside;
mod notice;
mod place;
mod pull;
mod secrets;
mod source;

pub use create::{Created, Plan, create};
pub use diff::{Changed, Diff, diff};
pub use error::Error;
pub use forget::{Forget, forget};
pub use inside::Sandboxes;
pub use notice::Notice;
pub use place::Workspace;
pub use pull::{Pulled, Risk, Risky, pull};
pub use source::{Remote, Source};
