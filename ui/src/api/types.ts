// Made by `make types` from crates/api; do not edit.

export type Account = { 
/**
 * Its name in the vault, such as `anthropic_oauth_token`.
 */
name: string, 
/**
 * What a person calls it, such as "Claude subscription".
 */
label: string, 
/**
 * What it is for, in one sentence.
 */
purpose: string, 
/**
 * Where the value in use comes from, in words ("keychain", "environment variable GITHUB_TOKEN"); none where there is none.
 */
source: string | null, 
/**
 * Other places that hold a value and are not used, in words.
 */
shadowed: Array<string>, 
/**
 * Whether the value in use lies where this app may replace and remove it.
 */
editable: boolean, 
/**
 * Whether a sign-in can fetch it.
 */
sign_in: boolean, 
/**
 * When it expires, in milliseconds since 1970, where that is known.
 */
expires_ms: number | null, 
/**
 * What is wrong or worth knowing, in one sentence.
 */
problem: string | null, 
/**
 * The last live check of the value in use.
 */
checked: AccountCheck | null, };

export type AccountCheck = { 
/**
 * When, in milliseconds since 1970.
 */
at_ms: number, 
/**
 * Whether the service took it.
 */
ok: boolean, 
/**
 * In one sentence.
 */
sentence: string, 
/**
 * Why it reaches further than one repository, in one sentence, where it does.
 */
wide: string | null, };

export type AccountPlan = { 
/**
 * The name of the credential.
 */
account: string, 
/**
 * When the service said it, in milliseconds since 1970.
 */
at_ms: number, 
/**
 * What it said.
 */
limits: Limits, };

export type AccountsView = { 
/**
 * One row a credential that the product knows.
 */
accounts: Array<Account>, 
/**
 * The system's keychain.
 */
keychain: Keychain, };

export type Agent = "claude" | "codex";

export type AgentStatus = { 
/**
 * Since when, in milliseconds since 1970; 0 while nothing is known.
 */
since_ms: number, } & ({ "status": "working", 
/**
 * On what, in a line: `Editing src/lib.rs`.
 */
doing: string | null, } | { "status": "needs_approval", 
/**
 * The item that says what.
 */
item: ItemId | null, } | { "status": "needs_input", 
/**
 * The item that says what.
 */
item: ItemId | null, } | { "status": "idle" } | { "status": "done" } | { "status": "failed", 
/**
 * Why, in a line.
 */
why: string, } | { "status": "interrupted" } | { "status": "stuck" } | { "status": "unknown" });

export type AgentView = { 
/**
 * Which.
 */
agent: Agent, 
/**
 * The version that this release pins.
 */
version: string, 
/**
 * Where it is installed, if it is.
 */
installed: string | null, };

export type AgentsView = { 
/**
 * One row an agent.
 */
agents: Array<AgentView>, };

export type AllowHost = { 
/**
 * `host` or `host:port`.
 */
host: string, 
/**
 * Whether every later session gets it too.
 */
always: boolean, };

export type Answer = { 
/**
 * The question.
 */
question: string, 
/**
 * The answer.
 */
answer: string, };

export type AnswerApproval = { 
/**
 * Which one.
 */
id: string, 
/**
 * Whether it may be.
 */
allow: boolean, 
/**
 * Why it may not: the agent is told, and goes on with that. Without it the agent stops and waits.
 */
message?: string | null, 
/**
 * The answers, where questions are allowed: one to each.
 */
answers?: Array<Answer>, };

export type Approval = { 
/**
 * Its name, for an answer.
 */
id: string, 
/**
 * The item of the conversation that shows it.
 */
item: ItemId | null, 
/**
 * Since when it waits, in milliseconds since 1970.
 */
asked_ms: number, 
/**
 * The sub-agent that wants it, as the agent says; none for the main one.
 */
agent: string | null, 
/**
 * Whether the proxy saw the model ask for exactly this. Without it, the agent alone says so.
 */
seen: boolean, } & ({ "wants": "tool", 
/**
 * The tool.
 */
tool: string, 
/**
 * All that it would be given, in lines. What cannot be seen is spelled out.
 */
exactly: string, 
/**
 * What the agent says about it, in a line: words of its choice.
 */
says: string | null, } | { "wants": "answers", 
/**
 * The questions.
 */
questions: Array<Question>, } | { "wants": "plan", 
/**
 * The plan: Markdown.
 */
text: string, });

export type AuditQuery = { 
/**
 * Only this session's, by name or identifier.
 */
session?: string | null, 
/**
 * The last so many; the daemon's default where `None`.
 */
n?: number | null, 
/**
 * Whether to go on with each new record.
 */
follow: boolean, };

export type AuditReport = { 
/**
 * Whether the chain is whole.
 */
ok: boolean, 
/**
 * How many records were read.
 */
records: number, 
/**
 * Whether the head's signature was checked too.
 */
anchored: boolean, 
/**
 * What is wrong or worth saying, one sentence each.
 */
findings: Array<string>, };

export type AuditRow = { 
/**
 * Its number in the chain.
 */
seq: number, 
/**
 * When, as RFC 3339 in UTC.
 */
at: string, 
/**
 * `decision`, `close`, `refusal`, `tunnel`, `recovered`.
 */
kind: string, 
/**
 * Links the records of one request.
 */
id: string, 
/**
 * The session's identifier.
 */
session: string, 
/**
 * The host.
 */
host: string, 
/**
 * The port.
 */
port: number, 
/**
 * The method.
 */
method: string, 
/**
 * The path, without its query.
 */
path: string, 
/**
 * The name of the credential that was set; never its value.
 */
auth_injected: string | null, 
/**
 * What was decided.
 */
decision: string, 
/**
 * The rule that decided.
 */
rule: string, 
/**
 * A refusal's code, or one sentence on what happened.
 */
note: string, 
/**
 * The upstream's status.
 */
status: number | null, 
/**
 * Bytes sent up.
 */
bytes_up: number, 
/**
 * Bytes received.
 */
bytes_down: number, 
/**
 * How long it took, in milliseconds.
 */
duration_ms: number, };

