//! Lets Tauri read `tauri.conf.json`, which stands beside `Cargo.toml`, and compile the page's permissions in.

fn main() {
    tauri_build::build();
}
