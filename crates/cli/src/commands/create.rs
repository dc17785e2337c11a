//! `clauderon create`: a new session, attached to, answered, or left running.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clauderon_api::{
    Agent, Backend, Cap, CreateSession, Created, Error, Fingerprints, Mode, Posture,
};
use clauderon_vault::Environment;

use crate::attach::{self, print};
use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
Examples:
  clauderon create                                     a session on this repository, attached
  clauderon create --name fix \"repair the login test\"  with a prompt to begin with
  clauderon create --print \"what does this do?\"        the answer, and the agent's exit code
  clauderon create --print - < prompt.md               the prompt from standard input, byte for byte
  clauderon create --print -- \"-v is broken, why?\"     a prompt that begins with a dash
  clauderon create --detach --agent codex --policy locked
  clauderon create --budget 5usd                       the request after 5 dollars waits for you

A session works on a clone of what is committed; `clauderon pull` brings its work back.
Presets: locked is the model alone; balanced adds fetching code and public packages; open is any
public https host. docs/policy.md has them in full.";

/// Create a session: a private clone, a sandbox, an agent
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// The session's name [default: one is made]
    #[arg(long)]
    name: Option<String>,
    /// A folder in the git repository to work on [default: the current folder]
    #[arg(long, value_name = "FOLDER")]
    repository: Option<PathBuf>,
    /// The agent [default: the one in config.toml, else claude]
    #[arg(long, value_parser = agent())]
    agent: Option<Agent>,
    /// The sandbox [default: docker where an engine answers, else bubblewrap]
    #[arg(long, value_parser = backend())]
    backend: Option<Backend>,
    /// The container image, of a docker sandbox [default: the one in config.toml, else clauderon:latest]
    #[arg(long)]
    image: Option<String>,
    /// The model, in the agent's own words
    #[arg(long)]
    model: Option<String>,
    /// What the sandbox may reach [default: the one in config.toml, else balanced]
    #[arg(long, value_parser = posture())]
    policy: Option<Posture>,
    /// What it may spend, such as 5usd or 2Mtokens; none for no budget [default: the one in config.toml, else none]
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<Cap>,
    /// Bring along the current branch's history alone: no other branch can be read inside
    #[arg(long)]
    isolate_history: bool,
    /// Answer the prompt and exit: the agent's own output and exit code
    #[arg(long, conflicts_with_all = ["detach", "json"])]
    print: bool,
    /// Leave the session running and return
    #[arg(long)]
    detach: bool,
    /// The prompt, where it begins with a dash or an argument is inconvenient
    #[arg(long = "prompt", value_name = "PROMPT", allow_hyphen_values = true)]
    prompt_flag: Option<String>,
    /// What the agent shall do; `-` reads standard input
    #[arg(conflicts_with = "prompt_flag")]
    prompt: Option<String>,
}

fn agent() -> impl TypedValueParser<Value = Agent> {
    PossibleValuesParser::new(["claude", "codex"]).try_map(|word| word.parse::<Agent>())
}

fn backend() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(["docker", "bubblewrap"]).try_map(|word| word.parse::<Backend>())
}

fn posture() -> impl TypedValueParser<Value = Posture> {
    PossibleValuesParser::new(["locked", "balanced", "open"])
        .try_map(|word| word.parse::<Posture>())
}

