//! The Anthropic interface: which request is which, and the answers to all but the model's turns themselves. Pure.

mod conversation;
mod message;
mod schema;

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, fingerprint};
use crate::cue;
use crate::lines::Lines;
use crate::playground;
use crate::record::Recorded;
use crate::script::Step;

/// Answers one request to the Anthropic host.
pub(crate) fn answer(request: &Recorded, lines: &Lines) -> Answer {
    let path = request.path.trim_end_matches('/');
    match (request.method.as_str(), path) {
        ("POST", "/v1/messages") => authenticated(request, |request| messages(request, lines)),
        ("POST", "/v1/messages/count_tokens") => authenticated(request, count_tokens),
        ("GET", "/v1/models") => authenticated(request, models),
        ("GET", path) if path.starts_with("/v1/models/") => authenticated(request, |_| {
            Answer::json(200, &model(&path["/v1/models/".len()..]))
        }),
        // An account without policies and managed settings has none: the agents take a 404 at once, and wait for nothing.
        ("GET", "/api/claude_code/policy_limits" | "/api/claude_code/settings") => {
            error(404, None, "Not found")
        }
        ("POST", path) if path.starts_with("/api/event_logging/") => {
            Answer::json(200, &json!({ "accepted_count": 0, "rejected_count": 0 }))
        }
        ("POST", path) if path.starts_with("/api/eval/") => {
            Answer::json(200, &json!({ "features": {} }))
        }
        ("GET", "/api/hello" | "/v1/oauth/hello") => {
            Answer::json(200, &json!({ "message": "hello" }))
        }
        ("POST", "/v1/oauth/token") => token(request),
        ("GET", path) if path.starts_with("/mcp-registry/") => {
            Answer::json(200, &json!({ "servers": [], "metadata": { "count": 0 } }))
        }
        _ => playground::not_found(request),
    }
}

/// The end of a sign-in: the token holds the code that the person pasted, so that a test knows it.
fn token(request: &Recorded) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let Some(code) = body["code"].as_str().filter(|code| !code.is_empty()) else {
        return error(400, None, "code: field required");
    };
    Answer::json(
        200,
        &json!({
            "token_type": "Bearer",
            "access_token": format!("sk-ant-oat01-rehearsal-00000000000000000000-{code}"),
            "refresh_token": "sk-ant-ort01-rehearsal",
            "expires_in": 31_536_000,
            "scope": "user:inference",
            "account": { "uuid": "00000000-0000-4000-8000-000000000000", "email_address": "rehearsal@example.com" },
            "organization": { "uuid": "00000000-0000-4000-8000-000000000000", "name": "Rehearsal" },
        }),
    )
}

/// A request without any credential gets what the real service gives it, so that a proxy that forgets to inject one is noticed.
fn authenticated(request: &Recorded, then: impl Fn(&Recorded) -> Answer) -> Answer {
    if request.is_authenticated() {
        return then(request);
    }
    error(401, None, "invalid x-api-key")
}

fn messages(request: &Recorded, lines: &Lines) -> Answer {
    let body = match cue::request_body(request) {
        Ok(body) => body,
        Err(unread) => return error(unread.status, None, &unread.reason),
    };
    let id = fingerprint(&request.body);
    let streamed = body["stream"] == true;
    let play = |step: &Step| {
        let message = message::message(step, &id, &body["model"]);
        let answer = match streamed {
            true => Answer::events(
                message::events(&message),
                Duration::from_millis(step.delay_ms),
                step.cut_after,
            ),
            false => Answer::json(200, &message),
        };
        accounted(answer, &id)
    };
    let conversation = conversation::read(&body["messages"]);
    if let Some(schema) = schema::asked_for(&body) {
        return play(&Step::saying(
            schema::filled(schema, &conversation.prompt).to_string(),
        ));
    }
    if body["max_tokens"] == 1 {
        return play(&Step::saying("ok"));
    }
    let question = conversation.question(&Value::Null);
    conversation
        .cue(lines)
        .perform(request, &question, error, play)
}

/// Adds the headers by which the agent learns its limits.
fn accounted(answer: Answer, id: &str) -> Answer {
    answer
        .with("request-id", &format!("req_{id}"))
        .with(
            "anthropic-organization-id",
            "00000000-0000-4000-8000-000000000000",
        )
        .with("anthropic-ratelimit-unified-status", "allowed")
        .with(
            "anthropic-ratelimit-unified-representative-claim",
            "five_hour",
        )
        .with("anthropic-ratelimit-unified-reset", "4102444800")
}

fn count_tokens(request: &Recorded) -> Answer {
    Answer::json(200, &json!({ "input_tokens": request.body.len() / 4 }))
}

fn models(_: &Recorded) -> Answer {
    let data: Vec<Value> = ["claude-opus-5", "claude-sonnet-5", "claude-haiku-5"]
        .into_iter()
        .map(model)
        .collect();
    Answer::json(
        200,
        &json!({ "data": data, "has_more": false, "first_id": "claude-opus-5", "last_id": "claude-haiku-5" }),
    )
}

fn model(id: &str) -> Value {
    json!({ "type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z" })
}

fn error(status: u16, kind: Option<&str>, message: &str) -> Answer {
    let usual = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    let body = json!({
        "type": "error",
        "error": { "type": kind.unwrap_or(usual), "message": message },
        "request_id": "req_rehearsal",
    });
    let again = matches!(status, 408 | 409 | 429 | 500..);
    Answer::json(status, &body)
        .with("request-id", "req_rehearsal")
        .with("x-should-retry", if again { "true" } else { "false" })
}

#[cfg(test)]
mod tests;
