//! The desktop app's entry point; everything else is in the library beside it.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> tauri::Result<()> {
    clauderon_desktop::run()
}
