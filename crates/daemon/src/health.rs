//! Whether a session is well, in one sentence, and what can be done where it is not. Values in, values out.

use clauderon_api::{Health, HealthAction, Mode, State};

/// What is known of a session.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Its state.
    pub state: &'a State,
    /// Whether its agent waits for an answer that does not come.
    pub stuck: bool,
    /// Whether its agent can be started again.
    pub mode: Mode,
    /// What became of its sandbox.
    pub sandbox: Sandbox,
    /// What became of the repository that it borrows history from, in a sentence, where that is not there any more.
    pub missing: Option<String>,
    /// Whether the network of all sessions is paused.
    pub paused: bool,
}

/// What became of a session's sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sandbox {
    /// It is there, or is made at each start.
    Fine,
    /// Somebody removed it.
    Gone,
    /// Nobody can tell.
    Unknown(String),
}

/// Judges; the gravest comes first.
pub fn judge(facts: &Facts<'_>) -> Health {
    use HealthAction::{CleanUp, Recreate, Start};
    let ill = |sentence: String, actions: &[HealthAction]| {
        let possible = |action: &&HealthAction| {
            facts.mode == Mode::Interactive || !matches!(action, Start | Recreate)
        };
        Health {
            ok: false,
            sentence,
            actions: actions.iter().filter(possible).copied().collect(),
        }
    };
    if let Some(sentence) = &facts.missing {
        return ill(sentence.clone(), &[]);
    }
    if let Sandbox::Unknown(why) = &facts.sandbox {
        return ill(format!("Its sandbox cannot be asked: {why}."), &[]);
    }
    match (facts.state, &facts.sandbox) {
        (State::Failed { reason }, _) => {
            ill(format!("It failed: {reason}."), &[Start, Recreate, CleanUp])
        }
        (State::Unknown { reason }, _) => ill(
            format!("Nobody knows how it is: {reason}."),
            &[Recreate, CleanUp],
        ),
        (_, Sandbox::Gone) => ill(
            "Its container was removed; its files and conversation are whole.".to_owned(),
            &[Recreate, CleanUp],
        ),
        (State::Running, _) if facts.paused => well("It runs, and the network is paused.", &[]),
        (State::Running, _) if facts.stuck => ill(
            "Its agent waits for an answer that does not come.".to_owned(),
            &[Recreate],
        ),
        (State::Running, _) => well("It runs.", &[]),
        (State::Creating | State::Starting, _) => well("It is being started.", &[]),
        (State::Stopping, _) => well("It is being stopped.", &[]),
        (State::Stopped | State::Exited { .. }, _) => match facts.mode {
            Mode::Interactive => well("It does not run; a start goes on with it.", &[Start]),
            Mode::Print => well("It has answered its prompt.", &[CleanUp]),
        },
    }
}

fn well(sentence: &str, actions: &[HealthAction]) -> Health {
    Health {
        ok: true,
        sentence: sentence.to_owned(),
        actions: actions.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_is_said_with_what_helps() {
        use HealthAction::*;
        let failed = State::Failed {
            reason: "it ran out of memory".to_owned(),
        };
        let fine = Facts {
            state: &State::Running,
            stuck: false,
            mode: Mode::Interactive,
            sandbox: Sandbox::Fine,
            missing: None,
            paused: false,
        };
        let gone = Sandbox::Gone;
        for (facts, ok, words, actions) in [
            (fine.clone(), true, "runs", &[][..]),
            (
                Facts {
                    paused: true,
                    ..fine.clone()
                },
                true,
                "paused",
                &[],
            ),
            (
                Facts {
                    stuck: true,
                    ..fine.clone()
                },
                false,
                "does not come",
                &[Recreate],
            ),
            (
                Facts {
                    state: &State::Stopped,
                    ..fine.clone()
                },
                true,
                "start",
                &[Start],
            ),
            (
                Facts {
                    state: &State::Exited { code: 0 },
                    mode: Mode::Print,
                    ..fine.clone()
                },
                true,
                "answered",
                &[CleanUp],
            ),
            (
                Facts {
                    state: &failed,
                    ..fine.clone()
                },
                false,
                "out of memory",
                &[Start, Recreate, CleanUp],
            ),
            (
                Facts {
                    state: &failed,
                    mode: Mode::Print,
                    ..fine.clone()
                },
                false,
                "out of memory",
                &[CleanUp],
            ),
            (
                Facts {
                    state: &State::Stopped,
                    sandbox: gone,
                    ..fine.clone()
                },
                false,
                "removed",
                &[Recreate, CleanUp],
            ),
            (
                Facts {
                    sandbox: Sandbox::Unknown("no engine".to_owned()),
                    ..fine.clone()
                },
                false,
                "no engine",
                &[],
            ),
            (
                Facts {
                    missing: Some("/src/app".to_owned()),
                    ..fine
                },
                false,
                "/src/app",
                &[],
            ),
        ] {
            let health = judge(&facts);
            assert!(
                health.sentence.contains(words),
                "{facts:?}: {}",
                health.sentence
            );
            assert_eq!((health.ok, &health.actions[..]), (ok, actions), "{facts:?}");
        }
    }
}
