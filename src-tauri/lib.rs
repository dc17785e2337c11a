//! The desktop window. For now it opens an empty window over the packaged page; the sessions come to it later.

/// Opens the window and returns when it is closed.
///
/// Fails where no window can be opened, for want of a display as a rule.
pub fn run() -> tauri::Result<()> {
    tauri::Builder::default().run(tauri::generate_context!())
}
