//! What a hijacked agent tries on the proxy, with raw bytes on real streams; each row asserts refusal and record.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod client;
mod credentials;
mod exfiltration;
mod full_disk;
mod hooks;
mod limits;
mod raw;
mod reach;
mod stand_in;
mod streaming;
mod tap;
mod tunnel;
mod turnstile;
mod upstream;
mod world;
