//! What a container is made of: every hardening in one value, the same for sessions, one-off programs and image checks.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig,
    ImageConfig, Mount as EngineMount, MountTmpfsOptions, MountType, ResourcesUlimits,
    RestartPolicy, RestartPolicyNameEnum,
};

use super::profile;
use crate::mounts::Checked;
use crate::{Access, Installation, Limits, User};

/// Label: which installation made it.
pub const INSTALLATION: &str = "org.clauderon.installation";
/// Label: which session it is, empty for a one-off.
pub const SESSION: &str = "org.clauderon.session";
/// Label: which version made it.
pub const VERSION: &str = "org.clauderon.version";

/// How a container's standard streams are wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// One terminal.
    Terminal,
    /// Three pipes; whether standard input is one of them.
    Pipes {
        /// Whether anything will be written to it.
        stdin: bool,
    },
}

/// One container to be made.
pub struct Container<'a> {
    /// Who makes it.
    pub installation: &'a Installation,
    /// The image's exact id, so that what was checked is what runs.
    pub image: &'a str,
    /// What the image sets, to be overridden.
    pub image_config: &'a ImageConfig,
    /// The session it belongs to, if any.
    pub session: Option<String>,
    /// The command; the image's entry point is never used.
    pub command: Vec<String>,
    /// The whole environment.
    pub env: Vec<String>,
    /// The command's folder.
    pub cwd: &'a Path,
    /// Judged mounts, parents first.
    pub mounts: &'a [Checked],
    /// Whom it runs as.
    pub user: User,
    /// What it may use.
    pub limits: Limits,
    /// How its streams are wired.
    pub streams: Streams,
    /// Whether the engine removes it when it ends.
    pub throw_away: bool,
}

/// Bytes of the folders that stand in for an image's volumes, and of `/dev/shm`.
const VOLUME_BYTES: i64 = 256 << 20;
const SHM_BYTES: i64 = 1 << 30;

impl Container<'_> {
    /// Writes the engine's request.
    pub fn body(self) -> ContainerCreateBody {
        let terminal = self.streams == Streams::Terminal;
        let stdin = self.streams != Streams::Pipes { stdin: false };
        let labels = [
            (INSTALLATION, self.installation.id.clone()),
            (SESSION, self.session.clone().unwrap_or_default()),
            (VERSION, self.installation.version.clone()),
        ];
        ContainerCreateBody {
            image: Some(self.image.to_owned()),
            hostname: Some("sandbox".into()),
            user: Some(format!("{}:{}", self.user.uid, self.user.gid)),
            entrypoint: Some(self.command.clone()),
            cmd: Some(Vec::new()),
            env: Some(self.env()),
            working_dir: Some(self.cwd.display().to_string()),
            tty: Some(terminal),
            open_stdin: Some(stdin),
            // Pipes end when their one client goes; a terminal outlives its viewers.
            stdin_once: Some(stdin && !terminal),
            attach_stdin: Some(stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            network_disabled: Some(true),
            healthcheck: Some(HealthConfig {
                test: Some(vec!["NONE".into()]),
                ..HealthConfig::default()
            }),
            stop_signal: Some("SIGTERM".into()),
            labels: Some(
                labels
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            ),
            host_config: Some(self.host()),
            ..ContainerCreateBody::default()
        }
    }

    /// The environment alone: a bare name removes what the image or the engine would set.
    fn env(&self) -> Vec<String> {
        let from_image = self.image_config.env.iter().flatten();
        let unset = from_image
            .filter_map(|pair| pair.split('=').next())
            .chain(["PATH", "HOSTNAME", "TERM", "HOME"]);
        let given: BTreeSet<&str> = self
            .env
            .iter()
            .filter_map(|pair| pair.split('=').next())
            .collect();
        let bare: BTreeSet<&str> = unset
            .filter(|name| !name.is_empty() && !given.contains(name))
            .collect();
        bare.into_iter()
            .map(str::to_owned)
            .chain(self.env.iter().cloned())
            .collect()
    }

    fn host(&self) -> HostConfig {
        let memory = i64::try_from(self.limits.memory).unwrap_or(i64::MAX);
        let no_core = ResourcesUlimits {
            name: Some("core".into()),
            soft: Some(0),
            hard: Some(0),
        };
        HostConfig {
            network_mode: Some("none".into()),
            dns: Some(vec!["127.0.0.1".into()]),
            cap_drop: Some(vec!["ALL".into()]),
            privileged: Some(false),
            security_opt: Some(vec![
                "no-new-privileges".into(),
                format!("seccomp={}", profile::json()),
            ]),
            pids_limit: i64::try_from(self.limits.pids).ok(),
            memory: Some(memory),
            memory_swap: Some(memory),
            // The engine counts shares around 1,024 where the plan counts weights around 100.
            cpu_shares: i64::try_from(self.limits.cpu_weight * 1024 / 100).ok(),
            // Not the number of files: raising it fails where the engine itself may not.
            ulimits: Some(vec![no_core]),
            shm_size: Some(SHM_BYTES),
            ipc_mode: Some("private".into()),
            cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
            log_config: Some(self.log()),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::NO),
                maximum_retry_count: None,
            }),
            auto_remove: Some(self.throw_away),
            mounts: Some(self.engine_mounts()),
            ..HostConfig::default()
        }
    }

    /// A session's own log is the holder's; the engine keeps a short one that it does not mangle. A one-off keeps none.
    fn log(&self) -> HostConfigLogConfig {
        if self.throw_away {
            return HostConfigLogConfig {
                typ: Some("none".into()),
                config: None,
            };
        }
        let config = [("max-size", "1m"), ("max-file", "2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        HostConfigLogConfig {
            typ: Some("local".into()),
            config: Some(HashMap::from(config)),
        }
    }

    /// The judged mounts, and a small folder in memory over each volume that the image declares: a volume would be
    /// left behind on the host without anybody's knowing.
    fn engine_mounts(&self) -> Vec<EngineMount> {
        let binds = self.mounts.iter().map(|mount| EngineMount {
            typ: Some(MountType::BIND),
            source: Some(mount.source.display().to_string()),
            target: Some(mount.target.display().to_string()),
            read_only: Some(mount.access == Access::ReadOnly),
            ..EngineMount::default()
        });
        let taken = |volume: &str| {
            self.mounts
                .iter()
                .any(|mount| mount.target == Path::new(volume.trim_end_matches('/')))
        };
        let volumes = self
            .image_config
            .volumes
            .iter()
            .flatten()
            .filter(|volume| !taken(volume));
        let volumes = volumes.map(|volume| EngineMount {
            typ: Some(MountType::TMPFS),
            target: Some(volume.clone()),
            tmpfs_options: Some(MountTmpfsOptions {
                size_bytes: Some(VOLUME_BYTES),
                mode: Some(0o1777),
                options: None,
            }),
            ..EngineMount::default()
        });
        volumes.chain(binds).collect()
    }
}
