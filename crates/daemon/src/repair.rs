//! What the doctor can mend by itself. A repair lives as long as somebody listens: it is cancelled when the listener goes
//! away, and leaves either the whole thing or nothing.

use std::sync::Arc;

use anyhow::Context as _;
use clauderon_agents::{Progress, Source};
use clauderon_api::{Error, Fix, FixLine};
use clauderon_policy::Routes;
use clauderon_runtime::Docker;
use clauderon_runtime::docker::DEFAULT_IMAGE;
use clauderon_session::Agent;
use tokio::sync::mpsc;

use crate::config::AgentSettings;
use crate::failure;
use crate::sessions::Shared;

/// Lines that may wait for a slow listener; of more, steps are left out and the end never.
const LINES: usize = 256;

/// Begins a repair.
pub fn begin(shared: Arc<Shared>, fix: Fix) -> mpsc::Receiver<FixLine> {
    let (lines, listener) = mpsc::channel(LINES);
    let tasks = shared.tasks.clone();
    tasks.spawn(async move {
        let work = work(&shared, fix, Said(lines.clone()));
        let ended = tokio::select! {
            () = lines.closed() => {
                tracing::info!(?fix, "the repair was given up: nobody listens any more");
                return;
            }
            ended = work => ended,
        };
        let last = match ended {
            Ok(message) => FixLine::Done { message },
            Err(error) => FixLine::Error(error),
        };
        // The listener may leave at this very moment.
        let _ = lines.send(last).await;
    });
    listener
}

async fn work(shared: &Shared, fix: Fix, said: Said) -> Result<String, Error> {
    match fix {
        Fix::InstallClaude => install(shared, Agent::Claude, said).await,
        Fix::InstallCodex => install(shared, Agent::Codex, said).await,
        Fix::BuildImage => {
            let docker = shared.runtimes.docker().await;
            let docker = docker.map_err(failure::unavailable)?;
            build(&docker, said).await
        }
    }
}

/// Where a repair says how far it is. Saying never waits.
struct Said(mpsc::Sender<FixLine>);

impl Said {
    fn step(&self, message: impl Into<String>, percent: Option<u8>) {
        let message = message.into();
        // A listener that is slow misses a step, and one that is gone ends the repair elsewhere.
        let _ = self.0.try_send(FixLine::Progress { message, percent });
    }
}

async fn install(shared: &Shared, agent: Agent, said: Said) -> Result<String, Error> {
    let source = registry(&shared.preferences.agents).map_err(failure::anyhow)?;
    let mut last = None;
    let progress = |progress: Progress| {
        let (message, percent) = step(agent, &progress);
        if last != Some(percent) {
            last = Some(percent);
            said.step(message, Some(percent));
        }
    };
    let home = shared.paths.home();
    let installed = clauderon_agents::install(home, agent, source, progress)
        .await
        .map_err(|error| Error::failed(error.to_string()))?;
    Ok(format!(
        "{} {} is installed.",
        agent.title(),
        installed.version
    ))
}

/// Names the registry that agents come from: the configured one, else the public one of this release.
///
/// # Errors
/// This release names no registry.
pub fn registry(settings: &AgentSettings) -> anyhow::Result<Source> {
    if let Some(registry) = &settings.registry {
        return Ok(Source::Registry(registry.clone()));
    }
    let host = Routes::registry_host("npm").context("this release names no package registry")?;
    Ok(Source::Registry(format!("https://{host}")))
}

/// Says a step and how much of the whole is done: nearly all of the time goes into fetching.
fn step(agent: Agent, progress: &Progress) -> (String, u8) {
    let title = agent.title();
    match progress {
        Progress::Fetching { version, bytes } => {
            let size = bytes.map(|bytes| format!(" ({} MB)", bytes / 1_000_000));
            let size = size.unwrap_or_default();
            (format!("fetch {title} {version}{size}"), 0)
        }
        Progress::Fetched { bytes, of } => {
            let share = of.filter(|of| *of > 0).map_or(0, |of| bytes * 85 / of);
            (format!("fetch {title}"), share.min(85) as u8)
        }
        Progress::Checking => ("compare the checksum".to_owned(), 86),
        Progress::Unpacking => ("unpack".to_owned(), 90),
    }
}

async fn build(docker: &Docker, said: Said) -> Result<String, Error> {
    said.step(format!("build the image {DEFAULT_IMAGE}"), Some(0));
    let mut percent = 0;
    let line = |line: &str| {
        percent = share_of_build(line).unwrap_or(percent);
        said.step(line, Some(percent));
    };
    docker
        .build_default_image(DEFAULT_IMAGE, None, line)
        .await
        .map_err(failure::runtime)?;
    Ok(format!("The image {DEFAULT_IMAGE} is there."))
}

/// Reads `Step 2/3 : …`, as the classic builder says it: what comes before this step is done.
fn share_of_build(line: &str) -> Option<u8> {
    let (step, of) = line
        .strip_prefix("Step ")?
        .split_once(" : ")?
        .0
        .split_once('/')?;
    let (step, of): (u32, u32) = (step.parse().ok()?, of.parse().ok()?);
    let share = (step.checked_sub(1)? * 100).checked_div(of)?;
    u8::try_from(share.min(99)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetching_is_most_of_an_installation_and_never_goes_back() {
        let fetched = |bytes, of| step(Agent::Claude, &Progress::Fetched { bytes, of }).1;
        assert_eq!(fetched(0, Some(100)), 0);
        assert_eq!(fetched(50, Some(100)), 42);
        assert_eq!(fetched(500, Some(100)), 85);
        assert_eq!(fetched(500, None), 0);
        assert_eq!(fetched(500, Some(0)), 0);
        let rest = [Progress::Checking, Progress::Unpacking];
        assert_eq!(rest.map(|rest| step(Agent::Codex, &rest).1), [86, 90]);
    }

    #[test]
    fn the_builders_steps_are_read_as_a_share() {
        for (line, expected) in [
            ("Step 1/3 : ARG BASE", Some(0)),
            ("Step 3/3 : RUN apt-get update", Some(66)),
            ("Step 9/3 : FROM x", Some(99)),
            ("Step 0/0 : FROM x", None),
            ("Step x/3 : FROM x", None),
            (" ---> 0123", None),
        ] {
            assert_eq!(share_of_build(line), expected, "{line}");
        }
    }
}
