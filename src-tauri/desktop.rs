//! What the desktop around the window can do, asked rather than guessed.

#[cfg(target_os = "linux")]
mod linux {
    use anyhow::{Result, bail};
    use gio::prelude::*;
    use gio::{BusType, Cancellable, DBusCallFlags};

    const WATCHER: &str = "org.kde.StatusNotifierWatcher";

    /// Reaches the display, which the window's toolkit would panic without.
    pub fn reach() -> Result<()> {
        if gtk::init().is_ok() {
            return Ok(());
        }
        let named = ["WAYLAND_DISPLAY", "DISPLAY"].map(|name| {
            let value = std::env::var(name).ok()?;
            Some(format!("{name} is `{value}`"))
        });
        let named: Vec<String> = named.into_iter().flatten().collect();
        match named.is_empty() {
            true => {
                bail!("there is no display here; `clauderon --help` names what works without one")
            }
            false => bail!(
                "no display answers: {}; set it to the one you sit at, or work without one: `clauderon --help`",
                named.join(", ")
            ),
        }
    }

    /// Says whether somebody shows tray icons: a watcher that knows of a host. Asked each time, since panels come and go.
    pub fn shows_trays() -> bool {
        let answer = || {
            let bus = gio::bus_get_sync(BusType::Session, None::<&Cancellable>).ok()?;
            let parameters = (WATCHER, "IsStatusNotifierHostRegistered").to_variant();
            bus.call_sync(
                Some(WATCHER),
                "/StatusNotifierWatcher",
                "org.freedesktop.DBus.Properties",
                "Get",
                Some(&parameters),
                None,
                DBusCallFlags::NO_AUTO_START,
                500,
                None::<&Cancellable>,
            )
            .ok()?
            .child_value(0)
            .as_variant()?
            .get::<bool>()
        };
        answer().unwrap_or(false)
    }
}

#[cfg(target_os = "linux")]
pub use linux::{reach, shows_trays};

/// The menu bar and the task bar always do.
#[cfg(not(target_os = "linux"))]
pub fn shows_trays() -> bool {
    true
}

/// Elsewhere there always is one.
#[cfg(not(target_os = "linux"))]
pub fn reach() -> anyhow::Result<()> {
    Ok(())
}
