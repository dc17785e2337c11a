//! What a session's agent does, said in one place: the list, the window, the tray, the command line and the conversation all
//! show what [`status`] returns. Values in, values out.
//!
//! What the agent says of itself is shown and decides nothing. What counts and notifies rests on what is seen from outside of
//! its sandbox, which [`needs_you`] says.

use clauderon_api::{BudgetHold, Standing};
use clauderon_session::{Mode, Progress, State};
use clauderon_transcript::{Activity, Status};

/// What Clauderon itself knows of a session's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// A terminal, or three pipes.
    pub mode: Mode,
    /// Where it is in its life.
    pub life: State,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Whether its requests come as they should.
    pub progress: Progress,
    /// When the last of them passed, in milliseconds since 1970.
    pub last_ms: u64,
    /// That one of them waits for leave to go over the budget.
    pub held: Option<BudgetHold>,
}

/// What the person has done about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attended {
    /// They put it away.
    Archived,
    /// They have not looked since it finished something.
    Unseen,
    /// They have looked, or there was nothing to see.
    Seen,
}

/// Says what the agent does: what its conversation tells, as far as Clauderon does not know better.
pub fn status(known: &Known, told: Status) -> Status {
    let of_life = |activity| Status {
        activity,
        since_ms: known.since_ms,
    };
    match &known.life {
        State::Creating | State::Starting | State::Stopping | State::Unknown { .. } => {
            of_life(Activity::Unknown)
        }
        State::Stopped | State::Exited { code: 0 } => of_life(Activity::Done),
        State::Exited { code } => of_life(Activity::Failed {
            why: format!("The agent ended with exit code {code}."),
        }),
        State::Failed { reason } => of_life(Activity::Failed {
            why: reason.clone(),
        }),
        State::Running => running(known, told),
    }
}

fn running(known: &Known, told: Status) -> Status {
    use Activity::{Done, Idle, Interrupted, Stuck, Unknown, Working};
    let stuck = Status {
        activity: Stuck,
        since_ms: known.last_ms,
    };
    let with = |activity| Status {
        activity,
        ..told.clone()
    };
    match (known.progress, &told.activity) {
        // Only Clauderon knows of an end, and it knows of none.
        (_, Done) => with(Unknown),
        (Progress::Overdue, Working { .. } | Unknown) => stuck,
        (Progress::Unasked, Working { .. } | Unknown | Idle | Interrupted) => stuck,
        // It has drawn itself and not begun with what it was given to do.
        (Progress::Expected, Idle | Interrupted) => with(Unknown),
        // An agent that prints ends when it has nothing to do.
        (_, Idle) if known.mode == Mode::Print => with(Working { doing: None }),
        _ => told,
    }
}

/// Returns where a session stands in the list.
pub fn group(life: &State, activity: &Activity, attended: Attended) -> Standing {
    use Attended::{Archived, Seen, Unseen};
    match (life, attended) {
        (_, Archived) => return Standing::Archived,
        (State::Failed { .. } | State::Unknown { .. }, _) => return Standing::NeedsYou,
        (State::Exited { code: 0 }, Unseen) => return Standing::Ready,
        (State::Exited { .. }, Unseen) => return Standing::NeedsYou,
        (State::Exited { .. } | State::Stopped | State::Stopping, Seen) => return Standing::Done,
        (State::Stopped | State::Stopping, Unseen) => return Standing::Done,
        (State::Creating | State::Starting, _) => return Standing::Working,
        (State::Running, _) => {}
    }
    match (activity, attended) {
        (
            Activity::NeedsApproval { .. }
            | Activity::NeedsInput { .. }
            | Activity::Failed { .. }
            | Activity::Stuck,
            _,
        ) => Standing::NeedsYou,
        // Unknown is the moment between a prompt and its first request.
        (Activity::Working { .. } | Activity::Unknown, _) => Standing::Working,
        (Activity::Idle | Activity::Interrupted | Activity::Done, Unseen) => Standing::Ready,
        (Activity::Idle | Activity::Interrupted | Activity::Done, _) => Standing::Idle,
    }
}

