//! Items without what differs from run to run.

use serde_json::{Value, json};

/// The items without what differs from run to run: names and times.
pub(crate) fn outline(items: &[Value]) -> String {
    let ids: Vec<&str> = items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect();
    let number = |id: &Value| {
        let id = id.as_str()?;
        ids.iter().position(|known| *known == id)
    };
    let outlined: Vec<Value> = items
        .iter()
        .map(|item| {
            let mut item = item.clone();
            let parent = number(&item["parent"]);
            let turn = number(&item["turn"]);
            let fields = item.as_object_mut().expect("an object");
            for field in ["id", "order", "at_ms"] {
                fields.remove(field);
            }
            fields.insert("parent".to_owned(), json!(parent));
            fields.insert("turn".to_owned(), json!(turn));
            scrub(&mut item);
            item
        })
        .collect();
    format!("{:#}\n", json!(outlined))
}

/// Takes times, random names and the middle of what is long out of a value.
fn scrub(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("ms");
            fields.values_mut().for_each(scrub);
        }
        Value::Array(values) => values.iter_mut().for_each(scrub),
        Value::String(text) => *text = shortened(&untimed(&unnamed(text))),
        _ => {}
    }
}

fn unnamed(text: &str) -> String {
    let is_name = |word: &str| {
        word.len() >= 12
            && word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_lowercase())
    };
    let mut result = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
            continue;
        }
        result.push_str(if is_name(&word) { "#" } else { &word });
        word.clear();
        if c != '\0' {
            result.push(c);
        }
    }
    result
}

/// As tools say how long they took.
fn untimed(text: &str) -> String {
    let Some((before, rest)) = text.split_once("Wall time: ") else {
        return text.to_owned();
    };
    match rest.split_once(" seconds") {
        Some((_, after)) => format!("{before}Wall time: # seconds{after}"),
        None => text.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 2_000;
    let count = text.chars().count();
    if count <= MOST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(40).collect();
    let end: String = text.chars().skip(count - 40).collect();
    format!("{begin} … {count} letters … {end}")
}
