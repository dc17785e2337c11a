//! Bodies as the two agents send them, and as a hijacked one would.
#![allow(clippy::unwrap_used)]

use super::*;

const CLAUDE: &str = include_str!("../../fixtures/claude-messages.json");
const CODEX: &str = include_str!("../../fixtures/codex-responses.json");
const CODEX_SEARCH: &str = include_str!("../../fixtures/codex-responses-web-search.json");

fn passes(provider: Provider, body: &str) {
    let checked = check_model_body(provider, body.as_bytes());
    assert!(
        checked.is_ok(),
        "{}: {body:.400}",
        checked.unwrap_err().hint
    );
}

fn refuses(provider: Provider, body: &str, why: &str) {
    let refusal = check_model_body(provider, body.as_bytes()).expect_err(body);
    assert_eq!(refusal.code, code::MODEL_BODY);
    assert!(refusal.hint.contains(why), "{}: {body}", refusal.hint);
}

#[test]
fn real_bodies_of_both_agents_pass() {
    passes(Provider::Anthropic, CLAUDE);
    passes(Provider::OpenAi, CODEX);
}

#[test]
fn codex_with_web_search_left_on_is_refused() {
    refuses(Provider::OpenAi, CODEX_SEARCH, "server tool \"web_search\"");
}

fn messages(rest: &str) -> String {
    format!(r#"{{"model":"m","max_tokens":1,{rest}}}"#)
}

fn block(block: &str) -> String {
    messages(&format!(
        r#""messages":[{{"role":"user","content":[{block}]}}]"#
    ))
}

#[test]
fn harmless_anthropic_bodies_pass() {
    for body in [
        messages(r#""messages":[{"role":"user","content":"see https://evil.example"}]"#),
        messages(r#""messages":[],"mcp_servers":[],"container":null"#),
        messages(
            r#""messages":[],"tools":[{"type":"custom","name":"x","input_schema":{"type":"url"}},{"type":"bash_20250124","name":"bash"}]"#,
        ),
        block(
            r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}"#,
        ),
        block(
            r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"title":"t"}"#,
        ),
        block(
            r#"{"type":"tool_use","id":"t","name":"WebFetch","input":{"type":"url","url":"https://evil.example","source":{"type":"url"}}}"#,
        ),
        block(
            r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},{"type":"tool_reference","tool_name":"x"}]}"#,
        ),
    ] {
        passes(Provider::Anthropic, &body);
    }
}

