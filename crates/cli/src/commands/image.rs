//! `clauderon image`: the default image, made by the engine from the Dockerfile of this release. It
//! needs no daemon.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::{Error, ErrorCode};
use clauderon_runtime::docker::discover::Surroundings;
use clauderon_runtime::docker::{DEFAULT_IMAGE, DOCKERFILE};
use clauderon_runtime::{Docker, Installation};
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Any image with bash, git, curl and glibc will do for a session; this one is the default.

Examples:
  clauderon image build
  clauderon image build --base debian:trixie-slim
  clauderon image build --print-dockerfile > Dockerfile";

/// Make the default container image
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Image {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the default image
    Build {
        /// The image to begin with [default: the Dockerfile's own]
        #[arg(long)]
        base: Option<String>,
        /// The name of the image that is made
        #[arg(long, default_value = DEFAULT_IMAGE)]
        tag: String,
        /// Print the Dockerfile and build nothing
        #[arg(long)]
        print_dockerfile: bool,
    },
}

impl Image {
    /// Builds it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let Verb::Build {
            base,
            tag,
            print_dockerfile,
        } = self.verb;
        if print_dockerfile {
            output::raw(DOCKERFILE.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let around =
            Surroundings::from_variables(|name| std::env::var_os(name), std::env::home_dir());
        let engine = Docker::find(&installation(context), &around)
            .await
            .map_err(|why| Error::new(ErrorCode::NoRuntime, why.sentence).hint(why.fix))?;
        context.say(&format!(
            "Building {tag}; the first time fetches some 100 MB."
        ));
        engine
            .build_default_image(&tag, base.as_deref(), |line| context.say(line))
            .await?;
        context.print(&json!({ "image": tag }), |_| output::escape(&tag))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Names this installation for what makes no container of a session: neither building an image nor a throw-away sandbox does.
pub fn installation(context: &Context) -> Installation {
    Installation {
        id: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: context.home.clone(),
        user_home: std::env::home_dir(),
        holder: std::path::PathBuf::new(),
    }
}
