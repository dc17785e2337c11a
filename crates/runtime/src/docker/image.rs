//! Images: present, fit, or built from our own Dockerfile with the engine's classic builder.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use bollard::models::ImageInspect;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, ContainerArchiveInfoOptionsBuilder, ListImagesOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt;

use super::container::{Container, Streams};
use super::{Docker, engine_error, is_missing};
use crate::{Limits, OneShot, RuntimeError, User};

/// The name of the image that `clauderon image build` makes.
pub const DEFAULT_IMAGE: &str = "clauderon:latest";

/// What the default image is made of.
pub const DOCKERFILE: &str = include_str!("../../../../docker/Dockerfile");

/// The most images that are listed.
const LISTED: usize = 200;

/// What a session needs of an image; each missing thing is printed as one sentence.
const FITNESS: &str = r#"
command -v git >/dev/null || echo "it has no git"
command -v curl >/dev/null || echo "it has no curl"
[ -e /lib64/ld-linux-x86-64.so.2 ] || [ -e /lib/ld-linux-aarch64.so.1 ] || echo "it has no glibc, which the agents need"
"#;

impl Docker {
    /// Makes sure that an image can hold a session, once for each image id.
    pub(super) async fn fit_image(&self, image: &str) -> Result<ImageInspect, RuntimeError> {
        let seen = self.inspect_image(image).await?;
        let id = seen.id.clone().unwrap_or_default();
        if self
            .fit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&id)
        {
            return Ok(seen);
        }
        let lacks = self.lacks(&seen, image).await?;
        if !lacks.is_empty() {
            return Err(RuntimeError::ImageUnfit {
                image: image.to_owned(),
                lacks,
            });
        }
        self.fit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id);
        Ok(seen)
    }

    async fn lacks(&self, seen: &ImageInspect, image: &str) -> Result<Vec<String>, RuntimeError> {
        let here = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        if let Some(other) = seen
            .architecture
            .as_deref()
            .filter(|other| !other.is_empty() && *other != here)
        {
            return Ok(vec![format!(
                "it is for {other}, and this machine is {here}"
            )]);
        }
        if !self.has_bash(seen).await? {
            return Ok(vec!["it has no bash".into()]);
        }
        let check = OneShot {
            image: Some(seen.id.clone().unwrap_or_else(|| image.to_owned())),
            timeout: Duration::from_secs(30),
            max_output: 64 << 10,
            ..OneShot::new(["/bin/bash", "-c", FITNESS])
        };
        let output = self.throw_away(check, &[]).await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lacks: Vec<String> = said.lines().map(str::to_owned).collect();
        if lacks.is_empty() && output.code != 0 {
            lacks.push(format!(
                "its bash ended with {} under full hardening",
                output.code
            ));
        }
        Ok(lacks)
    }

    /// Looks for the file in a container that is never started: an image without it could not start one.
    async fn has_bash(&self, seen: &ImageInspect) -> Result<bool, RuntimeError> {
        let api = &self.engine.api;
        let body = Container {
            installation: &self.installation,
            image: seen.id.as_deref().unwrap_or_default(),
            image_config: &seen.config.clone().unwrap_or_default(),
            session: None,
            command: vec!["/bin/bash".into()],
            env: Vec::new(),
            cwd: Path::new("/"),
            mounts: &[],
            user: User::for_caller(),
            limits: Limits::of_this_machine(),
            streams: Streams::Pipes { stdin: false },
            throw_away: false,
        }
        .body();
        let id = api
            .create_container(None, body)
            .await
            .map_err(|error| engine_error("check the image", &error))?
            .id;
        let options = ContainerArchiveInfoOptionsBuilder::default()
            .path("/bin/bash")
            .build();
        let found = api.get_container_archive_info(&id, Some(options)).await;
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let _ = api.remove_container(&id, Some(options)).await;
        match found {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(engine_error("check the image", &error)),
        }
    }

    /// Makes sure that the engine has an image, fit or not.
    ///
    /// # Errors
    /// [`RuntimeError::ImageMissing`] where it does not, with the command that provides it.
    pub async fn has_image(&self, image: &str) -> Result<(), RuntimeError> {
        self.inspect_image(image).await.map(drop)
    }

    /// Looks an image up.
    pub(super) async fn inspect_image(&self, image: &str) -> Result<ImageInspect, RuntimeError> {
        self.engine.api.inspect_image(image).await.map_err(|error| {
            if !is_missing(&error) {
                return engine_error("look at the image", &error);
            }
            let ours = image == DEFAULT_IMAGE || image == "clauderon";
            let fix = if ours {
                "clauderon image build".into()
            } else {
                format!("docker pull {image}")
            };
            RuntimeError::ImageMissing {
                image: image.to_owned(),
                fix,
            }
        })
    }

    /// Names the images that the engine has, ours first; what has no name is left out.
    pub async fn images(&self) -> Result<Vec<String>, RuntimeError> {
        let options = ListImagesOptionsBuilder::default().build();
        let seen = self.engine.api.list_images(Some(options)).await;
        let seen = seen.map_err(|error| engine_error("list images", &error))?;
        Ok(in_order(seen.into_iter().flat_map(|image| image.repo_tags)))
    }

    /// Builds the default image under the name `tag`, from `base` instead of the Dockerfile's own.
    pub async fn build_default_image(
        &self,
        tag: &str,
        base: Option<&str>,
        progress: impl FnMut(&str) + Send,
    ) -> Result<(), RuntimeError> {
        self.build(&dockerfile_alone(), tag, base, progress).await
    }

    /// Builds `tag` from the folder `context`, whose `Dockerfile` takes its base image as the build argument `BASE`.
    /// Each line that the builder prints is handed to `progress`.
    pub async fn build_image(
        &self,
        context: &Path,
        tag: &str,
        base: Option<&str>,
        progress: impl FnMut(&str) + Send,
    ) -> Result<(), RuntimeError> {
        let archive = pack(context)
            .map_err(|error| RuntimeError::io(format!("pack {}", context.display()), error))?;
        self.build(&archive, tag, base, progress).await
    }

    /// The builder names the image at its very end; a caller who goes away leaves none.
    async fn build(
        &self,
        archive: &[u8],
        tag: &str,
        base: Option<&str>,
        mut progress: impl FnMut(&str) + Send,
    ) -> Result<(), RuntimeError> {
        let mut options = BuildImageOptionsBuilder::default()
            .t(tag)
            .rm(true)
            .forcerm(true);
        let arguments = base.map(|base| std::collections::HashMap::from([("BASE", base)]));
        if let Some(arguments) = &arguments {
            options = options.buildargs(arguments);
        }
        let body = bollard::body_full(archive.to_vec().into());
        let mut lines = Box::pin(
            self.engine
                .api
                .build_image(options.build(), None, Some(body)),
        );
        while let Some(line) = lines.next().await {
            let line = line.map_err(|error| engine_error("build the image", &error))?;
            if let Some(detail) = line.error_detail {
                let message = detail
                    .message
                    .unwrap_or_else(|| "the builder failed".into());
                return Err(RuntimeError::Engine {
                    doing: "build the image",
                    message,
                });
            }
            for text in [line.stream, line.status].into_iter().flatten() {
                text.lines()
                    .filter(|text| !text.trim().is_empty())
                    .for_each(&mut progress);
            }
        }
        Ok(())
    }
}

