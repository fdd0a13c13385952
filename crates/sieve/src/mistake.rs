//! What is wrong with a script, told to its author: where, what was found and what was expected.

use std::fmt;

use anser_base::{Error, Text};

/// A place in a script; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What stands there, when that is a word of the script.
    pub found: Option<String>,
    /// What should stand there, when that can be told.
    pub expected: Option<Box<Text>>,
    /// The whole sentence, without the place.
    pub text: Text,
}

/// Everything that is wrong with a script, at least one and at most [`MAX_MISTAKES`], in the order of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

/// Mistakes told of one script; the compiler stops after them.
pub const MAX_MISTAKES: usize = 20;

/// Characters shown of what was found.
const SHOWN: usize = 40;

impl Mistake {
    /// A mistake told in one sentence.
    pub(crate) fn new(place: Place, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { place, found: None, expected: None, text: Text::new(en.into(), zh.into()) }
    }

    /// Something else was expected than was found.
    pub(crate) fn expected(place: Place, en: &str, zh: &str, found: &str) -> Self {
        let found = shown(found);
        let text =
            Text::new(format!("expected {en}, found {found}"), format!("此处应为{zh}，却是{}", in_chinese(&found)));
        let expected = Some(Box::new(Text::new(en.to_owned(), zh.to_owned())));
        Self { place, found: Some(found), expected, text }
    }

    /// The sentence with its place, in both languages.
    pub fn sentence(&self) -> Text {
        let Place { line, column } = self.place;
        Text::new(
            format!("line {line}, column {column}: {}", self.text.en),
            format!("第 {line} 行第 {column} 列：{}", self.text.zh),
        )
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence().en)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            write!(f, "{}{mistake}", if at > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl From<Mistakes> for Error {
    /// `Class::Invalid`; all mistakes, one a line, in both languages.
    fn from(mistakes: Mistakes) -> Error {
        let sentences: Vec<Text> = mistakes.0.iter().map(Mistake::sentence).collect();
        let join = |pick: fn(&Text) -> &str| sentences.iter().map(pick).collect::<Vec<_>>().join("\n");
        Error::invalid(join(|text| &text.en), join(|text| &text.zh))
    }
}

/// What was found, in Chinese: words of the script as they are, what stands for them translated.
fn in_chinese(found: &str) -> String {
    match found {
        "the end of the script" => "脚本结尾".to_owned(),
        "a string list" => "字符串列表".to_owned(),
        _ => match found.strip_prefix("the string ") {
            Some(text) => format!("字符串 {text}"),
            None => format!(" {found}"),
        },
    }
}

/// A piece of the script, short and on one line.
fn shown(found: &str) -> String {
    let mut out: String = found.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if found.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}
