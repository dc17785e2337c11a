//! Requests to the model as they pass: what the tap sees becomes items while it streams.

use std::collections::BTreeMap;

use super::Conversation;
use super::board::Sign;
use super::failures::Telling;
use super::thing::{CallFacts, Facts};
use super::told::words_id;
use crate::bounded;
use crate::item::{Body, ItemId, Retry, Source, State};
use crate::observation::{CallResult, End};
use crate::recall::fingerprint;
use crate::tap::{Purpose, Request, Stop, TapEvent, input_of};

/// One request and what came of it so far.
#[derive(Debug)]
pub(super) struct Live {
    agent: Option<String>,
    purpose: Purpose,
    /// When it was sent.
    asked: u64,
    /// What is asked: the same again when it is tried again.
    question: u64,
    /// The message that answers, once it began.
    message: Option<String>,
    model: Option<String>,
    blocks: BTreeMap<u32, ItemId>,
    texts: u32,
    thoughts: u32,
    phase: Phase,
    /// What came of an answer that was cut.
    cut: Vec<ItemId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    /// It was answered with an error, or one came within the answer.
    Failed,
    Finished,
    Over,
}

/// Requests that are remembered after their end, so that what is told twice is known.
const MOST_REQUESTS: usize = 4_096;

impl Live {
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    fn is_turn(&self) -> bool {
        self.purpose == Purpose::Turn
    }

    fn agent(&self) -> Option<String> {
        self.agent.clone()
    }
}

impl Conversation {
    /// Takes what the proxy saw pass.
    pub(super) fn pass(&mut self, link: &str, event: TapEvent, now_ms: u64) {
        if let TapEvent::Limits(limits) = event {
            self.limits.learn(limits);
            return;
        }
        if let TapEvent::Started(request) = event {
            self.start(link, request, now_ms);
            return;
        }
        let Some(mut live) = self.live.remove(link) else {
            return;
        };
        if live.phase != Phase::Over {
            let order = self
                .clocks
                .stamp(Source::Tap, live.agent.as_deref(), now_ms);
            self.go_on(link, &mut live, event, order);
        }
        self.live.insert(link.to_owned(), live);
    }

    fn start(&mut self, link: &str, request: Request, now_ms: u64) {
        if self.live.contains_key(link) {
            return;
        }
        let agent = request.agent.clone();
        let order = self.clocks.stamp(Source::Tap, agent.as_deref(), now_ms);
        self.ledger.start(link, &request, order);
        match request.purpose {
            Purpose::Turn => {
                // A sub-agent may work on beside an agent that waits.
                if agent.is_none() {
                    self.board.see(Source::Tap, Sign::Working, order);
                }
                self.take_request(&request, order);
            }
            Purpose::Summary => self.board.see(Source::Tap, Sign::Compacting, order),
            Purpose::Aside => {}
        }
        self.links.push_back(link.to_owned());
        if self.links.len() > MOST_REQUESTS
            && let Some(oldest) = self.links.pop_front()
        {
            self.live.remove(&oldest);
        }
        self.live.insert(
            link.to_owned(),
            Live {
                agent,
                purpose: request.purpose,
                asked: order,
                question: question(&request),
                message: None,
                model: None,
                blocks: BTreeMap::new(),
                texts: 0,
                thoughts: 0,
                phase: Phase::Open,
                cut: Vec::new(),
            },
        );
    }

    /// Takes what a request says of what happened before it.
    fn take_request(&mut self, request: &Request, order: u64) {
        let agent = request.agent.as_deref();
        self.drop_cut(request);
        match (&request.prompt, agent) {
            (Some(prompt), Some(agent))
                if self.threads.get(agent).is_none_or(|thread| {
                    thread.prompt.is_none() || thread.prompt.as_ref() == Some(prompt)
                }) =>
            {
                self.thread(agent, Source::Tap, order, |thread| {
                    thread.prompt = Some(prompt.clone())
                });
            }
            (Some(prompt), agent) => self.saw_prompt(agent, order, prompt),
            (None, Some(agent)) => self.thread(agent, Source::Tap, order, |_| {}),
            (None, None) => {}
        }
        for result in &request.results {
            // A call that nobody told of is from before this conversation was watched.
            if !self.things.contains_key(&ItemId::from(result.id.as_str())) {
                continue;
            }
            let told = CallResult {
                id: result.id.clone(),
                text: result.text.clone(),
                images: result.images,
                end: match result.failed {
                    true => End::Failed,
                    false => End::Done,
                },
                ms: None,
                account: None,
            };
            self.hear_result(Source::Tap, request.agent.clone(), order, told);
        }
    }

