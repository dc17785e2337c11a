//! Copies one branch's history into a session's own git folder, for sessions that borrow nothing.

use std::fs::{self, File};
use std::path::Path;

use crate::git::{Git, Input, TRANSFER};
use crate::{Error, Source};

/// Packs all that the source's commit reaches and stores it in a git folder that no agent has had.
pub(super) async fn copy(source: &Source, git_folder: &Path) -> Result<(), Error> {
    let doing = "copy the branch's history";
    let incoming = git_folder.join("objects/pack/tmp_incoming");
    let output = File::create_new(&incoming).map_err(Error::io(doing))?;
    let input = Input::Bytes(format!("{}\n", source.head).into_bytes());
    let args = [
        "pack-objects",
        "--revs",
        "--stdout",
        "--delta-base-offset",
        "-q",
    ];
    source.git.write_to(doing, &args, input, output).await?;
    let packed = File::open(&incoming).map_err(Error::io(doing))?;
    let git = Git::as_caller(git_folder);
    git.must(
        doing,
        &["index-pack", "--stdin"],
        Input::File(packed),
        TRANSFER,
    )
    .await?;
    fs::remove_file(incoming).map_err(Error::io(doing))
}
