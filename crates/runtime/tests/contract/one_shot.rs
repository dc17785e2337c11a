//! Throw-away programs: their output is their own, and their limits hold.

use std::fs;
use std::time::{Duration, Instant};

use clauderon_runtime::{Mount, OneShot, RuntimeError};

use crate::place::{Place, each};

fn shell(code: &str) -> OneShot {
    OneShot::new(["/bin/bash", "-c", code])
}

#[tokio::test]
async fn output_and_code_are_the_programs_own() {
    each(async |place: &Place| {
        let mut one = shell("cat; printf err >&2; exit 7");
        let input: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
        one.stdin = Some(input.clone());
        let output = place.run(one).await.unwrap();
        assert_eq!((output.code, output.stderr.as_slice()), (7, &b"err"[..]));
        assert!(output.stdout == input);
    })
    .await;
}

#[tokio::test]
async fn a_signal_becomes_a_code() {
    each(async |place: &Place| {
        let output = place
            .run(shell("bash -c 'kill -9 $$'; exit $?"))
            .await
            .unwrap();
        assert_eq!(output.code, 137);
    })
    .await;
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed() {
    each(async |place: &Place| {
        let begun = Instant::now();
        let one = OneShot {
            timeout: Duration::from_secs(1),
            ..shell("sleep 3600 & sleep 3600")
        };
        assert!(matches!(
            place.run(one).await,
            Err(RuntimeError::TimedOut { .. })
        ));
        assert!(begun.elapsed() < Duration::from_secs(8));
    })
    .await;
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_killed() {
    each(async |place: &Place| {
        let one = OneShot {
            max_output: 1 << 20,
            ..shell("yes")
        };
        assert!(matches!(
            place.run(one).await,
            Err(RuntimeError::OutputTooLarge {
                limit: 1_048_576,
                ..
            })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_and_not_an_output() {
    each(async |place: &Place| {
        assert!(matches!(
            place.run(OneShot::new(["/no/such"])).await,
            Err(RuntimeError::Engine { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn root_is_refused() {
    each(async |place: &Place| {
        let mut one = shell("true");
        one.user.uid = 0;
        assert!(matches!(
            place.run(one).await,
            Err(RuntimeError::BadPlan(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn mounts_are_readable_or_writable_as_asked() {
    each(async |place: &Place| {
        let plan = place.session(clauderon_session::Mode::Print, "true");
        fs::write(plan.dir.join("run/note"), "seen").unwrap();
        // The sandbox user owns uploads: only the mount's own access keeps it from writing there.
        let script =
            "cat /clauderon/run/note; touch made; touch /kept/no 2>/dev/null || echo refused";
        let mut one = shell(script);
        one.mounts = plan.mounts.clone();
        one.mounts
            .push(Mount::read_only(plan.dir.join("uploads"), "/kept"));
        one.session_dir = Some(plan.dir.clone());
        one.cwd = "/workspace".into();
        let output = place.run(one).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "seenrefused\n");
        assert!(plan.dir.join("workspace/made").exists());
        assert!(!plan.dir.join("uploads/no").exists());
    })
    .await;
}

#[tokio::test]
async fn sources_outside_the_session_are_refused() {
    each(async |place: &Place| {
        let plan = place.session(clauderon_session::Mode::Print, "true");
        let link = place.root.path().join("link");
        std::os::unix::fs::symlink(place.installation.home.join("secrets"), &link).unwrap();
        for source in [
            link,
            "/".into(),
            "/run".into(),
            plan.dir.join("private"),
            place.root.path().join("person"),
        ] {
            let mut one = shell("true");
            one.session_dir = Some(plan.dir.clone());
            one.mounts = vec![Mount::read_only(&source, "/workspace")];
            assert!(
                matches!(place.run(one).await, Err(RuntimeError::MountRefused { .. })),
                "{}",
                source.display()
            );
        }
    })
    .await;
}
