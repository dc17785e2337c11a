//! Notifications over D-Bus, since only there a click can be heard.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gio::glib::{ToVariant as _, Variant};
use gio::{BusType, Cancellable, DBusCallFlags, DBusConnection, DBusSignalFlags};

use super::Notice;

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// Shows notices. Lives on the main thread, where their clicks arrive.
pub struct Notifier {
    bus: DBusConnection,
    shown: Arc<Mutex<HashMap<u32, String>>>,
}

impl Notifier {
    /// Connects, and calls `open` with a session's identifier for each click; `None` where there is no session bus.
    pub fn connect(open: impl Fn(&str) + 'static) -> Option<Notifier> {
        let bus = gio::bus_get_sync(BusType::Session, None::<&Cancellable>).ok()?;
        let shown: Arc<Mutex<HashMap<u32, String>>> = Arc::default();
        let sessions = shown.clone();
        bus.signal_subscribe(
            Some(SERVICE),
            Some(SERVICE),
            Some("ActionInvoked"),
            Some(PATH),
            None,
            DBusSignalFlags::NONE,
            move |_, _, _, _, _, parameters| {
                let Some((number, _)) = parameters.get::<(u32, String)>() else {
                    return;
                };
                let session = sessions
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&number);
                if let Some(session) = session {
                    open(&session);
                }
            },
        );
        Some(Notifier { bus, shown })
    }

    /// Shows one.
    pub fn show(&self, notice: &Notice) {
        let hints: HashMap<String, Variant> =
            HashMap::from([("desktop-entry".to_owned(), "Clauderon".to_variant())]);
        let actions = vec!["default".to_owned(), "Open".to_owned()];
        let parameters = (
            "Clauderon",
            0_u32,
            "clauderon-desktop",
            plain(&notice.title),
            plain(&notice.body),
            actions,
            hints,
            -1_i32,
        )
            .to_variant();
        let shown = self.shown.clone();
        let session = notice.session.clone();
        self.bus.call(
            Some(SERVICE),
            PATH,
            SERVICE,
            "Notify",
            Some(&parameters),
            None,
            DBusCallFlags::NONE,
            5_000,
            None::<&Cancellable>,
            move |answer| match answer.map(|answer| answer.get::<(u32,)>()) {
                Ok(Some((number,))) => {
                    shown
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(number, session);
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "no notification service answers"),
            },
        );
    }
}

/// The service may take text for markup.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
