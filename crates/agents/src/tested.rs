//! Which versions of the agents this release was tried with, and what is said of others.
//!
//! What an agent draws, reports by hooks and writes into titles changes from version to version. Its transcript and what it
//! asks its model change least, and its terminal is always what it is.

use std::cmp::Ordering;

use clauderon_session::Agent;

use crate::pin::Pin;

/// Says what a person should know of a version that this release was not tried with; none of one that it was.
pub fn untested(agent: Agent, version: &str) -> Option<String> {
    let tested = Pin::of(agent)?.version;
    let title = agent.title();
    let than = match compare(version, &tested) {
        Ordering::Equal if version == tested => return None,
        Ordering::Less => "older than what",
        Ordering::Greater => "newer than what",
        Ordering::Equal => "not what",
    };
    Some(format!(
        "{title} {version} is {than} Clauderon was tested with ({tested}): status and chat come from its transcript and its requests alone; the terminal is exact."
    ))
}

/// Compares two versions by the numbers in them.
fn compare(one: &str, other: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    numbers(one).cmp(&numbers(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_says_so_and_says_how_it_differs() {
        let pinned = Pin::of(Agent::Claude)
            .map(|pin| pin.version)
            .unwrap_or_default();
        assert_eq!(untested(Agent::Claude, &pinned), None);
        for (version, expected) in [
            ("99.0.0", Some("newer than")),
            ("2.1.9", Some("older than")),
            ("0.1", Some("older than")),
            (&*format!("{pinned}-beta"), Some("not what")),
        ] {
            let said = untested(Agent::Claude, version);
            assert_eq!(
                said.as_deref()
                    .map(|said| expected.is_some_and(|part| said.contains(part))),
                Some(true),
                "{version}: {said:?}"
            );
        }
    }
}
