//! The rules of an account: its active Sieve script (RFC 5228), as the form that shows it.

use anser_base::{AccountId, BlobId, Result};
use anser_directory::Directory;
use anser_directory::scripts::{FORM_SCRIPT, Place, ScriptOwner};
use anser_sieve::form::Form;

use crate::access::Access;
use crate::method::Call;

/// The rules of one account.
pub(crate) struct Rules {
    /// The script that they are in.
    name: String,
    /// As it stands; empty without an active script.
    pub script: String,
    pub form: Form,
    pub state: String,
}

impl Rules {
    pub async fn of(call: &Call, access: &Access) -> Result<Self> {
        Self::in_force(&call.door.deps.directory, access.owner.id).await
    }

    /// Those of an account, whoever asks.
    pub async fn in_force(directory: &Directory, account: AccountId) -> Result<Self> {
        let running = directory.running_scripts(ScriptOwner::Account(account)).await?;
        let active = running.scripts.iter().find(|script| script.place == Place::Active);
        let (name, script) = match active {
            Some(script) => (script.name.clone(), String::from_utf8_lossy(&script.text).into_owned()),
            None => (FORM_SCRIPT.to_owned(), String::new()),
        };
        let state = BlobId::of(script.as_bytes()).to_hex()[..16].to_owned();
        Ok(Self { name, form: Form::read(&script), script, state })
    }

    /// Puts the form into the place of the script. `Class::Invalid` names the rule and what is wrong with it.
    pub async fn keep(&self, call: &Call, access: &Access) -> Result<()> {
        let (owner, script) = (ScriptOwner::Account(access.owner.id), self.form.to_script());
        // How large it is comes first: what is too large is not looked into.
        call.door.deps.directory.check_script_room(owner, &self.name, script.len() as u64).await?;
        self.form.check()?;
        self.keep_script(call, access, &script).await
    }

    /// Puts a script into the place of the one that was there. `Class::Invalid` tells every mistake.
    pub async fn keep_script(&self, call: &Call, access: &Access, script: &str) -> Result<()> {
        let (owner, directory) = (ScriptOwner::Account(access.owner.id), &call.door.deps.directory);
        directory.put_script(owner, &self.name, script.as_bytes()).await?;
        directory.place_script(owner, &self.name, Place::Active).await
    }
}
