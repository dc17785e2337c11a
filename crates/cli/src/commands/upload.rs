//! `clauderon upload`: files for a session's agent.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use clauderon_api::Upload as Taken;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::io::AsyncReadExt as _;

use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
Each file is put into /clauderon/uploads inside, at most 100 MB; its path there is printed.

Examples:
  clauderon upload fix screenshot.png
  clauderon say fix \"Make it look like $(clauderon upload fix screenshot.png)\"";

/// How much of a file is read at once.
const PIECE: usize = 64 << 10;

/// Put files into a session
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Upload {
    /// The session's name or identifier
    session: String,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Upload {
    /// Uploads one after the other and prints where each is inside.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        for file in &self.files {
            check(file)?;
        }
        let client = context.connect().await?;
        let mut taken: Vec<Taken> = Vec::new();
        for file in &self.files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let open = tokio::fs::File::open(file).await;
            let open = open.with_context(|| format!("read {}", file.display()))?;
            taken.push(client.upload(&self.session, &name, pieces(open)).await?);
        }
        context.print(&taken, |taken| text(taken))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(taken: &[Taken]) -> String {
    let paths: Vec<String> = taken.iter().map(|one| output::escape(&one.path)).collect();
    paths.join("\n")
}

/// Refuses what cannot be uploaded before anything is.
fn check(file: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(file).map_err(|error| {
        failure::usage(
            format!("{} cannot be read: {error}.", file.display()),
            "Give the path of a file.",
        )
    })?;
    if found.is_dir() {
        return Err(failure::usage(
            format!("{} is a folder.", file.display()),
            "Pack it into one file first: `tar -czf folder.tar.gz FOLDER`.",
        ));
    }
    Ok(())
}

fn pieces(file: tokio::fs::File) -> BoxStream<'static, std::io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).await?;
        piece.truncate(count);
        Ok((count > 0).then(|| (Bytes::from(piece), file)))
    })
    .boxed()
}
