//! The parsers of the services' streams: the same events however the bytes are cut, no panic on any bytes, and every token.
#![allow(clippy::unwrap_used)]

mod recording;

use clauderon_transcript::tap::{TapEvent, Usage};
use clauderon_transcript::{Observation, anthropic, claude, codex, hooks, openai};
use proptest::prelude::*;
use recording::{Recording, told};
use serde_json::{Value, json};

/// The bytes of all recorded answers, with what their heads say.
fn answers(codex: bool) -> Vec<(u16, String, Vec<u8>)> {
    let recordings = recording::names()
        .into_iter()
        .map(|name| Recording::open(&name));
    let exchanges = recordings
        .filter(|one| one.is_codex() == codex)
        .flat_map(|one| one.exchanges());
    exchanges
        .map(|exchange| {
            let pieces = exchange["pieces"].as_array().unwrap();
            let body: String = pieces
                .iter()
                .map(|piece| piece[1].as_str().unwrap())
                .collect();
            let status = exchange["status"].as_u64().unwrap() as u16;
            (
                status,
                exchange["answer"]["content-type"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                body.into_bytes(),
            )
        })
        .collect()
}

fn read(codex: bool, status: u16, kind: &str, pieces: &[&[u8]]) -> Vec<TapEvent> {
    if codex {
        let mut stream = openai::Stream::new(status, kind);
        let mut told: Vec<TapEvent> = pieces.iter().flat_map(|piece| stream.push(piece)).collect();
        told.extend(stream.end());
        return told;
    }
    let mut stream = anthropic::Stream::new(status, kind);
    let mut told: Vec<TapEvent> = pieces.iter().flat_map(|piece| stream.push(piece)).collect();
    told.extend(stream.end());
    told
}

fn cut<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_tells_the_same_however_its_bytes_are_cut(sizes in proptest::collection::vec(1usize..90, 1..12)) {
        for codex in [false, true] {
            for (status, kind, body) in answers(codex) {
                let whole = read(codex, status, &kind, &[&body]);
                prop_assert_eq!(read(codex, status, &kind, &cut(&body, &sizes)), whole);
            }
        }
    }

    #[test]
    fn a_transcript_tells_the_same_however_its_bytes_are_cut(sizes in proptest::collection::vec(1usize..4_000, 1..12)) {
        for name in recording::names() {
            let recording = Recording::open(&name);
            for bytes in recording.files() {
                let whole = recording.read(&bytes);
                let mut pieces = Vec::new();
                if recording.is_codex() {
                    let mut reader = codex::Reader::new();
                    cut(&bytes, &sizes).into_iter().for_each(|piece| pieces.extend(reader.push(piece)));
                    prop_assert_eq!(reader.offset(), bytes.len() as u64);
                } else {
                    let mut reader = claude::Reader::new();
                    cut(&bytes, &sizes).into_iter().for_each(|piece| pieces.extend(reader.push(piece)));
                    prop_assert_eq!(reader.offset(), bytes.len() as u64);
                }
                prop_assert_eq!(pieces, whole);
            }
        }
    }

    /// Real answers and transcripts with bytes thrown in, taken out and changed: everything in the sandbox can do that.
    #[test]
    fn no_bytes_make_anything_panic(
        junk in proptest::collection::vec(any::<u8>(), 0..300),
        at in any::<proptest::sample::Index>(),
        which in any::<proptest::sample::Index>(),
        drop in 0usize..200,
    ) {
        let spoil = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len() + 1);
            let end = (at + drop).min(bytes.len());
            bytes.splice(at..end, junk.iter().copied());
            bytes
        };
        for codex in [false, true] {
            let answers = answers(codex);
            let (status, kind, body) = which.get(&answers);
            let link = || "r".to_owned();
            let mut all = vec![TapEvent::Started(request())];
            all.extend(read(codex, *status, kind, &[&spoil(body)]));
            told(all.into_iter().map(|event| (1_000, Observation::Tap { request: link(), event })));
            for kind in ["text/event-stream", "application/json", ""] {
                read(codex, 200, kind, &[&junk]);
            }
        }
        let names = recording::names();
        let recording = Recording::open(which.get(&names[..]).as_str());
        for bytes in recording.files() {
            told(recording.read(&spoil(&bytes)).into_iter().map(|one| (2_000_000_000_000, one)));
        }
        for line in recording.files().concat().split(|byte| *byte == b'\n').take(20) {
            let mut reports = hooks::Reports::new();
            reports.hook(&spoil(line));
            reports.notify(&spoil(line));
            anthropic::request(|_| None, &spoil(line));
            openai::request(|_| None, &spoil(line));
        }
    }
}

fn request() -> clauderon_transcript::tap::Request {
    let body = json!({ "model": "m", "max_tokens": 9, "tools": [{}], "messages": [{ "role": "user", "content": "hi" }] });
    anthropic::request(|_| None, body.to_string().as_bytes()).unwrap()
}

