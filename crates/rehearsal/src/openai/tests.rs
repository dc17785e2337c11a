#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;

/// The answer of a rehearsal that knows no prompt.
fn answered(request: &Recorded) -> Answer {
    answer(request, &Lines::default())
}
use crate::answer::Body;
use crate::record::tests::request;

fn post(body: &Value) -> Answer {
    answered(&request(
        "POST",
        "api.openai.com",
        "/v1/responses",
        &[("authorization", "Bearer t")],
        &body.to_string(),
    ))
}

fn ask(prompt: &str) -> Value {
    let input = json!([{ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": prompt }] }]);
    json!({ "model": "m", "stream": true, "input": input, "tools": [{ "type": "function", "name": "exec_command" }] })
}

fn text(answer: &Answer) -> String {
    match &answer.body {
        Body::Full(body) => String::from_utf8_lossy(body).into_owned(),
        Body::Pieces { pieces, .. } => String::from_utf8_lossy(&pieces.concat()).into_owned(),
    }
}

fn check(body: &Value, status: u16, parts: &[&str]) {
    let answer = post(body);
    assert_eq!(answer.status, status, "{body}: {}", text(&answer));
    for part in parts {
        assert!(
            text(&answer).contains(part),
            "{body}: {} has no {part}",
            text(&answer)
        );
    }
}

#[test]
fn plays_steps() {
    check(
        &ask("hello"),
        200,
        &["response.created", "You said: hello", "response.completed"],
    );
    check(
        &ask(r#"SCRIPT:[{"tool":"Bash","input":{"command":"ls"}}]"#),
        200,
        &["exec_command", r#"{\"cmd\":\"ls\"}"#, "call_0_0_"],
    );
    check(
        &ask(r#"SCRIPT:[{"tool":"exec_command","input":{"cmd":"ls"}}]"#),
        200,
        &["exec_command", r#"{\"cmd\":\"ls\"}"#],
    );
    check(
        &ask(r#"SCRIPT:[{"tool":"Write","input":{"file_path":"a b","content":"it's"}}]"#),
        200,
        &[r"printf %s 'it'\\\\''s' > 'a b'"],
    );
    check(
        &ask(r#"SCRIPT:[{"tool":"Read","input":{"file_path":"a"}}]"#),
        200,
        &["cat 'a'"],
    );
    check(
        &ask(r#"SCRIPT:[{"thinking":"hmm","text":"x"}]"#),
        200,
        &["response.reasoning_summary_text.delta", "summary_text"],
    );
    check(
        &ask(
            r#"SCRIPT:[{"tools":[{"tool":"Bash","input":{"command":"a"}},{"tool":"Bash","input":{"command":"b"}}]}]"#,
        ),
        200,
        &["call_0_0_", "call_0_1_"],
    );
    check(&ask(r#"SCRIPT:[{"oops":1}]"#), 400, &["oops"]);
    check(
        &ask(r#"SCRIPT:[{"error":{"status":429}}]"#),
        429,
        &["rate_limit_exceeded"],
    );
}

#[test]
fn an_older_shell_tool_is_used_where_it_is_the_one_offered() {
    let mut body = ask(r#"SCRIPT:[{"tool":"Bash","input":{"command":"ls"}}]"#);
    body["tools"] = json!([{ "name": "shell" }]);
    check(&body, 200, &[r#"{\"command\":[\"bash\",\"-lc\",\"ls\"]}"#]);
}

#[test]
fn plays_the_next_step_after_a_call() {
    let mut body = ask(r#"SCRIPT:[{"tool":"Bash","input":{"command":"ls"}},{"text":"listed"}]"#);
    let input = body["input"].as_array_mut().unwrap();
    input.push(json!({ "type": "function_call", "call_id": "call_0_0_x", "name": "exec_command", "arguments": "{}" }));
    input.push(json!({ "type": "function_call_output", "call_id": "call_0_0_x", "output": "a" }));
    check(&body, 200, &["listed"]);
}

#[test]
fn a_compressed_body_is_refused_by_name() {
    let headers = [("authorization", "Bearer t"), ("content-encoding", "zstd")];
    let answer = answered(&request(
        "POST",
        "chatgpt.com",
        "/backend-api/codex/responses",
        &headers,
        "{}",
    ));
    assert!(
        answer.status == 415 && text(&answer).contains("zstd"),
        "{}",
        text(&answer)
    );
}

#[test]
fn a_plain_request_has_a_plain_answer() {
    let mut body = ask("hello");
    body["stream"] = json!(false);
    let response: Value = serde_json::from_str(&text(&post(&body))).unwrap();
    assert_eq!(response["output"][0]["role"], "assistant");
}

#[test]
fn a_conversation_is_summed_up_for_the_service_alone() {
    let prompt =
        json!({"type": "message", "role": "user", "content": "SCRIPT:[{\"text\":\"one\"}]"});
    let input = json!([prompt, {"type": "compaction_trigger"}]);
    let parts = [
        "\"type\":\"compaction\"",
        "encrypted_content",
        "response.completed",
    ];
    check(&json!({"input": input, "stream": true}), 200, &parts);
}

#[test]
fn every_other_path_is_answered() {
    let token = [
        ("authorization", "Bearer t"),
        ("chatgpt-account-id", "acc-1"),
    ];
    for (method, target, headers, status, part) in [
        ("GET", "/v1/responses", &token[..], 426, "WebSockets"),
        (
            "GET",
            "/backend-api/codex/responses",
            &token,
            426,
            "WebSockets",
        ),
        ("POST", "/backend-api/codex/responses", &token, 400, "JSON"),
        ("GET", "/v1/models", &token, 200, "gpt-rehearsal"),
        ("GET", "/v1/models", &[], 401, "Missing"),
        ("POST", "/v1/responses", &[], 401, "Missing"),
        (
            "GET",
            "/backend-api/wham/accounts/check",
            &token,
            200,
            "acc-1",
        ),
        ("GET", "/backend-api/codex/models", &token, 404, ""),
        ("POST", "/oauth/token", &[], 200, "rehearsal-access"),
    ] {
        let answer = answered(&request(method, "chatgpt.com", target, headers, "{"));
        assert_eq!(answer.status, status, "{method} {target}");
        assert!(
            text(&answer).contains(part),
            "{method} {target}: {}",
            text(&answer)
        );
    }
}
