//! Conversations of Claude Code and Codex, normalised: one reducer for what is live and what is replayed.
//!
//! Nothing stands here yet; this keeps the place and its rule. It is pure: bytes of a transcript go in, items come out. It
//! must never read a file, a clock or the environment.
