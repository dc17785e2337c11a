//! The person's repository as a session's source: where it is, what it is at, and what a person should know about it.

mod contents;
pub(crate) mod objects;
mod remotes;

use std::path::{Path, PathBuf};

use self::contents::{references, tree};
use crate::git::{Git, Input, QUESTION};
use crate::{Error, Notice, secrets};

pub use remotes::Remote;

/// A repository from which sessions can start, as it was when inspected.
#[derive(Debug, Clone)]
pub struct Source {
    /// The top of the working files, or the repository itself where it is bare.
    pub root: PathBuf,
    /// The folder below `root` that was asked for; empty for `root` itself.
    pub subdirectory: PathBuf,
    /// Whether the repository has no working files.
    pub bare: bool,
    /// The objects folder, then every further one that it borrows from.
    pub objects: Vec<PathBuf>,
    /// The commit that is checked out.
    pub head: String,
    /// The branch that is checked out; none where HEAD is detached.
    pub branch: Option<String>,
    /// The remotes, their URLs without credentials.
    pub remotes: Vec<Remote>,
    /// Owner and name of `origin` on GitHub.
    pub github: Option<(String, String)>,
    /// What a person should know.
    pub notices: Vec<Notice>,
    pub(crate) identity: Option<(String, String)>,
    pub(crate) object_format: String,
    pub(crate) shallow: Option<Vec<u8>>,
    /// Tags and the remote-tracking branches worth having, by full name.
    pub(crate) references: Vec<(String, String)>,
    /// The remote-tracking branch that the remote calls its head, by full name.
    pub(crate) origin_head: Option<String>,
    pub(crate) index: PathBuf,
    pub(crate) git: Git,
}

impl Source {
    /// Inspects the repository that holds `path`, by plumbing that executes nothing of it.
    pub async fn inspect(path: &Path) -> Result<Self, Error> {
        let path = usable(path)?;
        let (git, facts) = locate(&path).await?;
        let configured = async {
            let settings = settings(&git).await?;
            let identity = identity(&git, &settings).await?;
            Ok((settings, identity))
        };
        let (tree, (settings, identity), branch, references) = tokio::try_join!(
            tree(&git, &facts.head),
            configured,
            branch(&git),
            references(&git)
        )?;
        let (remotes, mut notices) = remotes::read(&settings);
        if partial(&settings) {
            complete(&git, &facts.head, &facts.root).await?;
            notices.push(Notice::PartialClone);
        }
        let shallow = shallow(&facts)?;
        notices.extend(shallow.as_ref().map(|_| Notice::Shallow));
        notices.extend(tree.notices());
        notices.extend(secrets::beside(
            &facts.root,
            &facts.subdirectory,
            &tree.files,
        ));
        notices.extend(identity.is_none().then_some(Notice::NoIdentity));
        notices.extend(
            references
                .other_branches(branch.as_deref())
                .then_some(Notice::HistoryReadable),
        );
        let objects = objects::chain(&facts.objects)?;
        Ok(Self {
            subdirectory: facts.subdirectory,
            bare: facts.bare,
            objects,
            github: remotes::github(&remotes),
            references: references.worth_having(branch.as_deref()),
            origin_head: references.origin_head,
            index: facts.index,
            object_format: facts.object_format,
            root: facts.root,
            head: facts.head,
            branch,
            remotes,
            notices,
            identity,
            shallow,
            git,
        })
    }

    /// Returns the branch that the session's base is called inside.
    pub(crate) fn base_branch(&self) -> &str {
        self.branch.as_deref().unwrap_or("base")
    }
}

/// Where the parts of a repository are.
struct Facts {
    root: PathBuf,
    subdirectory: PathBuf,
    bare: bool,
    objects: PathBuf,
    shallow: PathBuf,
    index: PathBuf,
    object_format: String,
    head: String,
}

fn usable(path: &Path) -> Result<PathBuf, Error> {
    let real = std::fs::canonicalize(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchPath(path.to_owned()),
        _ => Error::Io {
            doing: format!("open {}", path.display()),
            source: error,
        },
    })?;
    let unusable = |why| Error::UnusablePath {
        path: real.clone(),
        why,
    };
    let text = real
        .to_str()
        .ok_or_else(|| unusable("its name is not UTF-8"))?;
    if text.contains(['\n', '\r']) {
        return Err(unusable("its name has a line break"));
    }
    if !real.is_dir() {
        return Err(Error::NotARepository(path.to_owned()));
    }
    Ok(real)
}

/// Where a repository's parts are, and whether it has working files.
const WHERE: [&str; 9] = [
    "--is-bare-repository",
    "--is-inside-work-tree",
    "--show-object-format",
    "--git-path",
    "objects",
    "--git-path",
    "shallow",
    "--git-path",
    "index",
];
/// What is checked out; answered last, since without a commit it ends the call.
const HEAD: &str = "HEAD^{commit}";

