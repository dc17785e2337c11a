//! What the tap costs a stream: the same events through two proxies of one process, one of which shows them to a reducer and
//! one of which has a route that nobody listens to. Prints a table and judges nothing. `cargo bench -p clauderon-proxy`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]
#![allow(dead_code, unused_imports)]

#[path = "../tests/gate/client.rs"]
mod client;
#[path = "../tests/gate/turnstile.rs"]
mod turnstile;
#[path = "../tests/gate/upstream.rs"]
mod upstream;
#[path = "../tests/gate/world.rs"]
mod world;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clauderon_policy::{Policy, Provider, Routes};
use clauderon_proxy::{Part, Passing};
use clauderon_transcript::{
    Conversation, Observation, anthropic,
    meter::{Asking, Meter},
    tap::TapEvent,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::{io::AsyncWriteExt, sync::mpsc};

use client::{ANTHROPIC, Tunnel, post};
use upstream::{Reply, read_chunk, read_head};
use world::World;

/// Events whose way is timed, one after the other, and the pause between two.
const TIMED: usize = 3_000;
const PAUSE: Duration = Duration::from_millis(1);
/// Events of a block whose processor time is counted, and blocks of each kind.
const BLOCK: usize = 4_000;
const BLOCKS: usize = 10;
/// Events a second of a model that writes fast.
const RATE: f64 = 100.0;

const UNTAPPED: &str = r#"
[[route]]
name = "untapped"
hosts = ["api.anthropic.com"]
methods = ["POST"]
paths = ["/v1/messages"]
act = "inject"
credentials = [{ name = "anthropic_oauth_token", scheme = "bearer" }]
"#;

const ASKED: &str = r#"{"model":"claude-sonnet-5","max_tokens":64000,"stream":true,"tools":[{"name":"Bash"}],"messages":[{"role":"user","content":"say much"}]}"#;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut bare = Stream::open(false).await;
        let mut tapped = Stream::open(true).await;
        for _ in 0..200 {
            bare.pass().await;
            tapped.pass().await;
        }
        latency(&mut bare, &mut tapped).await;
        processor(&mut bare, &mut tapped).await;
    });
}

async fn latency(bare: &mut Stream, tapped: &mut Stream) {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for turn in 0..TIMED {
        tokio::time::sleep(PAUSE).await;
        // Whoever goes first finds the caches colder.
        if turn % 2 == 0 {
            without.push(bare.pass().await);
            with.push(tapped.pass().await);
        } else {
            with.push(tapped.pass().await);
            without.push(bare.pass().await);
        }
    }
    println!("\nAn event's way through the proxy, µs ({TIMED} of each, alternating)");
    println!("  {:<16}{:>8}{:>8}{:>8}", "", "p50", "p95", "mean");
    let mut rows = Vec::new();
    for (name, mut times) in [("without the tap", without), ("with the tap", with)] {
        times.sort();
        let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap();
        let row = [times[times.len() / 2], times[times.len() * 95 / 100], mean].map(micros);
        println!("  {name:<16}{:>8.1}{:>8.1}{:>8.1}", row[0], row[1], row[2]);
        rows.push(row);
    }
    let added: Vec<f64> = (0..3).map(|at| rows[1][at] - rows[0][at]).collect();
    println!(
        "  {:<16}{:>+8.1}{:>+8.1}{:>+8.1}   (aim: 100 at most)",
        "added", added[0], added[1], added[2]
    );
}

async fn processor(bare: &mut Stream, tapped: &mut Stream) {
    let (mut without, mut with) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..BLOCKS {
        without += bare.block().await;
        with += tapped.block().await;
    }
    let events = (BLOCK * BLOCKS) as f64;
    let per_event = |time: Duration| micros(time) / events;
    let added = per_event(with) - per_event(without);
    println!(
        "\nProcessor time of an event, µs ({} of each, in alternating blocks)",
        BLOCK * BLOCKS
    );
    println!("  without the tap {:>8.1}", per_event(without));
    println!("  with the tap    {:>8.1}", per_event(with));
    println!(
        "  added           {added:>+8.1}   = {:.2} % of a core at {RATE} events a second (aim: 3 % at most)",
        added * RATE / 10_000.0
    );
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn spent() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        now.tv_sec.unsigned_abs(),
        u32::try_from(now.tv_nsec).unwrap(),
    )
}

