//! Docker alone: images that bring traps, containers that only claim to be ours, and programs beside an agent.

use std::fs;
use std::process::Command;
use std::time::Duration;

use clauderon_runtime::docker::discover::Place;
use clauderon_runtime::{Docker, Handle, OneShot, Runtime, RuntimeError, State};
use clauderon_session::Mode;

use crate::place::{IMAGE, docker, skip};

fn engine(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Removes an image or container of a test, whatever happened.
struct Gone(&'static str, String);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args([self.0, "rm", "-f", &self.1])
            .output();
    }
}

/// A container of another installation that claims to be this session's.
fn forged(make: &[&str], session: &str, command: &[&str]) -> String {
    let claims = [
        "org.clauderon.installation=other".to_owned(),
        format!("org.clauderon.session={session}"),
    ];
    let labels = claims.iter().flat_map(|claim| ["--label", claim]);
    let arguments: Vec<&str> = make
        .iter()
        .copied()
        .chain(["--network", "none"])
        .chain(labels)
        .chain([IMAGE])
        .chain(command.iter().copied())
        .collect();
    engine(&arguments)
}

async fn built(runtime: &Docker, name: &str, dockerfile: &str) -> Gone {
    let context = tempfile::tempdir().unwrap();
    fs::write(context.path().join("Dockerfile"), dockerfile).unwrap();
    let tag = format!("clauderon-contract-{name}-{}:latest", std::process::id());
    let mut lines = 0;
    runtime
        .build_image(context.path(), &tag, Some(IMAGE), |_| lines += 1)
        .await
        .unwrap();
    assert!(lines > 0);
    Gone("image", tag)
}

async fn connected() -> Option<(crate::place::Place, Docker)> {
    let place = docker().await?;
    let docker = Docker::find(&place.installation, &crate::place::surroundings())
        .await
        .unwrap();
    Some((place, docker))
}

#[tokio::test]
async fn what_an_image_sets_is_overridden() {
    let Some((place, docker)) = connected().await else {
        return;
    };
    let image = built(
        &docker,
        "traps",
        "ARG BASE\nFROM $BASE\nENV EVIL=1 LD_PRELOAD=/nowhere.so\nVOLUME /data /clauderon\nHEALTHCHECK --interval=1s CMD touch /tmp/health\n\
         ENTRYPOINT [\"/bin/false\"]\nCMD [\"no\"]\nUSER root\nSTOPSIGNAL SIGKILL\nLABEL org.clauderon.session=aaaaaaaaaa org.clauderon.installation=evil\n",
    )
    .await;
    let volumes_before = engine(&["volume", "ls", "-q"]);
    let mut one = OneShot::new([
        "/bin/bash",
        "-c",
        "id -u; env | grep -E 'EVIL|PRELOAD'; tr '\\0' '\\n' < /proc/1/environ | grep -E 'EVIL|PRELOAD'; stat -f -c %T /data",
    ]);
    one.image = Some(image.1.clone());
    let output = docker.run_once(one).await.unwrap();
    let uid = clauderon_runtime::User::for_caller().uid;
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{uid}\ntmpfs\n")
    );

    let mut plan = place.session(Mode::Print, "true");
    plan.image = Some(image.1.clone());
    let made = docker.create(&plan).await.unwrap();
    let seen = engine(&["inspect", made.handle.container.as_deref().unwrap()]);
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    let config = &seen[0]["Config"];
    assert_eq!(
        config["Entrypoint"],
        serde_json::json!(["/clauderon/relay"])
    );
    assert!(
        config["Cmd"].is_null() || config["Cmd"] == serde_json::json!([]),
        "{}",
        config["Cmd"]
    );
    assert_eq!(config["Healthcheck"]["Test"], serde_json::json!(["NONE"]));
    assert_eq!(
        config["Labels"]["org.clauderon.installation"],
        serde_json::json!(place.installation.id)
    );
    assert_eq!(config["StopSignal"], "SIGTERM");
    assert_eq!(config["OpenStdin"], true);
    let host = &seen[0]["HostConfig"];
    assert_eq!(host["NetworkMode"], "none");
    assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
    assert_eq!(host["LogConfig"]["Type"], "local");
    assert_eq!(host["IpcMode"], "private");
    assert_eq!(host["CgroupnsMode"], "private");
    assert_eq!(host["PidsLimit"], 4096);
    assert!(
        seen[0]["Mounts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|mount| mount["Type"] != "volume")
    );
    docker.remove(&made.handle).await.unwrap();
    assert_eq!(docker.state(&made.handle).await, State::Absent);
    assert_eq!(engine(&["volume", "ls", "-q"]), volumes_before);
}

