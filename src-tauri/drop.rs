//! Files dragged from other programs: their paths, sizes and place, in the page's own pixels.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tauri::DragDropEvent;

/// A drag over the window, as `ui/src/shell/shell.ts` spells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Drag {
    /// It is over the window.
    Over {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
        /// What is dragged, where the system says so already.
        paths: Vec<PathBuf>,
        /// The same, with sizes.
        files: Vec<Dragged>,
    },
    /// It was let go.
    Drop {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
        /// What was dropped.
        paths: Vec<PathBuf>,
        /// The same, with sizes.
        files: Vec<Dragged>,
    },
    /// It went away.
    Leave,
}

/// Something that is dragged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dragged {
    /// Where it is.
    pub path: PathBuf,
    /// Its own name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it is a folder.
    pub folder: bool,
}

impl Drag {
    /// Reads the window's event. `before` is what was dragged when it entered: moves do not repeat it.
    pub fn of(event: &DragDropEvent, scale: f64, before: &mut Vec<PathBuf>) -> Option<Drag> {
        Some(match event {
            DragDropEvent::Enter { paths, position } => {
                before.clone_from(paths);
                over(position.x / scale, position.y / scale, paths)
            }
            DragDropEvent::Over { position } => {
                over(position.x / scale, position.y / scale, before)
            }
            DragDropEvent::Drop { paths, position } => {
                before.clear();
                Drag::Drop {
                    x: position.x / scale,
                    y: position.y / scale,
                    paths: paths.clone(),
                    files: looked_at(paths),
                }
            }
            DragDropEvent::Leave => {
                before.clear();
                Drag::Leave
            }
            _ => return None,
        })
    }

    /// Returns what was dropped.
    pub fn dropped(&self) -> Option<Vec<PathBuf>> {
        match self {
            Drag::Drop { paths, .. } => Some(paths.clone()),
            Drag::Over { .. } | Drag::Leave => None,
        }
    }
}

fn over(x: f64, y: f64, paths: &[PathBuf]) -> Drag {
    Drag::Over {
        x,
        y,
        paths: paths.to_vec(),
        files: looked_at(paths),
    }
}

fn looked_at(paths: &[PathBuf]) -> Vec<Dragged> {
    paths.iter().filter_map(|path| look_at(path)).collect()
}

fn look_at(path: &Path) -> Option<Dragged> {
    let meta = path.metadata().ok()?;
    Some(Dragged {
        name: path.file_name()?.to_string_lossy().into_owned(),
        bytes: meta.len(),
        folder: meta.is_dir(),
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_drag_is_followed_in_the_pages_own_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        std::fs::write(&file, "1234").unwrap();
        let position = |x, y| tauri::PhysicalPosition { x, y };
        let mut before = Vec::new();
        let paths = vec![file.clone()];
        let enter = DragDropEvent::Enter {
            paths: paths.clone(),
            position: position(20.0, 40.0),
        };
        Drag::of(&enter, 2.0, &mut before).unwrap();
        let moved = DragDropEvent::Over {
            position: position(60.0, 80.0),
        };
        let files = vec![Dragged {
            path: file,
            name: "a.png".into(),
            bytes: 4,
            folder: false,
        }];
        assert_eq!(
            Drag::of(&moved, 2.0, &mut before),
            Some(Drag::Over {
                x: 30.0,
                y: 40.0,
                paths: paths.clone(),
                files
            })
        );
        let dropped = DragDropEvent::Drop {
            paths: paths.clone(),
            position: position(60.0, 80.0),
        };
        let dropped = Drag::of(&dropped, 2.0, &mut before).unwrap();
        assert_eq!(dropped.dropped(), Some(paths));
        assert!(before.is_empty());
    }
}
