//! Whether an agent has drawn a text that was pasted into its terminal.

use clauderon_terminal::screen::Screen;

/// Letters of a text's end by which it is known again.
const LETTERS: usize = 12;
/// What an agent draws in the place of a long text, or of a picture's name.
const STANDS_FOR: [&str; 2] = ["[Pasted", "[Image"];
/// As large as any terminal: what is drawn stands where the agent wants it.
const SIZE: (u16, u16) = (300, 100);

/// What an agent has drawn since a text was pasted.
pub struct Shown {
    screen: Screen,
    end: String,
}

impl Shown {
    /// Begins with nothing drawn.
    pub fn new(text: &str) -> Self {
        let letters = without_spaces(text);
        let begin = letters.char_indices().rev().nth(LETTERS - 1);
        Self {
            screen: Screen::new(SIZE.0, SIZE.1),
            end: letters[begin.map_or(0, |(at, _)| at)..].to_owned(),
        }
    }

    /// Takes what it drew, and says whether the text is there.
    pub fn draw(&mut self, bytes: &[u8]) -> bool {
        self.screen.push(bytes);
        let rows = self.screen.terminal().screen().text();
        let drawn: String = rows.iter().map(|row| without_spaces(row)).collect();
        drawn.contains(&self.end) || STANDS_FOR.iter().any(|word| drawn.contains(word))
    }
}

/// Lines are broken and indented as the agent likes.
fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_when_its_end_is_drawn_or_what_stands_for_it() {
        let check = |text: &str, drawn: &[&str], expected: bool| {
            let mut shown = Shown::new(text);
            let there = drawn.iter().any(|piece| shown.draw(piece.as_bytes()));
            assert_eq!(there, expected, "{text:?} {drawn:?}");
        };
        let text = "say that the end of it is é 😀 here";
        check(text, &["\x1b[2J\x1b[5;3H> say that the end"], false);
        check(
            text,
            &["> say that the end of it\r\n", "\x1b[1m  is é 😀", "  here"],
            true,
        );
        check(text, &["> say th\x1b[3;1H[Pasted text #1 +2 lines]"], true);
        check("/up/a.png", &["[Image #1] "], true);
        check("hi", &["\x1b]0;hi\x07", "\u{2802} Working"], false);
        check("hi", &["> h", "i"], true);
    }
}