/// One streamed answer on its way.
struct Stream {
    _world: World,
    tunnel: Tunnel,
    say: mpsc::Sender<Vec<u8>>,
    ear: Option<Arc<Ear>>,
    number: usize,
}

impl Stream {
    async fn open(tapped: bool) -> Self {
        let (say, said) = mpsc::channel(64);
        let said = Mutex::new(Some(said));
        let world = World::new(move |_| Reply::Live(said.lock().unwrap().take().unwrap())).await;
        let ear = tapped.then(|| Ear::begin(&world));
        if !tapped {
            let routes = Routes::builtin().with_extra(Routes::parse(UNTAPPED).unwrap());
            world.policy.send_replace(Arc::new(Policy {
                routes: Arc::new(routes),
                ..world::policy("claude")
            }));
        }
        let mut tunnel = world.tunnel(ANTHROPIC).await;
        let asked = post(ANTHROPIC, "/v1/messages", "", ASKED);
        tunnel.write_all(asked.as_bytes()).await.unwrap();
        tunnel.flush().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        say.send(head.into()).await.unwrap();
        let answered = read_head(&mut tunnel).await.unwrap();
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
        let mut stream = Self {
            _world: world,
            tunnel,
            say,
            ear,
            number: 0,
        };
        stream
            .send(r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"usage":{"input_tokens":12,"output_tokens":1}}}"#)
            .await;
        stream
            .send(r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#)
            .await;
        stream.receive().await;
        stream.receive().await;
        stream
    }

    /// Sends an event through and returns how long its way was.
    async fn pass(&mut self) -> Duration {
        let begun = Instant::now();
        self.say_more().await;
        self.receive().await;
        begun.elapsed()
    }

    /// Sends events as fast as they go and returns the processor time of all threads, the reducer's to its last event.
    async fn block(&mut self) -> Duration {
        let begun = spent();
        for _ in 0..BLOCK {
            self.say_more().await;
            self.receive().await;
        }
        if let Some(ear) = &self.ear {
            while ear.heard() < self.number {
                tokio::time::sleep(PAUSE).await;
            }
        }
        spent() - begun
    }

    async fn say_more(&mut self) {
        self.number += 1;
        let text = format!("word number {} and some more", self.number);
        let data = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        );
        self.send(&data).await;
    }

    async fn send(&mut self, data: &str) {
        let kind = data.split('"').nth(3).unwrap();
        let event = format!("event: {kind}\ndata: {data}\n\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        self.say.send(chunk.into_bytes()).await.unwrap();
    }

    async fn receive(&mut self) {
        read_chunk(&mut self.tunnel).await.unwrap();
    }
}

/// Hears what the daemon hears, and does with it what the daemon does.
struct Ear {
    pieces: Arc<Mutex<usize>>,
}

impl Ear {
    fn begin(world: &World) -> Arc<Self> {
        let (tell, mut told) = mpsc::unbounded_channel::<Passing>();
        world.heard.forward(tell);
        let pieces = Arc::new(Mutex::new(0));
        let count = pieces.clone();
        std::thread::spawn(move || {
            let mut conversation = Conversation::new();
            let mut meter = Meter::default();
            let mut streams: HashMap<String, anthropic::Stream> = HashMap::new();
            while let Some(Passing {
                link, at_ms, part, ..
            }) = told.blocking_recv()
            {
                let events = match part {
                    Part::Asked { body, .. } => {
                        meter.ask(&link, || Asking::read(&body));
                        let asked = anthropic::request(|_| None, &body);
                        asked.map(TapEvent::Started).into_iter().collect()
                    }
                    Part::Answered { status, .. } => {
                        let stream = anthropic::Stream::new(status, "text/event-stream");
                        streams.insert(link.clone(), stream);
                        Vec::new()
                    }
                    Part::Piece(bytes) => {
                        *count.lock().unwrap() += 1;
                        meter.pass(&link, bytes.len() as u64);
                        streams.get_mut(&link).unwrap().push(&bytes)
                    }
                    Part::Ended => return,
                };
                for event in events {
                    meter.hear(&link, &event);
                    let request = link.clone();
                    conversation.observe(Observation::Tap { request, event }, at_ms);
                }
            }
        });
        Arc::new(Self { pieces })
    }

    /// How many pieces of text it has taken in; two came before the first of them.
    fn heard(&self) -> usize {
        self.pieces.lock().unwrap().saturating_sub(2)
    }
}
