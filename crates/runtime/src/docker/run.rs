//! Programs in containers: one-offs in a container of their own, and `exec` beside a running agent.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, RemoveContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::container::{Container, Streams};
use super::{Docker, engine_error, is_missing};
use crate::mounts::Checked;
use crate::{ExecOutput, ExecRequest, Limits, OneShot, OneShotOutput, RuntimeError};

type Output =
    std::pin::Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

impl Docker {
    /// Runs one program in a container that is gone afterwards.
    pub(super) async fn throw_away(
        &self,
        one: OneShot,
        mounts: &[Checked],
    ) -> Result<OneShotOutput, RuntimeError> {
        let image = one
            .image
            .as_deref()
            .ok_or_else(|| RuntimeError::BadPlan("no image was named".into()))?;
        let image = self.inspect_image(image).await?;
        let mut env = one.env.clone();
        env.entry("PATH".into())
            .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".into());
        let body = Container {
            installation: &self.installation,
            image: image.id.as_deref().unwrap_or_default(),
            image_config: &image.config.clone().unwrap_or_default(),
            session: None,
            command: one.argv.clone(),
            env: pairs(&env),
            cwd: &one.cwd,
            mounts,
            user: one.user,
            limits: Limits::of_this_machine(),
            streams: Streams::Pipes {
                stdin: one.stdin.is_some(),
            },
            throw_away: true,
        }
        .body();
        let created = self.engine.api.create_container(None, body).await;
        let id = created
            .map_err(|error| engine_error("make a throw-away container", &error))?
            .id;
        let program = one.argv.first().cloned().unwrap_or_default();
        let ended = timeout(one.timeout, self.run_to_end(&id, &one, &program)).await;
        if !matches!(ended, Ok(Ok(_))) {
            let options = RemoveContainerOptionsBuilder::default()
                .force(true)
                .v(true)
                .build();
            let _ = self.engine.api.remove_container(&id, Some(options)).await;
        }
        ended.unwrap_or(Err(RuntimeError::TimedOut {
            program,
            limit: one.timeout,
        }))
    }

