//! Copies a conversation into the home of another session: what the agent wrote down of it, and nothing else of its home.
//!
//! The first home is an agent's own, and that agent may be writing: everything is opened beneath it without following a link,
//! and a last line that is not whole yet is left out. The second one no agent has had.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, chown};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clauderon_agents::conversation_exists;
use clauderon_runtime::User;
use clauderon_session::Agent;
use clauderon_workspace::{Files, Kind};

/// How many folders deep a conversation's files lie at most.
const DEEPEST: usize = 6;
/// Most files that are copied.
const MOST_FILES: usize = 10_000;
/// How much of a file's end is looked at in one go for the end of a line.
const PIECE: u64 = 64 << 10;

/// Copies what belongs to the conversation `of` from one home into another, whose sandbox must not be running.
///
/// # Errors
/// The disk fails, or nothing of the conversation could be copied.
pub fn copy_transcripts(agent: Agent, of: &str, from: &Path, to: &Path, user: User) -> Result<()> {
    let files = Files::beneath(from).context("open the session's home")?;
    let mut found = Vec::new();
    match agent {
        Agent::Claude => {
            let own = |path: &str| path.split('/').any(|part| is_own(part, of));
            list(&files, ".claude/projects", DEEPEST, &own, &mut found);
        }
        // A home holds the conversation of one session.
        Agent::Codex => {
            let rollout = |path: &str| path.ends_with(".jsonl");
            list(&files, ".codex/sessions", DEEPEST, &rollout, &mut found);
        }
    }
    for path in found {
        // What is no plain file any more is not copied.
        let Ok(raw) = files.raw(&path) else { continue };
        copy(raw.file, raw.bytes, to, &path, user)
            .with_context(|| format!("copy the conversation's {path}"))?;
    }
    if !conversation_exists(to, agent, of) {
        bail!("the conversation could not be copied");
    }
    Ok(())
}

/// Says whether a part of a path names the conversation: its file, or the folder of its sub-agents and long outputs.
fn is_own(part: &str, of: &str) -> bool {
    part == of || part.strip_suffix(".jsonl") == Some(of)
}

fn list(
    files: &Files,
    folder: &str,
    depth: usize,
    wanted: &dyn Fn(&str) -> bool,
    found: &mut Vec<String>,
) {
    let Ok(listed) = files.folder(folder) else {
        return;
    };
    for entry in listed.entries {
        let path = format!("{folder}/{}", entry.name);
        match entry.kind {
            Kind::File if wanted(&path) && found.len() < MOST_FILES => found.push(path),
            Kind::Folder if depth > 0 => list(files, &path, depth - 1, wanted, found),
            _ => {}
        }
    }
}

fn copy(from: File, bytes: u64, home: &Path, path: &str, user: User) -> io::Result<()> {
    let target = home.join(path);
    make_folders(home, Path::new(path).parent(), user)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&target)?;
    let copied = io::copy(&mut from.take(bytes), &mut file)?;
    if path.ends_with(".jsonl") {
        file.set_len(end_of_lines(&file, copied)?)?;
    }
    give_to(&target, user)
}

fn make_folders(home: &Path, below: Option<&Path>, user: User) -> io::Result<()> {
    let mut folder = home.to_owned();
    for part in below.into_iter().flat_map(Path::components) {
        folder.push(part);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => give_to(&folder, user)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn give_to(path: &Path, user: User) -> io::Result<()> {
    match rustix::process::geteuid().is_root() {
        true => chown(path, Some(user.uid), Some(user.gid)),
        false => Ok(()),
    }
}

/// Returns where the last whole line of a file of this length ends.
fn end_of_lines(file: &File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = vec![0; (end - start) as usize];
        file.read_exact_at(&mut piece, start)?;
        if let Some(at) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    const OWN: &str = "11111111-2222-4333-8444-555555555555";
    const OTHER: &str = "99999999-2222-4333-8444-555555555555";

    /// Copies a home of these files, and returns what is in the other one.
    fn copied(agent: Agent, files: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let (from, to) = (tempfile::tempdir()?, tempfile::tempdir()?);
        for (path, text) in files {
            let path = from.path().join(path);
            fs::create_dir_all(path.parent().unwrap())?;
            match text.strip_prefix("-> ") {
                Some(target) => std::os::unix::fs::symlink(target, path)?,
                None => fs::write(path, text)?,
            }
        }
        copy_transcripts(agent, OWN, from.path(), to.path(), User::for_caller())?;
        let mut found = Vec::new();
        gather(to.path(), to.path(), &mut found);
        found.sort();
        Ok(found)
    }

    fn gather(home: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                gather(home, &path, found);
            } else {
                let name = path.strip_prefix(home).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn the_conversation_is_copied_and_nothing_else_of_the_home() {
        let folder = ".claude/projects/-workspace";
        let main = format!("{folder}/{OWN}.jsonl");
        let sub = format!("{folder}/{OWN}/subagents/agent-1.jsonl");
        let output = format!("{folder}/{OWN}/tool-results/1.txt");
        let found = copied(
            Agent::Claude,
            &[
                (&main, "{\"a\":1}\n{\"half"),
                (&sub, "{}\n"),
                (&output, "no line end"),
                (&format!("{folder}/{OTHER}.jsonl"), "{}\n"),
                (".claude/.credentials.json", "secret"),
                (".claude.json", "{}"),
                (&format!("{folder}/link/{OWN}.jsonl"), "-> /etc/passwd"),
                (&format!("{folder}/{OWN}/link.jsonl"), "-> /etc/passwd"),
                (".claude/projects/folder", "-> /etc"),
            ],
        );
        let expected = [
            (main, "{\"a\":1}\n"),
            (sub, "{}\n"),
            (output, "no line end"),
        ];
        let expected = expected.map(|(path, text)| (path, text.to_owned()));
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn codexs_rollouts_are_copied_and_its_login_is_not() {
        let rollout = ".codex/sessions/2026/11/23/rollout-1.jsonl";
        let found = copied(
            Agent::Codex,
            &[
                (rollout, "{}\n"),
                (".codex/auth.json", "{}"),
                (".codex/history.jsonl", "{}\n"),
            ],
        );
        assert_eq!(found.unwrap(), [(rollout.to_owned(), "{}\n".to_owned())]);
    }

    #[test]
    fn a_conversation_that_is_a_link_is_none() {
        let main = format!(".claude/projects/-workspace/{OWN}.jsonl");
        assert!(copied(Agent::Claude, &[(&main, "-> /etc/passwd")]).is_err());
    }

    #[test]
    fn a_line_that_is_not_whole_is_left_out_however_long_it_is() {
        let check = |text: &str, expected: u64| {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), text).unwrap();
            let end = end_of_lines(&File::open(file.path()).unwrap(), text.len() as u64);
            assert_eq!(end.unwrap(), expected);
        };
        check("", 0);
        check("one", 0);
        check("one\n", 4);
        check("one\ntwo", 4);
        check(&format!("one\n{}", "x".repeat(200_000)), 4);
    }
}
