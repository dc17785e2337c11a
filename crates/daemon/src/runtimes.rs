//! The backends of this machine: Docker where an engine answers, else bubblewrap, and always said which.

use std::sync::Arc;

use clauderon_runtime::{Bubblewrap, Docker, Installation, Runtime, Unavailable};
use clauderon_session::Backend;
use tokio::sync::{Mutex, OnceCell};

/// The backends, each connected when it is first needed.
pub struct Runtimes {
    installation: Installation,
    docker_host: Option<String>,
    docker: Mutex<Option<Arc<Docker>>>,
    bubblewrap: Arc<Bubblewrap>,
    bubblewrap_works: OnceCell<()>,
}

/// A backend that was chosen, and what the person should know about the choice.
pub struct Chosen {
    /// The backend.
    pub runtime: Arc<dyn Runtime>,
    /// One sentence, where nobody asked for this one by name.
    pub notice: Option<String>,
}

impl Runtimes {
    /// Makes them for one installation; `docker_host` is the value of `DOCKER_HOST`.
    pub fn new(installation: Installation, docker_host: Option<String>) -> Self {
        Self {
            bubblewrap: Arc::new(Bubblewrap::new(installation.clone())),
            installation,
            docker_host,
            docker: Mutex::new(None),
            bubblewrap_works: OnceCell::new(),
        }
    }

    /// The bubblewrap backend.
    pub fn bubblewrap(&self) -> &Arc<Bubblewrap> {
        &self.bubblewrap
    }

    /// The Docker backend, connected now if it was not before: an engine may come and go.
    pub async fn docker(&self) -> Result<Arc<Docker>, Unavailable> {
        let mut docker = self.docker.lock().await;
        if let Some(docker) = &*docker {
            return Ok(docker.clone());
        }
        let connected =
            Docker::connect(self.installation.clone(), self.docker_host.as_deref()).await?;
        Ok(docker.insert(Arc::new(connected)).clone())
    }

    /// Returns the backend of an existing session.
    pub async fn of(&self, backend: Backend) -> Result<Arc<dyn Runtime>, Unavailable> {
        match backend {
            Backend::Docker => Ok(self.docker().await?),
            Backend::Bubblewrap | Backend::Fake => Ok(self.bubblewrap.clone()),
        }
    }

    /// Chooses the backend of a new session and proves that it works.
    pub async fn choose(&self, wanted: Option<Backend>) -> Result<Chosen, Unavailable> {
        match wanted {
            Some(backend) => {
                let runtime = self
                    .of(backend)
                    .await
                    .map_err(|why| self.instead(backend, why))?;
                match backend {
                    Backend::Docker => runtime.probe().await.map(drop),
                    Backend::Bubblewrap | Backend::Fake => self.prove_bubblewrap().await,
                }
                .map_err(|why| self.instead(backend, why))?;
                Ok(Chosen {
                    runtime,
                    notice: None,
                })
            }
            None => self.choose_by_default().await,
        }
    }

    /// Returns bubblewrap for the throw-away sandboxes of git where it works: it starts ten times as fast as a container.
    pub async fn fast_git(&self) -> Option<Arc<dyn Runtime>> {
        self.prove_bubblewrap().await.ok()?;
        Some(self.bubblewrap.clone())
    }

    /// Starts one bubblewrap sandbox, once: what worked does not stop working while the daemon runs.
    async fn prove_bubblewrap(&self) -> Result<(), Unavailable> {
        let prove = async || self.bubblewrap.probe().await.map(drop);
        self.bubblewrap_works.get_or_try_init(prove).await.copied()
    }

    async fn choose_by_default(&self) -> Result<Chosen, Unavailable> {
        let no_engine = match self.docker().await {
            Ok(docker) => match docker.probe().await {
                Ok(_) => {
                    return Ok(Chosen {
                        runtime: docker,
                        notice: Some("The session runs in Docker.".to_owned()),
                    });
                }
                Err(why) => why,
            },
            Err(why) => why,
        };
        self.prove_bubblewrap().await.map_err(|why| Unavailable {
            sentence: format!("{}, and {}", no_engine.sentence, why.sentence),
            fix: format!("{}; or {}", no_engine.fix, why.fix),
            ..why
        })?;
        Ok(Chosen {
            runtime: self.bubblewrap.clone(),
            notice: Some(format!(
                "The session runs in bubblewrap: {}.",
                no_engine.sentence
            )),
        })
    }

    /// Names the other backend as a way out.
    fn instead(&self, wanted: Backend, why: Unavailable) -> Unavailable {
        let other = match wanted {
            Backend::Docker => Backend::Bubblewrap,
            Backend::Bubblewrap | Backend::Fake => Backend::Docker,
        };
        let way = format!("--backend {other}");
        match why.fix.contains(&way) {
            true => why,
            false => Unavailable {
                fix: format!("{}, or use {way}", why.fix),
                ..why
            },
        }
    }
}
