//! Puts the tray on the system's panel.

use std::sync::{Mutex, PoisonError};

use tauri::image::Image;
use tauri::menu::{
    CheckMenuItem, IsMenuItem, Menu, MenuItem, MenuItemKind, PredefinedMenuItem, Submenu,
};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager as _, Wry};

use super::{Item, Tray, Wish, icon};

/// The tray's identifier within the app.
const ID: &str = "main";

/// The icon without a number.
const PLAIN: Image<'_> = tauri::include_image!("icons/32x32.png");

/// The menu as the panel has it.
struct Drawn(Mutex<Menu<Wry>>);

/// Makes the tray. `chosen` hears what a person picks from its menu.
///
/// Fails, or panics inside the system's library, where that library is not installed: the caller lives without a tray then.
pub fn make(
    app: &AppHandle,
    tray: &Tray,
    chosen: impl Fn(&AppHandle, Wish) + Send + Sync + 'static,
) -> tauri::Result<TrayIcon> {
    let menu = menu(app, &tray.menu)?;
    let icon = TrayIconBuilder::with_id(ID)
        .icon(drawn(tray.waiting))
        .tooltip(&tray.tooltip)
        .menu(&menu)
        .on_menu_event(move |app, event| {
            if let Some(wish) = Wish::parse(event.id().as_ref()) {
                chosen(app, wish);
            }
        })
        .build(app)?;
    app.manage(Drawn(Mutex::new(menu)));
    Ok(icon)
}

/// Changes what the tray shows.
pub fn update(app: &AppHandle, before: &Tray, tray: &Tray) -> tauri::Result<()> {
    let Some(icon) = app.tray_by_id(ID) else {
        return Ok(());
    };
    if tray.waiting != before.waiting {
        icon.set_icon(Some(drawn(tray.waiting)))?;
    }
    if tray.tooltip != before.tooltip {
        icon.set_tooltip(Some(&tray.tooltip))?;
    }
    let drawn = app.state::<Drawn>();
    let mut drawn = drawn.0.lock().unwrap_or_else(PoisonError::into_inner);
    // A menu that is replaced closes where it is open, and a click on its way is lost: words change in place.
    match same_lines(&before.menu, &tray.menu) {
        true => relabel(&drawn.items()?, &before.menu, &tray.menu),
        false => {
            let made = menu(app, &tray.menu)?;
            icon.set_menu(Some(made.clone()))?;
            *drawn = made;
            Ok(())
        }
    }
}

/// Says whether the lines do the same as before, whatever they say.
fn same_lines(before: &[Item], now: &[Item]) -> bool {
    before.len() == now.len()
        && before
            .iter()
            .zip(now)
            .all(|(before, now)| match (before, now) {
                (Item::Choice { id: before, .. }, Item::Choice { id: now, .. })
                | (Item::Check { id: before, .. }, Item::Check { id: now, .. }) => before == now,
                (Item::Menu { items: before, .. }, Item::Menu { items: now, .. }) => {
                    same_lines(before, now)
                }
                (Item::Line, Item::Line) => true,
                _ => false,
            })
}

/// Changes what the same lines say.
fn relabel(drawn: &[MenuItemKind<Wry>], before: &[Item], now: &[Item]) -> tauri::Result<()> {
    for (drawn, (before, now)) in drawn.iter().zip(before.iter().zip(now)) {
        if before == now {
            continue;
        }
        match (drawn, before, now) {
            (MenuItemKind::MenuItem(line), _, Item::Choice { label, .. }) => {
                line.set_text(label)?
            }
            (MenuItemKind::Check(line), _, Item::Check { label, on, .. }) => {
                line.set_text(label)?;
                line.set_checked(*on)?;
            }
            (
                MenuItemKind::Submenu(line),
                Item::Menu { items: before, .. },
                Item::Menu { label, items: now },
            ) => {
                line.set_text(label)?;
                relabel(&line.items()?, before, now)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn drawn(count: usize) -> Image<'static> {
    let (width, height) = (PLAIN.width(), PLAIN.height());
    Image::new_owned(
        icon::with_count(PLAIN.rgba(), width as usize, count),
        width,
        height,
    )
}

fn menu(app: &AppHandle, items: &[Item]) -> tauri::Result<Menu<Wry>> {
    let menu = Menu::new(app)?;
    for item in items {
        menu.append(made(app, item)?.as_ref())?;
    }
    Ok(menu)
}

fn made(app: &AppHandle, item: &Item) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    Ok(match item {
        Item::Choice { id, label } => {
            Box::new(MenuItem::with_id(app, id, label, true, None::<&str>)?)
        }
        Item::Check { id, label, on } => Box::new(CheckMenuItem::with_id(
            app,
            id,
            label,
            true,
            *on,
            None::<&str>,
        )?),
        Item::Menu { label, items } => {
            let submenu = Submenu::new(app, label, true)?;
            for item in items {
                submenu.append(made(app, item)?.as_ref())?;
            }
            Box::new(submenu)
        }
        Item::Line => Box::new(PredefinedMenuItem::separator(app)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::session;
    use crate::tray;
    use clauderon_api::Standing;

    #[test]
    fn a_menu_is_replaced_only_where_its_lines_do_something_else() {
        let shown = |sessions: &[clauderon_api::Session], paused| {
            tray::tray(sessions, &["/src/app".into()], paused).menu
        };
        let (idle, mut working) = (session("a"), session("a"));
        working.standing = Standing::Working;
        let before = shown(std::slice::from_ref(&idle), false);
        assert!(same_lines(&before, &shown(&[working], true)));
        assert!(!same_lines(&before, &shown(&[session("b")], false)));
        assert!(!same_lines(&before, &shown(&[idle, session("b")], false)));
    }
}
