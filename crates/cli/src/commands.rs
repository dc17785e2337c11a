//! The verbs, their flags and their help.

mod accounts;
mod agents;
mod approve;
mod archive;
mod attach;
mod audit;
mod budget;
mod chat;
mod completions;
mod config;
mod create;
mod daemon;
mod delete;
mod demo;
mod diff;
mod doctor;
mod files;
mod fork;
mod image;
mod info;
mod list;
mod logs;
mod messages;
mod network;
mod policy;
mod pull;
mod recreate;
mod say;
mod send;
mod start;
mod stop;
mod storage;
mod trash;
mod update;
mod upload;
mod usage;
mod wait;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::Context;

/// What stands below every help text.
const EXIT_CODES: &str = "\
Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict, 5 no runtime, 6 refused by policy, 7 credential missing.
`create --print` and `attach` end with the agent's own code when the agent ends.";

/// Run coding agents with all permissions and none of your credentials.
#[derive(Debug, Parser)]
#[command(name = "clauderon", version, propagate_version = true, after_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// Print JSON instead of text (docs/cli.md has the fields)
    #[arg(long, global = true)]
    pub json: bool,
    /// Say each step on standard error even where it is not a terminal
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// A verb.
#[derive(Debug, Subcommand)]
pub enum Command {
    Create(Box<create::Create>),
    List(list::List),
    Info(info::Info),
    Attach(attach::Attach),
    Start(start::Start),
    Stop(stop::Stop),
    Recreate(recreate::Recreate),
    Fork(fork::Fork),
    Delete(delete::Delete),
    Trash(trash::Trash),
    Archive(archive::Archive),
    Unarchive(archive::Unarchive),
    Rename(update::Rename),
    Pin(update::Pin),
    Unpin(update::Unpin),
    Diff(diff::Diff),
    Pull(pull::Pull),
    Files(files::Files),
    Chat(chat::Chat),
    Send(send::Send),
    Messages(messages::Messages),
    Say(say::Say),
    Approve(approve::Approve),
    Deny(approve::Deny),
    Wait(wait::Wait),
    Upload(upload::Upload),
    Logs(logs::Logs),
    Policy(policy::Policy),
    Posture(update::ChangePosture),
    Budget(budget::ChangeBudget),
    Network(network::SetNetwork),
    Audit(audit::Audit),
    Accounts(accounts::Accounts),
    Agents(agents::Agents),
    Image(image::Image),
    Config(config::Config),
    Doctor(doctor::Doctor),
    Storage(storage::Storage),
    Usage(usage::ShowUsage),
    Demo(demo::Demo),
    Daemon(daemon::Daemon),
    Web(web::Web),
    Completions(completions::Completions),
}

/// Whether a command is done or still needs an async runtime.
pub enum Ready {
    Done(ExitCode),
    Needs(Command),
}

impl Command {
    /// Does what must not run inside a runtime, or needs none.
    pub fn without_runtime(self, context: &Context) -> anyhow::Result<Ready> {
        match self {
            Command::Daemon(daemon) if daemon.is_foreground() => {
                daemon.foreground(context).map(Ready::Done)
            }
            Command::Completions(completions) => completions.run().map(Ready::Done),
            other => Ok(Ready::Needs(other)),
        }
    }

    /// Does everything else.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Command::Create(create) => create.run(context).await,
            Command::List(list) => list.run(context).await,
            Command::Info(info) => info.run(context).await,
            Command::Attach(attach) => attach.run(context).await,
            Command::Start(start) => start.run(context).await,
            Command::Stop(stop) => stop.run(context).await,
            Command::Recreate(recreate) => recreate.run(context).await,
            Command::Fork(fork) => fork.run(context).await,
            Command::Delete(delete) => delete.run(context).await,
            Command::Trash(trash) => trash.run(context).await,
            Command::Archive(archive) => archive.run(context).await,
            Command::Unarchive(unarchive) => unarchive.run(context).await,
            Command::Rename(rename) => rename.run(context).await,
            Command::Pin(pin) => pin.run(context).await,
            Command::Unpin(unpin) => unpin.run(context).await,
            Command::Diff(diff) => diff.run(context).await,
            Command::Pull(pull) => pull.run(context).await,
            Command::Files(files) => files.run(context).await,
            Command::Chat(chat) => chat.run(context).await,
            Command::Send(send) => send.run(context).await,
            Command::Messages(messages) => messages.run(context).await,
            Command::Say(say) => say.run(context).await,
            Command::Approve(approve) => approve.run(context).await,
            Command::Deny(deny) => deny.run(context).await,
            Command::Wait(wait) => wait.run(context).await,
            Command::Upload(upload) => upload.run(context).await,
            Command::Logs(logs) => logs.run(context).await,
            Command::Policy(policy) => policy.run(context).await,
            Command::Posture(posture) => posture.run(context).await,
            Command::Budget(budget) => budget.run(context).await,
            Command::Network(network) => network.run(context).await,
            Command::Audit(audit) => audit.run(context).await,
            Command::Accounts(accounts) => accounts.run(context).await,
            Command::Agents(agents) => agents.run(context).await,
            Command::Image(image) => image.run(context).await,
            Command::Config(config) => config.run(context).await,
            Command::Doctor(doctor) => doctor.run(context).await,
            Command::Storage(storage) => storage.run(context).await,
            Command::Usage(usage) => usage.run(context).await,
            Command::Demo(demo) => demo.run(context).await,
            Command::Daemon(daemon) => daemon.run(context).await,
            Command::Web(web) => web.run(context).await,
            Command::Completions(completions) => completions.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_examples() {
        for verb in Cli::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("clauderon ")),
                "{}",
                verb.get_name()
            );
        }
    }

    fn refusal(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from(arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn a_mistyped_word_is_answered_with_the_nearest_one() {
        for (arguments, hint) in [
            (&["clauderon", "creat"][..], "'create'"),
            (&["clauderon", "create", "--agent", "cluade"], "'claude'"),
            (
                &["clauderon", "create", "--backend", "bubblewarp"],
                "'bubblewrap'",
            ),
            (&["clauderon", "create", "--policy", "opne"], "'open'"),
            (&["clauderon", "create", "--nmae", "x"], "'--name'"),
        ] {
            let text = refusal(arguments);
            assert!(text.contains(hint), "{text}");
        }
    }

    #[test]
    fn a_prompt_that_looks_like_a_flag_is_told_the_way() {
        assert!(refusal(&["clauderon", "create", "-x do"]).contains("-- "));
    }
}
