//! Names the changed files that act by themselves once they are merged. Pure; a help for reading, not a boundary.

use serde::{Deserialize, Serialize};

/// One changed file that deserves a look before it is merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risky {
    /// Its path.
    pub path: String,
    /// Why it deserves a look.
    pub risk: Risk,
}

/// What a file may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Runs on git operations.
    GitHook,
    /// Runs in continuous integration, with its secrets.
    Ci,
    /// Runs when the project is installed, built or tested.
    BuildScript,
    /// Read by an editor, which may run what it names.
    Editor,
    /// Read by coding agents as settings or instructions.
    AgentSettings,
    /// Changes how git treats files.
    GitAttributes,
    /// Points to another repository.
    Submodule,
    /// Points to another place.
    Link,
}

impl Risk {
    /// Says it in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::GitHook => "git hook",
            Self::Ci => "continuous integration",
            Self::BuildScript => "build or package script",
            Self::Editor => "editor settings",
            Self::AgentSettings => "agent settings",
            Self::GitAttributes => "git attributes",
            Self::Submodule => "submodule",
            Self::Link => "symbolic link",
        }
    }
}

/// One entry of a raw comparison: the new mode and the path.
pub(crate) struct Entry {
    mode: String,
    path: String,
}

/// Reads `:old-mode new-mode old-id new-id status NUL path NUL`.
pub(crate) fn changed(raw: &[u8]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(raw);
    let mut parts = text.split('\0');
    let mut entries = Vec::new();
    while let (Some(facts), Some(path)) = (parts.next(), parts.next()) {
        let mode = facts.split(' ').nth(1).unwrap_or_default().to_owned();
        entries.push(Entry {
            mode,
            path: path.to_owned(),
        });
    }
    entries
}

/// Picks those that deserve a look. What was deleted does not.
pub(crate) fn among(entries: &[Entry]) -> Vec<Risky> {
    let judged = |entry: &Entry| {
        let risk = judge(&entry.mode, &entry.path)?;
        Some(Risky {
            path: entry.path.clone(),
            risk,
        })
    };
    entries.iter().filter_map(judged).collect()
}

fn judge(mode: &str, path: &str) -> Option<Risk> {
    match mode {
        "000000" => return None,
        "160000" => return Some(Risk::Submodule),
        "120000" => return Some(Risk::Link),
        _ => {}
    }
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let within = |folder: &str| {
        lower.starts_with(&format!("{folder}/")) || lower.contains(&format!("/{folder}/"))
    };
    let any = |folders: &[&str]| folders.iter().any(|folder| within(folder));
    if name == ".gitmodules" {
        return Some(Risk::Submodule);
    }
    if name == ".gitattributes" {
        return Some(Risk::GitAttributes);
    }
    if any(&[".claude", ".codex", ".cursor", ".gemini", ".aider"])
        || matches!(
            name,
            "claude.md"
                | "claude.local.md"
                | "agents.md"
                | "agents.override.md"
                | "gemini.md"
                | ".mcp.json"
                | ".cursorrules"
                | "copilot-instructions.md"
        )
    {
        return Some(Risk::AgentSettings);
    }
    if any(&[".husky", ".githooks", ".git-hooks"])
        || matches!(
            name,
            ".pre-commit-config.yaml" | "lefthook.yml" | "lefthook.yaml" | ".lefthook.yml"
        )
    {
        return Some(Risk::GitHook);
    }
    if any(&[
        ".github/workflows",
        ".github/actions",
        ".circleci",
        ".buildkite",
        ".woodpecker",
        ".gitea/workflows",
        ".ci",
    ]) || matches!(
        name,
        ".gitlab-ci.yml"
            | "jenkinsfile"
            | "azure-pipelines.yml"
            | ".travis.yml"
            | "bitbucket-pipelines.yml"
            | ".drone.yml"
            | "action.yml"
    ) {
        return Some(Risk::Ci);
    }
    if any(&[".vscode", ".idea", ".zed", ".devcontainer", ".fleet"])
        || name.ends_with(".code-workspace")
        || matches!(
            name,
            ".exrc" | ".nvimrc" | ".nvim.lua" | ".dir-locals.el" | ".devcontainer.json"
        )
    {
        return Some(Risk::Editor);
    }
    let build = matches!(
        name,
        "package.json"
            | ".npmrc"
            | ".yarnrc"
            | ".yarnrc.yml"
            | ".pnpmfile.cjs"
            | "build.rs"
            | "setup.py"
            | "setup.cfg"
            | "pyproject.toml"
            | "conftest.py"
            | "makefile"
            | "gnumakefile"
            | "justfile"
            | "rakefile"
            | "gemfile"
            | "cmakelists.txt"
            | "build.gradle"
            | "build.gradle.kts"
            | ".envrc"
            | "mise.toml"
            | ".mise.toml"
            | "dockerfile"
            | "rust-toolchain.toml"
    );
    (build || any(&[".cargo"])).then_some(Risk::BuildScript)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_acts_by_itself() {
        let check =
            |path: &str, risk: Option<Risk>| assert_eq!(judge("100644", path), risk, "{path}");
        check(".husky/pre-commit", Some(Risk::GitHook));
        check(".github/workflows/ci.yml", Some(Risk::Ci));
        check("web/package.json", Some(Risk::BuildScript));
        check(".vscode/tasks.json", Some(Risk::Editor));
        check("sub/.claude/settings.json", Some(Risk::AgentSettings));
        check("AGENTS.md", Some(Risk::AgentSettings));
        check("a/.gitattributes", Some(Risk::GitAttributes));
        check(".gitmodules", Some(Risk::Submodule));
        check("src/main.rs", None);
        assert_eq!(judge("120000", "x"), Some(Risk::Link));
        assert_eq!(judge("160000", "x"), Some(Risk::Submodule));
        assert_eq!(judge("000000", ".husky/pre-commit"), None);
    }
}
