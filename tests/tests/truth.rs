//! What is told of an agent, beside what it really does: a test double of Claude Code says the truth of itself, whatever goes
//! wrong with its reports, its transcript and its clock.
#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clauderon_api::Client;
use clauderon_tests::{PATIENCE, World, lacks};
use serde_json::{Value, json};

/// How long after each change of the truth nothing is compared: an agent that draws that it waits has half a second to say why
/// (`SAYS_WHY` of the status), which holds that news of it are told every 200 ms (`PACE` of the session's owner) and that its
/// transcript is looked at every 250 ms (`LOOK` of the conversation's).
const SETTLES_MS: u64 = 600;
/// Where a machine is so busy that the daemon answers late or the agent's reports are long on their way, everything takes as many
/// times longer than that.
const SLOWER: u64 = 3;
/// The last answers, by which it is known how busy the machine is.
const LAST: usize = 20;
/// How often it is asked what the agent does.
const OFTEN: Duration = Duration::from_millis(20);
/// How long it is asked after a story's end.
const AFTER: Duration = Duration::from_secs(2);

/// A prompt: what the double does, and what the model answers.
struct Prompt(Vec<Value>, Vec<Value>);

/// One moment at which the daemon was asked.
struct Sample {
    from_ms: u64,
    to_ms: u64,
    status: String,
    needs_you: bool,
}

#[test]
fn plain_turns_and_tools() {
    // One that is over before news of it are told again.
    let quick = || {
        Prompt(
            [begin(), answered(), end()].concat(),
            vec![json!({"text": "Yes."})],
        )
    };
    check(&[plain(), quick(), tool(vec![]), quick(), plain()]);
}

#[test]
fn reports_that_are_late_missing_or_doubled() {
    let stop = || json!({"fire": "Stop"});
    let pause = |ms: u64| json!({"pause": ms});
    let late = json!({"meanwhile": [pause(2_500), stop()]});
    let twice = json!({"meanwhile": [stop(), pause(1_500), stop()]});
    check(&[
        // It arrives while the next turn goes on.
        turn(vec![], vec![late]),
        turn(vec![], vec![]),
        turn(vec![], vec![stop(), twice]),
        tool(vec![json!({"meanwhile": [pause(500), stop()]})]),
    ]);
}

#[test]
fn reports_that_are_forged() {
    let forged = |events: &[&str]| {
        let each = events
            .iter()
            .flat_map(|event| [json!({"pause": 400}), json!({"fire": event})]);
        json!({"meanwhile": each.collect::<Vec<_>>()})
    };
    let lies = [
        "Stop",
        "SessionEnd",
        "StopFailure",
        "SubagentStart",
        "Notification",
        "Stop",
    ];
    check(&[
        turn(vec![forged(&lies)], vec![json!({"fire": "Stop"})]),
        turn(vec![], vec![json!({"fire": "Stop"}), forged(&lies)]),
        // It claims to be asking for the very call that runs.
        tool(vec![forged(&["Stop", "PermissionRequest"])]),
        plain(),
    ]);
}

#[test]
fn a_transcript_ahead_of_the_proxy_and_behind_it() {
    let over = |after: u64| json!({"meanwhile": [{"pause": after}, {"write": "over"}]});
    let answer = json!({"type": "assistant", "message": {
        "id": "msg_ahead", "role": "assistant", "model": "claude-sonnet-5", "content": [{"type": "text", "text": "Said already."}]
    }});
    let ahead = vec![json!({"dirt": format!("{answer}\n")}), over(300)];
    // The prompt, the answer and the end of the turn are written while the next turn goes on.
    let behind = json!({"meanwhile": [
        {"pause": 1_500}, {"write": "prompt"}, {"write": "answer"}, {"pause": 1_500}, {"write": "over"}
    ]});
    let unwritten = [
        vec![
            json!({"truth": "working"}),
            json!({"draw": "working"}),
            json!({"ask": {}}),
        ],
        vec![behind, json!({"fire": "Stop"})],
        waits("idle"),
    ];
    check(&[
        turn(ahead, vec![json!({"write": "over"})]),
        Prompt(unwritten.concat(), vec![words()]),
        plain(),
    ]);
}

