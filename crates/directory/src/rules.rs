//! Rules of signing in, for a domain or for everybody: how long sessions last, what passwords are like, which doors there are. What a domain
//! does not set is as everybody's, and what nobody sets as usual. Where a second factor must be is said in [`crate::second`].

use std::time::Duration;

use anser_base::{Error, Result};
use anser_db::{Row, Tx, params};

use crate::model::Services;
use crate::password::policy::PasswordRules;
use crate::sessions::{IDLE, LONGEST};
use crate::{Directory, names};

/// The shortest that a session may be set to last without a request.
pub const SHORTEST_IDLE: Duration = Duration::from_secs(5 * 60);
/// The longest that a session may be set to last.
pub const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
/// The longest that a password may have to be, in characters.
pub const LONGEST_PASSWORD: usize = 64;

/// What is set for a scope; `None` is as in the wider one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// A domain, or `*`.
    pub scope: String,
    /// How long a session lasts without a request.
    pub idle: Option<Duration>,
    /// How long it lasts at most.
    pub longest: Option<Duration>,
    /// Characters of a new password at least.
    pub length: Option<usize>,
    /// Kinds of characters in it at least, see [`PasswordRules`].
    pub kinds: Option<usize>,
    /// The doors that are there for the scope's accounts.
    pub services: Option<Services>,
}

/// What holds for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// How long a session lasts without a request.
    pub idle: Duration,
    /// How long it lasts at most.
    pub longest: Duration,
    /// What a new password must be like.
    pub password: PasswordRules,
    /// The doors that are there.
    pub services: Services,
}

impl Default for InForce {
    fn default() -> Self {
        Self { idle: IDLE, longest: LONGEST, password: PasswordRules::usual(), services: Services::ALL }
    }
}

impl InForce {
    /// With what is set for a narrower scope.
    fn with(self, rules: &Rules) -> Self {
        let longest = rules.longest.unwrap_or(self.longest);
        let password = PasswordRules {
            length: rules.length.unwrap_or(self.password.length),
            kinds: rules.kinds.unwrap_or(self.password.kinds),
            ..self.password
        };
        let services = rules.services.unwrap_or(self.services);
        Self { idle: rules.idle.unwrap_or(self.idle).min(longest), longest, password, services }
    }
}

impl Rules {
    fn check(&self) -> Result<()> {
        let is_life = |life: &Duration| (SHORTEST_IDLE..=LONGEST_LIFE).contains(life);
        if !self.idle.iter().chain(&self.longest).all(is_life) {
            return Err(Error::invalid("a session lasts from 5 minutes to a year", "会话时长须在 5 分钟到 1 年之间"));
        }
        if self.length.is_some_and(|length| !(6..=LONGEST_PASSWORD).contains(&length)) {
            let (en, zh) = ("a password has to have 6 to 64 characters at least", "密码最小长度须在 6 到 64 之间");
            return Err(Error::invalid(en, zh));
        }
        if self.kinds.is_some_and(|kinds| !(1..=4).contains(&kinds)) {
            return Err(Error::invalid("there are 1 to 4 kinds of characters", "字符种类须在 1 到 4 之间"));
        }
        Ok(())
    }
}

impl Directory {
    /// What is set, scope by scope.
    pub async fn rules(&self) -> Result<Vec<Rules>> {
        let sql = format!("{COLUMNS} ORDER BY scope");
        self.read(move |tx| tx.query(&sql, &[], rules)).await
    }

    /// Sets rules; what is `None` stays as it is. They hold at once, for sessions that are there too; for passwords when they are changed.
    /// `Class::Invalid` for what cannot be.
    pub async fn set_rules(&self, new: Rules) -> Result<()> {
        new.check()?;
        let scope = if new.scope == "*" { new.scope.clone() } else { names::new_domain(&new.scope)? };
        let seconds = |life: Option<Duration>| life.map(|life| life.as_secs() as i64);
        let (idle, longest) = (seconds(new.idle), seconds(new.longest));
        let (length, kinds) = (new.length.map(|length| length as i64), new.kinds.map(|kinds| kinds as i64));
        let services = new.services.map(|services| i64::from(services.0));
        let sql = "INSERT INTO dir_rules (scope, idle_s, longest_s, length, kinds, services)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (scope) DO UPDATE SET idle_s = COALESCE(excluded.idle_s, dir_rules.idle_s),
                     longest_s = COALESCE(excluded.longest_s, dir_rules.longest_s),
                     length = COALESCE(excluded.length, dir_rules.length),
                     kinds = COALESCE(excluded.kinds, dir_rules.kinds),
                     services = COALESCE(excluded.services, dir_rules.services)";
        let values =
            move |tx: &mut Tx<'_>| tx.execute(sql, params![&scope, idle, longest, length, kinds, services]).map(drop);
        self.change(values).await
    }

    /// Removes what is set for a scope; whether there was anything.
    pub async fn remove_rules(&self, scope: &str) -> Result<bool> {
        let scope = if scope == "*" { scope.to_owned() } else { names::domain_key(scope) };
        self.change(move |tx| Ok(tx.execute("DELETE FROM dir_rules WHERE scope = ?1", params![&scope])? > 0)).await
    }

    /// What holds where no domain is known.
    pub async fn general_rules(&self) -> Result<InForce> {
        self.read(|tx| in_force(tx, "*")).await
    }
}

/// What holds in a domain.
pub(crate) fn in_force(tx: &mut Tx<'_>, domain: &str) -> Result<InForce> {
    let sql = format!("{COLUMNS} WHERE scope IN ('*', ?1) ORDER BY CASE scope WHEN '*' THEN 0 ELSE 1 END");
    let all = tx.query(&sql, params![domain], rules)?;
    Ok(all.iter().fold(InForce::default(), |wider, narrower| wider.with(narrower)))
}

const COLUMNS: &str = "SELECT scope, idle_s, longest_s, length, kinds, services FROM dir_rules";

fn rules(row: &Row<'_>) -> Result<Rules> {
    let life = |seconds: Option<i64>| seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
    let count = |number: Option<i64>| number.map(|number| number.unsigned_abs() as usize);
    Ok(Rules {
        scope: row.text(0)?,
        idle: life(row.opt_int(1)?),
        longest: life(row.opt_int(2)?),
        length: count(row.opt_int(3)?),
        kinds: count(row.opt_int(4)?),
        services: row.opt_int(5)?.map(|bits| Services(bits as u32)),
    })
}
