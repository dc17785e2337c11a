//! The tray's icon and menu, as a pure function of what is known.

pub mod icon;
pub mod show;

use std::path::{Path, PathBuf};

use clauderon_api::{Session, Standing};

/// How many sessions the menu offers, and how many repositories.
const SESSIONS: usize = 9;
const REPOSITORIES: usize = 5;

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tray {
    /// How many sessions need the person.
    pub waiting: usize,
    /// What hovering says.
    pub tooltip: String,
    /// The menu, top to bottom.
    pub menu: Vec<Item>,
}

/// A line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Something to choose.
    Choice {
        /// What it does, as [`Wish`] spells it.
        id: String,
        /// What it says.
        label: String,
    },
    /// Something that is on or off.
    Check {
        /// What it does.
        id: String,
        /// What it says.
        label: String,
        /// Whether it is on.
        on: bool,
    },
    /// A menu of its own.
    Menu {
        /// What it says.
        label: String,
        /// What it holds.
        items: Vec<Item>,
    },
    /// A line between groups.
    Line,
}

/// What a person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Bring the window back.
    Show,
    /// Show one session.
    Open(String),
    /// Begin a session on a repository.
    Start(PathBuf),
    /// Begin a session.
    New,
    /// Pause every session's network, or let it go on.
    Pause,
    /// End the app.
    Quit,
}

impl Wish {
    /// Spells it as a menu item's identifier.
    pub fn id(&self) -> String {
        match self {
            Wish::Show => "show".to_owned(),
            Wish::Open(session) => format!("open:{session}"),
            Wish::Start(repository) => format!("start:{}", repository.display()),
            Wish::New => "new".to_owned(),
            Wish::Pause => "pause".to_owned(),
            Wish::Quit => "quit".to_owned(),
        }
    }

    /// Reads a menu item's identifier.
    pub fn parse(id: &str) -> Option<Wish> {
        Some(match id.split_once(':') {
            Some(("open", session)) => Wish::Open(session.to_owned()),
            Some(("start", repository)) => Wish::Start(repository.into()),
            Some(_) => return None,
            None => match id {
                "show" => Wish::Show,
                "new" => Wish::New,
                "pause" => Wish::Pause,
                "quit" => Wish::Quit,
                _ => return None,
            },
        })
    }
}

/// Makes the tray of these sessions and recent repositories.
pub fn tray(sessions: &[Session], recent: &[PathBuf], paused: bool) -> Tray {
    let mut shown: Vec<&Session> = sessions
        .iter()
        .filter(|session| session.standing != Standing::Archived)
        .collect();
    shown.sort_by_key(|session| {
        let newest = std::cmp::Reverse(session.last_activity_ms.unwrap_or(session.created_ms));
        (rank(session.standing), newest)
    });
    let waiting = shown.iter().filter(|session| session.needs_you).count();
    let mut menu = vec![choice(Wish::Show, "Open Clauderon"), Item::Line];
    menu.extend(shown.iter().take(SESSIONS).map(|session| {
        let name = session.title.as_deref().unwrap_or(&session.name);
        let label = format!("{}  ·  {}", short(name), short(&session.word()));
        choice(Wish::Open(session.id.clone()), &label)
    }));
    if !shown.is_empty() {
        menu.push(Item::Line);
    }
    menu.push(choice(Wish::New, "New session…"));
    if !recent.is_empty() {
        menu.push(Item::Menu {
            label: "Quick start".to_owned(),
            items: recent
                .iter()
                .take(REPOSITORIES)
                .map(|repository| choice(Wish::Start(repository.clone()), &folder(repository)))
                .collect(),
        });
    }
    menu.extend([
        Item::Line,
        Item::Check {
            id: Wish::Pause.id(),
            label: "Pause all network".to_owned(),
            on: paused,
        },
        Item::Line,
        choice(Wish::Quit, "Quit"),
    ]);
    Tray {
        waiting,
        tooltip: tooltip(waiting, paused),
        menu,
    }
}

fn choice(wish: Wish, label: &str) -> Item {
    Item::Choice {
        id: wish.id(),
        label: label.to_owned(),
    }
}

fn rank(standing: Standing) -> u8 {
    match standing {
        Standing::NeedsYou => 0,
        Standing::Working => 1,
        Standing::Ready => 2,
        Standing::Idle => 3,
        Standing::Done => 4,
        Standing::Archived => 5,
    }
}

fn tooltip(waiting: usize, paused: bool) -> String {
    let waiting = match waiting {
        0 => "Clauderon".to_owned(),
        1 => "Clauderon: 1 session needs you".to_owned(),
        more => format!("Clauderon: {more} sessions need you"),
    };
    match paused {
        true => format!("{waiting} (network paused)"),
        false => waiting,
    }
}

/// A menu grows as wide as its longest line, and an underscore marks a key in some menus.
fn short(name: &str) -> String {
    let mut short: String = name
        .chars()
        .filter(|character| !character.is_control())
        .take(40)
        .collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short.replace('&', "&&")
}

fn folder(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| short(&name.to_string_lossy()),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures::session;
    use serde_json::json;

    fn labels(menu: &[Item]) -> Vec<String> {
        menu.iter()
            .map(|item| match item {
                Item::Choice { label, .. } => label.clone(),
                Item::Check { label, on, .. } => format!("{label} [{on}]"),
                Item::Menu { label, items } => format!("{label} > {}", labels(items).join(", ")),
                Item::Line => "-".to_owned(),
            })
            .collect()
    }

    #[test]
    fn sessions_that_need_the_person_come_first_and_are_counted() {
        let mut working = session("a");
        working.standing = Standing::Working;
        working.status =
            serde_json::from_value(json!({"status": "working", "doing": null, "since_ms": 1}))
                .unwrap();
        let mut waiting = session("b");
        waiting.standing = Standing::NeedsYou;
        waiting.needs_you = true;
        waiting.status =
            serde_json::from_value(json!({"status": "needs_input", "item": null, "since_ms": 1}))
                .unwrap();
        waiting.title = Some("Fix the login".to_owned());
        let mut archived = session("c");
        archived.standing = Standing::Archived;
        let tray = tray(&[working, waiting, archived], &["/src/app".into()], true);
        assert_eq!(tray.waiting, 1);
        assert_eq!(
            tray.tooltip,
            "Clauderon: 1 session needs you (network paused)"
        );
        assert_eq!(
            labels(&tray.menu),
            [
                "Open Clauderon",
                "-",
                "Fix the login  ·  needs input",
                "a  ·  working",
                "-",
                "New session…",
                "Quick start > app",
                "-",
                "Pause all network [true]",
                "-",
                "Quit"
            ]
        );
    }

    #[test]
    fn an_empty_installation_has_a_menu_without_gaps() {
        assert_eq!(
            labels(&tray(&[], &[], false).menu),
            [
                "Open Clauderon",
                "-",
                "New session…",
                "-",
                "Pause all network [false]",
                "-",
                "Quit"
            ]
        );
    }

    #[test]
    fn every_wish_is_read_as_it_is_spelled() {
        for wish in [
            Wish::Show,
            Wish::Open("a1".into()),
            Wish::Start("/a:b/c".into()),
            Wish::New,
            Wish::Pause,
            Wish::Quit,
        ] {
            assert_eq!(Wish::parse(&wish.id()), Some(wish));
        }
        assert_eq!(Wish::parse("format:/"), None);
    }
}