    /// Takes away what came of an answer that was cut, when the same is asked again: the agent forgot it, too.
    fn drop_cut(&mut self, request: &Request) {
        let question = question(request);
        let cut: Vec<ItemId> = self
            .live
            .values_mut()
            .filter(|live| {
                live.phase == Phase::Over
                    && live.agent == request.agent
                    && live.question == question
            })
            .flat_map(|live| std::mem::take(&mut live.cut))
            .collect();
        for id in cut {
            let tap_alone = self
                .things
                .get(&id)
                .is_some_and(|thing| thing.told.len() == 1);
            if tap_alone {
                self.remove(&id);
            }
        }
    }

    fn go_on(&mut self, link: &str, live: &mut Live, event: TapEvent, order: u64) {
        match event {
            TapEvent::Message { id, model, usage } => {
                self.ledger.count(link, Some(&model), usage, false);
                live.message = Some(id);
                live.model = Some(model);
            }
            TapEvent::Finished { usage, stop } => {
                self.ledger.count(link, None, usage, true);
                live.phase = Phase::Finished;
                if live.is_turn() {
                    self.finish(live, stop, order);
                }
            }
            TapEvent::Error(error) => {
                if live.phase == Phase::Open && live.is_turn() {
                    self.tap_error(live, error, order);
                }
                live.phase = live.phase.max(Phase::Failed);
            }
            TapEvent::Ended => self.end(live, order),
            _ if !live.is_turn() => {}
            TapEvent::Text { block, id, text } => self.stream(live, block, id, text, false, order),
            TapEvent::Thinking { block, id, text } => {
                self.stream(live, block, id, text, true, order)
            }
            TapEvent::Tool { block, id, tool } => {
                let name = ItemId::new(&*id);
                live.blocks.insert(block, name.clone());
                let known = self
                    .things
                    .get(&name)
                    .and_then(|thing| thing.told.get(&Source::Tap));
                if known.is_none() {
                    self.change_call(Source::Tap, live.agent(), order, &id, |call| {
                        call.tool = Some(tool)
                    });
                }
            }
            TapEvent::Input { block, json } => {
                let told = live
                    .blocks
                    .get(&block)
                    .and_then(|id| self.things.get_mut(id));
                if let Some(Facts::Call(call)) =
                    told.and_then(|thing| thing.told.get_mut(&Source::Tap))
                    && call.input.is_none()
                    && call.json.len() + json.len() <= bounded::TEXT
                {
                    call.json.push_str(&json);
                }
            }
            TapEvent::BlockEnded { block } => self.end_block(live, block, order),
            TapEvent::Started(_) | TapEvent::Limits(_) => {}
        }
    }

    fn stream(
        &mut self,
        live: &mut Live,
        block: u32,
        own: Option<String>,
        text: String,
        thinking: bool,
        order: u64,
    ) {
        if text.is_empty() {
            return;
        }
        if let Some(id) = live.blocks.get(&block) {
            self.grow(&id.clone(), text);
            return;
        }
        let count = match thinking {
            true => &mut live.thoughts,
            false => &mut live.texts,
        };
        let id = match (own, &live.message) {
            (Some(own), _) => words_id(&own, thinking, 0),
            (None, Some(message)) => words_id(message, thinking, *count),
            (None, None) => return,
        };
        *count += 1;
        live.blocks.insert(block, id.clone());
        self.succeed(live.agent.as_deref(), order);
        self.ensure(&id, live.agent(), order);
        let known = self
            .things
            .get(&id)
            .is_some_and(|thing| thing.told.contains_key(&Source::Tap));
        if !known {
            let model = live.model.clone();
            self.tell(
                &id,
                Source::Tap,
                order,
                Facts::Words {
                    thinking,
                    text,
                    model,
                    state: State::Streaming,
                },
            );
        }
    }