export type Backend = "docker" | "bubblewrap" | "fake";

export type Budget = string;

export type BudgetHold = { 
/**
 * Since when, in milliseconds since 1970.
 */
since_ms: number, 
/**
 * The same in a sentence.
 */
sentence: string, } & ({ "why": "reached" } | { "why": "unpriced", 
/**
 * The model; empty where the request does not say.
 */
model: string, } | { "why": "uncounted", 
/**
 * What went wrong.
 */
reason: string, });

export type BudgetView = { 
/**
 * How much the session may use in all.
 */
budget: Budget, 
/**
 * The same for a person: `$5.00`.
 */
words: string, 
/**
 * Tokens that were used.
 */
tokens: number, 
/**
 * US dollars that were used; none where the price of one of the models is not known.
 */
dollars: number | null, 
/**
 * The part that is used: 1 is all of it.
 */
share: number, 
/**
 * Whether so much is used that the person was told.
 */
near: boolean, 
/**
 * That a request waits for the person, or waited and was not let through.
 */
held: BudgetHold | null, };

export type Cap = string;

export type ChangeMessage = { 
/**
 * Its name.
 */
id: string, 
/**
 * What.
 */
change: MessageChange, };

export type ChangedFile = { 
/**
 * Its path.
 */
path: string, 
/**
 * Its path at the base, where it was moved.
 */
from?: string | null, 
/**
 * Lines added; `None` for a binary file.
 */
added: number | null, 
/**
 * Lines removed; `None` for a binary file.
 */
removed: number | null, };

export type Check = { 
/**
 * What was checked, in a word or two.
 */
check: string, 
/**
 * How it is.
 */
status: Status, 
/**
 * What was found, in one sentence.
 */
detail: string, 
/**
 * What to do, where it is not well.
 */
fix?: string | null, 
/**
 * The repair that the daemon can do itself.
 */
repair?: Fix | null, };

export type ConfigView = { 
/**
 * Each setting, its value and where the value comes from.
 */
settings: Array<Setting>, 
/**
 * Each file and folder in use.
 */
paths: Array<PathRow>, 
/**
 * Each known credential and where it comes from; never its value.
 */
credentials: Array<CredentialRow>, };

export type ConsoleClientText = { "type": "resize", 
/**
 * Width.
 */
cols: number, 
/**
 * Height.
 */
rows: number, } | { "type": "signal", 
/**
 * Its number.
 */
signal: number, } | { "type": "parsed", 
/**
 * Bytes of output since the console was opened.
 */
bytes: number, };

export type ConsoleHello = { 
/**
 * The session's identifier.
 */
session: string, 
/**
 * `interactive` has one stream, `print` has two.
 */
mode: Mode, 
/**
 * Offset of the oldest byte still in the log.
 */
offset_start: number, 
/**
 * Offset after the newest byte in the log.
 */
offset_end: number, 
/**
 * Which log the offsets are of: a place of another epoch means nothing.
 */
epoch: number, 
/**
 * Width of the terminal; 0 in a `print` session.
 */
cols: number, 
/**
 * Height of the terminal; 0 in a `print` session.
 */
rows: number, 
/**
 * Whether the agent still runs.
 */
running: boolean, };

export type ConsoleQuery = { 
/**
 * The `next` of the last frame that was drawn; without it a terminal begins with a snapshot and `print` output with
 * its first byte.
 */
from?: number | null, 
/**
 * The epoch that `from` is of; without it, the one that is now.
 */
epoch?: number | null, };

export type ConsoleText = { "type": "hello" } & ConsoleHello | { "type": "size", 
/**
 * Width.
 */
cols: number, 
/**
 * Height.
 */
rows: number, } | { "type": "exit" } & Exit | { "type": "error" } & Error;

export type ConversationEvent = { "type": "state" } & ConversationView | { "type": "news" } & ConversationNews;

export type ConversationNews = { 
/**
 * The number of the latest change that is in it.
 */
number: number, 
/**
 * Items that are new or different.
 */
items: Array<Item>, 
/**
 * Items that are no more.
 */
removed: Array<ItemId>, 
/**
 * How the conversation stands now.
 */
standing: ConversationStanding, 
/**
 * What turns used so far, the first that is different and those after it: a request is counted before it is known which
 * prompt it answers.
 */
turns: Array<TurnSum>, 
/**
 * What was sent to the agent lately, where that is different.
 */
messages: Array<MessageView> | null, };

export type ConversationQuery = { 
/**
 * Only what stands before this item; without it, the newest.
 */
before?: string | null, 
/**
 * At most this many items; at most 500, and as many where it is left out.
 */
most?: number | null, };

export type ConversationStanding = { 
/**
 * Its name, as the agent says.
 */
title: string | null, 
/**
 * What the agent does. It rests on what the agent says, too.
 */
status: AgentStatus, 
/**
 * What the session used, as the proxy counted it.
 */
used: Sum, 
/**
 * How much of the plan is used, as the service said last.
 */
limits: Limits, 
/**
 * What can be answered now, outside of the terminal.
 */
approvals: Array<Approval>, 
/**
 * That its next request waits for leave to go over the budget.
 */
held: BudgetHold | null, };

export type ConversationView = { 
/**
 * The number of the latest change that is in it.
 */
number: number, 
/**
 * The items, oldest first. A list of them is shown by `order`, then by `id`.
 */
items: Array<Item>, 
/**
 * Whether there are earlier ones.
 */
earlier: boolean, 
/**
 * How the conversation stands as a whole.
 */
standing: ConversationStanding, 
/**
 * What each turn used, as the proxy counted it.
 */
turns: Array<TurnSum>, 
/**
 * What was sent to the agent lately, oldest first.
 */
messages: Array<MessageView>, };

export type CreateLine = { "type": "progress", 
/**
 * What is being done, for a person.
 */
message: string, } | { "type": "created" } & Created | { "type": "error" } & Error;

