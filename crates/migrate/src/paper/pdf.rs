//! A paper as PDF 1.7 (ISO 32000-1): A4, tables with their head on every page, pages that are counted. No font is in it.
//!
//! It is written in ASCII alone, so that it goes where texts go.

use std::collections::BTreeSet;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::face::{Face, Letter, letters};
use super::lines::{lines, width};
use super::{Block, Kind, Paper, Readers, Span, Table};

/// A4 and what stays white around it, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 50.0;
const ROOM: f32 = PAGE.0 - 2.0 * MARGIN;
/// Where the last line may stand: below it is the foot.
const BOTTOM: f32 = 62.0;
/// Rows of all tables of a paper. What is more is told of, and stands in the other formats.
const ROWS: usize = 50_000;
/// Letters of one cell that are drawn.
const CELL: usize = 4_000;
/// Sizes of letters: a paragraph, a cell, the foot.
const TEXT: f32 = 10.0;
const SMALL: f32 = 8.5;
const FOOT: f32 = 7.5;
/// From line to line, in sizes of letters.
const LEADING: f32 = 1.45;
/// Between the edge of a cell and its text.
const PAD: f32 = 3.0;
/// What items of lists stand in by.
const INDENT: f32 = 16.0;
/// Lines that must fit below a heading.
const KEEP: f32 = 60.0;
/// The fonts, by the names that pages call them by.
const FONTS: [(&[u8], &[u8]); 3] = [(b"L", b"Helvetica"), (b"B", b"Helvetica-Bold"), (b"C", b"Courier")];
const SQUARES: &[u8] = b"S";
/// The collection of characters, in the version that has those of GB 18030-2000.
const COLLECTION: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 4 };

/// The whole file. `foot` stands at the foot of every page.
pub fn pdf(paper: &Paper, foot: &str) -> String {
    let mut sheets = Sheets {
        readers: paper.readers,
        done: Vec::new(),
        page: Content::new(),
        y: PAGE.1 - MARGIN,
        rows: 0,
        used: BTreeSet::new(),
    };
    let mut step = 0;
    for block in &paper.blocks {
        step = match block {
            Block::Line(Kind::Step, _) => step + 1,
            _ => 0,
        };
        match block {
            Block::Line(kind, spans) => sheets.line(*kind, spans, step),
            Block::Table(table) => sheets.table(table),
            Block::Gap => sheets.y -= TEXT * 0.3,
        }
    }
    sheets.finish(&paper.title, foot)
}

/// Pages as they are filled, from top to bottom.
struct Sheets {
    readers: Readers,
    done: Vec<Content>,
    page: Content,
    /// The upper edge of what is free of the page.
    y: f32,
    rows: usize,
    /// Characters that are written in squares.
    used: BTreeSet<u16>,
}

impl Sheets {
    fn next_page(&mut self) {
        self.done.push(std::mem::replace(&mut self.page, Content::new()));
        self.y = PAGE.1 - MARGIN;
    }

    fn line(&mut self, kind: Kind, spans: &[Span], step: usize) {
        let (size, face, before, indent) = match kind {
            Kind::Title => (18.0, Face::Bold, 0.0, 0.0),
            Kind::Heading => (12.5, Face::Bold, 10.0, 0.0),
            Kind::Strong => (11.5, Face::Bold, 4.0, 0.0),
            Kind::Text => (TEXT, Face::Plain, 4.0, 0.0),
            Kind::Item | Kind::Step | Kind::Tick => (TEXT, Face::Plain, 2.0, INDENT),
        };
        if matches!(kind, Kind::Title | Kind::Heading) && self.y - KEEP < BOTTOM {
            self.next_page();
        }
        self.y -= before;
        let of = |span: &Span| letters(&span.text, if span.code { Face::Code } else { face }).collect::<Vec<_>>();
        let whole: Vec<Letter> = spans.iter().flat_map(of).collect();
        let leading = size * LEADING;
        for (at, line) in lines(&whole, size, ROOM - indent).iter().enumerate() {
            if self.y - leading < BOTTOM {
                self.next_page();
            }
            self.y -= leading;
            if at == 0 {
                self.mark(kind, step, size);
            }
            let (x, y) = (MARGIN + indent, self.y);
            self.draw(line, size, x, y);
        }
        if kind == Kind::Title {
            self.y -= 5.0;
            self.page.set_line_width(1.2).move_to(MARGIN, self.y).line_to(PAGE.0 - MARGIN, self.y).stroke();
            self.y -= 5.0;
        }
    }

