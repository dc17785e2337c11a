//! The process that holds a session.

fn main() {}
