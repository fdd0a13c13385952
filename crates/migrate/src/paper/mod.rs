//! Reports and documents as they are read: headings, paragraphs, lists and tables, to be written as HTML or as PDF.
//!
//! Whatever stands in them came from outside: HTML escapes it, PDF draws it.

mod face;
mod html;
mod lines;
mod pdf;
mod text;

pub use html::html;
pub use pdf::pdf;
pub use text::text;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Of English.
    English,
    /// Of Chinese.
    Chinese,
    /// Of both, side by side.
    Both,
}

/// A report or a document.
#[derive(Clone, Debug)]
pub struct Paper {
    /// Who reads it.
    pub readers: Readers,
    /// Its title, as lists of files show it.
    pub title: String,
    /// What stands in it, from top to bottom.
    pub blocks: Vec<Block>,
}

/// What stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A line or a paragraph.
    Line(Kind, Vec<Span>),
    /// A table.
    Table(Table),
    /// Nothing; a list ends with it.
    Gap,
}

impl Block {
    /// A line of plain text.
    pub fn plain(kind: Kind, text: impl Into<String>) -> Self {
        Self::Line(kind, vec![Span { text: text.into(), code: false }])
    }
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The title.
    Title,
    /// A heading.
    Heading,
    /// A paragraph.
    Text,
    /// What matters most.
    Strong,
    /// One of a list.
    Item,
    /// One of a list with numbers.
    Step,
    /// One of a list to be ticked off.
    Tick,
}

/// A piece of a line; an end of line in it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its text.
    pub text: String,
    /// Whether somebody types it.
    pub code: bool,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the columns are.
    pub head: Vec<String>,
    /// The rows, as long as the head.
    pub rows: Vec<Vec<String>>,
}