#[tokio::test]
async fn images_that_cannot_hold_a_session_are_named() {
    let Some((_place, docker)) = connected().await else {
        return;
    };
    let missing = docker.check_image("no-such-image:1").await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        "image `no-such-image:1` is not on this machine; get it with `docker pull no-such-image:1`"
    );
    let ours = docker.check_image("clauderon").await;
    if let Err(error) = ours {
        assert!(
            error.to_string().contains("clauderon image build"),
            "{error}"
        );
    }
    let bare = built(
        &docker,
        "bare",
        "FROM scratch\nARG BASE\nCOPY Dockerfile /\n",
    )
    .await;
    let lacks = docker.check_image(&bare.1).await.unwrap_err();
    assert!(
        matches!(&lacks, RuntimeError::ImageUnfit { lacks, .. } if lacks == &["it has no bash"]),
        "{lacks}"
    );
    let gitless = built(
        &docker,
        "gitless",
        "ARG BASE\nFROM $BASE\nRUN rm /usr/bin/git /usr/bin/curl\n",
    )
    .await;
    let lacks = docker.check_image(&gitless.1).await.unwrap_err();
    assert!(
        matches!(&lacks, RuntimeError::ImageUnfit { lacks, .. } if lacks == &["it has no git", "it has no curl"]),
        "{lacks}"
    );
}

#[tokio::test]
async fn a_container_with_forged_labels_is_never_touched() {
    let Some((place, docker)) = connected().await else {
        return;
    };
    let plan = place.session(Mode::Print, "true");
    let session = plan.session.to_string();
    let forged = forged(&["run", "-d"], &session, &["sleep", "600"]);
    let _gone = Gone("container", forged.clone());
    let handle = Handle {
        session: plan.session,
        dir: plan.dir.clone(),
        container: Some(forged.clone()),
    };
    let foreign = |result: Result<(), RuntimeError>| {
        assert!(
            matches!(result, Err(RuntimeError::Foreign { .. })),
            "{result:?}"
        )
    };
    foreign(docker.start(&plan, &handle).await.map(|_| ()));
    foreign(docker.stop(&handle, Duration::ZERO).await);
    foreign(docker.remove(&handle).await);
    let request = clauderon_runtime::ExecRequest {
        argv: vec!["true".into()],
        env: None,
        cwd: "/".into(),
        timeout: Duration::from_secs(5),
        max_output: 10,
    };
    foreign(docker.exec(&handle, request).await.map(|_| ()));
    assert!(matches!(docker.state(&handle).await, State::Unknown(_)));
    let listed = docker.list().await.unwrap();
    let found = listed
        .iter()
        .find(|found| found.container == forged)
        .unwrap();
    assert_eq!(
        (
            found.installation.as_deref(),
            found.session.as_deref(),
            found.running
        ),
        (Some("other"), Some(session.as_str()), true)
    );
    assert_eq!(
        engine(&["inspect", "-f", "{{.State.Running}}", &forged]),
        "true"
    );
}

