//! The words on the wire: plain values with serde, nothing that acts. The TypeScript types of the
//! window are generated from these.

mod console;
mod daemon;
mod events;
mod policy;
mod session;
mod work;

pub use clauderon_policy::Posture;
pub use clauderon_session::{Agent, Attention, Backend, Mode, State};
pub use console::{ConsoleClientText, ConsoleEvent, ConsoleHello, ConsoleInput, ConsoleText, Exit};
pub use console::{PTY, STDERR, STDOUT, decode_output, encode_output};
pub use daemon::{
    AgentView, AgentsView, Check, ConfigView, CredentialRow, DaemonInfo, DoctorReport, PathRow,
    RecentRepository, Setting, Status,
};
pub use events::ServerEvent;
pub use policy::{AllowHost, AuditQuery, AuditReport, AuditRow, GrantRow, PolicyView, RefusedRow};
pub use session::{CreateLine, CreateSession, Created, Session};
pub use work::{ChangedFile, DiffView, LogsQuery, PullView};
