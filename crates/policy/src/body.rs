//! What a model request may ask the provider to do: answer, and nothing that reaches out.

mod anthropic;
mod json;
mod openai;

use crate::refusal::{Refusal, code};
use json::Json;

/// Whose model request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Responses.
    OpenAi,
}

/// Checks a model request's body, whole and without any content encoding.
///
/// # Errors
/// Refuses what is no strict JSON object (also duplicate keys, however they are spelt), connectors, server tools, unknown typed tools, and
/// every source that the provider would fetch or look up. The refusal does not say where yet: [`Refusal::at`].
pub fn check_model_body(provider: Provider, body: &[u8]) -> Result<(), Refusal> {
    let json =
        Json::parse(body).map_err(|why| refuse(format!("The body is not strict JSON: {why}.")))?;
    let checked = match provider {
        Provider::Anthropic => anthropic::check(&json),
        Provider::OpenAi => openai::check(&json),
    };
    checked.map_err(|Found(what)| refuse(format!("A model request may not {what} from a sandbox.")))
}

/// What was found, as the end of the sentence "A model request may not …".
#[derive(Debug, PartialEq)]
struct Found(String);

fn refuse(hint: String) -> Refusal {
    Refusal::new(code::MODEL_BODY, hint)
}

/// Checks the keys of a request: those known are checked one by one, others may hold only plain values.
fn check_keys(request: &json::Object<'_>, known: &[&str]) -> Result<(), Found> {
    for (key, value) in request {
        if known.contains(&key.as_ref()) {
            continue;
        }
        // A key that differs from a known one only in its case is read as that one by some servers.
        let plain = matches!(value, Json::Null | Json::Bool | Json::Number);
        if !plain || known.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            return Err(Found(format!("carry the key \"{}\"", shown(key))));
        }
    }
    Ok(())
}

/// Cuts a name from the body down to what fits a sentence; control characters are escaped.
fn shown(text: &str) -> String {
    text.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests;
