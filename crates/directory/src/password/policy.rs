//! What a password must be like that its owner chooses, and how much it withstands.
//!
//! Length counts for more than odd characters: what is long enough may be a sentence. What everybody tries first, the own name and runs
//! like `abcd` or `1111` add next to nothing.

use anser_base::{Error, Result};
use unicode_normalization::UnicodeNormalization;

use super::PASSWORD;

/// What is tried first, as it is or with digits behind it.
const COMMON: [&str; 40] = [
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "qwerty",
    "qwertyuiop",
    "asdfgh",
    "asdfghjkl",
    "zxcvbn",
    "zxcvbnm",
    "1q2w3e4r",
    "1qaz2wsx",
    "qazwsx",
    "iloveyou",
    "woaini",
    "letmein",
    "welcome",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "admin",
    "administrator",
    "root",
    "user",
    "guest",
    "test",
    "login",
    "master",
    "abc",
    "secret",
    "changeme",
    "default",
    "mail",
    "email",
    "computer",
    "internet",
    "hello",
];
/// Words of this length and more about the owner count as guessed.
const WORD: usize = 3;

/// What a new password must be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Characters at least.
    pub length: usize,
    /// Of lower case, upper case, digits, others, so many kinds at least; what is half as long again as `length` needs none.
    pub kinds: usize,
    /// Strength at least, see [`strength`].
    pub strength: u8,
}

impl PasswordRules {
    /// What holds where nobody set anything.
    pub fn usual() -> Self {
        Self { length: 10, kinds: 2, strength: 2 }
    }

    /// Whether a password may be chosen. `about` are words about its owner: name, address. `Class::Invalid` says what is wrong with it.
    pub fn judge(&self, password: &[u8], about: &[&str]) -> Result<()> {
        let Ok(text) = str::from_utf8(password) else {
            return Err(Error::invalid("a password is text in UTF-8", "密码必须是 UTF-8 文本"));
        };
        let length = text.nfc().count();
        if length < self.length || password.len() > PASSWORD || text.contains('\0') {
            let Self { length, .. } = self;
            return Err(Error::invalid(
                format!("a password has at least {length} characters, and at most {PASSWORD} bytes"),
                format!("密码至少 {length} 个字符，最多 {PASSWORD} 字节"),
            ));
        }
        if length < self.length + self.length / 2 && kinds(text) < self.kinds {
            let Self { kinds, .. } = self;
            return Err(Error::invalid(
                format!("use {kinds} of: lower case, upper case, digits, other characters; or a longer password"),
                format!("请使用小写字母、大写字母、数字、其他字符中的至少 {kinds} 种，或使用更长的密码"),
            ));
        }
        if strength(text, about) < self.strength {
            return Err(Error::invalid(
                "this password is too easy to guess: leave out names, common words and runs like 1234",
                "密码过于简单：请避免使用姓名、常见词和 1234 这样的连续字符",
            ));
        }
        Ok(())
    }
}

/// How much a password withstands, from 0 (falls at once) to 4 (does not fall).
pub fn strength(password: &str, about: &[&str]) -> u8 {
    let bits = bits(password, about);
    match bits {
        0..28 => 0,
        28..40 => 1,
        40..56 => 2,
        56..80 => 3,
        _ => 4,
    }
}

/// Bits that a guesser who knows the owner has to find, about.
fn bits(password: &str, about: &[&str]) -> u32 {
    let lower: String = password.nfc().collect::<String>().to_lowercase();
    let mut rest = lower.clone();
    let words = about.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase);
    let words = words.filter(|word| word.chars().count() >= WORD).chain(COMMON.iter().map(|word| (*word).to_owned()));
    let mut guessed = 0;
    for word in words {
        if rest.contains(&word) {
            rest = rest.replace(&word, "\u{1}");
            guessed += 6;
        }
    }
    let pool: u32 = 26 * u32::from(lower.chars().any(|c| c.is_ascii_lowercase()))
        + 26 * u32::from(password.chars().any(|c| c.is_ascii_uppercase()))
        + 10 * u32::from(password.chars().any(|c| c.is_ascii_digit()))
        + 33 * u32::from(password.chars().any(|c| c.is_ascii() && !c.is_ascii_alphanumeric()))
        + 3000 * u32::from(!password.is_ascii());
    let each = f64::from(pool.max(2)).log2();
    let (mut before, mut step, mut fresh) = (None, None, 0.0);
    for c in rest.chars().filter(|c| *c != '\u{1}') {
        let to = before.map(|before: char| i64::from(u32::from(c)) - i64::from(u32::from(before)));
        // What repeats, or goes on as it did, is guessed along with what came before.
        let goes_on = to.is_some_and(|to| to == 0 || (to.abs() == 1 && (step == Some(to) || step.is_none())));
        fresh += if goes_on { each / 6.0 } else { each };
        (before, step) = (Some(c), to);
    }
    guessed + fresh as u32
}

fn kinds(text: &str) -> usize {
    let is = |kind: fn(char) -> bool| usize::from(text.chars().any(kind));
    let ascii = is(|c| c.is_ascii_lowercase()) + is(|c| c.is_ascii_uppercase()) + is(|c| c.is_ascii_digit());
    // Scripts beyond ASCII are large enough to stand for two.
    ascii + is(|c| c.is_ascii() && !c.is_ascii_alphanumeric()) + 2 * is(|c| !c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: [&str; 3] = ["ann.lee", "example.org", "Ann Lee"];

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let rules = PasswordRules::usual();
        for weak in [
            "short1",
            "password12",
            "Password123",
            "1234567890",
            "aaaaaaaaaaaa",
            "abcdefghijk",
            "annlee2024",
            "Example.org1",
            "qwerty1234",
            "qwertyuiop",
            "admin12345",
            "zyxwvutsrq",
            "1111122222",
            "woaini1314",
        ] {
            assert!(rules.judge(weak.as_bytes(), &ANN).is_err(), "{weak}");
        }
        assert!(rules.judge(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &ANN).is_err());
        assert!(rules.judge("x7".repeat(600).as_bytes(), &ANN).is_err());
    }

    #[test]
    fn what_is_not_is_taken() {
        let rules = PasswordRules::usual();
        for good in [
            "tin-rabbit-9",
            "Kx7#pq-92v",
            "correct horse battery",
            "lampenschirmgrün",
            "鸿雁传书千里之外啊九",
            "gh48 zu27 pp",
        ] {
            assert!(rules.judge(good.as_bytes(), &ANN).is_ok(), "{good}");
        }
    }

    #[test]
    fn more_is_stronger() {
        let all = ["aaaa", "tulip4", "tulip-47x", "tulip-47x kettle", "tulip-47x kettle Marmor"];
        let strengths: Vec<u8> = all.iter().map(|one| strength(one, &ANN)).collect();
        assert!(strengths.is_sorted(), "{strengths:?}");
        assert_eq!((strengths[0], strengths[4]), (0, 4));
    }
}