    /// Puts more text to the end of what the tap saw. Only where that is what is shown, a viewer is told of the piece.
    fn grow(&mut self, id: &ItemId, more: String) {
        let Some(thing) = self.things.get_mut(id) else {
            return;
        };
        let alone = thing.told.len() == 1;
        let Some(Facts::Words {
            text,
            state: State::Streaming,
            ..
        }) = thing.told.get_mut(&Source::Tap)
        else {
            return;
        };
        if text.len() > bounded::TEXT {
            return;
        }
        text.push_str(&more);
        match alone {
            true => self.touched.grew(id.clone(), more),
            false => self.touched.item(id),
        }
    }

    fn end_block(&mut self, live: &Live, block: u32, order: u64) {
        let Some(id) = live.blocks.get(&block) else {
            return;
        };
        let Some(thing) = self.things.get_mut(id) else {
            return;
        };
        match thing.told.get_mut(&Source::Tap) {
            Some(Facts::Words { state, .. }) if *state == State::Streaming => {
                *state = State::Done;
                self.touched.item(id);
            }
            Some(Facts::Call(CallFacts { input, json, .. })) if input.is_none() => {
                let told = bounded::value(input_of(&std::mem::take(json)), bounded::INPUT);
                let name = id.as_str().to_owned();
                self.change_call(Source::Tap, live.agent(), order, &name, |call| {
                    call.input = Some(told)
                });
            }
            _ => {}
        }
    }

    fn finish(&mut self, live: &Live, stop: Option<Stop>, order: u64) {
        let blocks: Vec<u32> = live.blocks.keys().copied().collect();
        blocks
            .into_iter()
            .for_each(|block| self.end_block(live, block, order));
        self.succeed(live.agent.as_deref(), order);
        self.last_asked.remove(&live.agent);
        if live.agent.is_none() {
            let sign = match stop {
                Some(Stop::ToolUse) | None => Sign::Calls,
                _ => Sign::Answered,
            };
            self.board.see(Source::Tap, sign, order);
        }
    }

    fn tap_error(&mut self, live: &Live, error: crate::tap::ServiceError, order: u64) {
        let telling = Telling {
            source: Source::Tap,
            agent: live.agent(),
            order,
            asked: Some(live.asked),
        };
        let may_retry = error
            .status
            .is_none_or(|status| matches!(status, 408 | 409 | 429 | 500..));
        let mut body = Body::Error {
            status: error.status,
            error: error.error,
            message: error.message,
            retry: None,
        };
        let attempt = self.failures(&telling, &body) + 1;
        if let Body::Error { retry, message, .. } = &mut body {
            *retry = Some(Retry {
                attempt,
                most: None,
                delay_ms: None,
            });
            if telling.agent.is_none() {
                let sign = match may_retry {
                    true => Sign::Retries,
                    false => Sign::Failed(message.clone()),
                };
                self.board.see(Source::Tap, sign, order);
            }
        }
        let state = match may_retry {
            true => State::Running,
            false => State::Failed,
        };
        self.fail(telling, body, state);
    }

    /// The bytes of an answer ended. What was not whole by then never will be.
    fn end(&mut self, live: &mut Live, order: u64) {
        let phase = std::mem::replace(&mut live.phase, Phase::Over);
        let finished = phase == Phase::Finished;
        if finished || !live.is_turn() {
            return;
        }
        for id in live.blocks.values() {
            let Some(thing) = self.things.get_mut(id) else {
                continue;
            };
            match thing.told.get_mut(&Source::Tap) {
                Some(Facts::Words { state, .. }) if *state == State::Streaming => {
                    *state = State::Interrupted
                }
                Some(Facts::Call(call)) if call.input.is_none() => call.cut = true,
                _ => {}
            }
            self.touched.item(id);
            live.cut.push(id.clone());
        }
        for id in &live.cut {
            self.saw_cut(id);
        }
        if live.agent.is_none() && phase == Phase::Open {
            self.board.see(Source::Tap, Sign::Cut, order);
        }
    }
}

/// A number for what a request asks, so that neither prompts nor results are held.
fn question(request: &Request) -> u64 {
    let mut asked = request.prompt.clone().unwrap_or_default();
    for result in &request.results {
        asked.push('\n');
        asked.push_str(&result.id);
    }
    fingerprint(asked.as_bytes())
}