export type CreateOptions = { 
/**
 * What a session may spend where nothing is said; none where nothing is configured.
 */
budget: Budget | null, 
/**
 * The runtimes that answer, the preferred one first.
 */
backends: Array<Backend>, 
/**
 * Why a runtime is not there, one sentence each.
 */
missing: Array<string>, 
/**
 * The image that is used where none is named.
 */
image: string | null, 
/**
 * Images that the engine has.
 */
images: Array<string>, };

export type CreateSession = { 
/**
 * The name; converted to `[a-z0-9-]{1,63}`, which a notice says.
 */
name: string | null, 
/**
 * Any folder inside the git repository to work on, absolute.
 */
repository: string, 
/**
 * Which agent.
 */
agent: Agent | null, 
/**
 * Which sandbox runtime.
 */
backend: Backend | null, 
/**
 * Which image, where the runtime has images.
 */
image: string | null, 
/**
 * Which model, in the agent's own words.
 */
model: string | null, 
/**
 * A terminal, or three pipes.
 */
mode: Mode, 
/**
 * The prompt, byte for byte.
 */
prompt: string | null, 
/**
 * How much the sandbox may reach.
 */
posture: Posture | null, 
/**
 * Terminal width in characters; 0 where there is no terminal.
 */
cols: number, 
/**
 * Terminal height in characters; 0 where there is no terminal.
 */
rows: number, 
/**
 * What it may spend, `none` for as much as it likes; the configured budget where absent.
 */
budget: Cap | null, 
/**
 * Whether only the branch's history comes along, so that no other branch can be read inside.
 */
isolate_history: boolean, 
/**
 * The caller's credentials in its environment, hashed, to notice that the daemon has others.
 */
credential_fingerprints: Fingerprints | null, };

export type Created = { 
/**
 * The session.
 */
session: Session, 
/**
 * One sentence each: a converted name, the runtime chosen, credentials that differ.
 */
notices: Array<string>, };

export type CredentialRow = { 
/**
 * Its name.
 */
name: string, 
/**
 * The environment variables that can hold it.
 */
variables: Array<string>, 
/**
 * Where it comes from; `None` where no source has it.
 */
source: string | null, 
/**
 * What is wrong with a source, in one sentence.
 */
problem: string | null, };

export type DaemonInfo = { 
/**
 * Its version.
 */
version: string, 
/**
 * Its process.
 */
pid: number, 
/**
 * Its home folder.
 */
home: string, 
/**
 * When it started, in milliseconds since 1970.
 */
started_ms: number, };

export type Desk = { [key in string]: JsonValue };

export type DiffView = { 
/**
 * The base commit.
 */
base: string, 
/**
 * The session's branch.
 */
branch: string, 
/**
 * The session's current commit.
 */
head: string, 
/**
 * How many commits it is ahead of the base.
 */
commits: number, 
/**
 * Every changed file, untracked ones included.
 */
files: Array<ChangedFile>, 
/**
 * One patch from the base to the files as they are. Bytes that are not UTF-8 are replaced.
 */
patch: string, 
/**
 * Changed files that act on the person's machine once merged, such as hooks and CI.
 */
risky: Array<RiskyFile>, 
/**
 * Whether the patch was cut at the limit.
 */
truncated: boolean, 
/**
 * What the person should know, one sentence each.
 */
notices: Array<string>, };

export type DoctorReport = { 
/**
 * One row a check.
 */
checks: Array<Check>, };

export type Entry = { 
/**
 * What is to be done.
 */
text: string, 
/**
 * How far it has come.
 */
step: Step, };

export type EntryKind = "folder" | "file" | "link" | "other";

export type Error = { 
/**
 * The reason to branch on.
 */
code: ErrorCode, 
/**
 * What happened, in one sentence, naming the thing.
 */
message: string, 
/**
 * What to do about it, where there is something to do.
 */
hint?: string | null, };

export type ErrorCode = "failed" | "usage" | "not_found" | "conflict" | "no_runtime" | "refused" | "credential_missing";

export type Exit = { 
/**
 * The exit code; 128 and the signal where a signal ended it.
 */
code: number, 
/**
 * The signal that ended it.
 */
signal: number | null, 
/**
 * Whether the kernel ended it for want of memory.
 */
oom: boolean, };

export type FileContent = { "kind": "text", 
/**
 * UTF-8; the first 1 MiB.
 */
text: string, 
/**
 * Whether there is more.
 */
truncated: boolean, } | { "kind": "image", 
/**
 * `image/png`, `image/jpeg`, `image/gif` or `image/webp`; never a format that can hold scripts.
 */
mime: string, } | { "kind": "binary" } | { "kind": "link", 
/**
 * Its text.
 */
target: string, };

export type FileMark = { 
/**
 * Its path, relative to the workspace.
 */
path: string, 
/**
 * What became of it.
 */
mark: Mark, };

export type FileSides = { 
/**
 * Its path now, or at the base where it is gone.
 */
path: string, 
/**
 * Its text at the base; none where it did not exist or is no text.
 */
before: string | null, 
/**
 * Its text now; none where it is gone or is no text.
 */
now: string | null, 
/**
 * Whether a side was left out because it is no text or larger than 1 MiB.
 */
left_out: boolean, };

export type FileView = { 
/**
 * Its path, relative to the workspace.
 */
path: string, 
/**
 * Its size in bytes.
 */
bytes: number, 
/**
 * When it last changed, in milliseconds since 1970.
 */
modified_ms: number, 
/**
 * What can be shown of it.
 */
content: FileContent, };

export type FilesChanged = { 
/**
 * Folders relative to the workspace; empty means all of them.
 */
folders: Array<string>, 
/**
 * Whether commits, references or the index may have changed. Marks and differences are worth asking for again then, as
 * they are whenever a folder changed.
 */
git: boolean, 
/**
 * What the person should know where not every folder can be watched.
 */
note?: string, };

export type Fingerprints = { 
/**
 * The salt; its bytes as they stand here are what is hashed.
 */
salt: string, 
/**
 * Environment variable to hash; a variable that the caller lacks is absent.
 */
values: { [key in string]: string }, };

export type Fix = "install-claude" | "install-codex" | "build-image";

