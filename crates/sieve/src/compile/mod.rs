//! From the tree to a program: every command checked against its row of the table.

mod arguments;
mod rules;
pub(crate) mod syntax;

use std::collections::HashSet;

use crate::compare::{Comparator, MatchType, Matcher, Relation};
use crate::mistake::{MAX_MISTAKES, Mistake, Mistakes, Place};
use crate::parse::{self, Command, Literal};
use crate::program::{Node, Program, Value};
use crate::table::{self, COMMANDS, Extension, Extensions, Needs, Row, TESTS, Tag, Tests};
use crate::template::{self, Bad, Template};

/// Bytes of one script.
pub const MAX_SCRIPT: usize = 2 << 20;

/// Compiles a script: RFC 5228 and every extension of [`crate::EXTENSIONS`], to the letter. Answers what is wrong
/// otherwise. Time is linear in the length of the script.
pub fn compile(script: &[u8]) -> Result<Program, Mistakes> {
    let text = decode(script).map_err(|mistake| Mistakes(vec![mistake]))?;
    let commands = parse::parse(text).map_err(|mistake| Mistakes(vec![mistake]))?;
    let mut compiler = Compiler::default();
    let block = compiler.top(&commands);
    if !compiler.mistakes.is_empty() {
        return Err(Mistakes(compiler.mistakes));
    }
    Ok(Program { block, known: compiler.required, rules: crate::form::rule_lines(text).into() })
}

/// The text of a script, which is UTF-8 (RFC 5228 §2.1).
fn decode(script: &[u8]) -> Result<&str, Mistake> {
    if script.len() > MAX_SCRIPT {
        let en = format!("the script is larger than {MAX_SCRIPT} bytes");
        return Err(Mistake::new(Place { line: 1, column: 1 }, en, format!("脚本大于 {MAX_SCRIPT} 字节")));
    }
    std::str::from_utf8(script).map_err(|error| {
        let good = &script[..error.valid_up_to()];
        let line_start = good.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let line = good.iter().filter(|b| **b == b'\n').count() as u32 + 1;
        let column = String::from_utf8_lossy(&good[line_start..]).chars().count() as u32 + 1;
        let (en, zh) = (
            "this is not UTF-8: save the script as UTF-8, not as GBK",
            "此处不是 UTF-8 编码：请把脚本保存为 UTF-8，而不是 GBK",
        );
        Mistake::new(Place { line, column }, en, zh)
    })
}

/// What is known while a script is compiled.
#[derive(Default)]
struct Compiler {
    required: Extensions,
    /// Capabilities that some `ihave` of the script names: they may be in force when a command runs.
    late: Extensions,
    mistakes: Vec<Mistake>,
    /// `foreverypart` loops around the current command, with their names.
    loops: Vec<Option<String>>,
    /// Variables set so far, and those made global, in lower case.
    set: HashSet<String>,
    globals: HashSet<String>,
    /// Regular expressions so far.
    regexes: usize,
}

/// Why a command cannot be compiled.
enum Trouble {
    Mistake(Mistake),
    /// A capability is missing: with `ihave` in force it is an error only if the command runs (RFC 5463 §4).
    Missing(Mistake),
}

impl From<Mistake> for Trouble {
    fn from(mistake: Mistake) -> Self {
        Trouble::Mistake(mistake)
    }
}

