//! Lets Tauri read `tauri.conf.json`, which stands beside `Cargo.toml`, and compile the page's permissions in: each of the
//! app's own commands is one, and none is granted that the configuration does not name.

/// What the window shows where nobody built its page: Rust alone can then still be checked.
const NO_PAGE: &str = "<!doctype html><title>Clauderon</title><p>This program was built without its page; `scripts/build-window` makes both.";

fn main() {
    let page = std::path::Path::new("ui/dist/index.html");
    if !page.exists() {
        std::fs::create_dir_all("ui/dist").expect("ui/ can be written");
        std::fs::write(page, NO_PAGE).expect("ui/dist can be written");
    }
    let commands = tauri_build::AppManifest::new().commands(&[
        "api_request",
        "api_stream",
        "socket_open",
        "socket_send",
        "socket_close",
        "upload_open",
        "upload_end",
        "shell_listen",
        "shell_showing",
        "shell_wanted",
        "shell_pick_folder",
        "shell_open_link",
        "shell_open_file",
        "shell_dropped",
    ]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands))
        .expect("tauri.conf.json and the permissions fit together");
}