export type FixLine = { "type": "progress", 
/**
 * What is being done, for a person.
 */
message: string, 
/**
 * How much of the whole is done, in percent, where that is known.
 */
percent: number | null, } | { "type": "done", 
/**
 * In one sentence.
 */
message: string, } | { "type": "error" } & Error;

export type FolderEntry = { 
/**
 * Its name. Bytes that are not UTF-8 are replaced.
 */
name: string, 
/**
 * What it is.
 */
kind: EntryKind, 
/**
 * Its size in bytes, of a file.
 */
bytes: number, 
/**
 * When it last changed, in milliseconds since 1970.
 */
modified_ms: number, };

export type FolderView = { 
/**
 * Its path, relative to the workspace.
 */
path: string, 
/**
 * Folders first, then by name.
 */
entries: Array<FolderEntry>, 
/**
 * Whether there were more entries than are sent.
 */
truncated: boolean, };

export type ForkSession = { 
/**
 * The new session's name; made of the other one's where absent.
 */
name: string | null, 
/**
 * What its agent is asked at once, byte for byte.
 */
prompt: string | null, 
/**
 * Terminal width in characters; 0 where there is no terminal.
 */
cols: number, 
/**
 * Terminal height in characters; 0 where there is no terminal.
 */
rows: number, };

export type GrantRow = { 
/**
 * The host.
 */
host: string, 
/**
 * The port.
 */
port: number, 
/**
 * Whether every later session has it too.
 */
always: boolean, };

export type Health = { 
/**
 * Whether all is well.
 */
ok: boolean, 
/**
 * How it is, in one sentence.
 */
sentence: string, 
/**
 * What can be done, the most useful first.
 */
actions: Array<HealthAction>, };

export type HealthAction = "start" | "recreate" | "cleanup";

export type Hunk = { 
/**
 * The first line in the old file, from 1; 0 where it is not known yet.
 */
old_start: number, 
/**
 * The first line in the new file, from 1; 0 where it is not known yet.
 */
new_start: number, 
/**
 * The lines, each with ` `, `-` or `+` in front.
 */
lines: Array<string>, };

export type Item = { 
/**
 * Its name.
 */
id: ItemId, 
/**
 * The sub-agent within which it happened; none in the main conversation.
 */
parent: ItemId | null, 
/**
 * The prompt that began its turn; none before the first.
 */
turn: ItemId | null, 
/**
 * Its place: microseconds since 1970, unique within a source. Never the place to read a time from.
 */
order: number, 
/**
 * When it began, in milliseconds since 1970.
 */
at_ms: number, 
/**
 * How far it has come.
 */
state: ItemState, 
/**
 * Who told of it. Only what `tap` or `daemon` told is more than the agent's own word.
 */
seen: Array<Source>, } & ({ "kind": "prompt", 
/**
 * The text as it was sent.
 */
text: string, 
/**
 * Images that were sent with it.
 */
images: number, 
/**
 * Where it came from.
 */
origin: Origin, } | { "kind": "text", 
/**
 * The text.
 */
text: string, 
/**
 * The model, where it is known.
 */
model: string | null, } | { "kind": "thinking", 
/**
 * The text; empty where the model hides it.
 */
text: string, } | { "kind": "tool" } & ToolCall | { "kind": "plan", 
/**
 * The plan: Markdown.
 */
text: string, 
/**
 * Whether it was approved; none while it stands open.
 */
approved: boolean | null, } | { "kind": "todos", 
/**
 * The steps.
 */
entries: Array<Entry>, } | { "kind": "question", 
/**
 * The questions.
 */
questions: Array<Question>, 
/**
 * The answers, once given.
 */
answers: Array<Answer>, } | { "kind": "approval", 
/**
 * The tool.
 */
tool: string, 
/**
 * Exactly what would run.
 */
input: JsonValue, 
/**
 * The item of the call, where it is known.
 */
call: ItemId | null, 
/**
 * Whether it was allowed; none while it stands open, or where nobody told.
 */
allowed: boolean | null, } | { "kind": "agent", 
/**
 * Its id, once it is known.
 */
agent: string | null, 
/**
 * What kind of agent it is.
 */
role: string | null, 
/**
 * What it is to do, in a few words.
 */
title: string, 
/**
 * What it was told.
 */
prompt: string, 
/**
 * What it answered.
 */
result: string | null, } | { "kind": "compaction", 
/**
 * Who wanted it: `manual` or `auto`.
 */
trigger: string | null, 
/**
 * Tokens before it.
 */
tokens_before: number | null, 
/**
 * The summary.
 */
summary: string | null, } | { "kind": "error", 
/**
 * The HTTP status, where there was one.
 */
status: number | null, 
/**
 * The service's word for it, such as `overloaded_error`.
 */
error: string | null, 
/**
 * What it says.
 */
message: string, 
/**
 * That it is tried again.
 */
retry: Retry | null, } | { "kind": "notice", 
/**
 * What it is about, in a word.
 */
about: string, 
/**
 * What it says.
 */
text: string, } | { "kind": "raw", 
/**
 * What the record calls itself.
 */
record: string, 
/**
 * The record, cut where it is long.
 */
text: string, 
/**
 * Its whole size in bytes.
 */
bytes: number, });

export type ItemId = string;

export type ItemState = "streaming" | "running" | "done" | "failed" | "interrupted";

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

export type Keychain = { "state": "open", 
/**
 * What the system calls it.
 */
name: string, } | { "state": "locked", 
/**
 * What the person can do.
 */
hint: string, } | { "state": "absent", 
/**
 * What the person can do.
 */
hint: string, };

export type Limits = { 
/**
 * The short window: five hours.
 */
five_hour: Window | null, 
/**
 * The long window: a week.
 */
weekly: Window | null, 
/**
 * The service's word for how things stand as a whole: `allowed`, `allowed_warning`, `rejected`.
 */
status: string | null, 
/**
 * The service's word for the window that binds: `five_hour`, `seven_day`.
 */
binding: string | null, };

export type Mark = "added" | "modified" | "deleted" | "renamed";

export type MessageChange = { "text": string } | "now" | "retry";

