//! What an agent says of itself in its terminal: whether it works, and on what. Claims to show, never to decide by.

use crate::Agent;

/// Characters of a line that are shown; a row of the list has no more.
const LINE: usize = 120;

/// What an agent says that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It works.
    Working,
    /// It waits.
    Idle,
}

impl Claim {
    /// Reads the word of Codex's state report.
    pub fn of_state(word: &str) -> Option<Self> {
        match word {
            "working" => Some(Self::Working),
            "idle" | "done" => Some(Self::Idle),
            _ => None,
        }
    }

    /// Splits a title into the state in front of it and what it says. Claude Code draws `✳` while it waits and a moving
    /// braille sign while it works; Codex draws the latter too. A title that says nothing but the agent's name says nothing.
    pub fn of_title(agent: Agent, title: &str) -> (Option<Self>, Option<String>) {
        let title = title.trim();
        let (sign, rest) = match title.split_once(' ') {
            Some((sign, rest)) if sign.chars().count() == 1 => (sign.chars().next(), rest),
            _ => (None, title),
        };
        let (claim, words) = match sign {
            Some('✳') => (Some(Self::Idle), rest),
            Some('\u{2800}'..='\u{28ff}') => (Some(Self::Working), rest),
            // Codex takes the sign away when it waits, and does not always report its state then.
            _ => ((agent == Agent::Codex).then_some(Self::Idle), title),
        };
        // Codex names the folder, which is the same in every session.
        let says_nothing = [agent.title(), agent.as_str(), "workspace"].contains(&words);
        let words = line(words).filter(|_| !says_nothing);
        (claim, words)
    }
}

/// Makes a line to show of any text: one line, no control characters, not too long; none where nothing is left.
pub fn line(text: &str) -> Option<String> {
    let visible = |letter: &char| !letter.is_control() && !turns(*letter);
    let text = text.replace(['\n', '\t', '\r'], " ");
    let mut line: String = text.trim().chars().filter(visible).take(LINE + 1).collect();
    if line.chars().count() > LINE {
        line = line.chars().take(LINE - 1).collect();
        line.push('…');
    }
    (!line.trim().is_empty()).then_some(line)
}

/// Says whether a character steers others without being seen. Joiners are not among them: scripts and emoji need them.
fn turns(letter: char) -> bool {
    matches!(letter,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_gives_a_claim_and_words() {
        use Claim::*;
        for (agent, title, claim, words) in [
            (
                Agent::Claude,
                "✳ Fix the login",
                Some(Idle),
                Some("Fix the login"),
            ),
            (
                Agent::Claude,
                "⠂ Fix the login",
                Some(Working),
                Some("Fix the login"),
            ),
            (Agent::Claude, "⠐ Claude Code", Some(Working), None),
            (Agent::Claude, "Fix the login", None, Some("Fix the login")),
            (Agent::Claude, "A plan", None, Some("A plan")),
            (Agent::Claude, "✳", None, Some("✳")),
            (Agent::Claude, "", None, None),
            (Agent::Codex, "⠋ workspace", Some(Working), None),
            (Agent::Codex, "workspace", Some(Idle), None),
        ] {
            let words = words.map(str::to_owned);
            assert_eq!(Claim::of_title(agent, title), (claim, words), "{title}");
        }
        assert_eq!(Claim::of_state("working"), Some(Working));
        assert_eq!(Claim::of_state("done"), Some(Idle));
        assert_eq!(Claim::of_state("clear"), None);
    }

    #[test]
    fn a_line_is_short_and_holds_nothing_that_steers() {
        for (text, expected) in [
            ("  a\tb\nc  ", Some("a b c".to_owned())),
            ("\x1b[31mred\x07", Some("[31mred".to_owned())),
            ("a\u{202e}b\u{200b}c", Some("abc".to_owned())),
            ("\u{202e}\x00", None),
            (&"x".repeat(500), Some("x".repeat(119) + "…")),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }
}
