//! The answers to challenges, there as long as the authority looks.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{Error, Result};
use anser_net::TlsAcceptor;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use tokio::process::Command;
use tokio::time::timeout;

/// How long the operator's program may take: a zone has to reach all its servers.
const HOOK: Duration = Duration::from_secs(600);

/// Answers for http-01 by token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Arc<Mutex<HashMap<String, String>>>);

impl Answers {
    /// The answer to a token.
    pub fn of(&self, token: &str) -> Option<String> {
        self.all().get(token).cloned()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that is being given; [`Given::take_back`] ends it.
pub(crate) enum Given {
    File(Answers, String),
    Certificate(TlsAcceptor, String),
    Record(std::path::PathBuf, String, String),
}

impl Given {
    /// A file with the key authorization (RFC 8555 §8.3).
    pub fn file(answers: &Answers, token: &str, authorization: &str) -> Self {
        answers.all().insert(token.to_owned(), authorization.to_owned());
        Self::File(answers.clone(), token.to_owned())
    }

    /// A certificate with the hash of the key authorization (RFC 8737 §3).
    pub fn certificate(tls: &TlsAcceptor, name: &str, digest: &[u8]) -> Result<Self> {
        let key = KeyPair::generate().map_err(Error::unavailable)?;
        let mut params = CertificateParams::new([name.to_owned()]).map_err(Error::unavailable)?;
        if digest.len() != 32 {
            return Err(Error::unavailable("the proof is no hash"));
        }
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let made = params.self_signed(&key).map_err(Error::unavailable)?;
        tls.answer_challenge(name, Some((made.pem(), key.serialize_pem())))?;
        Ok(Self::Certificate(tls.clone(), name.to_owned()))
    }

    /// A record in the DNS (RFC 8555 §8.4).
    pub async fn record(hook: &Path, name: &str, text: &str) -> Result<Self> {
        let record = format!("_acme-challenge.{name}");
        call(hook, "add", &record, text).await?;
        Ok(Self::Record(hook.to_owned(), record, text.to_owned()))
    }

    /// The answer is no longer needed.
    pub async fn take_back(self) {
        let done = match self {
            Self::File(answers, token) => {
                answers.all().remove(&token);
                Ok(())
            }
            Self::Certificate(tls, name) => tls.answer_challenge(&name, None),
            Self::Record(hook, record, text) => call(&hook, "remove", &record, &text).await,
        };
        if let Err(error) = done {
            tracing::warn!(error = error.chain(), "the answer to a challenge could not be taken back");
        }
    }
}

async fn call(hook: &Path, act: &str, record: &str, text: &str) -> Result<()> {
    let run = Command::new(hook).args([act, record, text]).stdin(Stdio::null()).kill_on_drop(true).output();
    let ended = timeout(HOOK, run).await.map_err(|_| Error::unavailable("the program for the DNS takes too long"))?;
    let ended = ended.map_err(|error| Error::unavailable(format!("{}: {error}", hook.display())))?;
    if ended.status.success() {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&ended.stderr).chars().take(500).collect();
    Err(Error::unavailable(format!("{} {act} ends with {}: {}", hook.display(), ended.status, said.trim())))
}
