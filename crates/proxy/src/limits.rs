//! Every deadline and size bound of the gate in one place.
//!
//! Nothing here may be unbounded: an agent decides how slowly and how much it sends.

use std::time::Duration;

/// The largest request head that opens a connection (`CONNECT`, absolute form).
pub const GATE_HEAD: usize = 8 * 1024;
/// The largest request head inside a tunnel; agents send long metadata headers there.
pub const TUNNEL_HEAD: usize = 32 * 1024;
/// The most header lines of one request.
pub const HEADERS: usize = 100;
/// How long a head may take once its first byte has arrived (or the connection was opened).
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a kept-alive connection may rest between two requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(300);
/// The largest ClientHello, however it is fragmented.
pub const HELLO: usize = 16 * 1024;
/// How long the ClientHello may take.
pub const HELLO_TIME: Duration = Duration::from_secs(5);
/// How long the rest of the TLS handshake with the agent may take.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long the agent may rest within one request body.
pub const BODY_IDLE: Duration = Duration::from_secs(120);
/// How long the agent may leave a response unread.
pub const WRITE_IDLE: Duration = Duration::from_secs(300);
/// The largest body of a model route, which is held and judged as a whole.
pub const MODEL_BODY: usize = 32 * 1024 * 1024;
/// The most bytes of held bodies one session may have at once.
pub const HELD_BODIES: usize = 128 * 1024 * 1024;
/// How much of an unwanted body is read so that the connection can go on, or close politely.
pub const DRAIN: usize = 1024 * 1024;
/// How long draining an unwanted body may take.
pub const DRAIN_TIME: Duration = Duration::from_secs(2);
/// The largest report to the hook verb.
pub const HOOK_BODY: usize = 64 * 1024;
/// How many hook reports a session may send at once, before its rate counts.
pub const HOOK_BURST: u32 = 100;
/// How many hook reports a second a session may send.
pub const HOOK_RATE: u32 = 20;
/// How many hook reports of a session wait for somebody's answer at once; further ones are answered at once, with nothing.
pub const HOOKS_HELD: usize = 16;
/// How long a hook report waits for somebody's answer. The agent's own patience must be longer.
pub const HOOK_HOLD: Duration = Duration::from_secs(12 * 60 * 60 - 60);
/// How many refusals a session is told at full speed; later ones are paced, so that its log stays small.
pub const REFUSAL_BURST: u32 = 400;
/// How many refusals a second a session is told once the burst is used up.
pub const REFUSAL_RATE: u32 = 50;
/// The most connections of one session at once.
pub const CONNECTIONS: usize = 256;
/// The most leaf certificates a session keeps.
pub const LEAVES: usize = 256;
/// How long resolving a name may take.
pub const LOOKUP_TIME: Duration = Duration::from_secs(5);
/// How long connecting to one upstream (TCP and TLS) may take.
pub const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a model may think before its response head, and between two of its bytes.
pub const MODEL_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long any other upstream may take before its response head, and between two of its bytes.
pub const UPSTREAM_WAIT: Duration = Duration::from_secs(120);
/// How long a raw tunnel may rest in both directions: a database's connection waits for its next question.
pub const RAW_IDLE: Duration = Duration::from_secs(60 * 60);
/// The most idle upstream connections one session keeps.
pub const POOL: usize = 32;
/// How long an idle upstream connection is kept.
pub const POOL_IDLE: Duration = Duration::from_secs(60);
/// How long trying a credential out may take in all, and how much of the answer is read.
pub const ASK_TIME: Duration = Duration::from_secs(20);
pub const ASK_BODY: usize = 1024 * 1024;
