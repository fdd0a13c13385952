//! `body` (RFC 5173).

use std::rc::Rc;

use anser_mime::charset;
use anser_mime::structure::Part;

use crate::compare::Text;
use crate::message::part::MAX_PART_BYTES;
use crate::program::Node;
use crate::run::{Halt, Machine};
use crate::table::{self, Extension, Kind, MATCH, Needs, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static BODY: Row = Row {
    name: "body",
    needs: Needs::All(&[Extension::Body]),
    tags: &[MATCH, table::BODY],
    arguments: &[Kind::List(Syntax::Key)],
    run: Run::Ask(body),
    ..PLAIN
};

fn body(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let values = if node.has(Tag::Raw) {
        machine.budget.steps(1)?;
        vec![machine.message.raw_text()]
    } else {
        match machine.tag_list(node, Tag::Content)? {
            Some(types) => contents(machine, &types)?,
            None => contents(machine, &["text".to_owned()])?,
        }
    };
    // Wildcards in a body set no match variables (RFC 5173 §6).
    machine.any_matches(node, values, false)
}

/// The texts of the parts whose types match one of `types`, each by itself.
fn contents(machine: &mut Machine<'_>, types: &[String]) -> Result<Vec<Rc<Text>>, Halt> {
    let mut found = Vec::new();
    for index in 0..machine.message.structure().parts.len() {
        machine.budget.steps(1 + types.len() as u64)?;
        let Some(part) = machine.message.structure().parts.get(index) else { break };
        if !types.iter().any(|wanted| is_of_type(part, wanted)) {
            continue;
        }
        if part.is_multipart() {
            found.extend(machine.message.multipart_texts(part).map(|text| Rc::new(Text::new(text))));
        } else if let Some(embedded) = &part.embedded {
            let inner = machine.message.structure().parts.get(embedded.root as usize);
            let header = inner.map(|inner| machine.message.part_header(inner)).unwrap_or_default();
            let header = &header[..header.len().min(MAX_PART_BYTES)];
            found.push(Rc::new(Text::new(charset::decode(None, header))));
        } else {
            found.push(machine.message.part_content(index));
        }
    }
    Ok(found)
}

/// Whether a part has the type that a `:content` names (RFC 5173 §5.2).
fn is_of_type(part: &Part, wanted: &str) -> bool {
    match wanted.split_once('/') {
        _ if wanted.is_empty() => true,
        None => part.media_type.eq_ignore_ascii_case(wanted),
        Some((kind, subtype)) => {
            let is_type = !kind.is_empty() && !subtype.is_empty() && !subtype.contains('/');
            is_type && part.media_type.eq_ignore_ascii_case(kind) && part.subtype.eq_ignore_ascii_case(subtype)
        }
    }
}