impl Compiler {
    fn top(&mut self, commands: &[Command<'_>]) -> Vec<Node> {
        let is_require = |command: &&Command<'_>| command.name.eq_ignore_ascii_case("require");
        let heads = commands.iter().take_while(is_require).count();
        for command in &commands[..heads] {
            self.require(command);
        }
        if self.required.has(Extension::Ihave) {
            self.find_late(commands);
        }
        self.block(&commands[heads..])
    }

    /// `require` (RFC 5228 §3.2).
    fn require(&mut self, command: &Command<'_>) {
        let names: Vec<(&str, Place)> = match command.arguments.as_slice() {
            [argument] => match &argument.value {
                Literal::Text(name) => vec![(name, argument.place)],
                Literal::List(names) => names.iter().map(|(name, place)| (&**name, *place)).collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        if names.is_empty() || !command.tests.is_empty() || command.block.is_some() {
            self.tell(Mistake::expected(command.end.0, "one list of capabilities", "一个能力列表", &command.end.1));
        }
        for (name, place) in names {
            match Extension::named(name) {
                Some(extension) => self.required.add(extension),
                None => {
                    let en = format!("the extension \"{name}\" is not supported");
                    self.tell(Mistake::new(place, en, format!("不支持扩展 \"{name}\"")));
                }
            }
        }
        if self.required.has(Extension::VacationSeconds) {
            self.required.add(Extension::Vacation);
        }
    }

    fn find_late(&mut self, commands: &[Command<'_>]) {
        for command in commands {
            if command.name.eq_ignore_ascii_case("ihave") {
                let names = command.arguments.iter().flat_map(|argument| match &argument.value {
                    Literal::Text(name) => vec![&**name],
                    Literal::List(names) => names.iter().map(|(name, _)| &**name).collect(),
                    _ => Vec::new(),
                });
                let found = names.filter_map(Extension::named).filter(|extension| extension.can_be_late());
                found.for_each(|extension| self.late.add(extension));
            }
            self.find_late(&command.tests);
            self.find_late(command.block.as_deref().unwrap_or_default());
        }
    }

    fn known(&self) -> Extensions {
        Extensions(self.required.0 | self.late.0)
    }

    fn tell(&mut self, mistake: Mistake) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(mistake);
        }
    }

    fn block(&mut self, commands: &[Command<'_>]) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(commands.len());
        let mut follows_if = false;
        for command in commands {
            if self.mistakes.len() >= MAX_MISTAKES {
                break;
            }
            let is = |name: &str| command.name.eq_ignore_ascii_case(name);
            if (is("elsif") || is("else")) && !follows_if {
                let en = format!("{} follows no if or elsif", command.name);
                self.tell(Mistake::new(command.place, en, format!("{} 前面没有 if 或 elsif", command.name)));
            }
            if is("require") {
                let (en, zh) = ("require stands only at the start of a script", "require 只能位于脚本开头");
                self.tell(Mistake::new(command.place, en, zh));
            }
            follows_if = is("if") || is("elsif");
            match self.command(command, COMMANDS) {
                Ok(node) => nodes.push(node),
                Err(mistake) => self.tell(mistake),
            }
        }
        nodes
    }

    /// Compiles a command or a test; what `ihave` may still bring becomes an error at run time.
    fn command(&mut self, command: &Command<'_>, rows: &'static [&'static Row]) -> Result<Node, Mistake> {
        match self.node(command, rows) {
            Ok(node) => Ok(node),
            Err(Trouble::Missing(mistake)) if self.required.has(Extension::Ihave) => {
                let is_command = std::ptr::eq(rows, COMMANDS);
                let row = if is_command { &crate::act::flow::MISSING } else { &crate::ask::logic::MISSING };
                let mut node = Node::empty(row, command.place.line);
                node.arguments.push(Value::Text(Template::fixed(&mistake.text.en)));
                Ok(node)
            }
            Err(Trouble::Missing(mistake) | Trouble::Mistake(mistake)) => Err(mistake),
        }
    }

    fn node(&mut self, command: &Command<'_>, rows: &'static [&'static Row]) -> Result<Node, Trouble> {
        let row = self.row(command, rows)?;
        let mut node = Node::empty(row, command.place.line);
        self.arguments(command, &mut node)?;
        self.tests(command, &mut node)?;
        rules::check(self, command, &node)?;
        if row.is_matching() {
            node.matcher = Some(Box::new(matcher(&node)));
        }
        let is_loop = row.name == "foreverypart";
        if is_loop {
            self.loops.push(node.tag(Tag::Name).and_then(Value::constant).map(str::to_owned));
        }
        match (&command.block, row.has_block) {
            (Some(block), true) => node.block = self.block(block),
            (None, false) => {}
            (None, true) => return Err(Mistake::expected(command.end.0, "a block", "语句块", &command.end.1).into()),
            (Some(_), false) => return Err(Mistake::expected(command.end.0, "\";\"", "“;”", &command.end.1).into()),
        }
        if is_loop {
            self.loops.pop();
        }
        Ok(node)
    }

    fn row(&self, command: &Command<'_>, rows: &'static [&'static Row]) -> Result<&'static Row, Trouble> {
        let (name, place) = (command.name, command.place);
        let Some(row) = table::find(rows, name) else {
            let is_command = std::ptr::eq(rows, COMMANDS);
            let (other, en, zh) = if is_command { (TESTS, "command", "命令") } else { (COMMANDS, "test", "条件") };
            if table::find(other, name).is_some() {
                let found = format!("\"{name}\"");
                return Err(Mistake::expected(place, &format!("a {en}"), zh, &found).into());
            }
            let mistake = Mistake::new(place, format!("unknown {en} \"{name}\""), format!("未知的{zh} \"{name}\""));
            return Err(Trouble::Missing(mistake));
        };
        self.needs(row.needs, row.name, place)?;
        Ok(row)
    }

    /// Checks that what `name` asks for was required.
    fn needs(&self, needs: Needs, name: &str, place: Place) -> Result<(), Trouble> {
        if needs.are_met(self.known()) {
            return Ok(());
        }
        let wanted = needs.shown();
        let en = format!("{name} is used without require {wanted}");
        Err(Trouble::Missing(Mistake::new(place, en, format!("使用 {name} 前需要 require {wanted}"))))
    }

    fn tests(&mut self, command: &Command<'_>, node: &mut Node) -> Result<(), Trouble> {
        let fits = match node.row.tests {
            Tests::None => command.tests.is_empty() && !command.is_test_list,
            Tests::One => command.tests.len() == 1 && !command.is_test_list,
            Tests::List => command.is_test_list,
        };
        if !fits {
            let name = node.row.name;
            let (place, found) = match command.tests.first() {
                Some(test) => (test.place, format!("\"{}\"", test.name)),
                None => command.end.clone(),
            };
            let (en, zh) = match node.row.tests {
                Tests::None if node.row.has_block => ("a block".to_owned(), "语句块".to_owned()),
                Tests::None => ("\";\"".to_owned(), "“;”".to_owned()),
                Tests::One => (format!("one test after {name}"), format!("{name} 之后有一个条件")),
                Tests::List => (format!("tests in parentheses after {name}"), format!("{name} 之后有括号中的条件")),
            };
            return Err(Mistake::expected(place, &en, &zh, &found).into());
        }
        for test in &command.tests {
            let test = self.command(test, TESTS)?;
            node.tests.push(test);
        }
        Ok(())
    }

    /// A string of the script with its characters decoded and its variables found.
    fn template(&self, text: &str, place: Place) -> Result<Template, Mistake> {
        let parsed = || -> Result<Template, Bad> {
            let text = if self.required.has(Extension::EncodedCharacter) {
                template::decode_characters(text)?
            } else {
                text.into()
            };
            if !self.required.has(Extension::Variables) {
                return Ok(Template::fixed(&text));
            }
            Template::parse(&text, self.required.has(Extension::Include))
        };
        parsed().map_err(|bad| {
            let (en, zh) = match bad {
                Bad::Character(word) => (format!("{word} is no character"), format!("{word} 不是有效字符")),
                Bad::Match(number) => {
                    (format!("there is no match variable {number}"), format!("没有匹配变量 {number}"))
                }
                Bad::Namespace(name) => (format!("{name} is in no known namespace"), format!("{name} 的命名空间未知")),
            };
            Mistake::new(place, en, zh)
        })
    }
}

impl Node {
    pub(crate) fn empty(row: &'static Row, line: u32) -> Node {
        Node { row, line, arguments: Vec::new(), tags: Vec::new(), tests: Vec::new(), block: Vec::new(), matcher: None }
    }
}

/// The matcher that a node's tags and its last argument say; they were checked before, or come from a stored form, where
/// what makes no sense is the default.
pub(crate) fn matcher(node: &Node) -> Matcher {
    let relation = |tag| node.tag(tag).and_then(Value::constant).and_then(Relation::named).unwrap_or(Relation::Eq);
    let kinds = [
        (Tag::Contains, MatchType::Contains),
        (Tag::Matches, MatchType::Matches),
        (Tag::Regex, MatchType::Regex),
        (Tag::Count, MatchType::Count(relation(Tag::Count))),
        (Tag::Value, MatchType::Value(relation(Tag::Value))),
        (Tag::List, MatchType::List),
    ];
    let kind = kinds.into_iter().find(|(tag, _)| node.has(*tag)).map_or(MatchType::Is, |(_, kind)| kind);
    let named = node.tag(Tag::Comparator).and_then(Value::constant).and_then(Comparator::named);
    let default = if matches!(kind, MatchType::Count(_)) { Comparator::AsciiNumeric } else { Comparator::default() };
    let keys = node.arguments.last().map(Value::strings).unwrap_or_default();
    Matcher::new(named.unwrap_or(default), kind, keys)
}
