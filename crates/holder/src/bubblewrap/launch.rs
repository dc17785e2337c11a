//! From a spec to a running bwrap: everything that can fail with a sentence is prepared here, before
//! the fork; [`super::child`] only makes system calls.

use std::ffi::CString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clauderon_holder::{Sandbox, Spec, Stage, User};

use super::Inside;
use super::child;

/// Where staged mounts appear, in a mount namespace of the sandbox's own.
const STAGE: &str = "/run/clauderon/stage";

/// Everything the child needs, with no allocation left to do.
pub struct Plan {
    pub program: CString,
    pub argv: Vec<CString>,
    pub inside: Inside,
    pub keep: Vec<RawFd>,
    pub user: Option<User>,
    pub stage: Option<StagePlan>,
    pub cgroups: Vec<(File, PathBuf)>,
}

/// The tmpfs for staged mounts, and what is bound where in it.
pub struct StagePlan {
    pub dir: CString,
    pub binds: Vec<StagedBind>,
}

/// One staged mount.
pub struct StagedBind {
    /// What was judged; what is bound must still be it.
    pub judged: File,
    pub source: CString,
    pub target: CString,
    pub is_dir: bool,
}

pub fn launch(spec: &Spec, inside: Inside, control: Option<OwnedFd>) -> Result<i32, String> {
    let Sandbox::Bubblewrap {
        argv,
        seccomp,
        user,
        stage,
        cgroups,
    } = &spec.sandbox
    else {
        return Err("the spec is not for bubblewrap".into());
    };
    let seccomp = match seccomp {
        None => None,
        Some(path) => Some(
            File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?,
        ),
    };
    let seccomp_fd = seccomp.as_ref().map(AsRawFd::as_raw_fd);
    let control_fd = control.as_ref().map(AsRawFd::as_raw_fd);
    let words: Vec<String> = argv
        .iter()
        .map(|word| fill(word, seccomp_fd, control_fd))
        .collect::<Result<_, _>>()?;
    let plan = Plan {
        program: c_string(
            find(words.first().ok_or("the spec names no program")?)?
                .as_os_str()
                .as_bytes(),
        )?,
        argv: words
            .iter()
            .map(|word| c_string(word.as_bytes()))
            .collect::<Result<_, _>>()?,
        inside,
        keep: seccomp_fd.into_iter().chain(control_fd).collect(),
        user: *user,
        stage: plan_stage(stage)?,
        cgroups: open_cgroups(cgroups)?,
    };
    start(&plan).map_err(|error| format!("cannot start the sandbox: {error}"))?
}

fn start(plan: &Plan) -> io::Result<Result<i32, String>> {
    let (mut reader, writer) = io::pipe()?;
    // SAFETY: the process has one thread, so the child may do what it likes.
    let pid = crate::sys::check(unsafe { libc::fork() })?;
    if pid == 0 {
        child::become_sandbox(plan, writer);
    }
    drop(writer);
    // Closed by the exec; a sentence means that it never came to that.
    let mut sentence = String::new();
    reader.read_to_string(&mut sentence)?;
    if sentence.is_empty() {
        return Ok(Ok(pid));
    }
    // SAFETY: collects the child that said so.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    Ok(Err(sentence))
}

fn fill(word: &str, seccomp: Option<RawFd>, control: Option<RawFd>) -> Result<String, String> {
    let mut word = word.replace("{stage}", STAGE);
    for (name, fd) in [("{seccomp}", seccomp), ("{control}", control)] {
        if word.contains(name) {
            let fd = fd.ok_or_else(|| format!("the spec mentions {name} but has none"))?;
            word = word.replace(name, &fd.to_string());
        }
    }
    Ok(word)
}

/// The environment is empty, so there is no PATH to ask.
fn find(program: &str) -> Result<PathBuf, String> {
    if program.contains('/') {
        return Ok(program.into());
    }
    ["/usr/local/bin", "/usr/bin", "/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{program} is not installed"))
}

fn plan_stage(stage: &[Stage]) -> Result<Option<StagePlan>, String> {
    if stage.is_empty() {
        return Ok(None);
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(STAGE)
        .map_err(|error| format!("cannot create {STAGE}: {error}"))?;
    let binds = stage.iter().map(plan_bind).collect::<Result<_, _>>()?;
    Ok(Some(StagePlan {
        dir: c_string(STAGE.as_bytes())?,
        binds,
    }))
}

fn plan_bind(stage: &Stage) -> Result<StagedBind, String> {
    let plain = !stage.name.is_empty()
        && !stage.name.contains('/')
        && stage.name != "."
        && stage.name != "..";
    if !plain {
        return Err(format!("{:?} is no name for a staged mount", stage.name));
    }
    let cannot = |error: io::Error| format!("cannot mount {}: {error}", stage.source.display());
    let is_dir = fs::metadata(&stage.source).map_err(cannot)?.is_dir();
    // The caller resolved links; one that appeared since is refused.
    let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let source = File::options()
        .read(true)
        .custom_flags(flags)
        .open(&stage.source)
        .map_err(cannot)?;
    let metadata = source.metadata().map_err(cannot)?;
    if metadata.is_dir() != is_dir || !(metadata.is_dir() || metadata.is_file()) {
        return Err(format!(
            "cannot mount {}: it is neither a file nor a folder",
            stage.source.display()
        ));
    }
    Ok(StagedBind {
        source: c_string(stage.source.as_os_str().as_encoded_bytes())?,
        judged: source,
        target: c_string(format!("{STAGE}/{}", stage.name).as_bytes())?,
        is_dir,
    })
}

fn open_cgroups(paths: &[PathBuf]) -> Result<Vec<(File, PathBuf)>, String> {
    let open = |path: &PathBuf| match File::options().write(true).open(path) {
        Ok(file) => Ok((file, path.clone())),
        Err(error) => Err(format!("cannot join {}: {error}", path.display())),
    };
    paths.iter().map(open).collect()
}

fn c_string(bytes: &[u8]) -> Result<CString, String> {
    CString::new(bytes).map_err(|_| "the spec contains a NUL byte".to_owned())
}
