//! Images: present, fit, or built from our own Dockerfile with the engine's classic builder.

use std::path::Path;

use bollard::models::ImageInspect;
use bollard::query_parameters::BuildImageOptionsBuilder;
use futures_util::StreamExt;

use super::{Docker, engine_error, is_missing};
use crate::RuntimeError;

/// The name of the image that `clauderon image build` makes.
pub const DEFAULT_IMAGE: &str = "clauderon:latest";

/// What a session needs of an image; each missing thing is printed as one sentence.
pub const FITNESS: &str = r#"
command -v git >/dev/null || echo "it has no git"
command -v curl >/dev/null || echo "it has no curl"
[ -e /lib64/ld-linux-x86-64.so.2 ] || [ -e /lib/ld-linux-aarch64.so.1 ] || echo "it has no glibc, which the agents need"
"#;

impl Docker {
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

    /// Builds `tag` from the folder `context`, whose `Dockerfile` takes its base image as the build argument `BASE`.
    /// Each line that the builder prints is handed to `progress`.
    pub async fn build_image(
        &self,
        context: &Path,
        tag: &str,
        base: Option<&str>,
        mut progress: impl FnMut(&str) + Send,
    ) -> Result<(), RuntimeError> {
        let archive = pack(context)
            .map_err(|error| RuntimeError::io(format!("pack {}", context.display()), error))?;
        let mut options = BuildImageOptionsBuilder::default()
            .t(tag)
            .rm(true)
            .forcerm(true);
        let arguments = base.map(|base| std::collections::HashMap::from([("BASE", base)]));
        if let Some(arguments) = &arguments {
            options = options.buildargs(arguments);
        }
        let body = bollard::body_full(archive.into());
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
