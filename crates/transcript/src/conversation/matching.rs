//! Finds out whether what a source tells is something that another one told already, where nothing names it.

use super::Conversation;
use super::thing::{Facts, Thing};
use crate::item::{Body, ItemId, Source, State};
use crate::observation::{Prompt, Words};
use crate::recall::fingerprint;

/// Two tellings of one prompt are not further apart: a message may wait in the agent's queue while it works.
const PROMPT_US: u64 = 3_600_000_000;
/// The tap sees a prompt when it is sent, which is when the agent accepts it.
const TAPPED_US: u64 = 120_000_000;
/// What one source tells twice of one moment.
const SAME_US: u64 = 2_000;
/// A summary takes minutes at most.
const COMPACTION_US: u64 = 300_000_000;
/// Prompts of the tap's that wait for somebody else to tell of them.
const MOST_UNCLAIMED: usize = 32;

/// A prompt that the tap saw.
#[derive(Debug)]
pub(super) struct Unclaimed {
    key: u64,
    order: u64,
}

impl Conversation {
    /// Takes a prompt of the main thread, or a later one of a sub-agent's.
    pub(super) fn ask(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        prompt: Prompt,
    ) -> ItemId {
        let key = key_of(agent.as_deref(), &prompt.text);
        let id = self
            .asked_before(key, source, order, &prompt)
            .unwrap_or_else(|| {
                let id = self.counted(&format!("prompt.{key:016x}"));
                self.insert(&id, Thing::new(order, agent.clone()));
                self.prompts.entry(key).or_default().push(id.clone());
                if agent.is_none() {
                    self.begin_turn(&id, order);
                }
                id
            });
        self.tell(&id, source, order, Facts::Prompt(prompt));
        let claim =
            |waiting: &Unclaimed| waiting.key == key && near(waiting.order, order, TAPPED_US);
        let waits = self.unclaimed.iter().position(claim);
        let confirmed = |thing: &Thing| thing.told.contains_key(&Source::Tap);
        if let Some(at) = waits.filter(|_| !self.things.get(&id).is_some_and(confirmed)) {
            let waiting = self.unclaimed.remove(at);
            self.confirm(&id, waiting.map_or(order, |waiting| waiting.order));
        }
        id
    }

    /// Takes a prompt that the tap saw. What the agent sends as the user's words is more than a person typed, so it makes
    /// sure of prompts that others tell of, and is never shown alone.
    pub(super) fn saw_prompt(&mut self, agent: Option<&str>, order: u64, text: &str) {
        let key = key_of(agent, text);
        if self.last_asked.insert(agent.map(str::to_owned), key) == Some(key) {
            return;
        }
        let known = self.prompts.get(&key).into_iter().flatten();
        let nearest = known
            .filter_map(|id| Some((id, self.things.get(id)?)))
            .filter(|(_, thing)| !thing.told.contains_key(&Source::Tap))
            .filter(|(_, thing)| near(thing.order, order, TAPPED_US))
            .min_by_key(|(_, thing)| thing.order.abs_diff(order));
        match nearest.map(|(id, _)| id.clone()) {
            Some(id) => self.confirm(&id, order),
            None => {
                if self.unclaimed.len() >= MOST_UNCLAIMED {
                    self.unclaimed.pop_front();
                }
                self.unclaimed.push_back(Unclaimed { key, order });
            }
        }
    }

    fn confirm(&mut self, id: &ItemId, order: u64) {
        let Some(prompt) = self.things.get(id).and_then(Thing::prompt).cloned() else {
            return;
        };
        self.tell(
            id,
            Source::Tap,
            order,
            Facts::Prompt(Prompt {
                turn: None,
                images: 0,
                ..prompt
            }),
        );
    }

    fn asked_before(
        &self,
        key: u64,
        source: Source,
        order: u64,
        prompt: &Prompt,
    ) -> Option<ItemId> {
        let known = self.prompts.get(&key)?;
        known
            .iter()
            .filter_map(|id| Some((id, self.things.get(id)?)))
            .filter(|(_, thing)| near(thing.order, order, PROMPT_US))
            .filter(|(_, thing)| match thing.told.get(&source) {
                // The same source tells of it twice only when it names the same turn, or the same moment.
                Some(Facts::Prompt(told)) => {
                    told.turn == prompt.turn
                        && (told.turn.is_some() || near(thing.order, order, SAME_US))
                }
                _ => !thing.told.values().any(|facts| contradicts(facts, prompt)),
            })
            .min_by_key(|(_, thing)| thing.order.abs_diff(order))
            .map(|(id, _)| id.clone())
    }

