//! What is open in the conversation: what it asks, what is under way, and who saw it.

use super::Conversation;
use super::board::Sign;
use super::status::Activity;
use crate::item::{Body, Item, ItemId, Source, State};

/// Items among which one that is under way is looked for.
const LOOK_BACK: usize = 200;

/// What is open in the conversation.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// The newest question, plan or approval.
    pub item: Option<Item>,
    /// Whether more than a hook told of it, or of the call that it is about.
    pub told: bool,
    /// The line of what is under way.
    pub doing: Option<String>,
}

impl Conversation {
    /// Says whether somebody outside of the sandbox saw what an agent needs, too: the call that it asks about passed the
    /// proxy, or the model's service refused the turn or broke its answer off.
    pub fn is_vouched_for(&self, activity: &Activity) -> bool {
        let seen = |id: &ItemId| {
            let told = self.things.get(id).map(|thing| &thing.told);
            told.is_some_and(|told| told.keys().any(|source| source.is_trusted()))
        };
        match activity {
            Activity::NeedsApproval { item: Some(id) }
            | Activity::NeedsInput { item: Some(id) } => {
                match self.item(id).map(|item| item.body) {
                    Some(Body::Approval {
                        call: Some(call), ..
                    }) => seen(&call) || seen(id),
                    _ => seen(id),
                }
            }
            Activity::Failed { .. } => {
                self.errors.last().is_some_and(seen) || self.board.says(Source::Tap, &Sign::Cut)
            }
            _ => false,
        }
    }

    /// What is open in the conversation.
    pub(super) fn open(&self) -> Open {
        let item = self.newest_open(|body| {
            matches!(
                body,
                Body::Question { .. } | Body::Plan { .. } | Body::Approval { .. }
            )
        });
        let told = |id: &ItemId| {
            let told = self.things.get(id).map(|thing| &thing.told);
            told.is_some_and(|told| told.keys().any(|source| *source < Source::Hook))
        };
        Open {
            told: item.as_ref().is_some_and(|item| match &item.body {
                Body::Approval {
                    call: Some(call), ..
                } => told(call) || told(&item.id),
                _ => told(&item.id),
            }),
            item,
            doing: self.doing(),
        }
    }

    /// A line of what is under way.
    fn doing(&self) -> Option<String> {
        let item = self.newest_open(|body| {
            matches!(
                body,
                Body::Tool(_)
                    | Body::Agent { .. }
                    | Body::Text { .. }
                    | Body::Thinking { .. }
                    | Body::Error { .. }
            )
        })?;
        Some(match item.body {
            Body::Tool(call) => call.title,
            Body::Agent { title, .. } if title.is_empty() => "Running an agent".to_owned(),
            Body::Agent { title, .. } => {
                format!("Running the agent “{}”", crate::bounded::line(&title))
            }
            Body::Thinking { .. } => "Thinking".to_owned(),
            Body::Error { .. } => "Waiting to try again".to_owned(),
            _ => "Writing".to_owned(),
        })
    }

    /// The newest item of a kind that is not over. Only what is near the end can still be under way.
    fn newest_open(&self, fits: impl Fn(&Body) -> bool) -> Option<Item> {
        let newest = self
            .order
            .iter()
            .rev()
            .take(LOOK_BACK)
            .filter(|(_, id)| self.things.get(id).is_some_and(|thing| !thing.is_settled()));
        newest.filter_map(|(_, id)| self.item(id)).find(|item| {
            matches!(item.state, State::Streaming | State::Running) && fits(&item.body)
        })
    }
}
