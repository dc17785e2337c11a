//! `clauderon diff`: a session's work against its base. The text is the sandbox's, so it is escaped
//! before a terminal; a pipe gets the patch as it is.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::DiffView;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Shows commits, uncommitted work and untracked files as one patch.

Examples:
  clauderon diff fix
  clauderon diff fix | git apply --check";

const RESET: &str = "\x1b[0m";

/// Show what a session changed
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Diff {
    /// The session's name or identifier
    session: String,
}

impl Diff {
    /// Prints the patch.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let diff = context.connect().await?.diff(&self.session).await?;
        if context.json {
            output::json(&diff)?;
            return Ok(ExitCode::SUCCESS);
        }
        for notice in &diff.notices {
            output::note(&output::escape(notice));
        }
        if diff.truncated {
            output::note("The patch is cut: it is larger than the limit.");
        }
        if output::to_terminal() {
            output::raw(coloured(&diff).as_bytes())?;
        } else {
            output::raw(diff.patch.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Colours and escapes; begins with the changed files and their lines.
fn coloured(diff: &DiffView) -> String {
    if diff.patch.is_empty() && diff.files.is_empty() {
        return "No changes.\n".to_owned();
    }
    let mut text = String::new();
    for file in &diff.files {
        let count = |lines: Option<u64>| lines.map_or("-".to_owned(), |lines| lines.to_string());
        text.push_str(&format!(
            "\x1b[32m{:>5}{RESET} \x1b[31m{:>5}{RESET} {}\n",
            count(file.added),
            count(file.removed),
            output::escape(&file.path)
        ));
    }
    for line in diff.patch.lines() {
        let escaped = output::escape_text(line);
        match colour(line) {
            Some(colour) => text.push_str(&format!("{colour}{escaped}{RESET}\n")),
            None => text.push_str(&format!("{escaped}\n")),
        }
    }
    text
}

fn colour(line: &str) -> Option<&'static str> {
    let bold = ["diff ", "index ", "--- ", "+++ "];
    match line.as_bytes().first() {
        _ if bold.iter().any(|start| line.starts_with(start)) => Some("\x1b[1m"),
        Some(b'+') => Some("\x1b[32m"),
        Some(b'-') => Some("\x1b[31m"),
        Some(b'@') => Some("\x1b[36m"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        let diff = DiffView {
            base: String::new(),
            branch: String::new(),
            head: String::new(),
            commits: 0,
            files: vec![],
            patch: "@@\n+a\x1b]52;c;x\x07\n-\tb\n c\r\n".to_owned(),
            risky: vec![],
            truncated: false,
            notices: vec![],
        };
        assert_eq!(
            coloured(&diff),
            "\x1b[36m@@\x1b[0m\n\x1b[32m+a\\u{1b}]52;c;x\\u{7}\x1b[0m\n\x1b[31m-\tb\x1b[0m\n c\n"
        );
    }
}