impl Create {
    /// Creates, then attaches, prints or returns.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let stay = !self.print && !self.detach && !context.json;
        if stay && !attach::possible() {
            return Err(failure::usage(
                "A new session is attached to this terminal, and there is none.",
                "Add --print for an answer on standard output, or --detach to leave it running.",
            ));
        }
        let print = self.print;
        let request = self.request()?;
        let client = context.connect().await?;
        let created = client
            .create_session(&request, |step| context.say(step))
            .await?;
        for notice in &created.notices {
            // A print session's standard error is the agent's own, except where a person watches.
            match print {
                true => context.say(notice),
                false => output::note(&output::escape(notice)),
            }
        }
        if print {
            return print::answer(context, client, &created.session.id).await;
        }
        if stay {
            return attach::session(context, client, &created.session).await;
        }
        context.print(&created, text)?;
        Ok(ExitCode::SUCCESS)
    }

    fn request(self) -> anyhow::Result<CreateSession> {
        let prompt = match self.prompt_flag.or(self.prompt) {
            Some(dash) if dash == "-" => Some(from_standard_input()?),
            prompt => prompt,
        };
        if self.print && prompt.as_ref().is_none_or(|prompt| prompt.is_empty()) {
            return Err(failure::usage(
                "There is nothing to answer: --print needs a prompt.",
                "Give it as an argument, or as `-` to read standard input.",
            ));
        }
        let repository = self.repository.unwrap_or_else(|| PathBuf::from("."));
        let repository = std::path::absolute(&repository).map_err(|why| {
            Error::usage(format!(
                "The repository {} cannot be found: {why}.",
                repository.display()
            ))
        })?;
        let (cols, rows) = attach::size().unwrap_or_default();
        Ok(CreateSession {
            name: self.name,
            repository,
            agent: self.agent,
            backend: self.backend,
            image: self.image,
            model: self.model,
            mode: if self.print {
                Mode::Print
            } else {
                Mode::Interactive
            },
            prompt,
            posture: self.policy,
            cols,
            rows,
            budget: self.budget,
            isolate_history: self.isolate_history,
            credential_fingerprints: Some(fingerprints()?),
        })
    }
}

fn text(created: &Created) -> String {
    let name = output::escape(&created.session.name);
    format!(
        "{name}\n\nclauderon attach {name}   to talk to it\nclauderon diff {name}     to see its work"
    )
}

/// Reads the prompt to its last byte; nothing is trimmed.
fn from_standard_input() -> anyhow::Result<String> {
    let mut prompt = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut prompt)
        .context("read the prompt from standard input")?;
    String::from_utf8(prompt).map_err(|why| {
        failure::usage(
            format!(
                "The prompt is not UTF-8: byte {} cannot be read.",
                why.utf8_error().valid_up_to()
            ),
            "Agents take text; convert it with `iconv -t UTF-8`.",
        )
    })
}

/// Hashes the credentials in this environment under a fresh salt; values are never sent.
fn fingerprints() -> anyhow::Result<Fingerprints> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|why| anyhow::anyhow!("read random bytes: {why}"))?;
    let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
    let values = Environment::capture().fingerprint(salt.as_bytes());
    Ok(Fingerprints { salt, values })
}

impl Create {
    #[cfg(test)]
    fn parsed(arguments: &[&str]) -> Create {
        use clap::Parser;
        let words = ["clauderon", "create"].iter().chain(arguments);
        match super::Cli::parse_from(words).command {
            super::Command::Create(create) => *create,
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn prompts_arrive_as_they_were_written() {
        let nasty = "'quotes' \"$(id)\"\n\u{1f600}\t";
        for (arguments, expected) in [
            (&["--print", nasty][..], nasty),
            (&["--print", "--prompt", "-x"], "-x"),
            (&["--print", "--", "--help"], "--help"),
            (&["--print", "--prompt=--help"], "--help"),
        ] {
            let request = Create::parsed(arguments).request().unwrap();
            assert_eq!(request.prompt.as_deref(), Some(expected));
            assert_eq!(request.mode, Mode::Print);
        }
    }

    #[test]
    fn the_repository_is_this_folder_and_absolute() {
        let request = Create::parsed(&[]).request().unwrap();
        assert_eq!(request.repository, std::env::current_dir().unwrap());
        assert_eq!(request.prompt, None);
        assert_eq!(request.mode, Mode::Interactive);
    }

    #[test]
    fn printing_needs_a_prompt() {
        for arguments in [&["--print"][..], &["--print", ""]] {
            let error = Create::parsed(arguments).request().unwrap_err();
            assert!(error.to_string().contains("needs a prompt"));
        }
    }
}
