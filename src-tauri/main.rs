//! The desktop app's entry point; everything else is in the library beside it.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match clauderon_desktop::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads it: there is nothing else to tell it to.
            let _ = writeln!(std::io::stderr(), "clauderon: {error:#}");
            ExitCode::FAILURE
        }
    }
}
