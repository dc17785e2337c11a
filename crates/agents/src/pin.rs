//! The agents' versions and checksums that this release was tried with.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clauderon_session::Agent;
use serde::Deserialize;

/// One agent's archive for one processor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The agent.
    pub agent: Agent,
    /// Its version.
    pub version: String,
    /// The processor, in Rust's words: `x86_64`, `aarch64`.
    pub arch: String,
    /// The package that holds it.
    pub package: String,
    /// The archive's file name at the registry.
    pub file: String,
    /// The archive's SHA-512, in base64.
    pub sha512: String,
    /// The archive's size, where it was measured.
    pub bytes: Option<u64>,
    /// The folder inside the archive whose content is unpacked, with a final slash.
    pub folder: String,
    /// The program below that folder.
    pub program: String,
}

impl Pin {
    /// Returns the pin of an agent for this machine's processor; none where the agent is not made for it.
    pub fn of(agent: Agent) -> Option<Self> {
        all()
            .into_iter()
            .find(|pin| pin.agent == agent && pin.arch == std::env::consts::ARCH)
    }

    /// Returns the folder of this version below Clauderon's home.
    pub fn dir(&self, home: &Path) -> PathBuf {
        home.join("agents")
            .join(self.agent.as_str())
            .join(&self.version)
    }

    /// Returns the archive's address below a registry's base address.
    pub fn url(&self, registry: &str) -> String {
        format!(
            "{}/{}/-/{}",
            registry.trim_end_matches('/'),
            self.package,
            self.file
        )
    }

    /// Returns the expected checksum.
    pub(crate) fn digest(&self) -> Option<Vec<u8>> {
        STANDARD
            .decode(&self.sha512)
            .ok()
            .filter(|digest| digest.len() == 64)
    }
}

fn all() -> Vec<Pin> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        pin: Vec<Pin>,
    }
    toml::from_str::<File>(include_str!("pins.toml"))
        .expect("a test parses the pins")
        .pin
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_agent_is_pinned_for_both_processors() {
        let pins = all();
        for agent in Agent::ALL {
            for arch in ["x86_64", "aarch64"] {
                let found: Vec<_> = pins
                    .iter()
                    .filter(|pin| pin.agent == *agent && pin.arch == arch)
                    .collect();
                assert_eq!(found.len(), 1, "{agent} {arch}");
                let pin = found[0];
                assert!(pin.digest().is_some(), "{agent} {arch}");
                assert!(pin.file.contains(&pin.version) && pin.folder.starts_with("package/"));
                assert!(pin.folder.ends_with('/'));
            }
        }
    }

    #[test]
    fn the_address_is_that_of_the_platform_package() {
        let pin = all()
            .into_iter()
            .find(|pin| pin.arch == "x86_64" && pin.agent == Agent::Claude)
            .unwrap();
        assert_eq!(
            pin.url("https://registry.example/"),
            "https://registry.example/@anthropic-ai/claude-code-linux-x64/-/claude-code-linux-x64-2.1.197.tgz"
        );
    }
}
