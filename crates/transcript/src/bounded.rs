//! Keeps what comes from a sandbox at a size that can be held and shown.

use serde_json::Value;

/// Bytes of a text: more than any answer of a model, less than a file that a tool printed by mistake.
pub const TEXT: usize = 512 * 1024;
/// Bytes of what a tool printed.
pub const OUTPUT: usize = 128 * 1024;
/// Bytes of a tool's input, as JSON.
pub const INPUT: usize = 256 * 1024;
/// Bytes of a record that is shown as it is.
pub const RAW: usize = 8 * 1024;
/// Bytes of a line, a name or an id.
pub const LINE: usize = 400;

/// Cuts a text at `most` bytes and says so.
pub(crate) fn text(mut text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let left_out = text.len() - cut_at(&text, most);
    text.truncate(text.len() - left_out);
    text.push_str(&format!("\n… {left_out} more bytes"));
    text
}

/// Makes one line of a text that is not too long.
pub(crate) fn line(text: &str) -> String {
    let first = text.trim().lines().next().unwrap_or_default();
    match first.char_indices().nth(LINE / 4) {
        Some((end, _)) => format!("{}…", &first[..end]),
        None => first.to_owned(),
    }
}

/// Keeps a value that is small enough, and says the size of one that is not.
pub(crate) fn value(value: Value, most: usize) -> Value {
    let bytes = weight(&value);
    match bytes <= most {
        true => value,
        false => Value::String(format!("… {bytes} bytes")),
    }
}

/// About how many bytes a value takes as JSON, without writing it.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(list) => list.iter().map(|one| weight(one) + 1).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter()
                .map(|(key, one)| key.len() + weight(one) + 4)
                .sum::<usize>()
                + 2
        }
        _ => 8,
    }
}

/// The largest boundary of a character at or before `most`.
pub(crate) fn cut_at(text: &str, most: usize) -> usize {
    (0..=most.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_cut_says_by_how_much() {
        assert_eq!(text("abc".to_owned(), 3), "abc");
        assert_eq!(text("abcdef".to_owned(), 4), "abcd\n… 2 more bytes");
        assert_eq!(text("aé".to_owned(), 2), "a\n… 2 more bytes");
        assert_eq!(value(json!({"a": "b"}), 100), json!({"a": "b"}));
        assert_eq!(value(json!("b".repeat(9)), 5), json!("… 11 bytes"));
        assert_eq!(line(" a\nb"), "a");
    }
}