/// Says whether a session needs the person by what is seen from outside of its sandbox: by its life and its requests, or as
/// the proxy vouches for what its agent says.
pub fn needs_you(standing: Standing, life: &State, activity: &Activity, vouched: bool) -> bool {
    let known = *life != State::Running || *activity == Activity::Stuck;
    standing == Standing::NeedsYou && (known || vouched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Progress::{Expected, Fine, Overdue, Unasked};

    fn working() -> Activity {
        Activity::Working {
            doing: Some("Editing a".to_owned()),
        }
    }

    fn failed(why: &str) -> Activity {
        Activity::Failed {
            why: why.to_owned(),
        }
    }

    fn asks() -> Activity {
        Activity::NeedsApproval { item: None }
    }

    #[test]
    fn what_clauderon_knows_goes_before_what_is_told() {
        let running = State::Running;
        let broken = State::Failed {
            reason: "no memory".to_owned(),
        };
        let unsure = State::Unknown {
            reason: "no engine".to_owned(),
        };
        let exited = |code| State::Exited { code };
        // Since 1: the life; 2: the last request; 3: what was told.
        for (life, progress, told, expected, since) in [
            (&running, Fine, working(), working(), 3),
            (&running, Fine, asks(), asks(), 3),
            (&running, Fine, Activity::Idle, Activity::Idle, 3),
            (&running, Fine, failed("529"), failed("529"), 3),
            (&running, Fine, Activity::Unknown, Activity::Unknown, 3),
            (
                &running,
                Fine,
                Activity::Interrupted,
                Activity::Interrupted,
                3,
            ),
            // A forged end.
            (&running, Fine, Activity::Done, Activity::Unknown, 3),
            (&running, Expected, Activity::Idle, Activity::Unknown, 3),
            (&running, Expected, working(), working(), 3),
            (&running, Expected, asks(), asks(), 3),
            (&running, Unasked, Activity::Idle, Activity::Stuck, 2),
            (&running, Unasked, Activity::Unknown, Activity::Stuck, 2),
            (&running, Unasked, asks(), asks(), 3),
            (&running, Overdue, working(), Activity::Stuck, 2),
            (&running, Overdue, Activity::Unknown, Activity::Stuck, 2),
            (&running, Overdue, Activity::Idle, Activity::Idle, 3),
            (&running, Overdue, failed("529"), failed("529"), 3),
            (&State::Starting, Fine, working(), Activity::Unknown, 1),
            (&State::Stopping, Fine, working(), Activity::Unknown, 1),
            (&unsure, Fine, working(), Activity::Unknown, 1),
            (&State::Stopped, Overdue, working(), Activity::Done, 1),
            (&exited(0), Fine, working(), Activity::Done, 1),
            (
                &exited(3),
                Fine,
                Activity::Idle,
                failed("The agent ended with exit code 3."),
                1,
            ),
            (&broken, Fine, Activity::Idle, failed("no memory"), 1),
        ] {
            let known = Known {
                mode: Mode::Interactive,
                life: life.clone(),
                since_ms: 1,
                progress,
                last_ms: 2,
                held: None,
            };
            let told = Status {
                activity: told,
                since_ms: 3,
            };
            let expected = Status {
                activity: expected,
                since_ms: since,
            };
            let case = format!("{life:?} {progress:?} {told:?}");
            assert_eq!(status(&known, told), expected, "{case}");
        }
    }

    #[test]
    fn an_agent_that_prints_works_until_it_ends() {
        let known = Known {
            mode: Mode::Print,
            life: State::Running,
            since_ms: 1,
            progress: Fine,
            last_ms: 2,
            held: None,
        };
        let idle = Status {
            activity: Activity::Idle,
            since_ms: 3,
        };
        assert_eq!(
            status(&known, idle).activity,
            Activity::Working { doing: None }
        );
    }

    #[test]
    fn a_session_stands_where_a_person_looks_for_it() {
        use Attended::*;
        let running = State::Running;
        let broken = State::Failed {
            reason: "no".to_owned(),
        };
        let exited = |code| State::Exited { code };
        for (life, activity, attended, expected) in [
            (&running, working(), Seen, Standing::Working),
            (&running, working(), Unseen, Standing::Working),
            (&running, Activity::Unknown, Seen, Standing::Working),
            (&running, Activity::Idle, Unseen, Standing::Ready),
            (&running, Activity::Idle, Seen, Standing::Idle),
            (&running, Activity::Interrupted, Seen, Standing::Idle),
            (&running, Activity::Stuck, Seen, Standing::NeedsYou),
            (&running, asks(), Seen, Standing::NeedsYou),
            (&running, failed("529"), Seen, Standing::NeedsYou),
            (&running, asks(), Archived, Standing::Archived),
            (&State::Starting, Activity::Unknown, Seen, Standing::Working),
            (&State::Stopped, Activity::Done, Unseen, Standing::Done),
            (&exited(0), Activity::Done, Unseen, Standing::Ready),
            (&exited(0), Activity::Done, Seen, Standing::Done),
            (&exited(1), failed("1"), Unseen, Standing::NeedsYou),
            (&exited(1), failed("1"), Seen, Standing::Done),
            (&broken, failed("no"), Seen, Standing::NeedsYou),
            (&broken, failed("no"), Archived, Standing::Archived),
        ] {
            assert_eq!(
                group(life, &activity, attended),
                expected,
                "{life:?} {activity:?} {attended:?}"
            );
        }
    }

    #[test]
    fn the_agents_word_alone_counts_nothing() {
        let running = State::Running;
        for (activity, vouched, expected) in [
            (asks(), false, false),
            (asks(), true, true),
            (failed("529"), false, false),
            (failed("529"), true, true),
            (Activity::Stuck, false, true),
            (working(), true, false),
        ] {
            let standing = group(&running, &activity, Attended::Seen);
            assert_eq!(
                needs_you(standing, &running, &activity, vouched),
                expected,
                "{activity:?} {vouched}"
            );
        }
        let broken = State::Failed {
            reason: "no".to_owned(),
        };
        assert!(needs_you(Standing::NeedsYou, &broken, &failed("no"), false));
    }
}
