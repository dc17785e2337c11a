//! Writes a git folder by hand: no program runs, and nothing of the person's configuration comes along by accident.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Source, Workspace, place};

/// What a git folder says.
pub(crate) struct GitFolder<'a> {
    pub(crate) head: String,
    pub(crate) config: String,
    pub(crate) alternates: Vec<String>,
    pub(crate) references: Vec<(String, String)>,
    /// One symbolic reference: name and target.
    pub(crate) symbolic: Option<(String, String)>,
    pub(crate) shallow: Option<&'a [u8]>,
}

impl<'a> GitFolder<'a> {
    /// Describes a session's clone.
    pub(crate) fn of_session(source: &Source, workspace: &'a Workspace) -> Self {
        let isolated = workspace.objects.is_empty();
        let mut references = vec![
            (
                format!("refs/heads/{}", workspace.branch),
                workspace.base.clone(),
            ),
            (
                format!("refs/heads/{}", source.base_branch()),
                workspace.base.clone(),
            ),
        ];
        if !isolated {
            references.extend(source.references.iter().cloned());
        }
        let tracked = |name: &String| references.iter().any(|(known, _)| known == name);
        let symbolic = source.origin_head.clone().filter(tracked);
        Self {
            head: format!("ref: refs/heads/{}\n", workspace.branch),
            config: Self::plain_config(&workspace.object_format, &workspace.identity)
                + &remotes(source),
            alternates: (0..workspace.objects.len())
                .map(place::source_target)
                .collect(),
            symbolic: symbolic.map(|target| ("refs/remotes/origin/HEAD".to_owned(), target)),
            references,
            shallow: workspace.shallow.as_deref(),
        }
    }

    /// Returns a configuration with nothing but the format and the author.
    pub(crate) fn plain_config(object_format: &str, identity: &(String, String)) -> String {
        let (version, extensions) = match object_format {
            "sha1" => (0, String::new()),
            other => (
                1,
                format!("[extensions]\n\tobjectFormat = {}\n", quoted(other)),
            ),
        };
        let (name, email) = identity;
        format!(
            "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n{extensions}[user]\n\tname = {}\n\temail = {}\n",
            quoted(name),
            quoted(email)
        )
    }

    /// Writes the folder at a place where nothing is yet.
    pub(crate) fn write(&self, at: &Path) -> io::Result<()> {
        for folder in [
            "objects/info",
            "objects/pack",
            "refs/heads",
            "refs/tags",
            "info",
        ] {
            fs::create_dir_all(at.join(folder))?;
        }
        fs::write(at.join("HEAD"), &self.head)?;
        fs::write(at.join("config"), &self.config)?;
        if !self.alternates.is_empty() {
            let mut lines = self.alternates.join("\n");
            lines.push('\n');
            fs::write(at.join("objects/info/alternates"), lines)?;
        }
        let mut references = self.references.clone();
        references.sort();
        references.dedup_by(|one, other| one.0 == other.0);
        let lines: Vec<String> = references
            .iter()
            .map(|(name, id)| format!("{id} {name}\n"))
            .collect();
        fs::write(at.join("packed-refs"), lines.concat())?;
        if let Some((name, target)) = &self.symbolic {
            let path = at.join(name);
            fs::create_dir_all(path.parent().unwrap_or(at))?;
            fs::write(path, format!("ref: {target}\n"))?;
        }
        match self.shallow {
            Some(shallow) => fs::write(at.join("shallow"), shallow),
            None => Ok(()),
        }
    }
}

fn remotes(source: &Source) -> String {
    let mut text = String::new();
    for remote in &source.remotes {
        let name = &remote.name;
        // A name that needs escaping is no name that git made.
        if name
            .chars()
            .any(|letter| letter.is_control() || matches!(letter, '"' | '\\' | '*'))
        {
            continue;
        }
        text.push_str(&format!(
            "[remote \"{name}\"]\n\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/{name}/*\n",
            quoted(&remote.url)
        ));
    }
    let origin = source.remotes.iter().any(|remote| remote.name == "origin");
    if let (Some(branch), true) = (&source.branch, origin) {
        let plain = branch.replace('\\', "\\\\").replace('"', "\\\"");
        let merge = quoted(&format!("refs/heads/{branch}"));
        text.push_str(&format!(
            "[branch \"{plain}\"]\n\tremote = origin\n\tmerge = {merge}\n"
        ));
    }
    text
}

/// Quotes a configuration value so that it is read as it is.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' | '\0' => {}
            other => text.push(other),
        }
    }
    text.push('"');
    text
}
