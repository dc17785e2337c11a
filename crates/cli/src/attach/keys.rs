//! Finds the detach key, `Ctrl-]`, in what a person types, in each spelling that a terminal may use.

/// Returns what is typed before `Ctrl-]`, or `None` where it was not pressed.
pub fn before_detach(typed: &[u8]) -> Option<&[u8]> {
    let plain = typed.iter().position(|&byte| byte == 0x1d);
    let spelled = (0..typed.len()).find(|&at| is_detach_sequence(&typed[at..]));
    let at = match (plain, spelled) {
        (Some(plain), Some(spelled)) => plain.min(spelled),
        (plain, spelled) => plain.or(spelled)?,
    };
    Some(&typed[..at])
}

/// The spellings of enhanced keyboards: `CSI 93[:…] ; modifiers[:1] [;…] u` (kitty) and
/// `CSI 27 ; modifiers ; 93 ~` (modifyOtherKeys). Modifiers are one more than a set of bits.
fn is_detach_sequence(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"\x1b[") else {
        return false;
    };
    let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return false;
    };
    let Ok(parameters) = std::str::from_utf8(&rest[..end]) else {
        return false;
    };
    let mut fields = parameters.split(';');
    match rest[end] {
        b'u' => {
            let key = fields.next().and_then(|field| field.split(':').next());
            let mut modifiers = fields.next().unwrap_or_default().split(':');
            let held = is_control(modifiers.next());
            // Event 1 is the press, 2 a repetition, 3 the release.
            key == Some("93") && held && modifiers.next().is_none_or(|event| event == "1")
        }
        b'~' => {
            fields.next() == Some("27") && is_control(fields.next()) && fields.next() == Some("93")
        }
        _ => false,
    }
}

/// Control alone; the lock keys do not matter.
fn is_control(modifiers: Option<&str>) -> bool {
    const LOCKS: u16 = 64 | 128;
    let number: Option<u16> = modifiers.and_then(|number| number.parse().ok());
    number.is_some_and(|number| number.wrapping_sub(1) & !LOCKS == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_detach_key_in_every_spelling() {
        let cases: [(&[u8], Option<&[u8]>); 11] = [
            (b"abc", None),
            (b"ab\x1dc", Some(b"ab")),
            (b"\x1d", Some(b"")),
            (b"x\x1b[93;5u", Some(b"x")),
            (b"\x1b[93:125:93;133:1u", Some(b"")),
            (b"\x1b[93;5:3u", None),
            (b"\x1b[93;1u", None),
            (b"\x1b[27;5;93~", Some(b"")),
            (b"\x1b[A\x1b[3~\x10\x03", None),
            (b"\x1b[27;5;92~", None),
            (b"\x1b[93;6u", None),
        ];
        for (typed, expected) in cases {
            assert_eq!(before_detach(typed), expected, "{typed:?}");
        }
    }
}
