//! `clauderon files`: what lies in a session's workspace. Names and texts are the sandbox's, so they are escaped before
//! a terminal; a pipe gets a file as it is.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Client, EntryKind, Error, FileContent, FileView, FolderView};
use futures_util::StreamExt as _;

use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
Paths are relative to the workspace. Links are named and never followed.

Examples:
  clauderon files fix
  clauderon files fix src
  clauderon files fix src/main.rs
  clauderon files fix shot.png > shot.png";

/// List a folder of a session's workspace, or print a file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Files {
    /// The session's name or identifier
    session: String,
    /// A folder or file in the workspace
    #[arg(default_value = "")]
    path: String,
}

/// What a path leads to.
enum Found {
    Folder(FolderView),
    File(FileView),
}

impl Files {
    /// Prints it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        // `src/` is how a shell completes a folder.
        let path = self.path.strip_suffix('/').unwrap_or(&self.path);
        match find(&client, &self.session, path).await? {
            Found::Folder(folder) => context.print(&folder, text)?,
            Found::File(file) if context.json => output::json(&file)?,
            Found::File(file) if output::to_terminal() => show(&file)?,
            Found::File(_) => send(&client, &self.session, path).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn find(client: &Client, session: &str, path: &str) -> Result<Found, Error> {
    let not_listed = match client.folder(session, path).await {
        Ok(folder) => return Ok(Found::Folder(folder)),
        Err(error) => error,
    };
    match client.file(session, path).await {
        Ok(file) => Ok(Found::File(file)),
        Err(_) => Err(not_listed),
    }
}

fn text(folder: &FolderView) -> String {
    let line = |entry: &clauderon_api::FolderEntry| {
        let name = output::escape(&entry.name);
        match entry.kind {
            EntryKind::Folder => format!("{:>10}  {name}/", ""),
            EntryKind::File => format!("{:>10}  {name}", entry.bytes),
            EntryKind::Link => format!("{:>10}  {name}", "link"),
            EntryKind::Other => format!("{:>10}  {name}", "other"),
        }
    };
    let mut lines: Vec<String> = folder.entries.iter().map(line).collect();
    if folder.truncated {
        lines.push("There are more; only so many are listed.".to_owned());
    }
    lines.join("\n")
}

fn show(file: &FileView) -> anyhow::Result<()> {
    let kind = match &file.content {
        FileContent::Text { text, truncated } => {
            output::raw(output::escape_text(text).as_bytes())?;
            if *truncated {
                output::note("The text is longer; a pipe or a file gets all of it.");
            }
            return Ok(());
        }
        FileContent::Link { target } => {
            output::line(&format!("link to {}", output::escape(target)))?;
            return Ok(());
        }
        FileContent::Image { mime } => mime,
        FileContent::Binary => "no text",
    };
    Err(failure::usage(
        format!("{} is {kind} and is not printed to a terminal.", file.path),
        "Send it to a file: `clauderon files NAME PATH > FILE`.",
    ))
}

async fn send(client: &Client, session: &str, path: &str) -> anyhow::Result<()> {
    let mut pieces = client.raw_file(session, path).await?;
    while let Some(piece) = pieces.next().await {
        output::raw(&piece?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let entry = |name: &str, kind, bytes| clauderon_api::FolderEntry {
            name: name.to_owned(),
            kind,
            bytes,
            modified_ms: 0,
        };
        let folder = FolderView {
            path: String::new(),
            entries: vec![
                entry("src", EntryKind::Folder, 0),
                entry("a\x1b[2Jb\n", EntryKind::File, 12),
            ],
            truncated: false,
        };
        assert_eq!(
            text(&folder),
            "            src/\n        12  a\\u{1b}[2Jb\\u{a}"
        );
    }
}
