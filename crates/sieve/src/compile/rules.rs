//! Rules about one command that no table row can say.

use super::{Compiler, Trouble};
use crate::compare::{self, Comparator, MatchType};
use crate::mistake::Mistake;
use crate::parse::Command;
use crate::program::{Node, Value};
use crate::table::{Extension, Needs, Tag};
use crate::template::Template;

pub(super) fn check(compiler: &mut Compiler, command: &Command<'_>, node: &Node) -> Result<(), Trouble> {
    if node.row.is_matching() {
        check_match(compiler, command, node)?;
    }
    match node.row.name {
        "size" if !node.has(Tag::Over) && !node.has(Tag::Under) => {
            Err(Mistake::expected(command.end.0, "\":over\" or \":under\"", "\":over\" 或 \":under\"", &command.end.1)
                .into())
        }
        "setflag" | "addflag" | "removeflag" | "hasflag" if node.arguments.first() != Some(&Value::Nothing) => {
            compiler.needs(Needs::All(&[Extension::Variables]), "a variable of flags", command.place)
        }
        "set" => set(compiler, command, node),
        "global" => global(compiler, command, node),
        "break" => in_loop(compiler, command, node),
        "extracttext" if compiler.loops.is_empty() => Err(Trouble::Mistake(outside(command))),
        _ => Ok(()),
    }
}

/// Comparator and match type must go together, and regular expressions must be some.
fn check_match(compiler: &mut Compiler, command: &Command<'_>, node: &Node) -> Result<(), Mistake> {
    let matcher = super::matcher(node);
    let is_substring = matches!(matcher.kind, MatchType::Contains | MatchType::Matches | MatchType::Regex);
    if matcher.comparator == Comparator::AsciiNumeric && is_substring {
        let (en, zh) = (
            "the comparator \"i;ascii-numeric\" compares whole numbers: it takes no :contains, :matches or :regex",
            "比较器 \"i;ascii-numeric\" 只比较整数，不能与 :contains、:matches 或 :regex 同用",
        );
        return Err(Mistake::new(command.place, en, zh));
    }
    if matcher.kind != MatchType::Regex {
        return Ok(());
    }
    for key in node.arguments.last().map(Value::strings).unwrap_or_default() {
        compiler.regexes += 1;
        if compiler.regexes > compare::MAX_REGEXES {
            let en = format!("a script holds at most {} regular expressions", compare::MAX_REGEXES);
            let zh = format!("一个脚本最多可有 {} 个正则表达式", compare::MAX_REGEXES);
            return Err(Mistake::new(command.place, en, zh));
        }
        if let Template::Fixed(pattern) = key
            && let Err(why) = compare::compile_regex(pattern, matcher.comparator)
        {
            let en = format!("the regular expression \"{pattern}\" is not valid: {why}");
            return Err(Mistake::new(command.place, en, format!("正则表达式 \"{pattern}\" 无效：{why}")));
        }
    }
    Ok(())
}

fn set(compiler: &mut Compiler, command: &Command<'_>, node: &Node) -> Result<(), Trouble> {
    let name = node.arguments.first().and_then(Value::constant).unwrap_or_default().to_ascii_lowercase();
    if name.starts_with("global.") {
        return compiler.needs(Needs::All(&[Extension::Include]), "the namespace \"global\"", command.place);
    }
    if !compiler.globals.contains(&name) {
        compiler.set.insert(name);
    }
    Ok(())
}

/// A variable that was set is no longer free to become global (RFC 6609 §3.4.1).
fn global(compiler: &mut Compiler, command: &Command<'_>, node: &Node) -> Result<(), Trouble> {
    for name in node.arguments.first().map(Value::strings).unwrap_or_default() {
        let name = name.to_string().to_ascii_lowercase();
        if compiler.set.contains(&name) {
            let en = format!("the variable \"{name}\" was set before it is made global");
            return Err(Mistake::new(command.place, en, format!("变量 \"{name}\" 在声明为 global 之前已被 set")).into());
        }
        compiler.globals.insert(name);
    }
    Ok(())
}

fn in_loop(compiler: &Compiler, command: &Command<'_>, node: &Node) -> Result<(), Trouble> {
    let Some(name) = node.tag(Tag::Name).and_then(Value::constant) else {
        return if compiler.loops.is_empty() { Err(outside(command).into()) } else { Ok(()) };
    };
    if compiler.loops.iter().flatten().any(|known| known == name) {
        return Ok(());
    }
    let en = format!("no foreverypart around this is called \"{name}\"");
    Err(Mistake::new(command.place, en, format!("外层没有名为 \"{name}\" 的 foreverypart")).into())
}

fn outside(command: &Command<'_>) -> Mistake {
    let en = format!("{} stands only inside foreverypart", command.name);
    Mistake::new(command.place, en, format!("{} 只能位于 foreverypart 之内", command.name))
}