#[test]
fn totals_are_the_services_own_to_the_token() {
    for name in recording::names() {
        let recording = Recording::open(&name);
        let totals = told(recording.tap()).usage();
        let mut expected = Usage::default();
        let mut requests = 0;
        for exchange in recording.exchanges() {
            let pieces = exchange["pieces"].as_array().unwrap();
            let body: String = pieces
                .iter()
                .map(|piece| piece[1].as_str().unwrap())
                .collect();
            if let Some(counted) = counted(&body, recording.is_codex()) {
                requests += 1;
                expected.input += counted.input;
                expected.output += counted.output;
                expected.cache_read += counted.cache_read;
            }
        }
        assert_eq!(totals.session.usage, expected, "{name}");
        assert_eq!(totals.session.requests, requests, "{name}");
        for parts in [
            totals.turns.iter().map(|part| part.sum).collect::<Vec<_>>(),
            totals.agents.iter().map(|part| part.sum).collect(),
            totals.models.iter().map(|part| part.sum).collect(),
        ] {
            assert_eq!(
                parts.iter().map(|sum| sum.requests).sum::<u64>(),
                requests,
                "{name}"
            );
            assert_eq!(
                parts.iter().map(|sum| sum.usage.output).sum::<u64>(),
                expected.output,
                "{name}"
            );
        }
    }
}

/// Counts an answer's tokens in another way: the largest of each number anywhere in it.
fn counted(body: &str, codex: bool) -> Option<Usage> {
    let datas = body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .chain([body]);
    let usages: Vec<Value> = datas
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .flat_map(|event| {
            [
                event["usage"].clone(),
                event["message"]["usage"].clone(),
                event["response"]["usage"].clone(),
            ]
        })
        .filter(Value::is_object)
        .collect();
    let most = |key: &str| {
        usages
            .iter()
            .filter_map(|usage| usage[key].as_u64())
            .max()
            .unwrap_or(0)
    };
    let cached = usages
        .iter()
        .filter_map(|usage| usage["input_tokens_details"]["cached_tokens"].as_u64())
        .max()
        .unwrap_or(0);
    let usage = match codex {
        true => Usage {
            input: most("input_tokens") - cached,
            cache_read: cached,
            output: most("output_tokens"),
            ..Usage::default()
        },
        false => Usage {
            input: most("input_tokens"),
            cache_read: most("cache_read_input_tokens"),
            output: most("output_tokens"),
            ..Usage::default()
        },
    };
    (!usages.is_empty()).then_some(usage)
}

#[test]
fn caches_and_reasoning_are_counted_apart() {
    let body = r#"{"id":"msg_1","model":"claude-sonnet-5","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",
        "usage":{"input_tokens":10,"cache_read_input_tokens":1000,"cache_creation_input_tokens":300,
        "cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens":7}}"#;
    let told = read(false, 200, "application/json", &[body.as_bytes()]);
    let expected = Usage {
        input: 10,
        output: 7,
        cache_read: 1000,
        cache_write: 100,
        cache_write_hour: 200,
        reasoning: 0,
    };
    assert!(
        told.iter()
            .any(|event| matches!(event, TapEvent::Finished { usage, .. } if *usage == expected)),
        "{told:?}"
    );
    let body = r#"{"object":"response","id":"resp_1","model":"m","output":[],"usage":{"input_tokens":100,
        "input_tokens_details":{"cached_tokens":80},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":5}}}"#;
    let told = read(true, 200, "application/json", &[body.as_bytes()]);
    let expected = Usage {
        input: 20,
        output: 20,
        cache_read: 80,
        reasoning: 5,
        ..Usage::default()
    };
    assert!(
        told.iter()
            .any(|event| matches!(event, TapEvent::Finished { usage, .. } if *usage == expected)),
        "{told:?}"
    );
}

#[test]
fn limits_are_read_from_the_heads_of_answers() {
    let heads = |name: &str| match name {
        "anthropic-ratelimit-unified-status" => Some("allowed_warning"),
        "anthropic-ratelimit-unified-representative-claim" => Some("five_hour"),
        "anthropic-ratelimit-unified-reset" => Some("1800000000"),
        "anthropic-ratelimit-unified-5h-utilization" => Some("0.93"),
        "anthropic-ratelimit-unified-7d-utilization" => Some("0.5"),
        "anthropic-ratelimit-unified-7d-reset" => Some("1800500000"),
        _ => None,
    };
    let limits = anthropic::limits(heads).unwrap();
    let (short, long) = (limits.five_hour.unwrap(), limits.weekly.unwrap());
    assert_eq!(
        (short.used, short.resets_at_ms),
        (Some(0.93), Some(1_800_000_000_000))
    );
    assert_eq!(
        (long.used, long.resets_at_ms),
        (Some(0.5), Some(1_800_500_000_000))
    );
    let heads = |name: &str| match name {
        "x-codex-primary-used-percent" => Some("12.5"),
        "x-codex-primary-window-minutes" => Some("10080"),
        "x-codex-primary-reset-after-seconds" => Some("60"),
        _ => None,
    };
    let limits = openai::limits(heads, 5_000).unwrap();
    assert_eq!(limits.weekly.unwrap().used, Some(0.125));
    assert!(anthropic::limits(|_| None).is_none() && openai::limits(|_| None, 0).is_none());
}

#[test]
fn an_event_is_read_in_a_few_microseconds() {
    let (mut events, mut bytes) = (0u32, Vec::new());
    for _ in 0..200 {
        for (_, kind, body) in answers(false) {
            if kind.starts_with("text/event-stream") {
                events += body.windows(6).filter(|window| window == b"event:").count() as u32;
                bytes.push(body);
            }
        }
    }
    #[allow(clippy::disallowed_methods)]
    let start = std::time::Instant::now();
    for body in &bytes {
        read(false, 200, "text/event-stream", &[body]);
    }
    let each = start.elapsed() / events;
    // Without optimisation; a release is ten times faster.
    assert!(each < std::time::Duration::from_micros(200), "{each:?}");
}