/// Finds the repository, as its owner where that works and as the caller otherwise.
async fn locate(path: &Path) -> Result<(Git, Facts), Error> {
    let doing = "find the repository";
    let args = [&["rev-parse"], &WHERE[..], &["--show-toplevel", HEAD]].concat();
    let mut git = Git::as_owner_of(path);
    let mut ended = git.run(doing, &args, Input::Empty, QUESTION).await?;
    if ended.stdout.is_empty() && git.is_other_user() {
        git = Git::as_caller(path);
        ended = git.run(doing, &args, Input::Empty, QUESTION).await?;
    }
    let text = ended.text();
    let lines: Vec<&str> = text.lines().collect();
    // Where there are no working files, the call ends before the last two.
    let Some(([bare, inside, format, objects, shallow, index], rest)) = lines.split_first_chunk()
    else {
        let message = crate::git::last_line(&ended.stderr);
        if message.starts_with("not a git repository") {
            return Err(Error::NotARepository(path.to_owned()));
        }
        return Err(Error::Git { doing, message });
    };
    let bare = *bare == "true";
    if !bare && *inside != "true" {
        // The path is the `.git` folder itself; what is meant is the repository around it.
        let parent = path
            .parent()
            .ok_or_else(|| Error::NotARepository(path.to_owned()))?;
        return Box::pin(locate(parent)).await;
    }
    let asked;
    let rest = if bare {
        let args = ["rev-parse", "--git-dir", HEAD];
        asked = git.run(doing, &args, Input::Empty, QUESTION).await?.text();
        asked.lines().collect()
    } else {
        rest.to_vec()
    };
    let [root, head] = rest[..] else {
        return Err(Error::Git {
            doing,
            message: "its answer was not understood".into(),
        });
    };
    if !is_object_id(head) {
        return Err(Error::NoCommits(path.to_owned()));
    }
    let real =
        |line: &str| std::fs::canonicalize(path.join(line)).unwrap_or_else(|_| path.join(line));
    let root = real(root);
    let below = path.strip_prefix(&root).ok().filter(|_| !bare);
    let facts = Facts {
        subdirectory: below.unwrap_or(Path::new("")).to_owned(),
        bare,
        objects: real(objects),
        shallow: real(shallow),
        index: real(index),
        object_format: (*format).to_owned(),
        head: head.to_owned(),
        root,
    };
    Ok((git.at(&facts.root), facts))
}

/// Returns the repository's own configuration: key and value, in order.
async fn settings(git: &Git) -> Result<Vec<(String, String)>, Error> {
    let doing = "read the repository's configuration";
    let listed = git.ask(doing, &["config", "--null", "--list"]).await?;
    let text = String::from_utf8_lossy(&listed);
    let pair = |entry: &str| {
        let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
        (key.to_owned(), value.to_owned())
    };
    Ok(text
        .split('\0')
        .filter(|entry| !entry.is_empty())
        .map(pair)
        .collect())
}

pub(crate) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

async fn branch(git: &Git) -> Result<Option<String>, Error> {
    let args = ["symbolic-ref", "--quiet", "HEAD"];
    let ended = git
        .run("read the current branch", &args, Input::Empty, QUESTION)
        .await?;
    Ok(ended.text().strip_prefix("refs/heads/").map(str::to_owned))
}

async fn identity(
    git: &Git,
    settings: &[(String, String)],
) -> Result<Option<(String, String)>, Error> {
    let own = |key: &str| {
        settings
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
    };
    let find = async |key: &'static str| match own(key) {
        Some(value) => Ok(Some(value)),
        None => git.personal(key).await,
    };
    let (name, email) = tokio::try_join!(find("user.name"), find("user.email"))?;
    Ok(name.zip(email))
}

fn partial(settings: &[(String, String)]) -> bool {
    settings.iter().any(|(key, value)| {
        key == "extensions.partialclone"
            || (key.starts_with("remote.") && key.ends_with(".promisor") && value == "true")
    })
}

/// Refuses a partial clone that lacks files of the commit itself.
async fn complete(git: &Git, head: &str, root: &Path) -> Result<(), Error> {
    let args = [
        "rev-list",
        "--objects",
        "--no-walk",
        "--missing=print",
        head,
    ];
    let ended = git
        .run("look for missing files", &args, Input::Empty, QUESTION)
        .await?;
    if !ended.ok || ended.text().lines().any(|line| line.starts_with('?')) {
        return Err(Error::MissingObjects(root.to_owned()));
    }
    Ok(())
}

fn shallow(facts: &Facts) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(&facts.shallow) {
        Ok(bytes) if !bytes.is_empty() => Ok(Some(bytes)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read where the history is cut")(error)),
    }
}