#[test]
fn a_transcript_that_is_torn_broken_and_replaced() {
    let mended = [
        begin(),
        vec![
            json!({"ask": {}}),
            json!({"tear": "answer"}),
            json!({"pause": 1_500}),
            json!({"mend": {}}),
        ],
        end(),
    ];
    let broken = [
        begin(),
        vec![
            json!({"ask": {}}),
            json!({"tear": "answer"}),
            json!({"dirt": "\u{0}\u{0}{\"type\": \n"}),
        ],
        end(),
    ];
    let shorter = |lines: usize| json!({"meanwhile": [{"pause": 700}, {"shorten": lines}]});
    check(&[
        Prompt(mended.concat(), vec![words()]),
        Prompt(broken.concat(), vec![words()]),
        turn(vec![shorter(2)], vec![json!({"fire": "Stop"})]),
        tool(vec![shorter(1)]),
    ]);
}

#[test]
fn a_clock_that_jumps_ahead_and_back() {
    let hour = 3_600_000;
    let clock = |ms: i64| json!({"clock": ms});
    check(&[
        turn(vec![clock(hour)], vec![json!({"write": "over"})]),
        interrupted_tool(vec![clock(hour)]),
        turn(vec![clock(-hour)], vec![json!({"write": "over"})]),
        interrupted_tool(vec![clock(-hour)]),
        turn(vec![clock(0)], vec![json!({"write": "over"})]),
    ]);
}

#[test]
fn interruptions_of_an_answer_and_of_a_tool() {
    let answer = [
        begin(),
        vec![
            json!({"ask": {"leave_ms": 1_400}}),
            json!({"write": "interrupted"}),
        ],
        waits("interrupted"),
    ];
    check(&[
        Prompt(answer.concat(), vec![words()]),
        interrupted_tool(vec![]),
        plain(),
    ]);
}

#[test]
fn an_approval_that_is_asked_and_given() {
    let steps = [
        begin(),
        answered(),
        vec![
            json!({"truth": "needs_approval"}),
            json!({"draw": "waiting"}),
            // It is allowed from outside meanwhile.
            json!({"fire": "PermissionRequest"}),
            json!({"truth": "working"}),
            json!({"draw": "working"}),
            json!({"run": {}}),
            json!({"write": "results"}),
        ],
        answered(),
        end(),
    ];
    check(&[Prompt(steps.concat(), vec![bash(), words()]), plain()]);
}

#[test]
fn where_the_signs_contradict_each_other_nothing_is_claimed() {
    // A tool draws what the agent draws that waits, and reports its end, while the model answers.
    let title = json!({"meanwhile": [
        {"pause": 600}, {"draw": "waiting"}, {"fire": "Stop"}, {"pause": 2_500}, {"draw": "working"}
    ]});
    let slow =
        json!({"text": "One word after the other. ".repeat(4), "wait_ms": 3_000, "delay_ms": 200});
    let steps = [begin(), vec![title], answered(), end()];
    // It asks, and no report of it comes.
    let silent = [
        begin(),
        answered(),
        waits("needs_approval"),
        vec![
            json!({"pause": 3_000}),
            json!({"truth": "working"}),
            json!({"draw": "working"}),
        ],
        vec![json!({"run": {}}), json!({"write": "results"})],
        answered(),
        end(),
    ];
    // A person stopped it, and it writes that down late.
    let late = [
        begin(),
        answered(),
        waits("interrupted"),
        vec![json!({"pause": 2_500}), json!({"write": "interrupted"})],
    ];
    let told = told_of(&[
        Prompt(steps.concat(), vec![slow]),
        Prompt(silent.concat(), vec![bash(), words()]),
        Prompt(late.concat(), vec![bash()]),
        plain(),
    ]);
    let Some(told) = told else { return };
    told.never_wrong();
    assert!(told.unknown > 0, "nothing was unknown");
}

/// A turn with one answer and its report.
fn plain() -> Prompt {
    turn(
        vec![],
        vec![json!({"fire": "Stop"}), json!({"write": "over"})],
    )
}

/// A turn with something before its answer, and something at its end.
fn turn(before: Vec<Value>, at_end: Vec<Value>) -> Prompt {
    let steps = [begin(), before, answered(), at_end, waits("idle")];
    Prompt(steps.concat(), vec![words()])
}

