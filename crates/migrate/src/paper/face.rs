//! Faces of letters, and how wide these are. Three of the standard fonts that every reader of PDF has (ISO 32000-1 §9.6.2.2) are used, and
//! for what they lack a font of the Adobe-GB1 collection, which readers bring along or put another in place of (§9.7.3).

/// A face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Plain,
    Bold,
    Code,
}

/// A character in a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    pub char: char,
    pub face: Face,
}

/// Widths of Helvetica, from the blank to the tilde, in thousandths of its size.
const PLAIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
/// Likewise of Helvetica-Bold.
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];
/// Of Courier, and of what is written in squares.
const CODE: u16 = 600;
const SQUARE: u16 = 1000;
/// Letters as wide as those of Latin-1 from U+00C0 on.
const ALIKE: &[u8; 64] = b"AAAAAAMCEEEEIIIIDNOOOOO+OUUUUYPsaaaaaamceeeeiiiionooooo+ouuuuypy";
/// Some of what WinAnsiEncoding has besides Latin-1, with its codes (ISO 32000-1 annex D.2).
const MORE: [(char, u8); 10] = [
    ('€', 0x80),
    ('…', 0x85),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('™', 0x99),
];

impl Letter {
    /// Its code in WinAnsiEncoding; `None` when it is written in squares.
    pub fn latin(self) -> Option<u8> {
        match self.char {
            ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(self.char)).ok(),
            other => MORE.iter().find(|(known, _)| *known == other).map(|(_, code)| *code),
        }
    }

    /// Its width in thousandths of its size. Of accented letters and signs it may be a little off: lines are broken by it, not set.
    pub fn width(self) -> u16 {
        let widths = match self.face {
            Face::Code if self.latin().is_some() => return CODE,
            Face::Bold => &BOLD,
            _ => &PLAIN,
        };
        let of = |code: u8| widths.get(usize::from(code).wrapping_sub(32)).copied();
        match self.latin() {
            None => SQUARE,
            Some(0x85 | 0x97 | 0x99) => SQUARE,
            Some(code @ 0xc0..) => of(ALIKE[usize::from(code - 0xc0)]).unwrap_or(SQUARE),
            Some(code) => of(code).unwrap_or(CODE),
        }
    }
}

/// A text in a face. What no page shows becomes a blank; ends of lines stay.
pub fn letters(text: &str, face: Face) -> impl Iterator<Item = Letter> + '_ {
    let shown = |char: char| if char.is_control() && char != '\n' { ' ' } else { char };
    text.chars().map(move |char| Letter { char: shown(char), face })
}