export type MessageQuery = { 
/**
 * Its name.
 */
id: string, };

export type MessageReason = "cut_off" | "not_taken" | "agent_ended";

export type MessageView = { 
/**
 * For what it waits, where it does.
 */
waits: MessageWait | null, 
/**
 * Why it waits or was not delivered, in a sentence.
 */
why: string | null, 
/**
 * Its name, which its sender chose: sent twice under one name, it is one message.
 */
id: string, 
/**
 * What is typed; once nothing more is expected of it, the beginning of that.
 */
text: string, 
/**
 * Whether it is typed although the agent works.
 */
now: boolean, 
/**
 * When it was sent, in milliseconds since 1970.
 */
at_ms: number, 
/**
 * Since when it has come so far, in milliseconds since 1970.
 */
since_ms: number, 
/**
 * When its typing last began, in milliseconds since 1970.
 */
typed_ms: number | null, } & ({ "stage": "queued" } | { "stage": "typing" } | { "stage": "typed" } | { "stage": "entered" } | { "stage": "accepted", 
/**
 * The prompt in the conversation.
 */
item: string, } | { "stage": "answered", 
/**
 * The prompt in the conversation.
 */
item: string, } | { "stage": "not_delivered", 
/**
 * Why.
 */
reason: MessageReason, } | { "stage": "withdrawn" });

export type MessageWait = "start" | "ready" | "answer" | "keys" | "draft" | "before" | "undelivered" | "working" | "disk";

export type Mode = "interactive" | "print";

export type MountRow = { 
/**
 * Where it is here.
 */
source: string, 
/**
 * Where it is inside.
 */
target: string, 
/**
 * Whether the agent can write it.
 */
writable: boolean, };

export type Network = { 
/**
 * Whether every session's requests are refused for now.
 */
paused: boolean, };

export type Origin = "person" | "command" | "shell" | "agent";

export type Outcome = { 
/**
 * What it printed or returned.
 */
text: string, 
/**
 * Images in it.
 */
images: number, 
/**
 * How long it took in milliseconds, where the agent tells it.
 */
ms: number | null, };

export type PathQuery = { 
/**
 * Relative to the workspace, with `/` between its parts; empty for the workspace itself.
 */
path: string, };

export type PathRow = { 
/**
 * What it is.
 */
name: string, 
/**
 * Where it is.
 */
path: string, };

export type Place = "keychain" | "file";

export type PolicyView = { 
/**
 * The preset.
 */
posture: Posture, 
/**
 * Hosts granted on top of it.
 */
grants: Array<GrantRow>, 
/**
 * What was refused lately, newest first.
 */
refused: Array<RefusedRow>, };

export type Posture = "locked" | "balanced" | "open";

export type PullView = { 
/**
 * The ref that now holds the session's commits.
 */
reference: string, 
/**
 * How many commits are new since the base.
 */
commits: number, 
/**
 * The ref that holds the uncommitted work, where there is any.
 */
wip: string | null, 
/**
 * The commands that take it over, to be run by the person.
 */
merge: Array<string>, 
/**
 * What the person should know, one sentence each.
 */
notices: Array<string>, };

export type Question = { 
/**
 * The question.
 */
question: string, 
/**
 * A word above it.
 */
header: string, 
/**
 * Whether several answers may be given.
 */
several: boolean, 
/**
 * The answers that are offered.
 */
options: Array<QuestionOption>, };

export type QuestionOption = { 
/**
 * The answer.
 */
label: string, 
/**
 * What it means.
 */
description: string, };

export type RecentRepository = { 
/**
 * Its root.
 */
path: string, 
/**
 * When a session was last created on it, in milliseconds since 1970.
 */
last_used_ms: number, };

export type RefusedRow = { 
/**
 * When it last happened, in milliseconds since 1970.
 */
at_ms: number, 
/**
 * How often it happened.
 */
count: number, 
/**
 * The refusal's code, as the agent saw it.
 */
code: string, 
/**
 * The host.
 */
host: string, 
/**
 * The port.
 */
port: number, 
/**
 * The method, where a request was read.
 */
method: string | null, 
/**
 * The path, where a request was read.
 */
path: string | null, 
/**
 * The rule that refused it, where one did.
 */
rule: string | null, 
/**
 * What the person can do.
 */
hint: string | null, };

export type Retry = { 
/**
 * Which try failed, from 1.
 */
attempt: number, 
/**
 * How many there will be at most, where it is known.
 */
most: number | null, 
/**
 * The pause before the next one in milliseconds, where it is known.
 */
delay_ms: number | null, };

export type RiskyFile = { 
/**
 * Its path.
 */
path: string, 
/**
 * Why, in a few words.
 */
why: string, };

export type SaveAccount = { 
/**
 * The value. Never logged: this type shows only the place when it is printed.
 */
value: string, 
/**
 * Where to keep it.
 */
place: Place, };

export type SayText = { 
/**
 * The text; it arrives as one bracketed paste.
 */
text: string, 
/**
 * Whether Enter follows.
 */
send: boolean, };

export type SendMessage = { 
/**
 * The sender's own name for it, of up to 64 letters, digits and dashes: sent again under it, it is the same message.
 * Without one it gets one.
 */
id: string | null, 
/**
 * The text. What is too long to be typed becomes a file that the agent is told to read.
 */
text: string, 
/**
 * Whether it is typed although the agent works; both agents keep it until they have time for it.
 */
now: boolean, };

export type ServerEvent = { "type": "state", 
/**
 * The number of the last change in it.
 */
seq: number, 
/**
 * All sessions.
 */
sessions: Array<Session>, 
/**
 * Whether every session's requests are refused for now.
 */
network_paused: boolean, 
/**
 * Whether the disk that holds everything has no room.
 */
disk_full: boolean, } | { "type": "disk", 
/**
 * The number of this change.
 */
seq: number, 
/**
 * Whether it has no room.
 */
full: boolean, } | { "type": "network", 
/**
 * The number of this change.
 */
seq: number, 
/**
 * Whether every session's requests are refused for now.
 */
paused: boolean, } | { "type": "session", 
/**
 * The number of this change.
 */
seq: number, 
/**
 * The session as it is now.
 */
session: Session, } | { "type": "removed", 
/**
 * The number of this change.
 */
seq: number, 
/**
 * Its identifier.
 */
id: string, };