    /// Takes words of which it is not said in which message they were: the tap saw them in an answer that was cut.
    pub(super) fn hear_cut(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        words: Words,
    ) {
        let own = super::told::words_id(&words.message, false, words.nth);
        let is_seen =
            |id: &&ItemId| self.is_cut_text(id, Source::Tap, agent.as_deref(), order, &words.text);
        let twin = self.twins.get(&own);
        let twin = twin.filter(|id| self.things.contains_key(*id));
        let id = match twin.or_else(|| self.cut.iter().find(is_seen)).cloned() {
            Some(id) => id,
            None => {
                self.ensure(&own, agent, order);
                self.cut.push(own.clone());
                own.clone()
            }
        };
        self.twins.insert(own, id.clone());
        self.tell(&id, source, order, cut_facts(words.text));
    }

    /// Takes note that the tap saw an answer cut: its words may have been told already.
    pub(super) fn saw_cut(&mut self, id: &ItemId) {
        let Some(thing) = self.things.get(id) else {
            return;
        };
        let Some(Facts::Words { text, .. }) = thing.told.get(&Source::Tap) else {
            return;
        };
        let (text, agent, order) = (text.clone(), thing.agent.clone(), thing.order);
        let twin = self.cut.iter().find(|other| {
            *other != id
                && self.is_cut_text(other, Source::Transcript, agent.as_deref(), order, &text)
        });
        if let Some(twin) = twin.cloned()
            && let Some(thing) = self.things.get_mut(&twin)
            && let Some(facts) = thing.told.remove(&Source::Transcript)
        {
            let at = thing.order;
            self.remove(&twin);
            self.cut.retain(|other| *other != twin);
            self.twins.insert(twin, id.clone());
            self.tell(id, Source::Transcript, at, facts);
        }
        self.cut.push(id.clone());
    }

    /// Whether a thing is the same words, of which only this source told.
    fn is_cut_text(
        &self,
        id: &ItemId,
        source: Source,
        agent: Option<&str>,
        order: u64,
        words: &str,
    ) -> bool {
        self.things.get(id).is_some_and(|thing| {
            let alone = thing.told.len() == 1;
            let told = thing.told.get(&source);
            let same = matches!(told, Some(Facts::Words { text, .. }) if is_beginning(text, words));
            alone && same && thing.agent.as_deref() == agent && near(thing.order, order, TAPPED_US)
        })
    }

    /// Takes a part of a compaction.
    pub(super) fn compact(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        body: Body,
    ) {
        let known = self.compactions.iter().rev().find(|id| {
            self.things.get(*id).is_some_and(|thing| {
                thing.agent == agent
                    && near(thing.order, order, COMPACTION_US)
                    && thing
                        .told
                        .get(&source)
                        .is_none_or(|told| adds_to(told, &body))
            })
        });
        let id = match known.cloned() {
            Some(id) => id,
            None => {
                let id = self.counted("compaction");
                self.insert(&id, Thing::new(order, agent));
                self.compactions.push(id.clone());
                id
            }
        };
        let before = self
            .things
            .get(&id)
            .and_then(|thing| thing.told.get(&source));
        let body = match before {
            Some(Facts::Plain { body: before, .. }) => super::fold::completed(before, &body),
            _ => body,
        };
        self.tell(
            &id,
            source,
            order,
            Facts::Plain {
                body,
                state: State::Done,
            },
        );
    }

    /// A name of its own for something that has none.
    pub(super) fn counted(&mut self, name: &str) -> ItemId {
        let count = self.counts.entry(name.to_owned()).or_insert(0);
        *count += 1;
        ItemId::new(format!("{name}.{count}"))
    }
}

/// Whether one text is the beginning of the other: the agent stops reading before the proxy does.
fn is_beginning(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    !a.is_empty() && !b.is_empty() && (a.starts_with(b) || b.starts_with(a))
}

fn cut_facts(text: String) -> Facts {
    Facts::Words {
        thinking: false,
        text,
        model: None,
        state: State::Interrupted,
    }
}

/// What makes two prompts the same, but for their time.
fn key_of(agent: Option<&str>, text: &str) -> u64 {
    let text = text.trim().replace("\r\n", "\n").replace('\r', "\n");
    fingerprint(format!("{}\n{text}", agent.unwrap_or_default()).as_bytes())
}

fn near(a: u64, b: u64, within: u64) -> bool {
    a.abs_diff(b) <= within
}

fn contradicts(told: &Facts, prompt: &Prompt) -> bool {
    match told {
        Facts::Prompt(told) => {
            told.turn.is_some() && prompt.turn.is_some() && told.turn != prompt.turn
        }
        _ => true,
    }
}

fn adds_to(told: &Facts, more: &Body) -> bool {
    let Facts::Plain { body, .. } = told else {
        return false;
    };
    match (body, more) {
        (
            Body::Compaction {
                trigger, summary, ..
            },
            Body::Compaction {
                trigger: t,
                summary: s,
                ..
            },
        ) => {
            let repeats = (t.is_none() || t == trigger) && (s.is_none() || s == summary);
            let fills = (t.is_none() || trigger.is_none()) && (s.is_none() || summary.is_none());
            repeats && summary.is_none() == s.is_none() || fills
        }
        _ => false,
    }
}
