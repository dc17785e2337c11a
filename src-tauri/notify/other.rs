//! Notifications where there is no D-Bus. A click brings up the application, as the system does it; it opens no session.

use super::Notice;

/// Shows notices.
pub struct Notifier {}

impl Notifier {
    /// Makes one.
    pub fn connect(_open: impl Fn(&str) + 'static) -> Option<Notifier> {
        Some(Notifier {})
    }

    /// Shows one.
    pub fn show(&self, notice: &Notice) {
        let shown = notify_rust::Notification::new()
            .summary(&notice.title)
            .body(&notice.body)
            .show();
        if let Err(error) = shown {
            tracing::debug!(%error, "no notification can be shown");
        }
    }
}
