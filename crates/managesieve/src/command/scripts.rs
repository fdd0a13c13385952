//! Scripts (RFC 5804 §2.5 to §2.12).

use std::collections::BTreeSet;

use anser_base::{Error, Result as Done, Text};
use anser_directory::Account;
use anser_directory::scripts::{Place, ScriptOwner};
use anser_journal::What;
use anser_wire::managesieve::{Code, Command, string};

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Included scripts that a warning looks for.
const INCLUDED: usize = 20;

pub(super) async fn run(session: &mut Session, account: &Account, command: Command) -> Outcome {
    use Command as C;
    let owner = ScriptOwner::Account(account.id);
    let directory = session.deps.directory.clone();
    let (act, name) = match command {
        C::HaveSpace(name, size) => {
            directory.check_script_room(owner, &name, size).await?;
            return Ok(Reply::done());
        }
        C::ListScripts => return list(session, owner).await,
        C::GetScript(name) => return get(session, owner, &name).await,
        C::CheckScript(text) => return Ok(accepted(warnings(session, account, text).await?)),
        C::PutScript(name, text) => {
            directory.put_script(owner, &name, &text).await?;
            note(session, account, "sieve.put", &name).await;
            return Ok(accepted(warnings(session, account, text).await?));
        }
        C::SetActive(name) if name.is_empty() => {
            directory.deactivate_scripts(account.id).await?;
            ("sieve.deactivate", name)
        }
        C::SetActive(name) => {
            directory.place_script(owner, &name, Place::Active).await?;
            ("sieve.activate", name)
        }
        C::DeleteScript(name) => {
            directory.remove_script(owner, &name).await?;
            ("sieve.remove", name)
        }
        C::RenameScript(from, to) => {
            directory.rename_script(owner, &from, &to).await?;
            ("sieve.rename", format!("{from} -> {to}"))
        }
        _ => return Err(Trouble::Bad(Reply::no("Unknown command", "未知命令"))),
    };
    note(session, account, act, &name).await;
    Ok(Reply::done())
}

async fn list(session: &mut Session, owner: ScriptOwner) -> Outcome {
    let mut out = Vec::new();
    for script in session.deps.directory.scripts(owner).await? {
        out.extend(string(script.name.as_bytes()));
        out.extend_from_slice(if script.place == Place::Active { b" ACTIVE\r\n" } else { b"\r\n" });
    }
    session.write(&out).await?;
    Ok(Reply::done())
}

async fn get(session: &mut Session, owner: ScriptOwner, name: &str) -> Outcome {
    let found = session.deps.directory.script(owner, name).await?;
    let script = found.ok_or_else(|| Error::not_found("there is no such script", "没有这个脚本"))?;
    let head = format!("{{{}}}\r\n", script.text.len());
    session.write(head.as_bytes()).await?;
    session.write(&script.text).await?;
    session.write(b"\r\n").await?;
    Ok(Reply::done())
}

fn accepted(warning: Option<Text>) -> Reply {
    match warning {
        Some(text) => Reply::Ok(Some(Code::Warnings), text),
        None => Reply::done(),
    }
}

/// What a script that compiles may not mean: scripts that it includes and that are not there (RFC 6609 §3.2 lets that be). One that
/// does not compile is `Class::Invalid`.
async fn warnings(session: &Session, account: &Account, text: Vec<u8>) -> Done<Option<Text>> {
    let compile = move || anser_sieve::compile(&text).map_err(Error::from);
    let program = tokio::task::spawn_blocking(compile).await.map_err(Error::unavailable)??;
    let wanted: BTreeSet<(bool, &str)> = program.includes().into_iter().collect();
    let mut missing = Vec::new();
    for (is_global, name) in wanted.into_iter().take(INCLUDED) {
        let owners = match is_global {
            false => vec![ScriptOwner::Account(account.id)],
            true => vec![ScriptOwner::Domain(account.domain), ScriptOwner::House],
        };
        let mut is_there = false;
        for owner in owners {
            is_there |= session.deps.directory.script(owner, name).await?.is_some();
        }
        if !is_there {
            missing.push(format!("\"{name}\""));
        }
    }
    let names = missing.join(", ");
    let warning =
        || Text::new(format!("included scripts do not exist: {names}"), format!("所包含的脚本不存在：{names}"));
    Ok((!missing.is_empty()).then(warning))
}

async fn note(session: &Session, account: &Account, act: &str, name: &str) {
    let address = account.address.to_string();
    session
        .note(What::Administered {
            actor: address.clone(),
            act: act.to_owned(),
            object: address,
            before: None,
            after: Some(name.to_owned()),
        })
        .await;
}
