//! All there is to know about one session besides its state: what it sees, may use and uses, and how it is.

use std::path::Path;

use clauderon_api::{Error, MountRow, SessionCredential, SessionInfo, Usage};
use clauderon_runtime::{Access, Handle, Mount, State};
use clauderon_session::Backend;
use clauderon_transcript::Activity;

use clauderon_workspace::Lost;

use crate::failure;
use crate::health::{Facts, Sandbox, judge};
use crate::sessions::{Session, disk};

/// Gathers it.
pub async fn of(session: &Session) -> Result<SessionInfo, Error> {
    let shared = session.shared();
    let record = shared.store.load(session.spec.id).map_err(failure::store)?;
    let (mounts, placeholders) = session.holdings()?;
    let handle = Handle {
        session: session.spec.id,
        dir: session.paths.path().to_owned(),
        container: record.container.clone(),
    };
    let backend = session.spec.backend;
    let (sandbox, usage) = match shared.runtimes.of(backend, record.engine.as_deref()).await {
        Ok(runtime) => {
            let sandbox = match (runtime.state(&handle).await, &handle.container) {
                (State::Absent, Some(_)) => Sandbox::Gone,
                (State::Unknown(why), _) => Sandbox::Unknown(why),
                (State::Present { .. } | State::Absent, _) => Sandbox::Fine,
            };
            (sandbox, runtime.usage(&handle).await)
        }
        Err(why) => (
            Sandbox::Unknown(why.sentence),
            clauderon_runtime::Usage::default(),
        ),
    };
    let view = session.view();
    let repository = session.spec.repository.display();
    let missing = clauderon_workspace::lost(&session.workspace)
        .await
        .map(|lost| match lost {
            Lost::Gone => format!("The repository {repository} is not there any more, and the session borrows its history: put it back."),
            Lost::Another => format!("{repository} is another repository now, and the session borrows the first one's history: put that back."),
        });
    let health = judge(&Facts {
        state: &view.state,
        stuck: view.status.activity == Activity::Stuck,
        mode: view.mode,
        sandbox,
        missing,
        paused: shared.gate.is_paused(),
    });
    Ok(SessionInfo {
        mounts: mounts.iter().map(mount).collect(),
        // A demo's requests carry an invented one that no vault holds.
        credentials: match record.demo {
            true => Vec::new(),
            false => credentials(session),
        },
        placeholders: placeholders.iter().map(|text| explained(text)).collect(),
        isolation: isolation(backend).to_owned(),
        usage: Usage {
            memory_bytes: usage.memory_bytes,
            cpu_ms: usage.cpu_ms,
            processes: usage.processes,
            disk_bytes: Some(measured(session).await),
        },
        health,
    })
}

/// Counts the bytes of its folders; one count at a time, as a window that asks again and again must not keep the disk busy.
async fn measured(session: &Session) -> u64 {
    let _alone = session.shared().counting.lock().await;
    disk::of(&session.paths).await
}

fn mount(mount: &Mount) -> MountRow {
    let text = |path: &Path| path.display().to_string();
    MountRow {
        source: text(&mount.source),
        target: text(&mount.target),
        writable: mount.access == Access::ReadWrite,
    }
}

/// Names the credentials that the proxy may set; values are looked up to see that they are there, and dropped.
fn credentials(session: &Session) -> Vec<SessionCredential> {
    let policy = session.whole_policy();
    let vaults = &session.shared().vaults;
    policy
        .routes
        .credentials_of(&policy)
        .into_iter()
        .map(|(name, hosts)| SessionCredential {
            source: match vaults.lookup(&name) {
                Ok(found) => found.map(|(source, _)| source.to_string()),
                Err(_) => None,
            },
            name,
            hosts,
        })
        .collect()
}

fn explained(placeholder: &str) -> String {
    format!(
        "{placeholder}: the agent holds it where a credential belongs. It is worth nothing: the proxy sets the real one on the way out, and refuses this one anywhere else."
    )
}

fn isolation(backend: Backend) -> &'static str {
    match backend {
        Backend::Docker => {
            "A Docker container without network, capabilities or root, with a read-only root and a seccomp filter; it shares this machine's kernel."
        }
        Backend::Bubblewrap => {
            "Linux namespaces by bubblewrap, without network, capabilities or root, with an empty environment and a seccomp filter; it sees this machine's programs read-only and shares its kernel."
        }
        Backend::Fake => "None: nothing runs.",
    }
}