#[tokio::test]
async fn a_container_that_nobody_wrote_down_is_replaced_and_removed() {
    let Some((place, docker)) = connected().await else {
        return;
    };
    let plan = place.session(Mode::Print, "true");
    let session = plan.session.to_string();
    let of_session = || {
        let label = format!("label=org.clauderon.session={session}");
        engine(&["ps", "-a", "-q", "--no-trunc", "--filter", &label])
    };
    let foreign = forged(&["create"], &session, &["true"]);
    let _gone = Gone("container", foreign.clone());
    let first = docker.create(&plan).await.unwrap().handle;
    let second = docker.create(&plan).await.unwrap().handle;
    let _gone = Gone("container", second.container.clone().unwrap());
    assert_eq!(docker.state(&first).await, State::Absent);
    assert!(of_session().contains(second.container.as_deref().unwrap()));

    docker
        .remove(&Handle {
            container: None,
            ..second
        })
        .await
        .unwrap();
    assert_eq!(of_session(), foreign, "another installation's stays");
}

#[tokio::test]
async fn an_engine_that_went_away_is_unknown_and_not_absent() {
    if docker().await.is_none() {
        skip("no engine");
        return;
    }
    let place = docker().await.unwrap();
    // A socket that answers nothing sensible after the connection was made.
    let socket = place.root.path().join("engine.sock");
    std::os::unix::fs::symlink("/var/run/docker.sock", &socket).unwrap();
    let found = Place {
        socket: socket.clone(),
        how: "made by this test".into(),
    };
    let docker = Docker::connect(place.installation.clone(), found)
        .await
        .unwrap();
    fs::remove_file(&socket).unwrap();
    let plan = place.session(Mode::Print, "true");
    let handle = Handle {
        session: plan.session,
        dir: plan.dir.clone(),
        container: Some("a".repeat(64)),
    };
    assert!(matches!(docker.state(&handle).await, State::Unknown(_)));
}

#[tokio::test]
async fn programs_run_beside_the_agent_with_its_user_and_environment() {
    let Some((place, docker)) = connected().await else {
        return;
    };
    let plan = place.session(Mode::Interactive, "while :; do sleep 1; done");
    let made = docker.create(&plan).await.unwrap();
    let id = made.handle.container.clone().unwrap();
    let _gone = Gone("container", id.clone());
    engine(&["start", &id]);
    assert_eq!(
        docker.state(&made.handle).await,
        State::Present { running: true }
    );
    let request = |script: &str, env| clauderon_runtime::ExecRequest {
        argv: vec!["/bin/bash".into(), "-c".into(), script.into()],
        env,
        cwd: "/workspace".into(),
        timeout: Duration::from_secs(20),
        max_output: 1 << 20,
    };
    let script = "id -u; pwd; echo $MARK; grep -E 'CapEff|NoNew|Seccomp:' /proc/self/status | tr -d '\\t\\n'; exit 4";
    let output = docker
        .exec(&made.handle, request(script, None))
        .await
        .unwrap();
    let expected = format!(
        "{}\n/workspace\nagent\nCapEff:0000000000000000NoNewPrivs:1Seccomp:2",
        plan.user.uid
    );
    assert_eq!(
        (
            output.code,
            String::from_utf8_lossy(&output.stdout).as_ref()
        ),
        (4, expected.as_str())
    );
    let given = Some(crate::place::env(&[
        ("PATH", "/usr/bin:/bin"),
        ("GIVEN", "1"),
    ]));
    let output = docker
        .exec(&made.handle, request("echo $MARK$GIVEN", given))
        .await
        .unwrap();
    assert_eq!(output.stdout, b"1\n");
    let too_much = docker.exec(&made.handle, request("yes", None)).await;
    assert!(matches!(too_much, Err(RuntimeError::OutputTooLarge { .. })));
    docker
        .stop(&made.handle, Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(
        docker.state(&made.handle).await,
        State::Present { running: false }
    );
    assert!(matches!(
        docker.exec(&made.handle, request("true", None)).await,
        Err(RuntimeError::NotRunning)
    ));
    docker.remove(&made.handle).await.unwrap();
    assert_eq!(docker.state(&made.handle).await, State::Absent);
    docker.remove(&made.handle).await.unwrap();
}
