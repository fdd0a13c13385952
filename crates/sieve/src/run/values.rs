//! Strings, lists and matches as commands and tests use them.

use std::borrow::Cow;
use std::rc::Rc;

use super::{Halt, Machine};
use crate::compare::{Found, Key, MatchType, Ready, Text};
use crate::compile::syntax;
use crate::message::Field;
use crate::program::{Node, Value};
use crate::table::{Extension, Syntax, Tag};
use crate::template::{Piece, Template};

impl Machine<'_> {
    /// A string with its variables replaced by what they hold. Every string that is looked at is paid for here.
    pub(crate) fn expand<'n>(&self, template: &'n Template) -> Result<Cow<'n, str>, Halt> {
        self.budget.steps(1)?;
        let pieces = match template {
            Template::Fixed(text) => return Ok(Cow::Borrowed(text)),
            Template::Parts(pieces) => pieces,
        };
        let mut out = String::new();
        for piece in pieces {
            let value = self.piece(piece);
            self.budget.memory(value.len())?;
            self.budget.steps(1 + value.len() as u64 / 256)?;
            out.push_str(value);
        }
        Ok(Cow::Owned(out))
    }

    fn piece<'v>(&'v self, piece: &'v Piece) -> &'v str {
        let value = match piece {
            Piece::Text(text) => return text,
            Piece::Match(number) => self.scope.matched.get(*number as usize),
            Piece::Variable(name) => return self.variable(name),
            Piece::Global(name) => self.global_variables.get(&**name),
        };
        value.map(String::as_str).unwrap_or_default()
    }

    /// The value of a variable by its name in lower case; empty when it has none.
    pub(crate) fn variable(&self, name: &str) -> &str {
        let space = match name.strip_prefix("global.") {
            Some(global) => return self.global_variables.get(global).map(String::as_str).unwrap_or_default(),
            None if self.scope.globals.contains(name) => &self.global_variables,
            None => &self.scope.variables,
        };
        space.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Sets a variable; what is too long is cut (RFC 5229 §6).
    pub(crate) fn set_variable(&mut self, name: &str, mut value: String) -> Result<(), Halt> {
        let mut end = value.len().min(self.budget.fuel.variable);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        value.truncate(end);
        self.budget.memory(name.len() + value.len())?;
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("global.") {
            Some(global) => self.global_variables.insert(global.to_owned(), value),
            None if self.scope.globals.contains(&name) => self.global_variables.insert(name, value),
            None => self.scope.variables.insert(name, value),
        };
        Ok(())
    }

    /// The `n`th argument as a string; empty when it was left out.
    pub(crate) fn text<'n>(&self, node: &'n Node, n: usize) -> Result<Cow<'n, str>, Halt> {
        match node.arguments.get(n) {
            Some(Value::Text(text)) => self.expand(text),
            _ => Ok(Cow::Borrowed("")),
        }
    }

    /// The `n`th argument as a list.
    pub(crate) fn list<'n>(&self, node: &'n Node, n: usize) -> Result<Vec<Cow<'n, str>>, Halt> {
        node.arguments.get(n).map(Value::strings).unwrap_or_default().iter().map(|text| self.expand(text)).collect()
    }

    /// The string of a tag.
    pub(crate) fn tag_text(&self, node: &Node, tag: Tag) -> Result<Option<String>, Halt> {
        match node.tag(tag) {
            Some(Value::Text(text)) => self.expand(text).map(|text| Some(text.into_owned())),
            _ => Ok(None),
        }
    }

    /// The list of a tag.
    pub(crate) fn tag_list(&self, node: &Node, tag: Tag) -> Result<Option<Vec<String>>, Halt> {
        let Some(value) = node.tag(tag) else { return Ok(None) };
        value.strings().iter().map(|text| self.expand(text).map(Cow::into_owned)).collect::<Result<_, _>>().map(Some)
    }

    /// The fields called `name`, paid for: going through a header costs time, found or not.
    pub(crate) fn fields<'m>(&'m self, name: &'m str) -> Result<impl Iterator<Item = &'m Field>, Halt> {
        self.budget.steps(1 + self.message.all_fields().len() as u64 / 64)?;
        Ok(self.message.fields(name))
    }

    /// Checks a string that variables made, as the compiler checked the constant ones.
    pub(crate) fn check(&self, text: &str, syntax: Syntax) -> Result<(), Halt> {
        syntax::check(text, syntax).map_err(Halt::Error)
    }

    /// Whether any of `values` matches a key of the test. Values are compared in order, and keys in order within each;
    /// the first match ends it. Wildcards set match variables when the script has them and `sets_variables`.
    pub(crate) fn any_matches<I>(&mut self, node: &Node, values: I, sets_variables: bool) -> Result<bool, Halt>
    where
        I: IntoIterator<Item = Rc<Text>>,
    {
        let Some(matcher) = &node.matcher else { return Ok(false) };
        let mut count = 0;
        match matcher.kind {
            MatchType::Count(_) => {
                for _ in values {
                    self.budget.steps(1)?;
                    count += 1;
                }
                return self.count_matches(node, count);
            }
            MatchType::List => return self.in_lists(node, values),
            _ => {}
        }
        let wants_values = sets_variables && self.scope.enabled.has(Extension::Variables);
        let later = self.later_keys(node)?;
        for value in values {
            let mut later = later.iter();
            for key in &matcher.keys {
                let ready = match key {
                    Key::Ready(ready) => ready,
                    Key::Later(_) => match later.next() {
                        Some(ready) => ready,
                        None => continue,
                    },
                };
                self.budget.steps(ready.cost(&value))?;
                match ready.matches(matcher.comparator, matcher.kind, &value, wants_values) {
                    Found::No => {}
                    Found::Yes => return Ok(true),
                    Found::Values(values) => {
                        self.budget.memory(values.iter().map(String::len).sum())?;
                        self.scope.matched = values;
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Compares a number of things (RFC 5231 §4.2).
    pub(crate) fn count_matches(&mut self, node: &Node, count: u64) -> Result<bool, Halt> {
        let Some(matcher) = &node.matcher else { return Ok(false) };
        let MatchType::Count(relation) = matcher.kind else { return Ok(false) };
        let count = Text::new(count.to_string());
        for ready in self.all_keys(node)? {
            let ready = Ready::new(matcher.comparator, MatchType::Value(relation), &ready);
            if let Found::Yes = ready.matches(matcher.comparator, MatchType::Value(relation), &count, false) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether this test counts; it then wants to know how many there are.
    pub(crate) fn counts(&self, node: &Node) -> bool {
        node.matcher.as_ref().is_some_and(|matcher| matches!(matcher.kind, MatchType::Count(_)))
    }

    /// RFC 6134 §2.2: the keys are names of lists.
    fn in_lists(&mut self, node: &Node, values: impl IntoIterator<Item = Rc<Text>>) -> Result<bool, Halt> {
        let lists: Vec<String> = self.all_keys(node)?.into_iter().map(whole_list_name).collect();
        for list in &lists {
            if !self.input.world.list_exists(list) {
                let en = format!("there is no list \"{list}\"");
                return Err(Halt::error(en, format!("没有名为 \"{list}\" 的列表")));
            }
        }
        for value in values {
            for list in &lists {
                self.budget.steps(10)?;
                if self.input.world.list_contains(list, value.plain()) {
                    if self.scope.enabled.has(Extension::Variables) {
                        self.scope.matched = vec![value.plain().to_owned()];
                    }
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn all_keys(&self, node: &Node) -> Result<Vec<String>, Halt> {
        let keys = node.arguments.last().map(Value::strings).unwrap_or_default();
        keys.iter().map(|key| self.expand(key).map(Cow::into_owned)).collect()
    }

    /// The keys with variables, made ready in order.
    fn later_keys(&self, node: &Node) -> Result<Vec<Ready>, Halt> {
        let Some(matcher) = &node.matcher else { return Ok(Vec::new()) };
        let later = matcher.keys.iter().filter_map(|key| match key {
            Key::Later(template) => Some(template),
            Key::Ready(_) => None,
        });
        let ready = later.map(|template| {
            let text = self.expand(template)?;
            if matcher.kind == MatchType::Regex {
                // Compiling one takes as long as thousands of comparisons.
                self.budget.steps(5_000 + text.len() as u64 * 10)?;
                crate::compare::compile_regex(&text, matcher.comparator).map_err(|why| {
                    let en = format!("the regular expression \"{text}\" is not valid: {why}");
                    Halt::error(en, format!("正则表达式 \"{text}\" 无效：{why}"))
                })?;
            }
            Ok(Ready::new(matcher.comparator, matcher.kind, &text))
        });
        ready.collect()
    }
}

/// The name of an external list; `:addrbook:default` and the like are short for names of Sieve's own (RFC 6134 §2.5).
pub(crate) fn whole_list_name(name: String) -> String {
    if name.starts_with(':') { format!("urn:ietf:params:sieve{name}") } else { name }
}
