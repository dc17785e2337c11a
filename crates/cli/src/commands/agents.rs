//! `clauderon agents`: fetching the pinned agents and showing what is here. It needs no daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use clauderon_agents::{Pin, Progress, Source, install, installed};
use clauderon_api::{Agent, AgentView, AgentsView};
use clauderon_daemon::{Config, Paths};

use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
Each archive is checked against the checksum that this release pins; nothing in it is run.

Examples:
  clauderon agents install                          both
  clauderon agents install claude
  clauderon agents install codex --archive codex.tgz
  clauderon agents list";

/// Install the agents and show which are
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Agents {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Fetch, check and unpack the agents
    Install {
        /// Which [default: all]
        #[arg(value_parser = agent())]
        agents: Vec<Agent>,
        /// An archive on this machine, for one agent
        #[arg(long, value_name = "FILE", conflicts_with = "registry")]
        archive: Option<PathBuf>,
        /// The https address of a package registry that has the archives [default: the one in
        /// config.toml, else the public one]
        #[arg(long, value_name = "URL")]
        registry: Option<String>,
    },
    /// Show the pinned versions and what is installed
    List,
}

fn agent() -> impl TypedValueParser<Value = Agent> {
    PossibleValuesParser::new(["claude", "codex"]).try_map(|word| word.parse::<Agent>())
}

impl Agents {
    /// Installs or lists.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        if let Verb::Install {
            agents,
            archive,
            registry,
        } = self.verb
        {
            let agents = match agents.is_empty() {
                true => Agent::ALL.to_vec(),
                false => agents,
            };
            if archive.is_some() && agents.len() != 1 {
                return Err(failure::usage(
                    "--archive holds one agent, and none or several are named.",
                    "Name the agent: `clauderon agents install claude --archive FILE`.",
                ));
            }
            let source = source(context, archive, registry)?;
            for agent in agents {
                one(context, agent, source.clone()).await?;
            }
        }
        context.print(&view(context), text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Chooses where archives come from: the flags, else `config.toml`, else the public registry.
fn source(
    context: &Context,
    archive: Option<PathBuf>,
    registry: Option<String>,
) -> anyhow::Result<Source> {
    if let Some(archive) = archive {
        return Ok(Source::Archive(archive));
    }
    if let Some(registry) = registry {
        return Ok(Source::Registry(registry));
    }
    let config = Config::load(&Paths::at(&context.home)?)?;
    clauderon_daemon::registry(&config.preferences.agents)
}

async fn one(context: &Context, agent: Agent, source: Source) -> anyhow::Result<()> {
    if installed(&context.home, agent).is_some() {
        context.say(&format!("{agent} is installed already."));
        return Ok(());
    }
    let mut quarter = 0;
    install(&context.home, agent, source, |progress| {
        if let Some(step) = say(agent, &progress, &mut quarter) {
            // Size and time are said to whoever waits, terminal or not.
            output::note(&step);
        }
    })
    .await?;
    Ok(())
}

/// Says a step in words; of the many that count bytes, one each quarter.
fn say(agent: Agent, progress: &Progress, quarter: &mut u64) -> Option<String> {
    match progress {
        Progress::Fetching { version, bytes } => Some(match bytes {
            Some(bytes) => {
                let seconds = (bytes / 10_000_000).max(1);
                let size = bytes / 1_000_000;
                format!("Fetching {agent} {version}: {size} MB, about {seconds} s at 100 Mbit/s")
            }
            None => format!("Fetching {agent} {version}"),
        }),
        Progress::Fetched { bytes, of } => {
            let reached = bytes.saturating_mul(4).checked_div((*of)?)?;
            if reached <= *quarter || reached >= 4 {
                return None;
            }
            *quarter = reached;
            Some(format!("  {} %", reached * 25))
        }
        Progress::Checking => Some("  checking the checksum".to_owned()),
        Progress::Unpacking => Some("  unpacking".to_owned()),
    }
}

fn view(context: &Context) -> AgentsView {
    let agents = Agent::ALL.iter().map(|&agent| AgentView {
        agent,
        version: Pin::of(agent)
            .map_or_else(|| "none for this processor".to_owned(), |pin| pin.version),
        installed: installed(&context.home, agent).map(|found| found.dir),
    });
    AgentsView {
        agents: agents.collect(),
    }
}

fn text(view: &AgentsView) -> String {
    let rows: Vec<[String; 3]> = view
        .agents
        .iter()
        .map(|row| {
            let place = match &row.installed {
                Some(place) => place.display().to_string(),
                None => format!("not installed; clauderon agents install {}", row.agent),
            };
            [row.agent.to_string(), row.version.clone(), place]
        })
        .collect();
    output::table(["AGENT", "VERSION", "WHERE"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_said_once_a_quarter() {
        let mut quarter = 0;
        let of = Some(100);
        let said: Vec<u64> = (0..=100)
            .filter(|&bytes| {
                say(
                    Agent::Claude,
                    &Progress::Fetched { bytes, of },
                    &mut quarter,
                )
                .is_some()
            })
            .collect();
        assert_eq!(said, [25, 50, 75]);
    }
}