/// A turn with a tool, and something while it runs.
fn tool(meanwhile: Vec<Value>) -> Prompt {
    let run = vec![json!({"run": {}}), json!({"write": "results"})];
    let steps = [begin(), answered(), meanwhile, run, answered(), end()];
    Prompt(steps.concat(), vec![bash(), words()])
}

/// A turn whose tool is interrupted.
fn interrupted_tool(before: Vec<Value>) -> Prompt {
    let stopped = vec![json!({"pause": 1_500}), json!({"write": "interrupted"})];
    let steps = [begin(), before, answered(), stopped, waits("interrupted")];
    Prompt(steps.concat(), vec![bash()])
}

fn begin() -> Vec<Value> {
    vec![
        json!({"truth": "working"}),
        json!({"write": "prompt"}),
        json!({"draw": "working"}),
    ]
}

fn answered() -> Vec<Value> {
    vec![json!({"ask": {}}), json!({"write": "answer"})]
}

fn end() -> Vec<Value> {
    let told = vec![json!({"fire": "Stop"}), json!({"write": "over"})];
    [told, waits("idle")].concat()
}

/// It draws that it waits, for whatever reason, and that lasts for a while.
fn waits(truth: &str) -> Vec<Value> {
    vec![
        json!({"truth": truth}),
        json!({"draw": "waiting"}),
        json!({"pause": 1_500}),
    ]
}

/// An answer that asks for a tool.
fn bash() -> Value {
    json!({"tool": "Bash", "input": {"command": "sleep 2", "description": "rest"}, "wait_ms": 600})
}

/// An answer that begins after a while and takes its time.
fn words() -> Value {
    json!({"text": "One word after the other. ".repeat(4), "wait_ms": 800, "delay_ms": 100})
}

/// Has the double do this, and compares what is told of it with what it says of itself.
#[track_caller]
fn check(prompts: &[Prompt]) {
    let Some(told) = told_of(prompts) else { return };
    told.never_wrong();
    let Told { asked, unknown, .. } = told;
    assert!(asked >= 30, "only {asked} moments");
    assert!(
        unknown * 100 <= asked,
        "unknown in {unknown} of {asked} moments"
    );
}

/// What was told while the double did this; none where there is no sandbox.
#[track_caller]
fn told_of(prompts: &[Prompt]) -> Option<Told> {
    if lacks("bubblewrap").is_some() {
        return None;
    }
    let world = with_double();
    world.detached("bubblewrap", "claude", "a", None).expect(0);
    let truth = world
        .session_folder(&world.id_of("a"))
        .join("workspace/truth.jsonl");
    let idle = ["wait", "a", "--for", "idle", "--timeout", "60"];
    world.run(&idle).expect(0);
    let over = AtomicBool::new(false);
    let samples = thread::scope(|scope| {
        let sampler = scope.spawn(|| sampled(&world, &over));
        for (number, prompt) in prompts.iter().enumerate() {
            world.run(&["say", "a", &prompt.text()]).expect(0);
            until_over(&world, &truth, number + 1);
        }
        // Where reports are long on their way, what it does at last is compared for as long all the same.
        thread::sleep(AFTER + Duration::from_millis(SLOWER * slowest_report(&truth)));
        over.store(true, Ordering::Relaxed);
        sampler.join().expect("the sampler ends")
    });
    if ends(&truth) < prompts.len() {
        let shown = world.run(&["logs", "a"]).stdout;
        panic!("the story did not end:\n{shown}");
    }
    Some(Told::compared(
        &truths(&truth),
        &samples,
        slowest_report(&truth),
    ))
}

/// Waits for the end of a story, and allows what it asks for.
fn until_over(world: &World, truth: &Path, number: usize) {
    let begun = Instant::now();
    while ends(truth) < number && begun.elapsed() < PATIENCE {
        let asks = |session: clauderon_api::Session| session.needs_you;
        let client = Client::at(world.home.join("clauderon.sock"));
        if world.wait(client.session("a")).is_ok_and(asks) {
            thread::sleep(AFTER);
            // It may have gone on meanwhile.
            world.run(&["approve", "a"]);
        }
        thread::sleep(OFTEN);
    }
}

