//! A paper as plain text, for letters.

use super::{Block, Kind, Paper, Span};

/// Everything behind the title.
pub fn text(paper: &Paper) -> String {
    let (mut out, mut step) = (String::new(), 0);
    for block in &paper.blocks {
        step = if matches!(block, Block::Line(Kind::Step, _)) { step + 1 } else { 0 };
        match block {
            Block::Line(Kind::Title, _) => {}
            Block::Line(kind, spans) => {
                let words: String = spans.iter().map(|Span { text, .. }| text.as_str()).collect();
                match kind {
                    Kind::Heading => out.push_str(&format!("\n{words}\n")),
                    Kind::Item => out.push_str(&format!("- {words}\n")),
                    Kind::Step => out.push_str(&format!("{step}. {words}\n")),
                    Kind::Tick => out.push_str(&format!("[ ] {words}\n")),
                    Kind::Title | Kind::Text | Kind::Strong => out.push_str(&format!("{words}\n")),
                }
            }
            Block::Table(table) => {
                for row in std::iter::once(&table.head).chain(&table.rows) {
                    out.push_str(&format!("{}\n", row.join("  ")));
                }
            }
            Block::Gap => out.push('\n'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::{Readers, Table};

    #[test]
    fn a_paper_reads_as_it_looks() {
        let line = |kind, text: &str| Block::plain(kind, text);
        let table = Table { head: vec!["a".into(), "b".into()], rows: vec![vec!["1".into(), "2".into()]] };
        let blocks = vec![
            line(Kind::Title, "t"),
            line(Kind::Text, "x"),
            line(Kind::Heading, "h"),
            line(Kind::Step, "one"),
            line(Kind::Step, "two"),
            line(Kind::Item, "i"),
            Block::Table(table),
        ];
        let paper = Paper { readers: Readers::English, title: "t".into(), blocks };
        assert_eq!(text(&paper), "x\n\nh\n1. one\n2. two\n- i\na  b\n1  2\n");
    }
}
