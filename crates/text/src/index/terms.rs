//! Runs and terms of folded text.

use unicode_normalization::char::is_combining_mark;

/// Characters of a run of letters or digits that is a term as it stands; a longer one is cut into pieces of this length.
pub(crate) const WHOLE: usize = 40;
/// Characters from the start of one piece to that of the next: what is no longer than this is within one piece.
pub(crate) const STEP: usize = WHOLE / 2;

/// What a run is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Class {
    /// Letters of scripts that are written with spaces.
    Word = 1,
    /// Digits.
    Digits = 2,
    /// Characters of scripts without spaces; a term is a pair of them, or one that stands alone.
    Pairs = 3,
    /// Everything else that is seen; a term is one character.
    Marks = 4,
}

impl Class {
    pub fn from_number(number: u8) -> Option<Class> {
        [Class::Word, Class::Digits, Class::Pairs, Class::Marks].into_iter().find(|class| *class as u8 == number)
    }

    /// The class of a character; none for a space.
    fn of(c: char) -> Option<Class> {
        Some(match c {
            'a'..='z' | 'A'..='Z' => Class::Word,
            '0'..='9' => Class::Digits,
            ' ' | '\n' => return None,
            '\0'..='\x7f' => Class::Marks,
            c if is_without_spaces(c) => Class::Pairs,
            c if c.is_alphabetic() || is_combining_mark(c) => Class::Word,
            c if c.is_numeric() => Class::Digits,
            c if c.is_whitespace() => return None,
            _ => Class::Marks,
        })
    }
}

/// Thai, Lao, Myanmar, Khmer; kana, bopomofo, Han, Yi.
fn is_without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303b}'
        | '\u{3041}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Visits the runs of a text: class and bytes from–to.
pub(crate) fn each_run(text: &str, mut each: impl FnMut(Class, usize, usize)) {
    let mut open: Option<(Class, usize)> = None;
    for (at, c) in text.char_indices() {
        let class = Class::of(c);
        if open.map(|(class, _)| class) != class {
            if let Some((class, start)) = open {
                each(class, start, at);
            }
            open = class.map(|class| (class, at));
        }
    }
    if let Some((class, start)) = open {
        each(class, start, text.len());
    }
}

/// Visits the terms of a text, repeated ones too.
pub(crate) fn each_term(text: &str, mut each: impl FnMut(Class, &str)) {
    each_run(text, |class, start, end| run_terms(class, &text[start..end], &mut each));
}

fn run_terms(class: Class, run: &str, each: &mut impl FnMut(Class, &str)) {
    match class {
        Class::Word | Class::Digits if run.len() <= WHOLE => each(class, run),
        Class::Word | Class::Digits => pieces(run, |piece| each(class, piece)),
        Class::Pairs => pairs(run, |pair| each(class, pair)),
        Class::Marks => run.char_indices().for_each(|(at, c)| each(class, &run[at..at + c.len_utf8()])),
    }
}

/// Pieces of a long run: [`WHOLE`] characters from every [`STEP`]th on, until one reaches the end.
fn pieces(run: &str, mut each: impl FnMut(&str)) {
    let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).collect();
    for first in (0..starts.len()).step_by(STEP) {
        let end = starts.get(first + WHOLE).copied();
        each(&run[starts[first]..end.unwrap_or(run.len())]);
        if end.is_none() {
            return;
        }
    }
}

/// Pairs of neighbours, or the one character that there is.
pub(crate) fn pairs(run: &str, mut each: impl FnMut(&str)) {
    let mut before = None;
    let mut is_single = true;
    for (at, c) in run.char_indices() {
        if let Some(before) = before {
            is_single = false;
            each(&run[before..at + c.len_utf8()]);
        }
        before = Some(at);
    }
    if is_single {
        each(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_terms() {
        let mut terms = Vec::new();
        each_term("joe42@x.org 中国人 国 été!", |class, term| terms.push((class as u8, term.to_owned())));
        let shown: Vec<&str> = terms.iter().map(|(_, term)| term.as_str()).collect();
        assert_eq!(shown, ["joe", "42", "@", "x", ".", "org", "中国", "国人", "国", "été", "!"]);
    }

    #[test]
    fn every_short_part_of_a_long_run_is_within_a_piece() {
        for len in [41, 59, 60, 61, 80, 81, 139, 140] {
            let run: String = (0..len).map(|i| char::from(b'a' + (i * 7 % 26) as u8)).collect();
            let mut all = Vec::new();
            each_term(&run, |_, piece| all.push(piece.to_owned()));
            for start in 0..=len - STEP {
                assert!(all.iter().any(|piece| piece.contains(&run[start..start + STEP])), "{len} {start}");
            }
            assert!(run.ends_with(all.last().unwrap()) && all.last().unwrap().len() > STEP);
        }
    }
}