    /// What stands before a line of a list.
    fn mark(&mut self, kind: Kind, step: usize, size: f32) {
        let mark = match kind {
            Kind::Item => "•".to_owned(),
            Kind::Step => format!("{step}."),
            Kind::Tick => {
                self.page.set_line_width(0.7).rect(MARGIN + 2.0, self.y - 0.5, 7.5, 7.5).stroke();
                return;
            }
            _ => return,
        };
        let (mark, y): (Vec<Letter>, f32) = (letters(&mark, Face::Plain).collect(), self.y);
        self.draw(&mark, size, MARGIN + 1.0, y);
    }

    fn table(&mut self, table: &Table) {
        let columns = columns(table);
        if columns.is_empty() {
            return;
        }
        self.y -= 6.0;
        let head = broken(&table.head, &columns, Face::Bold);
        let (mut is_begun, leading) = (false, SMALL * LEADING);
        for row in &table.rows {
            self.rows += 1;
            if self.rows > ROWS {
                self.left_out();
                break;
            }
            let mut cells = broken(row, &columns, Face::Plain);
            loop {
                let tallest = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
                let above = if is_begun { 0.0 } else { height(&head) };
                let fits = ((self.y - above - BOTTOM - 2.0 * PAD) / leading).floor().max(0.0) as usize;
                let whole = ((PAGE.1 - MARGIN - height(&head) - BOTTOM - 2.0 * PAD) / leading).floor() as usize;
                if fits < tallest && (fits == 0 || tallest <= whole) {
                    self.next_page();
                    is_begun = false;
                    continue;
                }
                if !is_begun {
                    self.row(&head, &columns, true);
                    is_begun = true;
                }
                // A row that fits on no page goes on over several.
                let now: Vec<_> = cells.iter_mut().map(|cell| cell.drain(..fits.min(cell.len())).collect()).collect();
                self.row(&now, &columns, false);
                if cells.iter().all(Vec::is_empty) {
                    break;
                }
                self.next_page();
                is_begun = false;
            }
        }
        if !is_begun && table.rows.is_empty() {
            self.row(&head, &columns, true);
        }
        self.y -= 6.0;
    }

    /// Says that a table has more rows than are drawn.
    fn left_out(&mut self) {
        let text = match self.readers {
            Readers::English => "More rows are in the other formats.",
            Readers::Chinese => "其余各行见其他格式的报告。",
            Readers::Both => "More rows are in the other formats. 其余各行见其他格式的报告。",
        };
        self.line(Kind::Text, &[Span { text: text.to_owned(), code: false }], 0);
    }

    /// A row that fits.
    fn row(&mut self, cells: &[Vec<Vec<Letter>>], columns: &[f32], is_head: bool) {
        let (height, top) = (height(cells), self.y);
        let mut x = MARGIN;
        for (cell, width) in cells.iter().zip(columns) {
            self.page.set_line_width(0.4).set_stroke_gray(0.55);
            if is_head {
                self.page.set_fill_gray(0.92).rect(x, top - height, *width, height).fill_nonzero().set_fill_gray(0.0);
            }
            self.page.rect(x, top - height, *width, height).stroke().set_stroke_gray(0.0);
            let mut y = top - PAD;
            for line in cell {
                y -= SMALL * LEADING;
                self.draw(line, SMALL, x + PAD, y + SMALL * (LEADING - 1.0) / 2.0 + 1.0);
            }
            x += width;
        }
        self.y -= height;
    }

    /// Writes letters of one line; `y` is what they stand on.
    fn draw(&mut self, line: &[Letter], size: f32, x: f32, y: f32) {
        draw(&mut self.page, &mut self.used, line, size, x, y);
    }

    fn finish(mut self, title: &str, foot: &str) -> String {
        self.next_page();
        let count = self.done.len();
        let foot: Vec<Letter> = letters(foot, Face::Plain).collect();
        for (at, page) in self.done.iter_mut().enumerate() {
            let number = match self.readers {
                Readers::English => format!("page {} of {count}", at + 1),
                Readers::Chinese => format!("第 {} 页，共 {count} 页", at + 1),
                Readers::Both => format!("{} / {count}", at + 1),
            };
            let number: Vec<Letter> = letters(&number, Face::Plain).collect();
            let room = width(&number, FOOT);
            for (at, line) in lines(&foot, FOOT, ROOM - room - 20.0).iter().take(2).enumerate() {
                draw(page, &mut self.used, line, FOOT, MARGIN, 40.0 - at as f32 * FOOT * LEADING);
            }
            draw(page, &mut self.used, &number, FOOT, PAGE.0 - MARGIN - room, 40.0);
        }
        written(self.done, &self.used, title, self.readers)
    }
}

