//! A scripted stand-in for everything an agent talks to: the Anthropic and OpenAI model interfaces, GitHub over smart HTTP,
//! and a few endpoints for trying a proxy. It serves tests and `clauderon demo`, and records all that it received,
//! credentials included: that is how a test sees which token really left.
//!
//! It must never dial out, and it must never keep state between two requests: every reply is a pure function of the request
//! alone, so that a retry, a restart or ten sessions at once change nothing. Only a step with `times` is counted, since the
//! agents' retries are the same request again.
//!
//! # Scripts
//!
//! The script stands in the prompt, after the word `SCRIPT:`, as a JSON list of steps. Step *n* answers the model's turn *n*
//! after that prompt; text around the script is ignored, and when a newer prompt holds no script the answer is a short
//! friendly text that repeats its first words.
//!
//! ```text
//! SCRIPT:[{"tool":"Bash","input":{"command":"echo hi > x.txt"}},{"text":"done"}]
//! ```
//!
//! Fields of a step, all of them optional; an unknown field is answered with status 400 that names it:
//!
//! | field | meaning |
//! | --- | --- |
//! | `"thinking": "…"` | a thinking block with a signature (a reasoning item for Codex) |
//! | `"text": "…"` | a text block |
//! | `"big": N` | N bytes of numbered lines, printed as text after `text` |
//! | `"tool": "Bash", "input": {…}` | one tool call. For Codex, `Bash`, `Read` and `Write` become its shell tool |
//! | `"tools": [{"tool": …, "input": …}, …]` | several calls in one turn |
//! | `"error": {"status": 529, "type": "…", "message": "…"}` | an error instead of an answer; the turn stays unanswered, so that each retry gets it again |
//! | `"times": N` | `error`, `headers` and `cut_after` hold for the first N tries of this turn alone |
//! | `"headers": {"name": "value"}` | more response headers, on answers and errors (rate limits, `location`) |
//! | `"wait_ms": N` | silence before the response's head |
//! | `"delay_ms": N` | a pause before each event of the stream |
//! | `"cut_after": N` | the stream is cut after N events. A plain request for the same turn gets the whole answer, as the agents' retry expects |
//! | `"reflect": "plain" / "gzip" / "deflate" / "split"` | the request's headers as the body: plain, compressed, or sent byte by byte |
//!
//! After the last step the answer is a closing text. Side requests are answered whatever the prompt says: a request for a
//! title (a JSON schema) gets matching JSON, the quota probe one token, `count_tokens` an estimate.
//!
//! # Credentials
//!
//! Any credential is taken, save one with the word `revoked` in it, which gets 401. `api.github.com/user` says what a token may do and
//! until when, by the token's own text: `ghp_…` has the scopes `repo, workflow`, `ghp_public…` `public_repo`, `ghp_none…` none; others
//! say no scopes. `until_20270102` in a token is the day of its end.
//!
//! # Without a port
//!
//! Prompts without a script can have one in [`Lines`], and [`InProcess`] is a rehearsal without a port.
//!
//! # Trying a proxy
//!
//! Every extra host of [`Options`] answers `/echo` (the request as JSON; `/echo/gzip` and `/echo/deflate` compressed,
//! `/echo/split` byte by byte), `/redirect?to=URL`, `/status/N` and `/bytes/N`. The queries `rehearsal-echo=plain|gzip|deflate|split`
//! and `rehearsal-redirect=URL` do the same on any path of any host, for routes that carry a credential.
//! The port also speaks plain HTTP, and a [`Recorded`] request says which it was.

mod answer;
mod anthropic;
mod certificates;
mod connection;
mod cue;
mod github;
mod github_api;
mod in_process;
mod lines;
mod openai;
mod playground;
mod record;
mod route;
mod script;
mod server;
mod tries;

pub use in_process::InProcess;
pub use lines::Lines;
pub use record::{NotSeen, Recorded, Scheme};
pub use server::{Options, Rehearsal};
