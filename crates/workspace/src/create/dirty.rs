//! Counts what is not committed in the person's repository, in the throw-away sandbox that fills the workspace: a sandbox
//! of its own would cost the session's start more than the counting does.

use clauderon_runtime::Mount;

use crate::{Notice, Source, place};

/// Returns what the sandbox has to see of the person's files, to count from; nothing where there are none.
pub(super) fn mounts(source: &Source) -> Vec<Mount> {
    if source.bare {
        return Vec::new();
    }
    let mut mounts = vec![Mount::read_only(&source.root, "/clauderon/original")];
    if source.index.is_file() {
        mounts.push(Mount::read_only(&source.index, "/clauderon/index"));
    }
    mounts
}

/// Returns what the script has to know to count.
pub(super) fn environment(source: &Source, objects: usize) -> Vec<(&'static str, String)> {
    let alternates: Vec<String> = (0..objects)
        .map(|number| place::source_target(number) + "\n")
        .collect();
    vec![
        ("BASE", source.head.clone()),
        ("OBJECT_FORMAT", source.object_format.clone()),
        ("ALTERNATES", alternates.concat()),
    ]
}

/// Reads the count that the script printed; none where there are no changes, or where they could not be counted in time.
pub(super) fn notice(source: &Source, printed: &[u8]) -> Option<Notice> {
    let count = String::from_utf8_lossy(printed).trim().parse().ok()?;
    (count > 0).then(|| Notice::Uncommitted {
        count,
        repository: source.root.clone(),
    })
}
