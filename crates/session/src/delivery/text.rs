//! A message's text: what can be typed of it, and whether a prompt says the same.

/// Takes out of a text what would press a key, end a paste or steer the terminal: every control character but line ends and
/// tabs.
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = |character: &char| !character.is_control() || matches!(character, '\n' | '\t');
    text.chars().filter(kept).collect()
}

/// Says whether a text is a command of the agent's own rather than something for its model.
pub fn is_command(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('/') && !text.contains('\n') && !text[1..].contains('/')
}

/// Says whether a prompt is this text: agents change the space between words, and show a picture's path as a picture.
pub fn says_the_same(typed: &str, prompt: &str) -> bool {
    let (typed, prompt) = (unpicture(typed), unpicture(prompt));
    let mut there = prompt.split_whitespace();
    for word in typed.split_whitespace() {
        match there.next() {
            Some(PICTURE) if is_picture(word) => {}
            Some(same) if same == word => {}
            _ => return false,
        }
    }
    there.next().is_none()
}

/// Stands for a picture.
const PICTURE: &str = "[Image]";

/// Writes each `[Image #3]` as one word.
fn unpicture(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("[Image #") {
        let (before, after) = rest.split_at(at);
        let number = after["[Image #".len()..].find(']');
        let Some(end) = number else { break };
        plain.push_str(before);
        plain.push(' ');
        plain.push_str(PICTURE);
        plain.push(' ');
        rest = &after["[Image #".len() + end + 1..];
    }
    plain.push_str(rest);
    plain
}

fn is_picture(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']).to_ascii_lowercase();
    let ends = [".png", ".jpg", ".jpeg", ".gif", ".webp"];
    word == "[image]" || ends.iter().any(|end| word.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_steers() {
        for (text, expected) in [
            ("hello\n\tthere é 😀", "hello\n\tthere é 😀"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("x\x1b[201~\rrm -rf /\r", "x[201~\nrm -rf /\n"),
            ("x\u{9b}201~y", "x201~y"),
            ("\x03\x04\x1a\0\x7fok", "ok"),
            ("\x1b\x03", ""),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_prompt_is_known_again() {
        for (typed, prompt, same) in [
            ("say hi", "say hi", true),
            ("say\thi \n", " say    hi", true),
            ("say hi", "say hi there", false),
            ("say hi there", "say hi", false),
            ("", "x", false),
            (
                "look at /clauderon/uploads/a.png now",
                "look at [Image #1] now",
                true,
            ),
            ("/clauderon/uploads/a.png", "[Image #12]", true),
            ("look at a.txt", "look at [Image #1]", false),
            ("[Image #1] here", "[Image #1] here", true),
        ] {
            assert_eq!(says_the_same(typed, prompt), same, "{typed:?} {prompt:?}");
        }
    }

    #[test]
    fn a_path_is_no_command() {
        for (text, command) in [
            ("/compact", true),
            (" /model opus ", true),
            ("/home/me/x.rs is wrong", false),
            ("/x\nand more", false),
            ("what is /compact?", false),
            ("", false),
        ] {
            assert_eq!(is_command(text), command, "{text:?}");
        }
    }
}