fn draw(page: &mut Content, used: &mut BTreeSet<u16>, line: &[Letter], size: f32, x: f32, y: f32) {
    page.begin_text().next_line(x, y);
    for run in line.chunk_by(|one, other| font(*one) == font(*other)) {
        let mut codes = Vec::new();
        for letter in run {
            match letter.latin() {
                Some(code) => codes.push(code),
                None => {
                    let mut units = [0; 2];
                    let units = letter.char.encode_utf16(&mut units);
                    if let [one] = *units {
                        used.insert(one);
                    }
                    codes.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
                }
            }
        }
        page.set_font(Name(font(run[0])), size).show(Str(&codes));
    }
    page.end_text();
}

fn font(letter: Letter) -> &'static [u8] {
    match (letter.latin(), letter.face) {
        (None, _) => SQUARES,
        (_, Face::Plain) => FONTS[0].0,
        (_, Face::Bold) => FONTS[1].0,
        (_, Face::Code) => FONTS[2].0,
    }
}

fn height(cells: &[Vec<Vec<Letter>>]) -> f32 {
    let tallest = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    tallest as f32 * SMALL * LEADING + 2.0 * PAD
}

fn broken(row: &[String], columns: &[f32], face: Face) -> Vec<Vec<Vec<Letter>>> {
    let cell = |(text, width): (&String, &f32)| {
        let text: Vec<Letter> = letters(text, face).take(CELL).collect();
        lines(&text, SMALL, width - 2.0 * PAD)
    };
    row.iter().zip(columns).map(cell).collect()
}

/// How wide the columns are: each as wide as it likes where all fit, else none wider than a fair part while others want more.
fn columns(table: &Table) -> Vec<f32> {
    let like = |at: usize| {
        let cells = std::iter::once((&table.head, Face::Bold))
            .chain(table.rows.iter().take(ROWS).map(|row| (row, Face::Plain)));
        let widths = cells.filter_map(|(row, face)| {
            let text: Vec<Letter> = letters(row.get(at)?, face).take(CELL).collect();
            // The longest of its own lines.
            let all = text.split(|letter| letter.char == '\n').map(|line| width(line, SMALL));
            all.max_by(f32::total_cmp)
        });
        widths.max_by(f32::total_cmp).unwrap_or(0.0) + 2.0 * PAD + 0.5
    };
    let likes: Vec<f32> = (0..table.head.len()).map(like).collect();
    let mut order: Vec<usize> = (0..likes.len()).collect();
    order.sort_by(|one, other| likes[*one].total_cmp(&likes[*other]));
    let (mut given, mut left, mut open) = (vec![0.0; likes.len()], ROOM, likes.len());
    for at in order {
        given[at] = likes[at].min(left / open as f32);
        left -= given[at];
        open -= 1;
    }
    let more = left / given.len().max(1) as f32;
    given.into_iter().map(|width| width + more).collect()
}

