//! The desktop window. For now it opens an empty window over the packaged page; the sessions come to it later.

/// Opens the window and returns when it is closed.
pub fn run() {
    tauri::Builder::default()
        .run(tauri::generate_context!())
        .expect("the window could not be opened");
}