/// Packs a folder into an archive in memory; a Dockerfile's context of ours is a few files.
fn pack(context: &Path) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    archive.append_dir_all(".", context)?;
    archive.into_inner()
}

/// Packs the Dockerfile of this release.
fn dockerfile_alone() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(DOCKERFILE.len() as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, "Dockerfile", DOCKERFILE.as_bytes())
        .and_then(|()| archive.into_inner())
        .expect("an archive in memory can be written")
}

/// Sorts names: the default image, other images of ours, the rest by name.
fn in_order(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.filter(|name| !name.contains("<none>")).collect();
    let rank = |name: &str| match name {
        DEFAULT_IMAGE => 0,
        _ if name.starts_with("clauderon") => 1,
        _ => 2,
    };
    names.sort_by(|a, b| (rank(a), a).cmp(&(rank(b), b)));
    names.dedup();
    names.truncate(LISTED);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_listed_by_name_and_ours_first() {
        let names = [
            "b:1",
            "<none>:<none>",
            "a:1",
            "clauderon-test:latest",
            "clauderon:latest",
            "a:1",
        ];
        assert_eq!(
            in_order(names.map(str::to_owned).into_iter()),
            ["clauderon:latest", "clauderon-test:latest", "a:1", "b:1"]
        );
    }
}
