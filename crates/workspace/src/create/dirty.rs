//! Counts what is not committed in the person's repository, in a throw-away sandbox of its own, since the agent must never
//! see those files.

use std::time::Duration;

use clauderon_runtime::Mount;

use crate::inside::{Job, Sandboxes};
use crate::{Notice, Source, place};

/// How long counting may take before it is given up.
const COUNT: Duration = Duration::from_secs(5);

/// Counts; `None` where there are no changes, or where they could not be counted in time, which is no failure.
pub(super) async fn count(sandboxes: &Sandboxes<'_>, source: &Source) -> Option<Notice> {
    if source.bare {
        return None;
    }
    let printed = match sandboxes.run(job(source)).await {
        Ok(printed) => printed,
        Err(error) => {
            tracing::debug!(%error, "uncommitted changes were not counted");
            return None;
        }
    };
    let count = String::from_utf8_lossy(&printed).trim().parse().ok()?;
    (count > 0).then(|| Notice::Uncommitted {
        count,
        repository: source.root.clone(),
    })
}

fn job(source: &Source) -> Job {
    let mut mounts = place::source_mounts(&source.objects, None);
    mounts.push(Mount::read_only(&source.root, "/clauderon/original"));
    if source.index.is_file() {
        mounts.push(Mount::read_only(&source.index, "/clauderon/index"));
    }
    let alternates: Vec<String> = (0..source.objects.len())
        .map(|number| place::source_target(number) + "\n")
        .collect();
    Job {
        doing: "count uncommitted changes",
        script: include_str!("../inside/dirty.sh"),
        mounts,
        env: vec![
            ("BASE", source.head.clone()),
            ("OBJECT_FORMAT", source.object_format.clone()),
            ("ALTERNATES", alternates.concat()),
        ],
        session_dir: None,
        limit: COUNT,
        max_output: 1 << 20,
    }
}
