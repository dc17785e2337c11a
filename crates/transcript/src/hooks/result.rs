//! What a hook says that came of a tool.

use serde_json::Value;

use crate::bounded;
use crate::claude::{account_of, text_of};
use crate::observation::{Account, CallResult, End};

pub(super) fn read(event: &str, report: &Value) -> Option<CallResult> {
    let response = &report["tool_response"];
    let error = report["error"].as_str().unwrap_or_default();
    let account = account_of(response, error);
    let text = match &account {
        Some(Account::Shell { output, .. }) => output.clone(),
        Some(Account::Agent {
            result: Some(result),
            ..
        }) => result.clone(),
        _ => plain(response, error),
    };
    let interrupted = report["is_interrupt"] == true || response["interrupted"] == true;
    Some(CallResult {
        id: bounded::line(report["tool_use_id"].as_str()?),
        text: bounded::text(text, bounded::OUTPUT),
        images: 0,
        end: match event {
            _ if interrupted => End::Interrupted,
            "PostToolUseFailure" => End::Failed,
            _ => End::Done,
        },
        ms: report["duration_ms"].as_u64(),
        account,
    })
}

/// The text in an answer of any shape.
fn plain(response: &Value, error: &str) -> String {
    if !error.is_empty() {
        return error.to_owned();
    }
    let content = [&response["file"]["content"], response, &response["content"]];
    let text = content
        .into_iter()
        .map(|content| text_of(content).0)
        .find(|text| !text.is_empty());
    text.unwrap_or_else(|| match response.is_null() {
        true => String::new(),
        false => response.to_string(),
    })
}