/// The file: its pages, and the fonts by name.
fn written(pages: Vec<Content>, used: &BTreeSet<u16>, title: &str, readers: Readers) -> String {
    let mut last = 0;
    let mut fresh = || {
        last += 1;
        Ref::new(last)
    };
    let mut pdf = Pdf::new();
    let (catalog, tree, info) = (fresh(), fresh(), fresh());
    let fonts: Vec<Ref> = FONTS.iter().map(|_| fresh()).collect();
    let (squares, collection, descriptor, unicode) = (fresh(), fresh(), fresh(), fresh());
    let numbers: Vec<(Ref, Ref)> = pages.iter().map(|_| (fresh(), fresh())).collect();
    let lang = if readers == Readers::Chinese { "zh-CN" } else { "en" };
    pdf.catalog(catalog).pages(tree).lang(TextStr(lang));
    pdf.document_info(info).title(TextStr(title));
    pdf.pages(tree).kids(numbers.iter().map(|(page, _)| *page)).count(numbers.len() as i32);
    for ((page, content), filled) in numbers.into_iter().zip(pages) {
        let mut one = pdf.page(page);
        one.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(content);
        let mut resources = one.resources();
        let mut named = resources.fonts();
        FONTS.iter().zip(&fonts).for_each(|((name, _), font)| {
            named.pair(Name(name), font);
        });
        named.pair(Name(SQUARES), squares);
        named.finish();
        resources.finish();
        one.finish();
        pdf.stream(content, &filled.finish());
    }
    for ((_, name), font) in FONTS.iter().zip(&fonts) {
        pdf.type1_font(*font).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    pdf.type0_font(squares)
        .base_font(Name(b"STSong-Light-UniGB-UTF16-H"))
        .encoding_predefined(Name(b"UniGB-UTF16-H"))
        .descendant_font(collection)
        .to_unicode(unicode);
    pdf.cid_font(collection)
        .subtype(CidFontType::Type0)
        .base_font(Name(b"STSong-Light"))
        .system_info(COLLECTION)
        .font_descriptor(descriptor)
        .default_width(1000.0);
    pdf.font_descriptor(descriptor)
        .name(Name(b"STSong-Light"))
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(-25.0, -254.0, 1000.0, 880.0))
        .italic_angle(0.0)
        .ascent(880.0)
        .descent(-120.0)
        .cap_height(880.0)
        .stem_v(93.0);
    // The codes are Unicode already; readers that do not know the encoding are told so.
    let mut map = UnicodeCmap::<u16>::new(Name(b"Anser-Unicode"), COLLECTION);
    used.iter()
        .filter_map(|unit| Some((*unit, char::from_u32((*unit).into())?)))
        .for_each(|(unit, char)| map.pair(unit, char));
    pdf.stream(unicode, &map.finish());
    // All but the comment that says that there may be other octets (ISO 32000-1 §7.5.2) is ASCII; places in the file stay as they are.
    pdf.finish().into_iter().map(|octet| if octet.is_ascii() { char::from(octet) } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(rows: usize) -> Paper {
        let row = |n: usize| vec![format!("folder {n}"), "已发送 (Sent)".to_owned(), "x".repeat(n % 90)];
        let head = ["Folder", "现位置", "Why"].map(str::to_owned).to_vec();
        let table = Table { head, rows: (0..rows).map(row).collect() };
        let blocks = vec![
            Block::plain(Kind::Title, "迁移核对 Verification"),
            Block::plain(Kind::Tick, ") a ( \\ b"),
            Block::Table(table),
        ];
        Paper { readers: Readers::Both, title: "迁移".to_owned(), blocks }
    }

    #[test]
    fn a_table_has_its_head_on_every_page_and_pages_are_counted() {
        let file = pdf(&paper(200), "foot of all");
        assert!(file.starts_with("%PDF-1.7") && file.ends_with("%%EOF") && file.is_ascii());
        let pages = file.matches("/Type /Page\n").count();
        assert!(pages > 3, "{pages}");
        assert_eq!(file.matches("(Folder) Tj").count(), pages);
        assert_eq!(file.matches("(foot of all) Tj").count(), pages);
        assert!(file.contains(&format!("({pages} / {pages}) Tj")) && file.contains("(folder 199) Tj"));
        assert!(file.contains("(\\) a \\( \\\\ b) Tj"), "nothing gets out of its place");
    }

    #[test]
    fn a_row_that_fits_on_no_page_goes_on_over_several() {
        let head = vec!["a".to_owned(), "b".to_owned()];
        let long: String = (0..90).map(|n| format!("line {n}\n")).collect();
        let blocks = vec![Block::Table(Table { head, rows: vec![vec![long, "short".to_owned()]] })];
        let file = pdf(&Paper { readers: Readers::English, title: "x".to_owned(), blocks }, "");
        assert!((0..90).all(|n| file.contains(&format!("(line {n}) Tj"))) && file.contains("(page 2 of 2) Tj"));
        assert_eq!(file.matches("(short) Tj").count(), 1);
    }

    #[test]
    fn columns_take_the_whole_width_and_the_widest_give_way() {
        for rows in [0, 1, 100] {
            let Block::Table(table) = &paper(rows).blocks[2] else { panic!() };
            let widths = columns(table);
            assert!((widths.iter().sum::<f32>() - ROOM).abs() < 0.1, "{widths:?}");
        }
        let wide = Table { head: vec!["n".into(), "w".into()], rows: vec![vec!["1".into(), "w".repeat(900)]] };
        let widths = columns(&wide);
        assert!(widths[0] < 30.0 && widths[1] > 400.0, "{widths:?}");
    }
}
