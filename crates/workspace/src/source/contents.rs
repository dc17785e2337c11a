//! What the repository holds, as far as a session and its notices need it: the commit's files, the branches and tags.

use crate::git::{Git, Input, QUESTION};
use crate::{Error, Notice, secrets};

/// The files of the commit, as far as notices need them.
pub(super) struct Tree {
    pub(super) files: Vec<String>,
    submodules: usize,
    lfs: bool,
}

impl Tree {
    /// Returns what a person should know of them.
    pub(super) fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        if self.submodules > 0 {
            notices.push(Notice::Submodules {
                count: self.submodules,
            });
        }
        if self.lfs {
            notices.push(Notice::Lfs);
        }
        let paths: Vec<String> = self
            .files
            .iter()
            .filter(|path| secrets::suspicious_name(path))
            .cloned()
            .collect();
        if !paths.is_empty() {
            notices.push(Notice::TrackedSecrets { paths });
        }
        notices
    }
}

/// Lists the files of a commit.
pub(super) async fn tree(git: &Git, head: &str) -> Result<Tree, Error> {
    let doing = "list the files of the commit";
    let listed = git
        .ask(doing, &["ls-tree", "-r", "-z", "--full-tree", head])
        .await?;
    let text = String::from_utf8_lossy(&listed);
    let mut tree = Tree {
        files: Vec::new(),
        submodules: 0,
        lfs: false,
    };
    for entry in text.split('\0') {
        let Some((facts, path)) = entry.split_once('\t') else {
            continue;
        };
        if facts.starts_with("160000") {
            tree.submodules += 1;
            continue;
        }
        tree.files.push(path.to_owned());
    }
    if tree.files.iter().any(|path| path == ".gitattributes") {
        let blob = format!("{head}:.gitattributes");
        let args = ["cat-file", "blob", &blob];
        let ended = git.run(doing, &args, Input::Empty, QUESTION).await?;
        tree.lfs = ended.text().contains("filter=lfs");
    }
    Ok(tree)
}

/// The repository's branches and tags.
pub(super) struct References {
    all: Vec<(String, String)>,
    pub(super) origin_head: Option<String>,
}

impl References {
    /// Whether there are branches besides this one.
    pub(super) fn other_branches(&self, own: Option<&str>) -> bool {
        let own = own.map(|branch| format!("refs/heads/{branch}"));
        self.all
            .iter()
            .any(|(name, _)| name.starts_with("refs/heads/") && Some(name) != own.as_ref())
            || self
                .all
                .iter()
                .any(|(name, _)| name.starts_with("refs/remotes/"))
    }

    /// Tags, and of the remote-tracking branches those of this branch and of the remote's head: what people compare with.
    pub(super) fn worth_having(&self, own: Option<&str>) -> Vec<(String, String)> {
        let tracking = own.map(|branch| format!("refs/remotes/origin/{branch}"));
        let wanted = |name: &String| {
            name.starts_with("refs/tags/")
                || Some(name) == tracking.as_ref()
                || Some(name) == self.origin_head.as_ref()
        };
        self.all
            .iter()
            .filter(|(name, _)| wanted(name))
            .cloned()
            .collect()
    }
}

/// Lists the branches and tags.
pub(super) async fn references(git: &Git) -> Result<References, Error> {
    let format = "--format=%(objectname) %(refname) %(symref)";
    let args = [
        "for-each-ref",
        format,
        "refs/heads",
        "refs/tags",
        "refs/remotes",
    ];
    let listed = git.ask("list the branches", &args).await?;
    let mut references = References {
        all: Vec::new(),
        origin_head: None,
    };
    for line in String::from_utf8_lossy(&listed).lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(id), Some(name)) = (words.next(), words.next()) else {
            continue;
        };
        let symbolic = words.next().filter(|target| !target.is_empty());
        match symbolic {
            Some(target) if name == "refs/remotes/origin/HEAD" => {
                references.origin_head = Some(target.to_owned());
            }
            Some(_) => {}
            None => references.all.push((name.to_owned(), id.to_owned())),
        }
    }
    Ok(references)
}
