//! Uses of tools: asked for, allowed, ended.

use serde_json::Value;

use super::Conversation;
use super::thing::{CallFacts, Facts, Thing};
use super::threads::starts_an_agent;
use crate::item::{Body, ItemId, Source, State};
use crate::observation::{Account, CallResult};

/// Items among which a call that asks for leave is looked for.
const LOOK_BACK: usize = 200;

impl Conversation {
    pub(super) fn hear_call(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        id: &str,
        tool: String,
        input: Value,
    ) {
        self.succeed(agent.as_deref(), order);
        self.change_call(source, agent, order, id, |call| {
            call.tool = Some(tool);
            call.input = Some(input);
            call.json = String::new();
        });
    }

    pub(super) fn hear_result(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        result: CallResult,
    ) {
        let id = result.id.clone();
        if let Some(Account::Agent {
            agent: started,
            role,
            result: answer,
        }) = &result.account
        {
            let (started, role, answer) = (started.clone(), role.clone(), answer.clone());
            self.thread(&started.clone(), source, order, |thread| {
                if role.is_some() {
                    thread.role = role;
                }
                thread.ended |= answer.is_some();
            });
            self.link(&started, &id);
        }
        // A result tells nothing of when its call began.
        self.change_call(source, agent, order, &id, |call| call.result = Some(result));
        let approval = ItemId::new(format!("{id}.approval"));
        if self.things.contains_key(&approval) {
            self.touched.item(&approval);
        }
    }

    pub(super) fn hear_asking(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        call: Option<String>,
        tool: String,
        input: Value,
    ) {
        let call = call
            .map(ItemId::new)
            .or_else(|| self.open_call(source, agent.as_deref(), &tool, &input));
        let is_question = matches!(
            tool.as_str(),
            "AskUserQuestion" | "ExitPlanMode" | "request_user_input"
        );
        if let Some(call) = call.as_ref().filter(|_| is_question) {
            let id = call.as_str().to_owned();
            self.change_call(source, agent, order, &id, |call| {
                call.asked = true;
                call.tool.get_or_insert(tool);
                call.input.get_or_insert(input);
            });
            self.asked = Some(ItemId::new(id));
            return;
        }
        let name = match &call {
            Some(call) => format!("{call}.approval"),
            None => self.counted("approval").to_string(),
        };
        let id = ItemId::new(name);
        self.asked = Some(id.clone());
        self.ensure(&id, agent, order);
        let body = Body::Approval {
            tool,
            input,
            call,
            allowed: None,
        };
        self.tell(
            &id,
            source,
            order,
            Facts::Plain {
                body,
                state: State::Running,
            },
        );
    }

    pub(super) fn hear_answer(&mut self, source: Source, order: u64, call: &str, allowed: bool) {
        let approval = match self.things.get(&ItemId::from(call)) {
            Some(thing) if !thing.is_call() => ItemId::from(call),
            _ => ItemId::new(format!("{call}.approval")),
        };
        let body = self
            .things
            .get(&approval)
            .map(|thing| self.view(&approval, thing).body);
        if let Some(Body::Approval {
            tool, input, call, ..
        }) = body
        {
            let body = Body::Approval {
                tool,
                input,
                call,
                allowed: Some(allowed),
            };
            self.tell(
                &approval,
                source,
                order,
                Facts::Plain {
                    body,
                    state: State::Done,
                },
            );
            return;
        }
        if self.things.contains_key(&ItemId::from(call)) {
            self.change_call(source, None, order, call, |call| {
                call.allowed = Some(allowed)
            });
        }
    }

    /// Returns the item of what was asked for last.
    pub fn asked(&self) -> Option<&ItemId> {
        self.asked.as_ref()
    }

    /// Says whether the proxy saw the model use exactly this, and no result of it yet.
    pub fn proxy_saw(&self, tool: &str, input: &Value) -> bool {
        let newest = self.order.iter().rev().take(LOOK_BACK);
        newest
            .filter_map(|(_, id)| self.things.get(id)?.told.get(&Source::Tap))
            .any(|facts| match facts {
                Facts::Call(call) => {
                    call.tool.as_deref() == Some(tool)
                        && call.input.as_ref() == Some(input)
                        && call.result.is_none()
                }
                _ => false,
            })
    }

    /// The newest call that asks for exactly this: one that the source has told of before any other.
    fn open_call(
        &self,
        source: Source,
        agent: Option<&str>,
        tool: &str,
        input: &Value,
    ) -> Option<ItemId> {
        let newest = || {
            let newest = self.order.iter().rev().take(LOOK_BACK);
            let things = newest.filter_map(|(_, id)| Some((id, self.things.get(id)?)));
            things.filter(|(_, thing)| {
                thing.is_call() && thing.agent.as_deref() == agent && thing.tool() == Some(tool)
            })
        };
        let told = newest().find(|(_, thing)| match thing.told.get(&source) {
            Some(Facts::Call(call)) => call.result.is_none() && call.input.as_ref() == Some(input),
            _ => false,
        });
        let seen = || {
            newest().find(|(_, thing)| {
                let asked = |(_, call): (Source, &CallFacts)| call.input.as_ref() == Some(input);
                thing.result().is_none() && thing.calls().any(asked)
            })
        };
        told.or_else(seen).map(|(id, _)| id.clone())
    }

    /// Changes what a source says of a tool's use.
    pub(super) fn change_call(
        &mut self,
        source: Source,
        agent: Option<String>,
        order: u64,
        id: &str,
        change: impl FnOnce(&mut CallFacts),
    ) {
        let id = ItemId::new(id);
        self.ensure(&id, agent, order);
        let mut call = match self
            .things
            .get(&id)
            .and_then(|thing| thing.told.get(&source))
        {
            Some(Facts::Call(call)) => call.clone(),
            _ => CallFacts::default(),
        };
        change(&mut call);
        self.tell(&id, source, order, Facts::Call(call));
        let thing = self.things.get(&id);
        if thing.and_then(Thing::tool).is_some_and(starts_an_agent) {
            if !self.agent_calls.contains(&id) {
                self.agent_calls.push(id.clone());
            }
            self.seek_thread(&id);
        }
    }
}
