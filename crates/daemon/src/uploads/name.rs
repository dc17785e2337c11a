//! A name for a file that somebody else named: it stays what a person would recognise, and is safe to list, to type and
//! to paste. Pure.

/// Most bytes of a name, its number included.
const MOST: usize = 120;
/// Most bytes of an ending such as `.jpeg`; what is longer is part of the name.
const MOST_ENDING: usize = 16;

/// A safe name, to which a number can be put where it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeName {
    stem: String,
    ending: String,
}

impl SafeName {
    /// Takes the last part of `given`, one dash in the place of whatever is not plain.
    pub fn of(given: &str) -> Self {
        let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let mut name = String::new();
        for character in last.chars() {
            let character = if is_plain(character) { character } else { '-' };
            if character != '-' || !name.ends_with('-') {
                name.push(character);
            }
        }
        let name = name.trim_start_matches(['.', '-']);
        let name = name.trim_end_matches(['.', '-']);
        let ending = name
            .rfind('.')
            .filter(|at| name.len() - at <= MOST_ENDING)
            .unwrap_or(name.len());
        let (stem, ending) = name.split_at(ending);
        Self {
            stem: match stem {
                "" => "file".to_owned(),
                stem => stem.to_owned(),
            },
            ending: ending.to_owned(),
        }
    }

    /// Returns the name, from 2 on with the number before its ending.
    pub fn numbered(&self, number: u32) -> String {
        let number = match number {
            0 | 1 => String::new(),
            number => format!("-{number}"),
        };
        let room = MOST - number.len() - self.ending.len();
        let stem = &self.stem[..self.stem.floor_char_boundary(room)];
        format!("{stem}{number}{}", self.ending)
    }
}

/// Says whether a character means nothing to a shell, a terminal or the reading direction, and can be seen.
fn is_plain(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || "-_.+=@,".contains(character);
    }
    let unseen = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !unseen && !character.is_control() && !character.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe_and_stay_recognisable() {
        let check = |given: &str, safe: &str| {
            assert_eq!(SafeName::of(given).numbered(1), safe, "{given:?}")
        };
        check("shot.png", "shot.png");
        check(
            "Bildschirmfoto 2026-11-22 um 10.00.png",
            "Bildschirmfoto-2026-11-22-um-10.00.png",
        );
        check("été café.txt", "été-café.txt");
        check("日本.png", "日本.png");
        check("../../etc/passwd", "passwd");
        check(r"C:\Users\a\b.txt", "b.txt");
        check(".bashrc", "bashrc");
        check("--force", "force");
        check("..", "file");
        check("", "file");
        check("a/", "file");
        check("a\0b\n\x1b[31mc", "a-b-31mc");
        check("gnp\u{202e}txt.exe", "gnp-txt.exe");
        check("$(rm -rf ~);'\"`.sh", "rm-rf-.sh");
        check(&"é".repeat(100), &"é".repeat(60));
        check(
            &format!("{}.png", "x".repeat(300)),
            &format!("{}.png", "x".repeat(116)),
        );
    }

    #[test]
    fn a_number_stands_before_the_ending_and_fits() {
        let name = SafeName::of("a.tar.gz");
        assert_eq!(name.numbered(2), "a.tar-2.gz");
        let long = SafeName::of(&format!("{}.png", "é".repeat(100)));
        assert!(long.numbered(1000).len() <= MOST);
        assert!(long.numbered(1000).ends_with("-1000.png"));
    }
}
