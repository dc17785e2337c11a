//! Counts what is not committed in the person's repository, in a throw-away sandbox that can only read it.

use std::time::Duration;

use clauderon_runtime::Mount;

use super::Source;
use crate::inside::{Job, Sandboxes};
use crate::{Notice, place};

/// Counts the uncommitted changes that stay behind; none where there are none or where it cannot be found out cheaply.
///
/// It is meant to run beside [`create`](crate::create), since nothing depends on it.
pub async fn uncommitted(sandboxes: &Sandboxes<'_>, source: &Source) -> Option<Notice> {
    if source.bare {
        return None;
    }
    let mut mounts = place::source_mounts(&source.objects, None);
    mounts.push(Mount::read_only(&source.root, "/workspace"));
    if source.index.is_file() {
        mounts.push(Mount::read_only(&source.index, "/clauderon/index"));
    }
    let alternates: Vec<String> = (0..source.objects.len())
        .map(|number| place::source_target(number) + "\n")
        .collect();
    let job = Job {
        doing: "count uncommitted changes",
        script: include_str!("../inside/dirty.sh"),
        mounts,
        env: vec![
            ("BASE", source.head.clone()),
            ("OBJECT_FORMAT", source.object_format.clone()),
            ("ALTERNATES", alternates.concat()),
        ],
        session_dir: None,
        limit: Duration::from_secs(5),
        max_output: 4096,
    };
    match sandboxes.run(job).await {
        Ok(printed) => {
            let count = String::from_utf8_lossy(&printed).trim().parse().ok()?;
            (count > 0).then(|| Notice::Uncommitted {
                count,
                repository: source.root.clone(),
            })
        }
        Err(error) => {
            tracing::debug!(%error, "uncommitted changes were not counted");
            None
        }
    }
}
