//! From tokens to the generic tree of commands and tests (RFC 5228 §8.2). What the names mean is the table's business.

use std::borrow::Cow;

use crate::lex::{Lexer, Token};
use crate::mistake::{Mistake, Place};

/// Blocks and test lists that may stand within each other, together (RFC 5228 §2.10.5 asks for 15 of each).
pub const MAX_NESTING: usize = 40;

/// Commands and tests of one script.
pub const MAX_COMMANDS: usize = 60_000;

/// Strings of one list.
pub const MAX_LIST: usize = 10_000;

/// A command or a test: they share their shape.
#[derive(Debug)]
pub(crate) struct Command<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: Place,
    pub(crate) arguments: Vec<Argument<'a>>,
    pub(crate) tests: Vec<Command<'a>>,
    /// The tests stand in parentheses.
    pub(crate) is_test_list: bool,
    /// `None` when it ends with a semicolon, or is a test.
    pub(crate) block: Option<Vec<Command<'a>>>,
    /// Where what follows the arguments stands, and what it is.
    pub(crate) end: (Place, String),
}

#[derive(Debug)]
pub(crate) struct Argument<'a> {
    pub(crate) place: Place,
    pub(crate) value: Literal<'a>,
}

#[derive(Debug)]
pub(crate) enum Literal<'a> {
    Tag(&'a str),
    Number(u64),
    Text(Cow<'a, str>),
    List(Vec<(Cow<'a, str>, Place)>),
}

impl Literal<'_> {
    pub(crate) fn shown(&self) -> String {
        match self {
            Literal::Tag(name) => format!("\":{name}\""),
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => format!("the string \"{text}\""),
            Literal::List(_) => "a string list".to_owned(),
        }
    }
}

/// Parses a script. Stops at the first mistake.
pub(crate) fn parse(text: &str) -> Result<Vec<Command<'_>>, Mistake> {
    let mut parser = Parser::new(text)?;
    let commands = parser.commands(0)?;
    match parser.token {
        Token::End => Ok(commands),
        _ => Err(parser.expected("a command", "命令")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token<'a>,
    place: Place,
    count: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Mistake> {
        let mut lexer = Lexer::new(text);
        let (token, place) = lexer.next()?;
        Ok(Self { lexer, token, place, count: 0 })
    }

    /// Passes the current token.
    fn pass(&mut self) -> Result<Token<'a>, Mistake> {
        let behind = self.lexer.place();
        let (token, place) = self.lexer.next()?;
        // What an unfinished command lacks belongs behind its last word, however many lines and comments follow.
        self.place = if token == Token::End { behind } else { place };
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn expected(&self, en: &str, zh: &str) -> Mistake {
        Mistake::expected(self.place, en, zh, &self.token.shown())
    }

    fn is(&self, mark: char) -> bool {
        self.token == Token::Mark(mark)
    }

    /// Passes `mark` if it stands here.
    fn take(&mut self, mark: char) -> Result<bool, Mistake> {
        let found = self.is(mark);
        if found {
            self.pass()?;
        }
        Ok(found)
    }

    fn commands(&mut self, depth: usize) -> Result<Vec<Command<'a>>, Mistake> {
        let mut commands = Vec::new();
        while let Token::Identifier(_) = self.token {
            commands.push(self.command(depth)?);
        }
        Ok(commands)
    }

    fn command(&mut self, depth: usize) -> Result<Command<'a>, Mistake> {
        let mut command = self.head(depth)?;
        if self.is('{') {
            self.deeper(depth)?;
            self.pass()?;
            command.block = Some(self.commands(depth + 1)?);
            if !self.take('}')? {
                return Err(self.expected("a command or \"}\"", "命令或“}”"));
            }
        } else if !self.take(';')? {
            return Err(self.expected("an argument, \";\" or a block", "参数、“;”或语句块"));
        }
        Ok(command)
    }

    /// Name, arguments and tests.
    fn head(&mut self, depth: usize) -> Result<Command<'a>, Mistake> {
        self.deeper(depth)?;
        self.count += 1;
        if self.count > MAX_COMMANDS {
            let (en, zh) = ("the script has too many commands", "脚本中的命令太多");
            return Err(Mistake::new(self.place, en, zh));
        }
        let place = self.place;
        let Token::Identifier(name) = self.token else { return Err(self.expected("a name", "名称")) };
        self.pass()?;
        let arguments = self.arguments()?;
        let (mut tests, mut is_test_list) = (Vec::new(), false);
        if self.is('(') {
            is_test_list = true;
            tests = self.test_list(depth + 1)?;
        } else if let Token::Identifier(_) = self.token {
            tests.push(self.head(depth + 1)?);
        }
        let end = (self.place, self.token.shown());
        Ok(Command { name, place, arguments, tests, is_test_list, block: None, end })
    }

    fn deeper(&self, depth: usize) -> Result<(), Mistake> {
        if depth < MAX_NESTING {
            return Ok(());
        }
        let en = format!("more than {MAX_NESTING} blocks and tests stand within each other");
        Err(Mistake::new(self.place, en, format!("语句块和条件的嵌套超过 {MAX_NESTING} 层")))
    }

    fn test_list(&mut self, depth: usize) -> Result<Vec<Command<'a>>, Mistake> {
        self.pass()?;
        let mut tests = Vec::new();
        loop {
            if !matches!(self.token, Token::Identifier(_)) {
                return Err(self.expected("a test", "条件"));
            }
            tests.push(self.head(depth)?);
            if self.take(')')? {
                return Ok(tests);
            }
            if !self.take(',')? {
                return Err(self.expected("\",\" or \")\"", "“,”或“)”"));
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Argument<'a>>, Mistake> {
        let mut arguments = Vec::new();
        loop {
            let place = self.place;
            let value = match &self.token {
                Token::Tag(name) => Literal::Tag(name),
                Token::Number(number) => Literal::Number(*number),
                Token::Text(_) => match self.pass()? {
                    Token::Text(text) => {
                        arguments.push(Argument { place, value: Literal::Text(text) });
                        continue;
                    }
                    _ => return Ok(arguments),
                },
                Token::Mark('[') => {
                    let value = Literal::List(self.list()?);
                    arguments.push(Argument { place, value });
                    continue;
                }
                _ => return Ok(arguments),
            };
            self.pass()?;
            arguments.push(Argument { place, value });
        }
    }

    fn list(&mut self) -> Result<Vec<(Cow<'a, str>, Place)>, Mistake> {
        self.pass()?;
        let mut list = Vec::new();
        loop {
            let place = self.place;
            let Token::Text(_) = self.token else { return Err(self.expected("a string", "字符串")) };
            if let Token::Text(text) = self.pass()? {
                list.push((text, place));
            }
            if list.len() > MAX_LIST {
                let en = format!("a list holds at most {MAX_LIST} strings");
                return Err(Mistake::new(place, en, format!("列表最多可有 {MAX_LIST} 个字符串")));
            }
            if self.take(']')? {
                return Ok(list);
            }
            if !self.take(',')? {
                return Err(self.expected("\",\" or \"]\"", "“,”或“]”"));
            }
        }
    }
}
