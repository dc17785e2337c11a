//! A session's git workspace: made from the person's repository, compared with it, brought back to it.
//!
//! Two rules hold everywhere. On the host, git runs only on the person's own repository, as plumbing, with an
//! environment that ignores hooks, monitors and filters. Whatever an agent could have written (the workspace and its
//! `.git`) is only ever opened by git inside a throw-away sandbox, and what comes out is checked before it is kept.
//! Single files are read on the host as bytes alone, opened so that no link is followed (`files`); nothing else of this
//! crate may open a path below a workspace that an agent has had.

mod create;
mod diff;
mod error;
mod files;
mod forget;
mod fork;
mod git;
mod inside;
mod keep;
mod lost;
mod notice;
mod place;
mod pull;
mod risky;
mod secrets;
mod sides;
mod source;
mod status;
mod watch;

pub use create::{Created, Plan, create, fill, settle};
pub use diff::{Changed, Diff, diff};
pub use error::Error;
pub use files::{Content, Entry, Files, Folder, Kind, MOST_ENTRIES, MOST_TEXT, Raw, Shown};
pub use forget::{Forget, forget};
pub use fork::{Forked, fork};
pub use git::{look_for_git_in, search_path};
pub use inside::{Sandboxes, sweep};
pub use keep::{bring_back, keep, let_go};
pub use lost::{Lost, lost};
pub use notice::Notice;
pub use place::Workspace;
pub use pull::{Pulled, pull};
pub use risky::{Risk, Risky};
pub use sides::{Sides, sides};
pub use source::{Remote, Source};
pub use status::{Mark, Marked, status};
pub use watch::{Change, Watch};