export type Session = { 
/**
 * The 10-character identifier.
 */
id: string, 
/**
 * The name.
 */
name: string, 
/**
 * Which agent.
 */
agent: Agent, 
/**
 * Which sandbox runtime.
 */
backend: Backend, 
/**
 * A terminal, or three pipes.
 */
mode: Mode, 
/**
 * The image, where the runtime has images.
 */
image: string | null, 
/**
 * The model, where one was asked for.
 */
model: string | null, 
/**
 * The source repository's root.
 */
repository: string, 
/**
 * The session's branch, `clauderon/<name>`.
 */
branch: string, 
/**
 * The commit that the branch began at.
 */
base: string, 
/**
 * What its agent does, and since when; the conversation says the same. It rests on what the agent says, too.
 */
status: AgentStatus, 
/**
 * Its group in the list.
 */
standing: Standing, 
/**
 * Whether it needs the person by what is seen from outside of its sandbox alone: what counts and notifies rests on this.
 */
needs_you: boolean, 
/**
 * What the person calls it, where that is not its name.
 */
title: string | null, 
/**
 * The last line of what it does: the terminal's title, its last request or how it ended.
 */
last_line: string | null, 
/**
 * Whether it stands at the top of its group.
 */
pinned: boolean, 
/**
 * Whether it may notify.
 */
notify: boolean, 
/**
 * When it was put away, in milliseconds since 1970.
 */
archived_ms: number | null, 
/**
 * How much the sandbox may reach.
 */
posture: Posture, 
/**
 * That this release was not tried with its agent's version, and what that means, in a sentence.
 */
untested: string | null, 
/**
 * What it may spend and how much of it is used; none where nothing limits it.
 */
budget: BudgetView | null, 
/**
 * Whether it is a demo: its model is scripted and runs inside the daemon, and no account is used.
 */
demo: boolean, 
/**
 * When it was created, in milliseconds since 1970.
 */
created_ms: number, 
/**
 * When the agent last sent or received something, in milliseconds since 1970.
 */
last_activity_ms: number | null, 
/**
 * What the person should know about this session, one sentence each.
 */
notices: Array<string>, 
/**
 * The limits that hold, one phrase each ("memory 8 GiB", "pids 4096").
 */
limits: Array<string>, } & ({ "state": "creating" } | { "state": "starting" } | { "state": "running" } | { "state": "stopping" } | { "state": "stopped" } | { "state": "exited", 
/**
 * Its own exit code, or 128 and the signal.
 */
code: number, } | { "state": "failed", 
/**
 * One sentence for the person.
 */
reason: string, } | { "state": "unknown", 
/**
 * Why the question could not be answered.
 */
reason: string, });

export type SessionCredential = { 
/**
 * Its name.
 */
name: string, 
/**
 * The hosts that it is set for.
 */
hosts: Array<string>, 
/**
 * Where the value would come from now; none where there is none.
 */
source: string | null, };

export type SessionInfo = { 
/**
 * What its sandbox sees of this machine.
 */
mounts: Array<MountRow>, 
/**
 * The credentials that the proxy may set for it; names only.
 */
credentials: Array<SessionCredential>, 
/**
 * What the sandbox holds in a credential's place, and why it is worthless.
 */
placeholders: Array<string>, 
/**
 * How it is isolated, in one sentence.
 */
isolation: string, 
/**
 * What it uses now.
 */
usage: Usage, 
/**
 * Whether it is well.
 */
health: Health, };

export type SetBudget = { 
/**
 * `5usd`, `2000000tokens`, or `none` for no budget.
 */
budget: Cap, };

export type Setting = { 
/**
 * Its key.
 */
key: string, 
/**
 * Its value, as the file would spell it.
 */
value: string, 
/**
 * `default`, a file, or an environment variable.
 */
source: string, };

export type SignInText = { "type": "link", 
/**
 * Its address, `https` only.
 */
url: string, } | { "type": "done", 
/**
 * In which account.
 */
name: string, } | { "type": "error" } & Error;

export type Source = "tap" | "daemon" | "transcript" | "hook" | "terminal";

export type Standing = "needs-you" | "working" | "ready" | "idle" | "done" | "archived";

export type Status = "ok" | "warn" | "fail";

export type StatusView = { 
/**
 * One row a changed file.
 */
files: Array<FileMark>, };

export type Step = "open" | "active" | "done";

export type StorageRow = { 
/**
 * The session's identifier.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Bytes of its workspace, home, uploads and terminal.
 */
bytes: number, };

export type StorageView = { 
/**
 * One row a session, the largest first.
 */
sessions: Array<StorageRow>, 
/**
 * Bytes in the trash.
 */
trash_bytes: number, 
/**
 * Bytes of the agents.
 */
agents_bytes: number, 
/**
 * Bytes of the audit log and the daemon's own logs.
 */
logs_bytes: number, 
/**
 * Bytes free on the disk that holds them.
 */
free_bytes: number, };

export type Sum = { 
/**
 * The tokens.
 */
usage: Tokens, 
/**
 * The requests that were answered.
 */
requests: number, 
/**
 * What they cost in US dollars; none where the price of one of the models is not known.
 */
dollars: number | null, };

export type Tokens = { 
/**
 * Tokens that were read and not cached.
 */
input: number, 
/**
 * Tokens that were written, reasoning included.
 */
output: number, 
/**
 * Tokens that were read from a cache.
 */
cache_read: number, 
/**
 * Tokens that were written to a cache for five minutes, or for a time that the service does not tell.
 */
cache_write: number, 
/**
 * Tokens that were written to a cache for an hour.
 */
cache_write_hour: number, 
/**
 * Tokens of `output` that were reasoning, where the service tells it.
 */
reasoning: number, };

