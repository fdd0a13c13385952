//! Rules for people who write no scripts: a [`Form`] turns into a script and back without loss.
//!
//! Each item of a form becomes a block of the script: a comment that holds the item as JSON, the commands that do what it
//! says, and a comment that ends it.
//!
//! ```text
//! # anser:rule "Ads" {"name":"Ads","enabled":true,…}
//! if header :contains "subject" "sale" {
//!     fileinto "Ads";
//! }
//! # anser:end
//! ```
//!
//! A block counts as an item only if its commands are, letter by letter, those that the item turns into. So what a person
//! changed by hand stays as he wrote it: as a piece of script among the items, which the form shows and never touches.

mod code;
mod model;
mod read;

pub use model::{
    Away, Condition, Day, Deed, Field, Form, Forward, How, Item, MAX_ITEMS, Quantifier, Rule, SenderList, Verdict,
};
pub(crate) use read::rule_lines;

use anser_base::{Address, Error, Result};

use crate::compile::compile;

impl Form {
    /// The form that a script shows. Never fails: what no form made is [`Item::Script`]. Linear in the length of the
    /// script.
    pub fn read(script: &str) -> Form {
        read::read(script)
    }

    /// The script. Reading it gives this form again, if its head is `require` commands, one a line, and if no two pieces of
    /// script follow each other and each one is a whole number of lines that do not start with `require`.
    pub fn to_script(&self) -> String {
        code::script(self)
    }

    /// Checks what a person filled in, before it is stored. `Class::Invalid` names the rule and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        if self.items.len() > MAX_ITEMS {
            let en = format!("a form holds at most {MAX_ITEMS} rules");
            return Err(Error::invalid(en, format!("规则最多 {MAX_ITEMS} 条")));
        }
        for item in &self.items {
            if let Some(address) = item.addresses().into_iter().find(|address| Address::parse(address).is_none()) {
                let name = item.name();
                let en = format!("rule \"{name}\": \"{address}\" is no mail address");
                return Err(Error::invalid(en, format!("规则“{name}”：\"{address}\" 不是邮件地址")));
            }
        }
        let script = self.to_script();
        let Err(mistakes) = compile(script.as_bytes()) else { return Ok(()) };
        let rules = rule_lines(&script);
        let Some(first) = mistakes.0.first() else { return Ok(()) };
        let at = rules.partition_point(|(line, _)| *line <= first.place.line);
        let name = at.checked_sub(1).map(|at| rules[at].1.as_str()).unwrap_or_default();
        let (en, zh) = (&first.text.en, &first.text.zh);
        Err(Error::invalid(format!("rule \"{name}\": {en}"), format!("规则“{name}”：{zh}")))
    }
}
