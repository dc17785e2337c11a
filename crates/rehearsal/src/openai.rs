//! The OpenAI interface as Codex uses it, in both of its modes (API key, and an account at chatgpt.com). Pure.

mod conversation;
mod response;

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, fingerprint};
use crate::cue;
use crate::lines::Lines;
use crate::playground;
use crate::record::Recorded;
use crate::script::Step;

/// Answers one request to an OpenAI host.
pub(crate) fn answer(request: &Recorded, lines: &Lines) -> Answer {
    let path = request.path.trim_end_matches('/');
    match (request.method.as_str(), path) {
        ("POST", "/v1/responses" | "/backend-api/codex/responses") => {
            authenticated(request, |request| responses(request, lines))
        }
        // A WebSocket is asked for first; this answer makes the agent use event streams at once.
        ("GET", "/v1/responses" | "/backend-api/codex/responses") => {
            error(426, None, "WebSockets are not served here").with("connection", "close")
        }
        ("GET", "/v1/models") => authenticated(request, models),
        ("GET", "/backend-api/wham/accounts/check") => authenticated(request, accounts),
        ("POST", "/oauth/token") => Answer::json(
            200,
            &json!({ "access_token": "rehearsal-access", "refresh_token": "rehearsal-refresh" }),
        ),
        ("POST", "/backend-api/codex/analytics-events/events") => Answer::json(200, &json!({})),
        _ => playground::not_found(request),
    }
}

fn authenticated(request: &Recorded, then: impl Fn(&Recorded) -> Answer) -> Answer {
    if request.is_authenticated() {
        return then(request);
    }
    error(
        401,
        None,
        "Missing bearer or basic authentication in header",
    )
}

fn responses(request: &Recorded, lines: &Lines) -> Answer {
    let body = match cue::request_body(request) {
        Ok(body) => body,
        Err(unread) => return error(unread.status, None, &unread.reason),
    };
    let id = fingerprint(&request.body);
    let conversation = conversation::read(&body["input"]);
    let turn = conversation.turns;
    let send = |response: Value, step: &Step| {
        let answer = match body["stream"] == true {
            true => Answer::events(
                response::events(&response),
                Duration::from_millis(step.delay_ms),
                step.cut_after,
            ),
            false => Answer::json(200, &response),
        };
        answer.with("x-request-id", &format!("req_{id}"))
    };
    if conversation::is_to_be_summed_up(&body["input"]) {
        return send(response::summary(&id, &body), &Step::default());
    }
    let play = |step: &Step| {
        let naming = response::Naming { id: &id, turn };
        send(response::response(step, &naming, &body), step)
    };
    // A request for a title is asked beside the turn itself.
    let question = conversation.question(&body["text"]["format"]);
    conversation
        .cue(lines)
        .perform(request, &question, error, play)
}

fn models(_: &Recorded) -> Answer {
    let model = json!({ "id": "gpt-rehearsal", "object": "model", "created": 1_700_000_000, "owned_by": "rehearsal" });
    Answer::json(200, &json!({ "object": "list", "data": [model] }))
}

/// Codex refuses to work when the account of its own configuration is not in this answer: so it is whichever one it names.
fn accounts(request: &Recorded) -> Answer {
    let id = request
        .header("chatgpt-account-id")
        .unwrap_or("00000000-0000-4000-8000-000000000000");
    let account = json!({ "id": id, "workspace_backend_origin": "NO_CONSTRAINT", "account_routing_override": "NO_CONSTRAINT" });
    Answer::json(200, &json!({ "accounts": [account] }))
}

fn error(status: u16, kind: Option<&str>, message: &str) -> Answer {
    let usual = match status {
        429 => "rate_limit_exceeded",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    Answer::json(
        status,
        &json!({ "error": { "message": message, "type": kind.unwrap_or(usual), "code": null, "param": null } }),
    )
}

#[cfg(test)]
mod tests;