export type ToolCall = { 
/**
 * The tool's name, as the agent knows it.
 */
tool: string, 
/**
 * What it does, in a line that starts with a verb: `Editing src/lib.rs`.
 */
title: string, 
/**
 * What the model asked for. A value that was too large is a text that says so.
 */
input: JsonValue, 
/**
 * What that means, for tools that are known.
 */
detail: ToolDetail, 
/**
 * What came of it; none while it runs.
 */
outcome: Outcome | null, };

export type ToolDetail = { "does": "command", 
/**
 * The command.
 */
command: string, 
/**
 * What the model says that it is for.
 */
purpose: string | null, 
/**
 * Its exit code, where the agent tells it.
 */
exit: number | null, } | { "does": "edit", 
/**
 * The file.
 */
path: string, 
/**
 * The changes: of the whole file once it ran, of the replaced text before.
 */
hunks: Array<Hunk>, } | { "does": "read", 
/**
 * The file.
 */
path: string, } | { "does": "search", 
/**
 * What for.
 */
pattern: string, 
/**
 * Where, when it is not everywhere.
 */
path: string | null, } | { "does": "web", 
/**
 * The address, or what is looked for.
 */
target: string, } | { "does": "other" };

export type TrashRow = { 
/**
 * The session's identifier.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * What the person called it.
 */
title: string | null, 
/**
 * When it was deleted, in milliseconds since 1970.
 */
deleted_ms: number, 
/**
 * When it goes for good, in milliseconds since 1970.
 */
until_ms: number, 
/**
 * Its size in bytes.
 */
bytes: number, };

export type TurnSum = { 
/**
 * The prompt that began it.
 */
turn: ItemId | null, 
/**
 * Its tokens.
 */
sum: Sum, };

export type UpdateSession = { 
/**
 * What a person calls it; empty to go back to the name. The branch keeps its name.
 */
title: string | null, 
/**
 * Whether it stands at the top of its group.
 */
pinned: boolean | null, 
/**
 * Whether it may notify.
 */
notify: boolean | null, 
/**
 * How much the sandbox may reach, from its next request on.
 */
posture: Posture | null, 
/**
 * Whether the person has looked at it: with true what it finished is no news any more.
 */
seen: boolean | null, };

export type Upload = { 
/**
 * Its safe name.
 */
name: string, 
/**
 * Its path as the agent sees it, below `/clauderon/uploads`.
 */
path: string, 
/**
 * Its size in bytes.
 */
bytes: number, };

export type UploadQuery = { 
/**
 * The file's own name; made safe by the daemon.
 */
name: string, };

export type Usage = { 
/**
 * Memory in bytes.
 */
memory_bytes: number | null, 
/**
 * Processor time since the start, in milliseconds.
 */
cpu_ms: number | null, 
/**
 * Processes.
 */
processes: number | null, 
/**
 * Bytes of its folder on the disk.
 */
disk_bytes: number | null, };

export type UsageDay = { 
/**
 * The day, such as `2026-11-23`.
 */
day: string, 
/**
 * The name of the credential.
 */
account: string, 
/**
 * The model.
 */
model: string, 
/**
 * What was used, and what it cost where the price is known.
 */
sum: Sum, };

export type UsageQuery = { 
/**
 * Days with today, 30 where it is left out.
 */
days?: number | null, };

export type UsageView = { 
/**
 * Today, in UTC: days begin at midnight there.
 */
today: string, 
/**
 * The day on which the prices were right.
 */
prices_of: string, 
/**
 * A row for each day, account and model, the newest day first.
 */
days: Array<UsageDay>, 
/**
 * How much of each account's plan is used.
 */
plans: Array<AccountPlan>, };

export type WebLink = { 
/**
 * The whole address; it signs one browser in, once, within ten minutes.
 */
url: string, };

export type Window = { 
/**
 * The part that is used: 1 is all of it.
 */
used: number | null, 
/**
 * When it begins anew, in milliseconds since 1970.
 */
resets_at_ms: number | null, 
/**
 * The service's word for how it stands.
 */
status: string | null, };

