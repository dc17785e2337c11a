//! Sub-agents: which call started which, however late that is known.

use std::collections::BTreeSet;

use super::Conversation;
use super::thing::{CallFacts, Facts, Thing};
use crate::item::{ItemId, Source};

/// One sub-agent's thread.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Thread {
    /// The call that started it.
    call: Option<Link>,
    pub role: Option<String>,
    /// What it was told first.
    pub prompt: Option<String>,
    pub result: Option<String>,
    pub ended: bool,
    pub seen: BTreeSet<Source>,
}

/// How it is known which call started a sub-agent.
#[derive(Debug, Clone, PartialEq)]
enum Link {
    /// The agent said so.
    Told(ItemId),
    /// Its prompt is the one of that call and of no other.
    Guessed(ItemId),
}

/// Tools by which a sub-agent is started, by the names that the model uses.
pub(super) fn starts_an_agent(tool: &str) -> bool {
    matches!(tool, "Agent" | "Task" | "spawn_agent")
}

impl Conversation {
    /// The item that stands for a sub-agent: the call that started it, or a place of its own while that is not known.
    pub(super) fn anchor(&self, agent: &str) -> ItemId {
        match self
            .threads
            .get(agent)
            .and_then(|thread| thread.call.as_ref())
        {
            Some(Link::Told(call) | Link::Guessed(call)) => call.clone(),
            None => ItemId::new(format!("agent.{agent}")),
        }
    }

    /// The thread that a call started.
    pub(super) fn started_by(&self, call: &ItemId) -> Option<(&String, &Thread)> {
        self.threads.iter().find(|(_, thread)| match &thread.call {
            Some(Link::Told(id) | Link::Guessed(id)) => id == call,
            None => false,
        })
    }

    /// Makes sure that a sub-agent has an item, and changes what is known of it.
    pub(super) fn thread(
        &mut self,
        agent: &str,
        source: Source,
        order: u64,
        change: impl FnOnce(&mut Thread),
    ) {
        let thread = self.threads.entry(agent.to_owned()).or_default();
        let before = thread.clone();
        thread.seen.insert(source);
        change(thread);
        let changed = *thread != before;
        self.guess(agent);
        let anchor = self.anchor(agent);
        if self.things.contains_key(&anchor) {
            self.move_to(&anchor, order);
            if changed {
                self.touched.item(&anchor);
            }
            return;
        }
        let mut thing = Thing::new(order, None);
        let call = CallFacts {
            tool: Some("Agent".to_owned()),
            ..CallFacts::default()
        };
        thing.told.insert(source, Facts::Call(call));
        self.insert(&anchor, thing);
    }

    /// Takes note of which call started a sub-agent.
    pub(super) fn link(&mut self, agent: &str, call: &str) {
        let call = ItemId::new(call);
        if self.things.contains_key(&call) {
            self.join(agent, Link::Told(call));
        } else {
            // The call comes later; it is looked for then.
            let thread = self.threads.entry(agent.to_owned()).or_default();
            thread.call = None;
            self.promised.insert(call, agent.to_owned());
        }
    }

    /// Looks for the sub-agent of a call that has become known.
    pub(super) fn seek_thread(&mut self, call: &ItemId) {
        if let Some(agent) = self.promised.remove(call) {
            self.join(&agent, Link::Told(call.clone()));
            return;
        }
        let prompt = self.told_to(call);
        let waiting: Vec<String> = self
            .threads
            .iter()
            .filter(|(_, thread)| {
                thread.call.is_none() && thread.prompt.is_some() && thread.prompt == prompt
            })
            .map(|(agent, _)| agent.clone())
            .collect();
        if let [agent] = &waiting[..] {
            self.guess(&agent.clone());
        }
    }

    /// What a call tells its sub-agent.
    fn told_to(&self, call: &ItemId) -> Option<String> {
        let thing = self.things.get(call)?;
        let input = thing
            .tool()
            .filter(|tool| starts_an_agent(tool))
            .and(thing.input())?;
        input["prompt"].as_str().map(str::to_owned)
    }

    /// Finds the one call that told a sub-agent its prompt.
    fn guess(&mut self, agent: &str) {
        let Some(thread) = self
            .threads
            .get(agent)
            .filter(|thread| thread.call.is_none())
        else {
            return;
        };
        let Some(prompt) = thread.prompt.clone() else {
            return;
        };
        let calls: Vec<ItemId> = self
            .agent_calls
            .iter()
            .filter(|call| self.started_by(call).is_none())
            .filter(|call| self.told_to(call).as_ref() == Some(&prompt))
            .cloned()
            .collect();
        if let [call] = &calls[..] {
            self.join(agent, Link::Guessed(call.clone()));
        }
    }

    /// Makes a call the one that started a sub-agent.
    fn join(&mut self, agent: &str, link: Link) {
        let before = self.anchor(agent);
        let thread = self.threads.entry(agent.to_owned()).or_default();
        if thread.call.as_ref() == Some(&link) {
            return;
        }
        thread.call = Some(link);
        let after = self.anchor(agent);
        if before == after {
            return;
        }
        if before.as_str().starts_with("agent.") {
            self.remove(&before);
        } else {
            self.touched.item(&before);
        }
        self.touched.item(&after);
        let inside = self
            .things
            .iter()
            .filter(|(_, thing)| thing.agent.as_deref() == Some(agent));
        let inside: Vec<ItemId> = inside.map(|(id, _)| id.clone()).collect();
        inside.iter().for_each(|id| self.touched.item(id));
    }
}
