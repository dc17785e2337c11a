//! Sandboxes of sessions: made, started, watched, stopped, removed.

use std::fs;
use std::time::{Duration, Instant};

use clauderon_holder::SessionFiles;
use clauderon_runtime::{ExecRequest, Fake, RuntimeError, State};
use clauderon_session::Mode;

use crate::place::{Place, each_with_holder};

async fn started(
    place: &Place,
    mode: Mode,
    agent: &str,
) -> (clauderon_runtime::SandboxPlan, clauderon_runtime::Handle) {
    let plan = place.session(mode, agent);
    let made = place.runtime.create(&plan).await.unwrap();
    assert_eq!(
        place.runtime.state(&made.handle).await,
        State::Present { running: false }
    );
    place.runtime.start(&plan, &made.handle).await.unwrap();
    (plan, made.handle)
}

fn wait_for(path: &std::path::Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{} never came",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_session_starts_in_its_workspace_and_ends_with_its_code() {
    each_with_holder(async |place: &Place| {
        let (plan, handle) = started(
            place,
            Mode::Print,
            "id -u > uid; pwd > where; tr '\\0' '\\n' < /proc/self/environ > environ; exit 5",
        )
        .await;
        place.ended(&handle).await;
        wait_for(&SessionFiles::new(&plan.dir).exit());
        assert_eq!(
            SessionFiles::new(&plan.dir)
                .read_exit()
                .unwrap()
                .unwrap()
                .code,
            5
        );
        let read = |name: &str| fs::read_to_string(plan.dir.join("workspace").join(name)).unwrap();
        assert_eq!(read("uid").trim(), plan.user.uid.to_string());
        assert_eq!(read("where"), "/workspace\n");
        for line in read("environ").lines() {
            assert!(
                ["PATH=", "HOME=", "MARK=", "PWD=", "SHLVL=", "_="]
                    .iter()
                    .any(|own| line.starts_with(own)),
                "{line}"
            );
        }
        place.runtime.remove(&handle).await.unwrap();
        assert!(plan.dir.join("workspace/uid").exists());
    })
    .await;
}

#[tokio::test]
async fn stop_lets_the_agent_end_by_itself() {
    each_with_holder(async |place: &Place| {
        let agent =
            "trap 'echo bye > left; exit 3' TERM; touch ready; while :; do sleep 0.05; done";
        let (plan, handle) = started(place, Mode::Interactive, agent).await;
        wait_for(&plan.dir.join("workspace/ready"));
        place
            .runtime
            .stop(&handle, Duration::from_secs(10))
            .await
            .unwrap();
        place.ended(&handle).await;
        assert!(plan.dir.join("workspace/left").exists());
        place.runtime.stop(&handle, Duration::ZERO).await.unwrap();
        place.runtime.remove(&handle).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn stop_kills_what_does_not_listen() {
    each_with_holder(async |place: &Place| {
        let (plan, handle) = started(
            place,
            Mode::Interactive,
            "trap '' TERM; touch ready; while :; do sleep 0.05; done",
        )
        .await;
        wait_for(&plan.dir.join("workspace/ready"));
        let begun = Instant::now();
        place
            .runtime
            .stop(&handle, Duration::from_secs(1))
            .await
            .unwrap();
        place.ended(&handle).await;
        assert!(begun.elapsed() < Duration::from_secs(10));
        place.runtime.remove(&handle).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_stopped_session_starts_again_with_its_files() {
    each_with_holder(async |place: &Place| {
        let (plan, handle) = started(place, Mode::Print, "echo run >> runs; exit 0").await;
        place.ended(&handle).await;
        wait_for(&SessionFiles::new(&plan.dir).exit());
        let mut tries = 0;
        // The first holder may still be seeing its viewers out.
        while let Err(error) = place.runtime.start(&plan, &handle).await {
            tries += 1;
            assert!(tries < 100, "{error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        place.ended(&handle).await;
        assert_eq!(
            fs::read_to_string(plan.dir.join("workspace/runs")).unwrap(),
            "run\nrun\n"
        );
        place.runtime.remove(&handle).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn remove_kills_and_keeps_the_folders() {
    each_with_holder(async |place: &Place| {
        let (plan, handle) = started(place, Mode::Interactive, "touch ready; sleep 3600").await;
        wait_for(&plan.dir.join("workspace/ready"));
        place.runtime.remove(&handle).await.unwrap();
        let state = place.runtime.state(&handle).await;
        assert!(
            matches!(state, State::Absent | State::Present { running: false }),
            "{state:?}"
        );
        assert!(plan.dir.join("workspace/ready").exists());
        place.runtime.remove(&handle).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_session_does_not_see_another() {
    each_with_holder(async |place: &Place| {
        let other = place.session(Mode::Print, "true");
        fs::write(other.dir.join("workspace/secret"), "other").unwrap();
        let script = format!("ls {0} {0}/.. /clauderon > seen 2>&1", other.dir.display());
        let (plan, handle) = started(place, Mode::Print, &script).await;
        place.ended(&handle).await;
        let seen = fs::read_to_string(plan.dir.join("workspace/seen")).unwrap();
        assert!(
            !seen.contains("secret") && !seen.contains("session.json"),
            "{seen}"
        );
        place.runtime.remove(&handle).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn exec_in_a_sandbox_that_does_not_run_is_refused() {
    each_with_holder(async |place: &Place| {
        let plan = place.session(Mode::Print, "true");
        let made = place.runtime.create(&plan).await.unwrap();
        let request = ExecRequest {
            argv: vec!["/bin/true".into()],
            env: None,
            cwd: "/".into(),
            timeout: Duration::from_secs(5),
            max_output: 1024,
        };
        assert!(matches!(
            place.runtime.exec(&made.handle, request).await,
            Err(RuntimeError::NotRunning)
        ));
        place.runtime.remove(&made.handle).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_fake_keeps_the_same_states() {
    use clauderon_runtime::Runtime;
    let place = Place::with(Box::new(Fake::new()));
    let plan = place.session(Mode::Print, "true");
    let made = place.runtime.create(&plan).await.unwrap();
    assert_eq!(
        place.runtime.state(&made.handle).await,
        State::Present { running: false }
    );
    place.runtime.start(&plan, &made.handle).await.unwrap();
    assert_eq!(
        place.runtime.state(&made.handle).await,
        State::Present { running: true }
    );
    place
        .runtime
        .stop(&made.handle, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        place.runtime.state(&made.handle).await,
        State::Present { running: false }
    );
    place.runtime.remove(&made.handle).await.unwrap();
    assert_eq!(place.runtime.state(&made.handle).await, State::Absent);
    let fake = Fake::new();
    fake.set_unknown(Some("engine away".into()));
    assert_eq!(
        fake.state(&made.handle).await,
        State::Unknown("engine away".into())
    );
}
