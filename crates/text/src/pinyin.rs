//! Chinese names found by how they sound: `陈雁` by `chenyan`, `cheny`, `cy`, `yan`. A character that has several readings is found by each.

use pinyin::{ToPinyin, ToPinyinMulti};

use crate::fold;

/// Characters of a text that count.
const CHARS: usize = 40;
/// Letters of what is looked for.
const LETTERS: usize = 60;
/// Initials of two letters.
const INITIALS: [&str; 3] = ["zh", "ch", "sh"];

/// How the characters of a text read; a character that is no Chinese one has no reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings(Vec<Vec<&'static str>>);

impl Readings {
    /// Of a text, of which the first 40 characters count.
    pub fn of(text: &str) -> Self {
        let of = |c: char| {
            c.to_pinyin_multi().map(|all| all.into_iter().map(|one| one.plain()).collect()).unwrap_or_default()
        };
        let mut all: Vec<Vec<&'static str>> = text.chars().take(CHARS).map(of).collect();
        for readings in &mut all {
            readings.sort_unstable();
            readings.dedup();
        }
        if all.iter().all(Vec::is_empty) { Self::default() } else { Self(all) }
    }

    /// Where the first run of characters begins that sounds like this: each by its whole reading or its initial, the last by any
    /// beginning of it. Letters in lower case, without spaces.
    pub fn find(&self, letters: &str) -> Option<usize> {
        if letters.is_empty() || letters.len() > LETTERS || !letters.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        (0..self.0.len()).find(|at| sounds_like(&self.0[*at..], letters))
    }
}

/// Bit `n` of what is reached says that `n` letters can have been said so far: no choice is tried twice.
fn sounds_like(all: &[Vec<&'static str>], letters: &str) -> bool {
    let mut reached: u64 = 1;
    for readings in all {
        let mut next = 0;
        for at in (0..letters.len()).filter(|at| reached >> at & 1 == 1) {
            let rest = &letters[at..];
            for reading in readings {
                if reading.starts_with(rest) {
                    return true;
                }
                let two = INITIALS.iter().any(|two| reading.starts_with(two) && rest.starts_with(two));
                let one = rest.as_bytes()[0] == reading.as_bytes()[0];
                let whole = rest.starts_with(reading);
                for (_, length) in [(one, 1), (two, 2), (whole, reading.len())].into_iter().filter(|(is, _)| *is) {
                    next |= 1 << (at + length);
                }
            }
        }
        reached = next;
        if reached >> letters.len() & 1 == 1 {
            return true;
        }
        if reached == 0 {
            return false;
        }
    }
    false
}

/// What a text is sorted by: Chinese characters stand where their usual readings stand among the letters, of the same sound together.
pub fn sort_key(text: &str) -> String {
    let folded = fold(text.trim());
    let mut key = String::with_capacity(folded.len() * 2);
    for c in folded.chars() {
        if let Some(reading) = c.to_pinyin() {
            key.push_str(reading.plain());
        }
        key.push(c);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_how_they_sound() {
        let name = Readings::of("陈雁");
        for letters in ["c", "ch", "che", "chen", "cheny", "chenyan", "cy", "chy", "cyan"] {
            assert_eq!(name.find(letters), Some(0), "{letters}");
        }
        assert_eq!(name.find("yan"), Some(1));
        for letters in ["", "d", "cx", "chenyanx", "chenn", "Chen", "c y", "陈"] {
            assert_eq!(name.find(letters), None, "{letters}");
        }
        // A surname that reads otherwise as a name.
        assert_eq!(Readings::of("曾国藩").find("zengguofan"), Some(0));
        assert_eq!(Readings::of("Ann Müller").find("a"), None);
        assert_eq!(Readings::of("Dr. 王").find("wang"), Some(4));
    }

    #[test]
    fn names_are_sorted_by_how_they_sound() {
        let mut names = ["王芳", "Zoe", "陈雁", "bob", "安然", "Chen"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["安然", "bob", "Chen", "陈雁", "王芳", "Zoe"]);
    }

    #[test]
    fn nothing_takes_long() {
        let name = Readings::of(&"啊".repeat(100));
        assert_eq!(name.find(&format!("{}x", "a".repeat(LETTERS - 1))), None);
        assert_eq!(name.find(&"a".repeat(40)), Some(0));
        assert_eq!(name.find(&"a".repeat(LETTERS + 1)), None);
        // A reading that is longer than what is left of the letters.
        let name = Readings::of(&format!("{}庄", "京".repeat(CHARS - 1)));
        assert_eq!(name.find(&format!("{}z", "jing".repeat(LETTERS / 4 - 1))), Some(CHARS - LETTERS / 4));
        assert_eq!(name.find(&format!("{}{}x", "jing".repeat(7), "j".repeat(LETTERS - 29))), None);
    }
}
