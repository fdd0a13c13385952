//! Arguments of a command against those of its row: tags first, then what has a position (RFC 5228 §2.6).

use super::{Compiler, Trouble, syntax};
use crate::mistake::{Mistake, Place};
use crate::parse::{Argument, Command, Literal};
use crate::program::{Node, Value};
use crate::table::{Kind, Syntax, TagRow};

impl Compiler {
    pub(super) fn arguments(&mut self, command: &Command<'_>, node: &mut Node) -> Result<(), Trouble> {
        let mut seen: Vec<(&'static TagRow, Place)> = Vec::new();
        let mut arguments = command.arguments.as_slice();
        while let [Argument { place, value: Literal::Tag(name) }, rest @ ..] = arguments {
            arguments = rest;
            let row = self.tag(command, node, name, *place)?;
            exclude(&seen, row, *place)?;
            seen.push((row, *place));
            let value = match row.value {
                None => Value::Nothing,
                Some(kind) => {
                    let (first, rest) = split(arguments, command, kind)?;
                    arguments = rest;
                    self.value(first, kind)?
                }
            };
            node.tags.push((row.tag, value));
        }
        for (row, place) in &seen {
            if let Some(beside) = row.beside
                && !node.has(beside)
            {
                let other = seen_name(node, beside);
                let en = format!("\":{}\" is used without \":{other}\"", row.name);
                let zh = format!("\":{}\" 必须与 \":{other}\" 同用", row.name);
                return Err(Mistake::new(*place, en, zh).into());
            }
        }
        self.positional(command, node, arguments)
    }

    /// The row of a tag of this command.
    fn tag(&self, command: &Command<'_>, node: &Node, name: &str, place: Place) -> Result<&'static TagRow, Trouble> {
        let Some(row) = node.row.tag(name) else {
            let en = format!("{} takes no tag \":{name}\"", command.name);
            let zh = format!("{} 没有标记 \":{name}\"", command.name);
            return Err(Trouble::Missing(Mistake::new(place, en, zh)));
        };
        self.needs(row.needs, &format!("\":{}\"", row.name), place)?;
        Ok(row)
    }

    fn positional(
        &mut self,
        command: &Command<'_>,
        node: &mut Node,
        mut arguments: &[Argument<'_>],
    ) -> Result<(), Trouble> {
        let mut kinds = node.row.arguments;
        if node.row.is_first_optional && arguments.len() < kinds.len() {
            kinds = &kinds[1..];
            node.arguments.push(Value::Nothing);
        }
        if node.row.is_last_optional && arguments.len() < kinds.len() {
            kinds = &kinds[..kinds.len() - 1];
        }
        for kind in kinds {
            let (first, rest) = split(arguments, command, *kind)?;
            arguments = rest;
            let value = self.value(first, *kind)?;
            node.arguments.push(value);
        }
        node.arguments.resize(node.row.arguments.len(), Value::Nothing);
        match arguments.first() {
            None => Ok(()),
            Some(Argument { place, value: Literal::Tag(name) }) => {
                let en = format!("\":{name}\" must stand before the other arguments");
                Err(Mistake::new(*place, en, format!("\":{name}\" 必须位于其他参数之前")).into())
            }
            Some(argument) => {
                let en = format!("no further argument of {}", command.name);
                let zh = format!("{} 没有更多参数", command.name);
                Err(Mistake::expected(argument.place, &en, &zh, &argument.value.shown()).into())
            }
        }
    }

    fn value(&self, argument: &Argument<'_>, kind: Kind) -> Result<Value, Mistake> {
        let place = argument.place;
        match (kind, &argument.value) {
            (Kind::Number, Literal::Number(number)) => Ok(Value::Number(*number)),
            (Kind::Text(syntax), Literal::Text(text)) => self.string(text, syntax, place).map(Value::Text),
            (Kind::List(syntax), Literal::Text(text)) => Ok(Value::List(vec![self.string(text, syntax, place)?])),
            (Kind::List(syntax), Literal::List(texts)) => {
                let strings = texts.iter().map(|(text, place)| self.string(text, syntax, *place));
                strings.collect::<Result<_, _>>().map(Value::List)
            }
            (kind, other) => Err(expected(kind, place, &other.shown())),
        }
    }

    fn string(&self, text: &str, syntax: Syntax, place: Place) -> Result<crate::template::Template, Mistake> {
        let template = self.template(text, place)?;
        syntax::check_template(&template, syntax, self.known()).map_err(|text| Mistake {
            place,
            found: None,
            expected: None,
            text,
        })?;
        Ok(template)
    }
}

fn seen_name(node: &Node, tag: crate::table::Tag) -> &'static str {
    node.row.tags.iter().flat_map(|group| group.iter()).find(|row| row.tag == tag).map_or("", |row| row.name)
}

/// Refuses a tag that was seen before, or one that excludes it.
fn exclude(seen: &[(&'static TagRow, Place)], row: &'static TagRow, place: Place) -> Result<(), Mistake> {
    for (other, _) in seen {
        let is_same = std::ptr::eq(*other, row);
        if is_same || (row.group != 0 && row.group == other.group) {
            let en = format!("\":{}\" cannot stand beside \":{}\"", row.name, other.name);
            return Err(Mistake::new(place, en, format!("\":{}\" 不能与 \":{}\" 同用", row.name, other.name)));
        }
    }
    Ok(())
}

fn split<'a, 'b>(
    arguments: &'b [Argument<'a>],
    command: &Command<'_>,
    kind: Kind,
) -> Result<(&'b Argument<'a>, &'b [Argument<'a>]), Mistake> {
    arguments.split_first().ok_or_else(|| {
        let (place, found) = match command.tests.first() {
            Some(test) => (test.place, format!("\"{}\"", test.name)),
            None => command.end.clone(),
        };
        expected(kind, place, &found)
    })
}

fn expected(kind: Kind, place: Place, found: &str) -> Mistake {
    let (en, zh) = match kind {
        Kind::Number => ("a number", "数字"),
        Kind::Text(_) => ("a string", "字符串"),
        Kind::List(_) => ("a string or a list of strings", "字符串或字符串列表"),
    };
    Mistake::expected(place, en, zh, found)
}