    async fn run_to_end(
        &self,
        id: &str,
        one: &OneShot,
        program: &str,
    ) -> Result<OneShotOutput, RuntimeError> {
        let api = &self.engine.api;
        let attach = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdout(true)
            .stderr(true);
        // Nobody types at a one-off, but a detach key in its input must not end it.
        let attach = attach
            .stdin(one.stdin.is_some())
            .detach_keys("ctrl-_,ctrl-_,ctrl-_,ctrl-_")
            .build();
        let attached = api.attach_container(id, Some(attach)).await;
        let mut attached =
            attached.map_err(|error| engine_error("attach to a throw-away container", &error))?;
        // Asked before the start: afterwards the container may be gone already.
        let next_exit = WaitContainerOptionsBuilder::default()
            .condition("next-exit")
            .build();
        let (waiter, container) = (api.clone(), id.to_owned());
        let wait = tokio::spawn(async move {
            Box::pin(waiter.wait_container(&container, Some(next_exit)))
                .next()
                .await
        });
        let started = api.start_container(id, None).await;
        started.map_err(|error| engine_error("start a throw-away container", &error))?;
        let input = one.stdin.as_deref();
        let feed = async {
            if let Some(bytes) = input {
                // A program that does not read its input is no failure.
                let _ = attached.input.write_all(bytes).await;
                let _ = attached.input.shutdown().await;
            }
        };
        let (output, ()) =
            tokio::join!(collect(&mut attached.output, program, one.max_output), feed);
        let (stdout, stderr) = output?;
        let code = match wait.await {
            Ok(Some(Ok(response))) => response.status_code,
            Ok(Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. }))) => code,
            Ok(Some(Err(error))) => {
                return Err(engine_error("wait for a throw-away container", &error));
            }
            Ok(None) | Err(_) => return Err(RuntimeError::Gone),
        };
        Ok(OneShotOutput {
            code: i32::try_from(code).unwrap_or(i32::MAX),
            stdout,
            stderr,
        })
    }

    /// Runs a program beside the agent, as the same user, with the given environment or the agent's own.
    pub(super) async fn exec_in(
        &self,
        id: &str,
        dir: &Path,
        user: String,
        request: ExecRequest,
    ) -> Result<ExecOutput, RuntimeError> {
        let api = &self.engine.api;
        let program = request.argv.first().cloned().unwrap_or_default();
        let env = match request.env {
            Some(env) => env,
            None => agent_env(dir)?,
        };
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            env: Some(pairs(&env)),
            cmd: Some(request.argv),
            privileged: Some(false),
            user: Some(user),
            working_dir: Some(request.cwd.display().to_string()),
            ..ExecConfig::default()
        };
        let made = api.create_exec(id, config).await;
        let exec = made.map_err(|error| {
            if is_missing(&error) {
                RuntimeError::Gone
            } else {
                engine_error("prepare a program in the container", &error)
            }
        })?;
        let started = api.start_exec(&exec.id, None::<StartExecOptions>).await;
        let started =
            started.map_err(|error| engine_error("start a program in the container", &error))?;
        let StartExecResults::Attached { mut output, .. } = started else {
            return Err(RuntimeError::Engine {
                doing: "start a program in the container",
                message: "it was detached".into(),
            });
        };
        let collected = timeout(
            request.timeout,
            collect(&mut output, &program, request.max_output),
        )
        .await;
        let (stdout, stderr) = collected.unwrap_or(Err(RuntimeError::TimedOut {
            program,
            limit: request.timeout,
        }))?;
        let code = self.exec_code(&exec.id).await?;
        Ok(ExecOutput {
            code,
            stdout,
            stderr,
        })
    }

    /// The engine closes the stream a moment before it has noted the code.
    async fn exec_code(&self, exec: &str) -> Result<i32, RuntimeError> {
        for _ in 0..100 {
            let seen = self.engine.api.inspect_exec(exec).await;
            let seen = seen.map_err(|error| engine_error("ask how a program ended", &error))?;
            if let (Some(code), false) = (seen.exit_code, seen.running.unwrap_or(false)) {
                return Ok(i32::try_from(code).unwrap_or(i32::MAX));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(RuntimeError::Engine {
            doing: "ask how a program ended",
            message: "the engine does not say".into(),
        })
    }
}

async fn collect(
    output: &mut Output,
    program: &str,
    max_output: usize,
) -> Result<(Vec<u8>, Vec<u8>), RuntimeError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(piece) = output.next().await {
        let piece = piece.map_err(|error| engine_error("read from a container", &error))?;
        let kept = if matches!(piece, LogOutput::StdErr { .. }) {
            &mut stderr
        } else {
            &mut stdout
        };
        let bytes = piece.into_bytes();
        if kept.len() + bytes.len() > max_output {
            return Err(RuntimeError::OutputTooLarge {
                program: program.to_owned(),
                limit: max_output,
            });
        }
        kept.extend_from_slice(&bytes);
    }
    Ok((stdout, stderr))
}

/// What the relay gives the agent, read from the same file.
fn agent_env(dir: &Path) -> Result<BTreeMap<String, String>, RuntimeError> {
    #[derive(serde::Deserialize)]
    struct Launch {
        env: BTreeMap<String, String>,
    }
    let bytes = std::fs::read(dir.join("run/launch.json"))
        .map_err(|error| RuntimeError::io("read run/launch.json", error))?;
    let launch: Launch = serde_json::from_slice(&bytes)
        .map_err(|error| RuntimeError::io("read run/launch.json", error.into()))?;
    Ok(launch.env)
}

fn pairs(env: &BTreeMap<String, String>) -> Vec<String> {
    env.iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}
