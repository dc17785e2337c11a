//! The demo's stage: a home, a repository, a scripted upstream, a daemon. All of it goes when struck.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clauderon_api::Client;
use clauderon_daemon::demo::make_repository;
use clauderon_rehearsal::{Options, Rehearsal};
use clauderon_vault::KNOWN;
use tempfile::TempDir;

use crate::context::Context;

/// The hosts that the script plays.
const HOSTS: [&str; 2] = ["api.anthropic.com", "github.com"];

/// Everything that the demo needs.
pub struct Stage {
    /// A client of the demo's own daemon.
    pub client: Client,
    /// The repository to work on.
    pub repository: PathBuf,
    /// The scripted model; it records all that it received.
    pub upstream: Rehearsal,
    /// The token that stands for a person's own.
    pub token: String,
    home: PathBuf,
    root: TempDir,
}

impl Stage {
    /// Builds it and starts its daemon.
    pub async fn set(context: &Context) -> anyhow::Result<Stage> {
        // Not below the temporary folder of the environment: sockets need short paths.
        let root = tempfile::Builder::new()
            .prefix("clauderon-demo-")
            .tempdir_in("/tmp")
            .context("make the demo's folder")?;
        let home = root.path().join("home");
        let repository = root.path().join("repository");
        let upstream = Rehearsal::start(Options::default()).await?;
        let token = invented_token()?;
        furnish(&home, root.path(), &upstream, &token)?;
        std::os::unix::fs::symlink(context.home.join("agents"), home.join("agents"))
            .context("share the installed agents")?;
        let files = [("README.md", "# A throw-away repository\n")];
        make_repository(&repository, &files)?;
        ours(&home, &["daemon", "restart"]).context("start the demo's daemon")?;
        let client = Client::connect(home.join("clauderon.sock")).await?;
        Ok(Stage {
            client,
            repository,
            upstream,
            token,
            home,
            root,
        })
    }

    /// Ends the session and the daemon, and deletes the folder.
    pub async fn strike(self) {
        // Whatever is left is in a folder that goes now; there is nobody to tell.
        let _ = self.client.delete_session("demo").await;
        let _ = ours(&self.home, &["daemon", "stop"]);
        self.upstream.stop().await;
        let _ = self.root.close();
    }
}

fn furnish(home: &Path, root: &Path, upstream: &Rehearsal, token: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let private =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    let secrets = home.join("secrets");
    std::fs::create_dir_all(&secrets).context("make the demo's home")?;
    private(home, 0o700)?;
    private(&secrets, 0o700)?;
    let secret = secrets.join("anthropic_oauth_token");
    std::fs::write(&secret, token).context("write the demo's token")?;
    private(&secret, 0o600)?;
    let ca = root.join("upstream-ca.pem");
    std::fs::write(&ca, upstream.ca_pem()).context("write the upstream's certificate")?;
    let mut proxy = format!("[upstream]\nca_file = {ca:?}\n[upstream.resolve]\n");
    for host in HOSTS {
        proxy.push_str(&format!("\"{host}:443\" = \"{}\"\n", upstream.addr()));
    }
    std::fs::write(home.join("proxy.toml"), proxy).context("write proxy.toml")
}

/// Runs this program for the demo's home, without any of the person's credentials.
fn ours(home: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    for variable in KNOWN.iter().flat_map(|known| known.variables) {
        command.env_remove(variable);
    }
    let done = command
        .args(arguments)
        .env("CLAUDERON_HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()?;
    if !done.status.success() {
        bail!("{}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

fn invented_token() -> anyhow::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|why| anyhow::anyhow!("read random bytes: {why}"))?;
    let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sk-ant-oat01-invented-for-this-demo-{random}"))
}
