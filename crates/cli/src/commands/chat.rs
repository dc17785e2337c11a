//! `clauderon chat`: a session's conversation, as text or as items.

mod words;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Client, ConversationEvent, ConversationQuery, Error, SendMessage};
use clauderon_transcript::{Item, ItemId};
use tokio::sync::mpsc;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
What stands here was put together from what the proxy saw and what the agent wrote down; `clauderon attach` shows the
agent's own screen.

Examples:
  clauderon chat fix                 what was said and done so far
  clauderon chat fix --follow        and how it goes on; in a terminal, each line that you type is sent
  clauderon chat fix --standing      what it does now, and the tokens it used
  clauderon chat fix --json          one item a line, for scripts";

/// The most items that can be asked for at once.
const MOST: u32 = 500;

/// Show a session's conversation
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Chat {
    /// The session's name or identifier
    session: String,
    /// Go on showing what is said and done; in a terminal, send each line that is typed, until Ctrl-D
    #[arg(short, long)]
    follow: bool,
    /// At most this many of the latest items
    #[arg(long, value_name = "COUNT", default_value_t = MOST, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    last: u32,
    /// Show what the agent does and what was used instead, with --json in full
    #[arg(long, conflicts_with = "follow")]
    standing: bool,
    /// Everything, from the beginning on.
    #[arg(skip)]
    whole: bool,
}

impl Chat {
    /// What `clauderon logs --json` is: the whole of it.
    pub fn log(session: String, follow: bool) -> Self {
        Self {
            session,
            follow,
            last: MOST,
            standing: false,
            whole: true,
        }
    }

    /// Shows it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let query = ConversationQuery {
            before: None,
            most: Some(self.last),
        };
        let view = client.conversation(&self.session, &query).await?;
        if self.standing {
            context.print(&view.standing, words::standing)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut shown = Shown::new(context.json);
        let items = match self.whole && view.earlier {
            true => self.with_earlier(&client, view.items).await?,
            false => view.items,
        };
        shown.show(items, !self.follow)?;
        if !self.follow {
            return Ok(ExitCode::SUCCESS);
        }
        let mut followed = client.follow_conversation(&self.session).await?;
        let talks = std::io::stdin().is_terminal() && !context.json;
        let mut typed = talks.then(lines);
        loop {
            tokio::select! {
                event = followed.next() => match event? {
                    Some(ConversationEvent::State(view)) => shown.show(view.items, false)?,
                    Some(ConversationEvent::News(news)) => shown.show(news.items, false)?,
                    None => return Ok(ExitCode::SUCCESS),
                },
                line = next(&mut typed) => match line {
                    Some(line) => self.send(&client, line).await,
                    None => return Ok(ExitCode::SUCCESS),
                },
            }
        }
    }

    /// Puts what was before these items before them.
    async fn with_earlier(
        &self,
        client: &Client,
        mut items: Vec<Item>,
    ) -> Result<Vec<Item>, Error> {
        while let Some(first) = items.first() {
            let query = ConversationQuery {
                before: Some(first.id.to_string()),
                most: Some(MOST),
            };
            let mut view = client.conversation(&self.session, &query).await?;
            view.items.append(&mut items);
            items = view.items;
            if !view.earlier {
                break;
            }
        }
        Ok(items)
    }

    async fn send(&self, client: &Client, line: String) {
        if line.trim().is_empty() {
            return;
        }
        let message = SendMessage {
            id: None,
            text: line,
            now: false,
        };
        if let Err(error) = client.send_message(&self.session, &message).await {
            output::note(&format!("Not sent: {}", output::escape(&error.message)));
        }
    }
}

/// The next line; never where nobody types.
async fn next(typed: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match typed {
        Some(typed) => typed.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads standard input by lines until it ends. The thread ends with the process.
fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Shows each item once.
struct Shown {
    json: bool,
    known: std::collections::HashSet<ItemId>,
}

impl Shown {
    fn new(json: bool) -> Self {
        Self {
            json,
            known: Default::default(),
        }
    }

    /// Shows items that were not shown yet; those that are not over only where nothing comes after.
    fn show(&mut self, items: Vec<Item>, unfinished: bool) -> anyhow::Result<()> {
        for item in items {
            if !(unfinished || item.state.is_over()) || !self.known.insert(item.id.clone()) {
                continue;
            }
            if self.json {
                output::json_line(&item)?;
            } else {
                output::line(&output::escape_text(&words::of(&item)))?;
            }
        }
        Ok(())
    }
}