#[test]
fn anthropic_bodies_that_reach_out_are_refused() {
    for (body, why) in [
        (
            messages(
                r#""messages":[],"mcp_servers":[{"type":"url","url":"https://evil.example"}]"#,
            ),
            "mcp_servers",
        ),
        (
            messages(r#""messages":[],"mcp\u005fservers":[{"url":"https://evil.example"}]"#),
            "mcp_servers",
        ),
        (
            messages(r#""messages":[],"MCP_servers":[{"url":"https://evil.example"}]"#),
            "the key \"MCP_servers\"",
        ),
        (messages(r#""messages":[],"container":"c_1""#), "container"),
        (
            messages(r#""messages":[],"connectors":["x"]"#),
            "the key \"connectors\"",
        ),
        (
            messages(r#""messages":[],"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]"#),
            "server tool \"web_fetch_20250910\"",
        ),
        (
            messages(
                r#""messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            ),
            "server tool",
        ),
        (
            messages(r#""messages":[],"tools":[{"type":"code_execution_20250825","name":"x"}]"#),
            "server tool",
        ),
        (
            messages(r#""messages":[],"tools":[{"type":"mcp_toolset","mcp_server_name":"x"}]"#),
            "server tool",
        ),
        (
            messages(r#""messages":[],"tools":[{"type":"brand_new_20270101","name":"x"}]"#),
            "server tool",
        ),
        (
            messages(r#""messages":[],"tools":[{"Type":"web_fetch_20250910","name":"x"}]"#),
            "odd case",
        ),
        (
            messages(r#""messages":[],"tools":[{"type":["web_fetch_20250910"],"name":"x"}]"#),
            "no text",
        ),
        (
            messages(r#""messages":[],"tools":{"type":"web_fetch_20250910"}"#),
            "no list",
        ),
        (
            block(r#"{"type":"image","source":{"type":"url","url":"https://evil.example/?data"}}"#),
            "\"url\"",
        ),
        (
            block(r#"{"type":"document","source":{"type":"url","url":"https://evil.example"}}"#),
            "\"url\"",
        ),
        (
            block(r#"{"type":"document","source":{"type":"file","file_id":"f"}}"#),
            "file",
        ),
        (
            block(r#"{"type":"image","Source":{"type":"url"},"source":{"type":"base64"}}"#),
            "odd case",
        ),
        (
            block(r#"{"type":"image","source":{"type":"base64","url":"https://evil.example"}}"#),
            "\"url\"",
        ),
        (
            block(r#"{"type":"container_upload","file_id":"f"}"#),
            "container_upload",
        ),
        (
            block(r#"{"type":"text","text":"x","source":{"type":"url"}}"#),
            "source",
        ),
        (
            block(r#"{"source":{"type":"url","url":"https://evil.example"}}"#),
            "type \"\"",
        ),
        (
            block(
                r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"https://e"}}]}"#,
            ),
            "\"url\"",
        ),
        (
            block(
                r#"{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"https://e"}}]}}"#,
            ),
            "\"url\"",
        ),
        (
            messages(r#""system":[{"type":"image","source":{"type":"url","url":"https://e"}}]"#),
            "\"url\"",
        ),
        ("[]".to_owned(), "object"),
    ] {
        refuses(Provider::Anthropic, &body, why);
    }
}

#[test]
fn bodies_that_two_readers_read_differently_are_refused() {
    for (body, why) in [
        (
            messages(r#""tools":[],"tools":[{"type":"web_fetch_20250910"}]"#),
            "stands twice",
        ),
        (
            messages(r#""tools":[{"type":"web_fetch_20250910"}],"\u0074ools":[]"#),
            "stands twice",
        ),
        (
            block(r#"{"type":"text","type":"image","text":"x"}"#),
            "stands twice",
        ),
        (
            block(r#"{"type":"tool_use","id":"t","name":"n","input":{"a":1,"a":2}}"#),
            "stands twice",
        ),
        (messages(r#""messages":[]}{"x":1"#), "strict JSON"),
        (messages(r#""messages":[],"#), "strict JSON"),
        (
            format!("\u{feff}{}", messages(r#""messages":[]"#)),
            "strict JSON",
        ),
        (
            format!("{}{}", "[".repeat(5000), "]".repeat(5000)),
            "recursion",
        ),
        (String::new(), "strict JSON"),
    ] {
        refuses(Provider::Anthropic, &body, why);
    }
    let latin = check_model_body(Provider::Anthropic, b"{\"model\":\"\xff\"}").unwrap_err();
    assert!(latin.hint.contains("UTF-8"));
}

fn responses(rest: &str) -> String {
    format!(r#"{{"model":"m","stream":true,{rest}}}"#)
}

fn part(part: &str) -> String {
    responses(&format!(
        r#""input":[{{"type":"message","role":"user","content":[{part}]}}]"#
    ))
}

#[test]
fn harmless_openai_bodies_pass() {
    for body in [
        responses(r#""input":"see https://evil.example""#),
        responses(
            r#""input":[{"role":"user","content":"x"}],"tools":[{"type":"function","name":"web_search","parameters":{"type":"mcp"}},{"type":"custom","name":"p"}],"tool_choice":"auto""#,
        ),
        part(r#"{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"auto"}"#),
        responses(
            r#""input":[{"type":"function_call_output","call_id":"c","output":"https://evil.example"},{"type":"reasoning","summary":[],"encrypted_content":"x"}]"#,
        ),
        responses(
            r#""input":[{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"DATA:image/png;base64,AA=="}]}]"#,
        ),
    ] {
        passes(Provider::OpenAi, &body);
    }
}

#[test]
fn openai_bodies_that_reach_out_are_refused() {
    for (body, why) in [
        (
            responses(r#""input":[],"tools":[{"type":"web_search"}]"#),
            "server tool \"web_search\"",
        ),
        (
            responses(r#""input":[],"tools":[{"type":"mcp","server_url":"https://evil.example"}]"#),
            "server tool \"mcp\"",
        ),
        (
            responses(
                r#""input":[],"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]"#,
            ),
            "server tool",
        ),
        (
            responses(r#""input":[],"tools":[{"type":"file_search","vector_store_ids":["v"]}]"#),
            "server tool",
        ),
        (
            responses(
                r#""input":[],"tools":[{"type":"shell","environment":{"type":"container_auto"}}]"#,
            ),
            "server tool",
        ),
        (
            responses(
                r#""input":[],"tools":[{"type":"namespace","name":"n","tools":[{"type":"mcp","server_url":"https://e"}]}]"#,
            ),
            "server tool \"mcp\"",
        ),
        (
            responses(r#""input":[],"tools":[{"name":"x"}]"#),
            "server tool \"\"",
        ),
        (
            responses(
                r#""input":[{"type":"additional_tools","role":"developer","tools":[{"type":"mcp","server_url":"https://e"}]}]"#,
            ),
            "server tool \"mcp\"",
        ),
        (
            responses(r#""input":[{"type":"tool_search_output","tools":[{"type":"web_search"}]}]"#),
            "server tool",
        ),
        (
            responses(r#""input":[{"type":"mcp_call","server_label":"x"}]"#),
            "mcp_call",
        ),
        (
            responses(r#""input":[{"type":"item_reference","id":"x"}]"#),
            "item_reference",
        ),
        (
            responses(r#""input":[],"tool_choice":{"type":"web_search"}"#),
            "server tool",
        ),
        (
            responses(
                r#""input":[],"tool_choice":{"type":"allowed_tools","tools":[{"type":"mcp"}]}"#,
            ),
            "server tool",
        ),
        (
            responses(r#""input":[],"prompt":{"id":"pmpt_1"}"#),
            "the key \"prompt\"",
        ),
        (
            responses(r#""input":[],"conversation":"conv_1""#),
            "the key \"conversation\"",
        ),
        (responses(r#""input":[],"Tools":[]"#), "the key \"Tools\""),
        (
            part(r#"{"type":"input_image","image_url":"https://evil.example/?data"}"#),
            "image_url",
        ),
        (
            part(r#"{"type":"input_image","image_url":{"url":"https://evil.example"}}"#),
            "image_url",
        ),
        (part(r#"{"type":"input_image","file_id":"f"}"#), "file_id"),
        (
            part(r#"{"type":"input_file","file_url":"https://evil.example"}"#),
            "file_url",
        ),
        (
            part(r#"{"type":"input_file","File_URL":"https://evil.example"}"#),
            "File_URL",
        ),
        (part(r#"{"type":"input_video","x":1}"#), "input_video"),
        (
            responses(
                r#""input":[{"type":"custom_tool_call_output","call_id":"c","output":[{"type":"input_image","image_url":"https://e"}]}]"#,
            ),
            "image_url",
        ),
    ] {
        refuses(Provider::OpenAi, &body, why);
    }
}
