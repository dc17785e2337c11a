//! The backends of this machine: Docker where an engine answers, else bubblewrap, and always said which.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clauderon_runtime::docker::discover::{OnDisk, Place, Surroundings, places};
use clauderon_runtime::{Bubblewrap, Docker, Installation, Runtime, Unavailable};
use clauderon_session::Backend;
use clauderon_vault::Shell;
use tokio::sync::{Mutex, OnceCell};

/// The backends, each connected when it is first needed.
pub struct Runtimes {
    installation: Installation,
    shell: Option<Shell>,
    around: OnceCell<Surroundings>,
    /// Every engine that was ever of use, by its socket. A session stays with the engine that made its container.
    engines: Mutex<HashMap<PathBuf, Arc<Docker>>>,
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
    /// Makes them for one installation, whose engine is looked for where our own environment says, or else the login shell's.
    pub fn new(installation: Installation, shell: Option<Shell>) -> Self {
        Self {
            bubblewrap: Arc::new(Bubblewrap::new(installation.clone())),
            installation,
            shell,
            around: OnceCell::new(),
            engines: Mutex::default(),
            bubblewrap_works: OnceCell::new(),
        }
    }

    /// The bubblewrap backend.
    pub fn bubblewrap(&self) -> &Arc<Bubblewrap> {
        &self.bubblewrap
    }

    /// The engine that new sessions get, looked for anew: one may have come, gone or been chosen since the last time.
    pub async fn docker(&self) -> Result<Arc<Docker>, Unavailable> {
        let mut refused = None;
        let around = self.around.get_or_init(|| around(self.shell.clone())).await;
        for place in places(around, &OnDisk)? {
            match self.engine_at(place).await {
                Ok(docker) => return Ok(docker),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        Err(refused.expect("there is at least one place"))
    }

    async fn engine_at(&self, place: Place) -> Result<Arc<Docker>, Unavailable> {
        let known = self.engines.lock().await.get(&place.socket).cloned();
        if let Some(docker) = known {
            docker.reach()?;
            return Ok(docker);
        }
        let socket = place.socket.clone();
        let docker = Docker::connect(self.installation.clone(), place).await?;
        // Two who asked at once made two clients of the same engine; either will do.
        let mut engines = self.engines.lock().await;
        Ok(engines.entry(socket).or_insert(Arc::new(docker)).clone())
    }

    /// Returns the backend of an existing session, `engine` being the socket of the one that made its container.
    pub async fn of(
        &self,
        backend: Backend,
        engine: Option<&Path>,
    ) -> Result<Arc<dyn Runtime>, Unavailable> {
        match (backend, engine) {
            (Backend::Docker, Some(socket)) => {
                let place = Place {
                    socket: socket.to_owned(),
                    how: "the engine of this session".to_owned(),
                };
                Ok(self.engine_at(place).await?)
            }
            (Backend::Docker, None) => Ok(self.docker().await?),
            (Backend::Bubblewrap | Backend::Fake, _) => Ok(self.bubblewrap.clone()),
        }
    }

    /// Chooses the backend of a new session and proves that it works.
    pub async fn choose(&self, wanted: Option<Backend>) -> Result<Chosen, Unavailable> {
        match wanted {
            Some(backend) => {
                let runtime = self
                    .of(backend, None)
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
    pub async fn prove_bubblewrap(&self) -> Result<(), Unavailable> {
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

async fn around(shell: Option<Shell>) -> Surroundings {
    let ask = move || {
        let variable = |name: &str| {
            let own = std::env::var_os(name);
            own.or_else(|| shell.as_ref()?.plain(name))
        };
        Surroundings::from_variables(variable, std::env::home_dir())
    };
    // The shell may take its time; a panic of ours is a bug that a default would hide.
    tokio::task::spawn_blocking(ask)
        .await
        .expect("looking for variables does not panic")
}
