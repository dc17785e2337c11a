#![allow(clippy::unwrap_used)]

use super::*;

/// The answer of a rehearsal that knows no prompt.
fn answered(request: &Recorded) -> Answer {
    answer(request, &Lines::default())
}
use crate::answer::Body;
use crate::record::tests::request;

fn post(body: &Value) -> Answer {
    let headers = [("authorization", "Bearer t")];
    answered(&request(
        "POST",
        "api.anthropic.com",
        "/v1/messages?beta=true",
        &headers,
        &body.to_string(),
    ))
}

fn ask(prompt: &str) -> Value {
    json!({ "model": "m", "max_tokens": 64000, "stream": false, "messages": [{ "role": "user", "content": prompt }] })
}

fn text(answer: &Answer) -> String {
    match &answer.body {
        Body::Full(body) => String::from_utf8_lossy(body).into_owned(),
        Body::Pieces { pieces, .. } => String::from_utf8_lossy(&pieces.concat()).into_owned(),
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
}

fn check(prompt: &str, status: u16, parts: &[&str]) {
    let answer = post(&ask(prompt));
    assert_eq!(answer.status, status, "{prompt}: {}", text(&answer));
    for part in parts {
        assert!(
            text(&answer).contains(part),
            "{prompt}: {} has no {part}",
            text(&answer)
        );
    }
}

#[test]
fn plays_steps() {
    check("hello", 200, &["You said: hello", "end_turn"]);
    check(
        r#"SCRIPT:[{"text":"done"}]"#,
        200,
        &[r#""text":"done""#, "end_turn"],
    );
    check(
        r#"SCRIPT:[{"tool":"Bash","input":{"command":"ls"}}]"#,
        200,
        &[
            r#""name":"Bash""#,
            r#""command":"ls""#,
            r#""stop_reason":"tool_use""#,
        ],
    );
    check(
        r#"SCRIPT:[{"tools":[{"tool":"A"},{"tool":"B"}]}]"#,
        200,
        &[r#""name":"A""#, r#""name":"B""#],
    );
    check(
        r#"SCRIPT:[{"thinking":"hmm","text":"x"}]"#,
        200,
        &[r#""thinking":"hmm""#, "signature"],
    );
    check(
        r#"SCRIPT:[{"reflect":"plain"}]"#,
        200,
        &[r#""authorization":"Bearer t""#],
    );
    check(
        r#"SCRIPT:[{"oops":1}]"#,
        400,
        &["oops", "invalid_request_error"],
    );
}

#[test]
fn fails_as_asked() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ] {
        check(
            &format!(r#"SCRIPT:[{{"error":{{"status":{status}}}}}]"#),
            status,
            &[kind, "scripted error"],
        );
    }
    check(
        r#"SCRIPT:[{"error":{"status":400,"type":"t","message":"m"}}]"#,
        400,
        &[r#""type":"t""#, r#""message":"m""#],
    );
}

#[test]
fn headers_of_a_step_are_sent() {
    let answer = post(&ask(
        r#"SCRIPT:[{"error":{"status":429},"headers":{"retry-after":"7"}}]"#,
    ));
    assert_eq!(header(&answer, "retry-after"), Some("7"));
    let answer = post(&ask("hi"));
    assert_eq!(
        header(&answer, "anthropic-ratelimit-unified-status"),
        Some("allowed")
    );
}

#[test]
fn a_stream_says_the_same_as_the_plain_answer() {
    let script = r#"SCRIPT:[{"thinking":"hmm","text":"some words, more words and then yet more","tool":"Bash","input":{"command":"echo \"ünï\" && ls -la /workspace"},"delay_ms":3,"cut_after":5,"wait_ms":9}]"#;
    let mut body = ask(script);
    let plain: Value = serde_json::from_str(&text(&post(&body))).unwrap();
    body["stream"] = json!(true);
    let streamed = post(&body);
    let Body::Pieces {
        pieces,
        pause,
        cut_after,
    } = &streamed.body
    else {
        panic!("{streamed:?}")
    };
    assert_eq!(
        (pause.as_millis(), *cut_after, streamed.wait.as_millis()),
        (3, Some(5), 9)
    );

    let mut input = String::new();
    let mut said = String::new();
    for piece in pieces {
        let line = std::str::from_utf8(piece).unwrap().lines().nth(1).unwrap();
        let data: Value = serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
        input += data["delta"]["partial_json"].as_str().unwrap_or_default();
        said += data["delta"]["text"].as_str().unwrap_or_default();
    }
    assert_eq!(plain["content"][1]["text"], said.as_str());
    assert_eq!(
        plain["content"][2]["input"],
        serde_json::from_str::<Value>(&input).unwrap()
    );
    let last = String::from_utf8_lossy(&pieces[pieces.len() - 1]).into_owned();
    assert!(last.contains("message_stop"), "{last}");
}

#[test]
fn side_requests_are_answered_whatever_the_prompt_says() {
    let mut title = ask(r#"SCRIPT:[{"error":{"status":500}}]"#);
    title["output_config"] = json!({ "format": { "type": "json_schema", "schema": { "type": "object", "properties": { "title": { "type": "string" } } } } });
    let answer = post(&title);
    assert!(
        answer.status == 200 && text(&answer).contains(r#"{\"title\":\"Rehearsal\"}"#),
        "{}",
        text(&answer)
    );
    let mut probe = ask("quota");
    probe["max_tokens"] = json!(1);
    assert!(text(&post(&probe)).contains(r#""text":"ok""#));
}

#[test]
fn every_other_path_is_answered() {
    let token = [("authorization", "Bearer t")];
    let none: [(&str, &str); 0] = [];
    for (method, target, headers, status) in [
        ("GET", "/api/claude_code/policy_limits", &token[..], 404),
        ("GET", "/api/claude_code/settings", &token, 404),
        ("POST", "/api/event_logging/v2/batch", &none, 200),
        ("POST", "/api/eval/sdk-x", &token, 200),
        ("GET", "/v1/models", &token, 200),
        ("GET", "/v1/models/claude-x", &token, 200),
        ("GET", "/v1/models", &none, 401),
        ("POST", "/v1/messages", &none, 401),
        ("POST", "/v1/messages", &token, 400),
        ("POST", "/v1/messages/count_tokens", &token, 200),
        ("POST", "/v1/files", &token, 404),
        ("GET", "/api/hello", &none, 200),
        ("GET", "/", &none, 404),
    ] {
        let answer = answered(&request(method, "api.anthropic.com", target, headers, "{"));
        assert_eq!(answer.status, status, "{method} {target}");
    }
}

#[test]
fn the_same_request_has_the_same_answer() {
    let body = ask(r#"SCRIPT:[{"tool":"Bash"}]"#);
    assert_eq!(text(&post(&body)), text(&post(&body)));
}
