//! Why a login fails, and what its peer reads of it.

use std::time::Duration;

use anser_base::{Class, Error};

/// Why there is no login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Name or password are wrong; which one is not told.
    Wrong,
    /// The password is right, but the account is suspended or may not use this door.
    NotAllowed,
    /// The password is right, and its owner must choose a new one before it opens anything but the web.
    MustChange,
    /// The password is right, but the account has a second factor, which this door cannot ask for: an app password opens it.
    NeedsAppPassword,
    /// The password is right, but the user wants to act for somebody else.
    NotYourself,
    /// Too many failures; the password was not looked at.
    Locked,
    /// The directory cannot tell at present.
    Unavailable,
}

impl Refusal {
    /// What it is called in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::NotAllowed => "not-allowed",
            Self::MustChange => "must-change",
            Self::NeedsAppPassword => "needs-app-password",
            Self::NotYourself => "not-yourself",
            Self::Locked => "locked",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A login that failed.
#[derive(Debug)]
pub struct AuthFailure {
    /// Why.
    pub reason: Refusal,
    /// How long the door waits before it answers.
    pub delay: Duration,
    /// What the peer may read.
    pub error: Error,
}

impl From<Error> for AuthFailure {
    fn from(error: Error) -> Self {
        Self { reason: Refusal::Unavailable, delay: Duration::ZERO, error }
    }
}

pub(crate) fn wrong() -> Error {
    Error::new(Class::Unauthenticated, "wrong user name or password", "用户名或密码错误")
}

pub(crate) fn not_allowed() -> Error {
    Error::new(
        Class::Forbidden,
        "this account may not be used here at present; ask your administrator",
        "该账号目前不能在此使用，请联系管理员",
    )
}

pub(crate) fn must_change() -> Error {
    Error::new(
        Class::Forbidden,
        "you must choose a new password before you can use your mail",
        "请先修改密码，然后才能使用邮箱",
    )
}

pub(crate) fn needs_app_password() -> Error {
    Error::new(
        Class::Forbidden,
        "this account has a second factor; make an app password in the web mail and use that here",
        "该账号已启用两步验证，请在网页邮箱中创建应用专用密码并在此使用",
    )
}

pub(crate) fn locked(left: Duration) -> AuthFailure {
    let minutes = left.as_secs().div_ceil(60).max(1);
    let error = Error::new(
        Class::Limit,
        format!("too many failed logins; try again in {minutes} min"),
        format!("登录失败次数过多，请 {minutes} 分钟后再试"),
    );
    AuthFailure { reason: Refusal::Locked, delay: Duration::ZERO, error }
}
