//! Draws the number of waiting sessions onto the icon.

/// Digits of 3×5 pixels, a row a number.
const DIGITS: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];

const BADGE: [u8; 4] = [0xE5, 0xA5, 0x0A, 0xFF];
const INK: [u8; 4] = [0x16, 0x16, 0x16, 0xFF];

/// Returns `rgba` (square, `side` pixels) with `count` in a badge at its lower right; unchanged where it is 0.
pub fn with_count(rgba: &[u8], side: usize, count: usize) -> Vec<u8> {
    let mut pixels = rgba.to_vec();
    if count == 0 {
        return pixels;
    }
    // The badge covers the lower right 5/8; the digit is as large as whole pixels allow.
    let size = side * 5 / 8;
    let (left, top) = (side - size, side - size);
    let radius = size as f64 / 2.0;
    for y in 0..size {
        for x in 0..size {
            let (dx, dy) = (x as f64 + 0.5 - radius, y as f64 + 0.5 - radius);
            if dx * dx + dy * dy <= radius * radius {
                set(&mut pixels, side, left + x, top + y, BADGE);
            }
        }
    }
    let scale = (size / 7).max(1);
    let (width, height) = (3 * scale, 5 * scale);
    let (x0, y0) = (left + (size - width) / 2, top + (size - height) / 2);
    for (y, row) in DIGITS[count.min(9)].iter().enumerate() {
        for x in (0..3).filter(|x| row & (0b100 >> x) != 0) {
            for (dx, dy) in (0..scale).flat_map(|dx| (0..scale).map(move |dy| (dx, dy))) {
                set(
                    &mut pixels,
                    side,
                    x0 + x * scale + dx,
                    y0 + y * scale + dy,
                    INK,
                );
            }
        }
    }
    pixels
}

fn set(pixels: &mut [u8], side: usize, x: usize, y: usize, colour: [u8; 4]) {
    let at = (y * side + x) * 4;
    if let Some(pixel) = pixels.get_mut(at..at + 4) {
        pixel.copy_from_slice(&colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_drawn_and_nothing_else_changes() {
        let blank = vec![0; 32 * 32 * 4];
        assert_eq!(with_count(&blank, 32, 0), blank);
        let (one, two) = (with_count(&blank, 32, 1), with_count(&blank, 32, 2));
        assert_ne!(one, two);
        assert_eq!(
            with_count(&blank, 32, 9),
            with_count(&blank, 32, 12),
            "more than nine are shown as nine"
        );
        assert!(
            one[..12 * 32 * 4].iter().all(|byte| *byte == 0),
            "the upper part stays as it is"
        );
        assert_eq!(one.len(), blank.len());
    }
}
