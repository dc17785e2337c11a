//! What a new session can be made with: the runtimes that answer, and the images of the engine.

use clauderon_api::CreateOptions;
use clauderon_runtime::docker::DEFAULT_IMAGE;
use clauderon_runtime::{Docker, Runtime as _, Unavailable};
use clauderon_session::Backend;

use crate::config::Defaults;
use crate::runtimes::Runtimes;

/// Asks every backend.
pub async fn view(runtimes: &Runtimes, defaults: &Defaults) -> CreateOptions {
    let (docker, bubblewrap) = tokio::join!(answering(runtimes), runtimes.prove_bubblewrap());
    let images = match &docker {
        Ok(docker) => docker.images().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the engine does not list its images");
            Vec::new()
        }),
        Err(_) => Vec::new(),
    };
    let image = docker.is_ok().then(|| {
        let configured = defaults.image.clone();
        configured.unwrap_or_else(|| DEFAULT_IMAGE.to_owned())
    });
    let found = [
        (Backend::Docker, docker.map(drop)),
        (Backend::Bubblewrap, bubblewrap),
    ];
    let (backends, missing) = sorted(found, defaults.backend);
    CreateOptions {
        budget: defaults.budget,
        backends,
        missing,
        image,
        images,
    }
}

async fn answering(runtimes: &Runtimes) -> Result<std::sync::Arc<Docker>, Unavailable> {
    let docker = runtimes.docker().await?;
    docker.probe().await?;
    Ok(docker)
}

/// Puts the person's own choice first, else the order in which one is chosen where nobody does.
fn sorted(
    found: [(Backend, Result<(), Unavailable>); 2],
    preferred: Option<Backend>,
) -> (Vec<Backend>, Vec<String>) {
    let mut backends = Vec::new();
    let mut missing = Vec::new();
    for (backend, works) in found {
        match works {
            Ok(()) => backends.push(backend),
            Err(why) => missing.push(sentence(&why)),
        }
    }
    backends.sort_by_key(|backend| Some(*backend) != preferred);
    (backends, missing)
}

/// Says what is wrong and what helps, as one sentence for a person.
fn sentence(why: &Unavailable) -> String {
    let mut letters = why.sentence.chars();
    let first = letters.next().map(char::to_uppercase);
    let text: String = first.into_iter().flatten().chain(letters).collect();
    format!(
        "{}: {}.",
        text.trim_end_matches('.'),
        why.fix.trim_end_matches('.')
    )
}

#[cfg(test)]
mod tests {
    use clauderon_runtime::Why;

    use super::*;

    #[test]
    fn the_preferred_runtime_comes_first_and_a_missing_one_says_what_helps() {
        let none = || Unavailable::new(Why::NotInstalled, "no engine was found", "install one");
        let both = [(Backend::Docker, Ok(())), (Backend::Bubblewrap, Ok(()))];
        let (backends, _) = sorted(both.clone(), None);
        assert_eq!(backends, [Backend::Docker, Backend::Bubblewrap]);
        let (backends, _) = sorted(both, Some(Backend::Bubblewrap));
        assert_eq!(backends, [Backend::Bubblewrap, Backend::Docker]);
        let one = [
            (Backend::Docker, Err(none())),
            (Backend::Bubblewrap, Ok(())),
        ];
        let (backends, missing) = sorted(one, Some(Backend::Docker));
        assert_eq!(backends, [Backend::Bubblewrap]);
        assert_eq!(missing, ["No engine was found: install one."]);
    }
}
