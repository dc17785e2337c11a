//! What hooks, transcripts, the terminal and the daemon tell.

use super::Conversation;
use super::board::Sign;
use super::failures::Telling;
use super::thing::{Facts, Thing};
use crate::item::{Body, ItemId, Origin, Source, State};
use crate::observation::{CallResult, End, Prompt, Said, Told, Words};
use crate::recall::fingerprint;

impl Conversation {
    /// Takes what a source told.
    pub(super) fn hear(&mut self, told: Told, now_ms: u64) {
        let Told {
            source,
            agent,
            at_ms,
            said,
        } = told;
        let thread = agent.as_deref();
        let order = match (at_ms, source) {
            // A time to come is a broken clock's or a forger's.
            (Some(at_ms), _) => self.clocks.stamp(source, thread, at_ms.min(now_ms)),
            // A transcript is often read long after it was written.
            (None, Source::Transcript) => self.clocks.stamp_next(source, thread, now_ms),
            (None, _) => self.clocks.stamp(source, thread, now_ms),
        };
        if let Some(id) = &agent
            && !is_thread_news(&said)
        {
            self.thread(id, source, order, |_| {});
        }
        if let Some(sign) = sign_of(source, agent.is_some(), &said) {
            self.board.see(source, sign, order);
        }
        match said {
            Said::Prompt(prompt) => self.hear_prompt(source, agent, order, prompt),
            Said::Text(words) => self.hear_words(source, agent, order, false, words),
            Said::Thinking(words) => self.hear_words(source, agent, order, true, words),
            Said::Cut(words) => self.hear_cut(source, agent, order, words),
            Said::Call { id, tool, input } => {
                self.hear_call(source, agent, order, &id, tool, input)
            }
            Said::Result(result) => self.hear_result(source, agent, order, result),
            Said::Asks { call, tool, input } => {
                self.hear_asking(source, agent, order, call, tool, input)
            }
            Said::Answered { call, allowed } => self.hear_answer(source, order, &call, allowed),
            Said::AgentStarted {
                agent: started,
                role,
                call,
            } => {
                self.thread(&started, source, order, |thread| {
                    if role.is_some() {
                        thread.role = role;
                    }
                });
                if let Some(call) = call {
                    self.link(&started, &call);
                }
            }
            Said::AgentEnded {
                agent: ended,
                result,
            } => {
                // The agent that writes a summary is never seen to begin.
                if self.threads.contains_key(&ended) {
                    self.thread(&ended, source, order, |thread| {
                        thread.ended = true;
                        if result.is_some() {
                            thread.result = result;
                        }
                    });
                }
            }
            Said::Compacted {
                trigger,
                tokens_before,
                summary,
            } => {
                let body = Body::Compaction {
                    trigger,
                    tokens_before,
                    summary,
                };
                self.compact(source, agent, order, body);
            }
            Said::Failed {
                status,
                error,
                message,
                retry,
                ..
            } => {
                let state = match retry {
                    Some(_) => State::Running,
                    None => State::Failed,
                };
                let body = Body::Error {
                    status,
                    error,
                    message,
                    retry,
                };
                let telling = Telling {
                    source,
                    agent,
                    order,
                    asked: None,
                };
                self.fail(telling, body, state);
            }
            Said::Interrupted => self.sweep(source, order, true),
            Said::TurnEnded { .. } => self.sweep(source, order, false),
            Said::Ended { .. } => self.sweep(source, order, true),
            Said::Started { session, .. } => {
                if session.is_some() {
                    self.session = session;
                }
            }
            Said::Named(name) => self.title = Some(name),
            Said::Notice { id, about, text } => {
                let name = id.unwrap_or_else(|| format!("{:016x}", fingerprint(text.as_bytes())));
                let body = Body::Notice { about, text };
                self.tell_plain(&format!("notice.{name}"), source, agent, order, body);
            }
            Said::Raw {
                id,
                record,
                text,
                bytes,
            } => {
                let body = Body::Raw {
                    record,
                    text,
                    bytes,
                };
                self.tell_plain(&id, source, agent, order, body);
            }
            Said::Asking | Said::Compacting | Said::Working { .. } | Said::Waiting => {}
        }
    }

    fn hear_prompt(&mut self, source: Source, agent: Option<String>, order: u64, prompt: Prompt) {
        if let Some(id) = &agent
            && self.threads.get(id).is_none_or(|thread| {
                thread.prompt.is_none() || thread.prompt.as_ref() == Some(&prompt.text)
            })
        {
            // What starts a sub-agent is a part of the call that starts it.
            self.thread(id, source, order, |thread| {
                thread.prompt = Some(prompt.text)
            });
            return;
        }
        let origin = match agent {
            Some(_) => Origin::Agent,
            None => prompt.origin,
        };
        self.ask(source, agent, order, Prompt { origin, ..prompt });
    }