/// What was told beside the truth.
struct Told {
    asked: usize,
    unknown: usize,
    wrong: Vec<String>,
}

impl Told {
    fn compared(truths: &[(u64, String)], samples: &[Sample], report_ms: u64) -> Self {
        let mut told = Self {
            asked: 0,
            unknown: 0,
            wrong: Vec::new(),
        };
        let began = truths.first().map_or(0, |(at, _)| *at);
        for (number, sample) in samples.iter().enumerate() {
            let last = &samples[number.saturating_sub(LAST)..=number];
            let answers = last.iter().map(|one| one.to_ms - one.from_ms);
            let settling = SETTLES_MS + SLOWER * answers.fold(report_ms, u64::max);
            let settles =
                |(at, _): &(u64, String)| *at <= sample.to_ms && sample.from_ms < *at + settling;
            let now = truths.iter().rev().find(|(at, _)| *at <= sample.from_ms);
            let Some((since, truth)) = now.filter(|_| !truths.iter().any(settles)) else {
                continue;
            };
            told.asked += 1;
            let counts = sample.needs_you && !truth.starts_with("needs_");
            match sample.status.as_str() {
                status if status == truth && !counts => {}
                "unknown" if !counts => told.unknown += 1,
                status => told.wrong.push(format!(
                    "at {}: {truth} for {} ms, and it is told: {status}, needs you: {}",
                    sample.from_ms - began,
                    sample.from_ms - since,
                    sample.needs_you
                )),
            }
        }
        let (asked, unknown, wrong) = (told.asked, told.unknown, told.wrong.len());
        eprintln!("{asked} moments, {unknown} unknown, {wrong} wrong");
        told
    }

    #[track_caller]
    fn never_wrong(&self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

/// An installation with the double in the place of the real Claude Code, under its version's number.
fn with_double() -> World {
    let world = World::new();
    let agents = world.home.join("agents");
    let real = std::fs::read_dir(agents.join("claude")).expect("agents are there");
    let version = real.flatten().next().expect("a version").file_name();
    std::fs::remove_file(&agents).expect("take the link away");
    let folder = agents.join("claude").join(version);
    std::fs::create_dir_all(&folder).expect("make the folder");
    std::fs::copy(double(), folder.join("claude")).expect("put the double there");
    world
}

/// Where the double was built; a run from an archive says so.
fn double() -> PathBuf {
    std::env::var_os("NEXTEST_BIN_EXE_fake-claude")
        .map_or_else(|| env!("CARGO_BIN_EXE_fake-claude").into(), PathBuf::from)
}

fn sampled(world: &World, over: &AtomicBool) -> Vec<Sample> {
    let client = Client::at(world.home.join("clauderon.sock"));
    let mut samples = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let from_ms = now_ms();
        let session = world.wait(client.session("a")).expect("a session");
        let status = serde_json::to_value(&session.status).expect("a status");
        samples.push(Sample {
            from_ms,
            to_ms: now_ms(),
            status: status["status"].as_str().unwrap_or_default().to_owned(),
            needs_you: session.needs_you,
        });
        thread::sleep(OFTEN);
    }
    samples
}

impl Prompt {
    fn text(&self) -> String {
        let Prompt(steps, script) = self;
        let (steps, script) = (Value::from(steps.clone()), Value::from(script.clone()));
        format!("STORY:{steps} SCRIPT:{script}")
    }
}

/// What the double said so far.
fn said(truth: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(truth).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.collect()
}

fn ends(truth: &Path) -> usize {
    said(truth)
        .iter()
        .filter(|line| line["end"] == true)
        .count()
}

fn truths(truth: &Path) -> Vec<(u64, String)> {
    let at = |line: &Value| Some((line["at_ms"].as_u64()?, line["status"].as_str()?.to_owned()));
    said(truth).iter().filter_map(at).collect()
}

/// How long the slowest of the double's reports took, in milliseconds.
fn slowest_report(truth: &Path) -> u64 {
    let lines = said(truth);
    let took = lines.iter().filter_map(|line| line["report_ms"].as_u64());
    took.max().unwrap_or(0)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_millis() as u64
}