/** Every endpoint: its method and path. */
export const endpoints = {
  /** Says who the daemon is. */
  Daemon: { method: "GET", path: "/api/daemon" },
  /** Asks the daemon to end; sessions go on. */
  StopDaemon: { method: "POST", path: "/api/daemon/stop" },
  /** Makes a link that signs a browser on this machine in, once. */
  WebLink: { method: "POST", path: "/api/web-link" },
  /** Lists the sessions. */
  Sessions: { method: "GET", path: "/api/sessions" },
  /** Creates a session: NDJSON lines of progress, then one `created` or `error`. */
  CreateSession: { method: "POST", path: "/api/sessions" },
  /** Forks a session: another one with a copy of its files and its conversation; NDJSON lines as those of a creation. */
  ForkSession: { method: "POST", path: "/api/sessions/{session}/fork" },
  /** Shows one session. */
  Session: { method: "GET", path: "/api/sessions/{session}" },
  /** Changes a session's title, pin, notifications or posture. */
  UpdateSession: { method: "PATCH", path: "/api/sessions/{session}" },
  /** Moves a session to the trash, from where it can be restored. */
  DeleteSession: { method: "DELETE", path: "/api/sessions/{session}" },
  /** Starts a stopped session. */
  StartSession: { method: "POST", path: "/api/sessions/{session}/start" },
  /** Stops a session and keeps all of it. */
  StopSession: { method: "POST", path: "/api/sessions/{session}/stop" },
  /** Puts a session away; its agent ends and all of it is kept. */
  ArchiveSession: { method: "POST", path: "/api/sessions/{session}/archive" },
  /** Takes a session out of the archive. */
  UnarchiveSession: { method: "POST", path: "/api/sessions/{session}/unarchive" },
  /** Makes a session's sandbox anew around the same work. */
  RecreateSession: { method: "POST", path: "/api/sessions/{session}/recreate" },
  /** Shows what a session holds, may use, uses and how it is. */
  SessionInfo: { method: "GET", path: "/api/sessions/{session}/info" },
  /** Changes what a session may spend, or lifts its budget. */
  SetBudget: { method: "PUT", path: "/api/sessions/{session}/budget" },
  /** Types text into a session's terminal, as one paste. */
  Say: { method: "POST", path: "/api/sessions/{session}/say" },
  /** Lists what was sent to a session's agent lately, and how far each message has come. */
  Messages: { method: "GET", path: "/api/sessions/{session}/messages" },
  /** Sends a session's agent a message: it is queued, typed, and followed until the agent took it. */
  SendMessage: { method: "POST", path: "/api/sessions/{session}/messages" },
  /** Changes a message that waits, or has one typed again that was not delivered. */
  ChangeMessage: { method: "PATCH", path: "/api/sessions/{session}/messages" },
  /** Takes a message back that was not typed, or puts one aside that was not delivered. */
  WithdrawMessage: { method: "DELETE", path: "/api/sessions/{session}/messages" },
  /** Shows a part of a session's conversation, the newest where nothing else is asked for. */
  Conversation: { method: "GET", path: "/api/sessions/{session}/conversation" },
  /** Lists what a session's agent waits for: leave, or answers. */
  Approvals: { method: "GET", path: "/api/sessions/{session}/approvals" },
  /** Answers one of them; the first answer counts. */
  AnswerApproval: { method: "POST", path: "/api/sessions/{session}/approvals" },
  /** Puts a file into a session; the body is the file. */
  Upload: { method: "POST", path: "/api/sessions/{session}/uploads" },
  /** Lists one folder of a session's workspace. */
  Folder: { method: "GET", path: "/api/sessions/{session}/folder" },
  /** Shows one file of a session's workspace. */
  File: { method: "GET", path: "/api/sessions/{session}/file" },
  /** Sends one file of a session's workspace as it is. */
  RawFile: { method: "GET", path: "/api/sessions/{session}/file/raw" },
  /** Names the files that differ from the base commit. */
  FileStatus: { method: "GET", path: "/api/sessions/{session}/status" },
  /** Shows one changed file before and now. */
  FileSides: { method: "GET", path: "/api/sessions/{session}/diff/file" },
  /** Lists the deleted sessions that can be restored. */
  Trash: { method: "GET", path: "/api/trash" },
  /** Restores a deleted session, by its identifier. */
  RestoreSession: { method: "POST", path: "/api/trash/{session}/restore" },
  /** Deletes a session in the trash for good. */
  PurgeSession: { method: "DELETE", path: "/api/trash/{session}" },
  /** Fetches the session's commits and uncommitted work into the source repository. */
  Pull: { method: "POST", path: "/api/sessions/{session}/pull" },
  /** Shows what changed against the base commit. */
  Diff: { method: "GET", path: "/api/sessions/{session}/diff" },
  /** Streams what the agent printed, as raw bytes. */
  Logs: { method: "GET", path: "/api/sessions/{session}/logs" },
  /** Shows the session's policy and what it refused lately. */
  Policy: { method: "GET", path: "/api/sessions/{session}/policy" },
  /** Grants the session a host. */
  AllowHost: { method: "POST", path: "/api/sessions/{session}/policy/allow" },
  /** Streams audit records as NDJSON, oldest first. */
  Audit: { method: "GET", path: "/api/audit" },
  /** Checks the audit log's chain. */
  VerifyAudit: { method: "GET", path: "/api/audit/verify" },
  /** Lists the agents and what is installed of them. */
  Agents: { method: "GET", path: "/api/agents" },
  /** Checks what a session needs on this machine. */
  Doctor: { method: "GET", path: "/api/doctor" },
  /** Shows the configuration in force, its paths and where each credential comes from. */
  Config: { method: "GET", path: "/api/config" },
  /** Lists the credentials, where each comes from, and how the keychain is. */
  Accounts: { method: "GET", path: "/api/accounts" },
  /** Keeps a credential in the keychain or in a file. */
  SaveAccount: { method: "PUT", path: "/api/accounts/{name}" },
  /** Removes a credential that this installation keeps. */
  RemoveAccount: { method: "DELETE", path: "/api/accounts/{name}" },
  /** Asks the service whether a credential works and what it may do. */
  CheckAccount: { method: "POST", path: "/api/accounts/{name}/check" },
  /** Repairs something that the doctor found: NDJSON lines of progress, then one `done` or `error`. */
  Repair: { method: "POST", path: "/api/doctor/{name}/fix" },
  /** Starts a session that needs no account: NDJSON lines as those of a creation. */
  Demo: { method: "POST", path: "/api/demo" },
  /** Says what a new session can be made with. */
  CreateOptions: { method: "GET", path: "/api/create-options" },
  /** Shows what was used of the models, by day, account and model. */
  Usage: { method: "GET", path: "/api/usage" },
  /** Says how much room the sessions take. */
  Storage: { method: "GET", path: "/api/storage" },
  /** Empties the trash. */
  EmptyTrash: { method: "DELETE", path: "/api/trash" },
  /** Says whether the network is paused. */
  Network: { method: "GET", path: "/api/network" },
  /** Pauses every session's network, or lets it go on. */
  SetNetwork: { method: "PUT", path: "/api/network" },
  /** Says what the window remembers. */
  Desk: { method: "GET", path: "/api/desk" },
  /** Remembers it. */
  SaveDesk: { method: "PUT", path: "/api/desk" },
  /** Lists the repositories of earlier sessions, newest first. */
  RecentRepositories: { method: "GET", path: "/api/recent-repos" },
  /** WebSocket: one session's terminal or pipes. */
  Console: { method: "GET", path: "/ws/console/{session}" },
  /** WebSocket: one session's conversation, the newest part of it first, then each change. */
  ConversationEvents: { method: "GET", path: "/ws/conversation/{session}" },
  /** WebSocket: which folders of one session's workspace change. */
  FileEvents: { method: "GET", path: "/ws/files/{session}" },
  /** WebSocket: a sign-in on this machine; it ends in the vault. */
  SignIn: { method: "GET", path: "/ws/sign-in/{name}" },
  /** WebSocket: every session's state first, then each change. */
  Events: { method: "GET", path: "/ws/events" },
} as const;