    fn hear_words(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        thinking: bool,
        words: Words,
    ) {
        let id = words_id(&words.message, thinking, words.nth);
        self.succeed(agent.as_deref(), order);
        self.ensure(&id, agent, order);
        let facts = Facts::Words {
            thinking,
            text: words.text,
            model: words.model,
            state: State::Done,
        };
        self.tell(&id, source, order, facts);
    }

    fn tell_plain(
        &mut self,
        name: &str,
        source: Source,
        agent: Option<String>,
        order: u64,
        body: Body,
    ) {
        let id = ItemId::new(name);
        self.ensure(&id, agent, order);
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

    /// Makes sure that there is a thing.
    pub(super) fn ensure(&mut self, id: &ItemId, agent: Option<String>, order: u64) {
        if !self.things.contains_key(id) {
            self.insert(id, Thing::new(order, agent));
        }
    }

    pub(super) fn insert(&mut self, id: &ItemId, thing: Thing) {
        self.order.insert((thing.order, id.clone()));
        self.things.insert(id.clone(), thing);
        self.touched.item(id);
    }

    /// Takes what a source says of a thing in place of what it said before.
    pub(super) fn tell(&mut self, id: &ItemId, source: Source, order: u64, facts: Facts) {
        self.move_to(id, order);
        let Some(thing) = self.things.get_mut(id) else {
            return;
        };
        if thing.told.get(&source) != Some(&facts) {
            thing.told.insert(source, facts);
            self.touched.item(id);
        }
    }

    /// Takes note that the model answered: what failed before it in the same turn was tried again.
    pub(super) fn succeed(&mut self, agent: Option<&str>, order: u64) {
        let successes = self.successes.entry(agent.map(str::to_owned)).or_default();
        if !successes.insert(order) {
            return;
        }
        let open = self.errors.iter().rev().take(8).filter(|id| {
            self.things.get(*id).is_some_and(|thing| {
                thing.agent.as_deref() == agent && thing.order < order && !thing.is_settled()
            })
        });
        let open: Vec<ItemId> = open.cloned().collect();
        open.iter().for_each(|id| self.touched.item(id));
    }

    /// Ends what is still open before a place. Only those who know the time of an end can end something.
    fn sweep(&mut self, source: Source, order: u64, all: bool) {
        if !matches!(source, Source::Transcript | Source::Daemon) {
            return;
        }
        let from = match all {
            true => self.swept_all.min(self.swept),
            false => self.swept,
        };
        self.swept = self.swept.max(order);
        if all {
            self.swept_all = self.swept_all.max(order);
        }
        let range = (from.min(order), ItemId::from(""))..(order, ItemId::from(""));
        let open = self
            .order
            .range(range)
            .filter(|(_, id)| self.things.get(id).is_some_and(|thing| !thing.is_settled()));
        let open: Vec<ItemId> = open.map(|(_, id)| id.clone()).collect();
        open.iter().for_each(|id| self.touched.item(id));
    }
}

/// The name of a piece of a message.
pub(super) fn words_id(message: &str, thinking: bool, nth: u32) -> ItemId {
    let kind = match thinking {
        true => "thinking",
        false => "text",
    };
    ItemId::new(format!("{message}.{kind}.{nth}"))
}

/// Whether it is told of a sub-agent's thread rather than within it.
fn is_thread_news(said: &Said) -> bool {
    matches!(
        said,
        Said::Prompt(_)
            | Said::AgentStarted { .. }
            | Said::AgentEnded { .. }
            | Said::TurnEnded { .. }
    )
}

/// What it says of how things stand.
fn sign_of(source: Source, in_sub_agent: bool, said: &Said) -> Option<Sign> {
    Some(match said {
        // A prompt that Clauderon typed is not accepted yet.
        Said::Prompt(_) if source == Source::Daemon => return None,
        Said::Prompt(_) | Said::Text(_) | Said::Thinking(_) | Said::Call { .. } => Sign::Working,
        Said::Result(CallResult {
            end: End::Interrupted,
            ..
        }) if !in_sub_agent => Sign::Interrupted,
        Said::Result(_) | Said::Answered { .. } | Said::Working { .. } => Sign::Working,
        Said::Asks { .. } | Said::Asking => Sign::Asking,
        Said::Compacting => Sign::Compacting,
        Said::Failed { retry: Some(_), .. } => Sign::Working,
        Said::Failed { message, .. } if !in_sub_agent => Sign::Failed(message.clone()),
        Said::Interrupted => Sign::Interrupted,
        Said::TurnEnded { .. } if !in_sub_agent => Sign::TurnEnded,
        Said::Waiting => Sign::Waiting,
        // A hook's report of the start comes after the first signs of life.
        Said::Started { prompted, .. } if source == Source::Daemon => Sign::Started {
            prompted: *prompted,
        },
        // Only Clauderon knows of an end.
        Said::Ended { code, .. } if source == Source::Daemon => Sign::Ended(*code),
        _ => return None,
    })
}
