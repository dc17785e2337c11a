//! What the holder and those who start or watch it agree on: the spec file, the frames on its
//! socket, the files it leaves in the session folder. It must never do more than translate:
//! starting and holding a sandbox is the binary's business.

pub mod files;
pub mod spec;
pub mod wire;

pub use files::{ExitRecord, LogFormat, SessionFiles, SizeMark};
pub use spec::{Announcement, Mode, Sandbox, Spec, Stage, User};
pub use wire::{Command, ExecRequest, FrameBuffer, Hello, Report, WireError};
