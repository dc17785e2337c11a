//! The words on the wire: plain values with serde, nothing that acts. The TypeScript types of the
//! window are generated from these.

mod accounts;
mod approvals;
mod budget;
mod console;
mod conversation;
mod daemon;
mod events;
mod files;
mod life;
mod messages;
mod policy;
mod session;
mod setup;
mod usage;
mod work;

pub use accounts::{Account, AccountCheck, AccountsView, Keychain, Place, SaveAccount, SignInText};
pub use approvals::{AnswerApproval, Approval};
pub use budget::{BudgetHold, BudgetView, SetBudget};
pub use clauderon_policy::Posture;
pub use clauderon_session::{Agent, Backend, Mode, Standing, State};
pub use clauderon_transcript::{Budget, Cap};
pub use console::{
    ConsoleClientText, ConsoleEvent, ConsoleHello, ConsoleInput, ConsoleQuery, ConsoleText, Exit,
};
pub use console::{PTY, SNAPSHOT, STDERR, STDOUT, VIEWER_WINDOW, decode_output, encode_output};
pub use conversation::{
    ConversationEvent, ConversationNews, ConversationQuery, ConversationStanding, ConversationView,
};
pub use daemon::{
    AgentView, AgentsView, Check, ConfigView, CredentialRow, DaemonInfo, DoctorReport, PathRow,
    RecentRepository, Setting, Status, WebLink,
};
pub use events::ServerEvent;
pub use files::{
    EntryKind, FileContent, FileMark, FileSides, FileView, FilesChanged, FolderEntry, FolderView,
    Mark, PathQuery, SayText, StatusView, Upload, UploadQuery,
};
pub use life::{
    Health, HealthAction, MountRow, SessionCredential, SessionInfo, TrashRow, UpdateSession, Usage,
};
pub use messages::{
    ChangeMessage, Message, MessageChange, MessageQuery, MessageView, SendMessage, Stage, Wait,
};
pub use policy::{AllowHost, AuditQuery, AuditReport, AuditRow, GrantRow, PolicyView, RefusedRow};
pub use session::{CreateLine, CreateSession, Created, ForkSession, Session};
pub use setup::{CreateOptions, Desk, Fix, FixLine, Network, StorageRow, StorageView};
pub use usage::{AccountPlan, UsageDay, UsageQuery, UsageView};
pub use work::{ChangedFile, DiffView, LogsQuery, PullView, RiskyFile};
