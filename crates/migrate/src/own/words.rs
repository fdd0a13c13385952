//! What is wrong with a person's own move, in words for that person: what to do, not what happened inside.

use anser_base::{Class, Text};

use super::sign_in::{SignIn, SignInState};
use crate::hours::BUDGET;
use crate::model::{Mailbox, State};
use crate::trouble::Trouble;
use crate::words::in_chinese;

/// What stands before a note on trouble of this server's own.
pub(crate) const OWN: &str = "this server";
/// What stands before a note on a mailbox here that is full.
pub(crate) const FULL: &str = "full";
/// What stands before a note on a move that waits for the organisation's.
pub(crate) const BEHIND: &str = "organisation";
/// What stands before a note on a move that was worked on while others waited.
pub(crate) const TURN: &str = "turn";
/// What a pass says whose one mailbox is gone.
pub(crate) const NO_TARGET: &str = "target: the mailbox that takes everything is gone";

/// By the kind that stands before a note: see [`crate::trouble::Trouble::Login`]. `{}` stands for what the other server said.
const KINDS: [(&str, &str, &str); 21] = [
    (
        "wrong",
        "The other server does not take this name or password. Look whether it wants an authorization code or app password in the password's place, and enter it again. It said: {}",
        "对方服务器不接受此用户名或密码。请确认是否需要用授权码或应用专用密码代替登录密码，然后重新输入。对方答复：{}",
    ),
    (
        "locked",
        "The other server has locked this account for now. Log in there once by its own pages, wait an hour, and start again. It said: {}",
        "对方服务器暂时锁定了该账号。请先在对方网页登录一次，一小时后再重新开始。对方答复：{}",
    ),
    (
        "imap-off",
        "The other server does not let programs in. Switch IMAP or POP3 on in the settings there, and start again. It said: {}",
        "对方服务器不允许客户端登录。请在对方设置中开启 IMAP 或 POP3 服务，然后重新开始。对方答复：{}",
    ),
    (
        "app-password",
        "The other server wants a password made for programs: make an authorization code or app password there, and enter it here. It said: {}",
        "对方服务器要求使用专用密码：请在对方生成授权码或应用专用密码，并在此输入。对方答复：{}",
    ),
    (
        "second-factor",
        "The other server asks for a second factor, which no program has: make an authorization code or app password there, and enter it here. It said: {}",
        "对方服务器要求二次验证，客户端无法完成：请在对方生成授权码或应用专用密码，并在此输入。对方答复：{}",
    ),
    (
        "must-change",
        "The other server wants the password to be changed first. Change it in the pages there, and enter the new one here. It said: {}",
        "对方服务器要求先修改密码。请在对方网页修改密码，并在此输入新密码。对方答复：{}",
    ),
    (
        "not-connected",
        "The other server takes the password and does not open the mailbox. Look in its pages whether it is there, or ask its administrator. It said: {}",
        "对方服务器接受密码，但未打开邮箱。请在对方网页查看邮箱是否可用，或联系对方管理员。对方答复：{}",
    ),
    (
        "form",
        "The other server knows no way in which this name or password can be said. It said: {}",
        "对方服务器不支持此用户名或密码的登录方式。对方答复：{}",
    ),
    (
        "no-password",
        "The password of the other account is not known here: enter it.",
        "尚未保存对方账号的密码，请输入密码。",
    ),
    (
        "account",
        "This login has no mailbox at the other server. It said: {}",
        "该登录名在对方服务器没有邮箱。对方答复：{}",
    ),
    (
        "consent",
        "The other provider wants its permission to be given again. It said: {}",
        "对方服务商要求重新授权。对方答复：{}",
    ),
    (
        "declined",
        "At the provider's page it was not allowed to read this mailbox. Sign in again and allow it, if that was not meant. It said: {}",
        "在服务商页面上未同意读取此邮箱。如非本意，请重新登录并同意。对方答复：{}",
    ),
    (
        "expired",
        "Nobody signed in at the provider's page in time. Ask for a new code.",
        "未在规定时间内完成登录授权。请重新获取代码。",
    ),
    (
        "forbidden",
        "This server may not connect to that address. Check the name and the port; when they are right, ask the administrator to allow them.",
        "本服务器不允许连接该地址。请检查服务器名称和端口；如果正确，请联系管理员放行。",
    ),
    (
        FULL,
        "Your mailbox here is full. What has come stays; make room, or ask for more, and start again.",
        "您在此处的邮箱已满。已收到的邮件会保留；请清理空间或申请扩容，然后重新开始。",
    ),
    (
        OWN,
        "This server has trouble of its own at the moment and goes on by itself; when it lasts, tell the administrator.",
        "本服务器暂时出现问题，恢复后会自动继续；如长时间未恢复，请联系管理员。",
    ),
    (
        BEHIND,
        "Your organisation moves your mailbox here first; this goes on by itself once that is finished.",
        "您的单位正在先行迁移您的邮箱，完成后此迁移会自动继续。",
    ),
    (
        TURN,
        "Others wait for their turn too: this goes on by itself where it stopped.",
        "还有其他人的迁移在排队，轮到后会从中断处自动继续。",
    ),
    (
        BUDGET,
        "The other server hands out only so much in a day, and that came for today: this goes on by itself tomorrow.",
        "对方服务器每天只允许读取一定数据量，今天已达上限，明天会自动继续。",
    ),
    (
        "target",
        "The folder that everything was to go into is no longer here. Take this move away and make it again with another folder.",
        "用于接收邮件的文件夹已不存在。请删除此迁移，并选择其他文件夹重新建立。",
    ),
    ("missing", "What was to be read is no longer there. It said: {}", "要读取的内容已不存在。对方答复：{}"),
];

/// The problem of a mailbox; `None` when there is none.
pub(crate) fn problem(mailbox: &Mailbox, sign_in: Option<&SignIn>) -> Option<Text> {
    let note = mailbox.note.as_deref()?;
    let (kind, said) = note.split_once(": ").unwrap_or(("", note));
    match sign_in.map(|one| one.state) {
        // The code is shown.
        Some(SignInState::Asked) if mailbox.state == State::Refused => return None,
        Some(SignInState::Needed) if kind == "no-password" => return Some(self::sign_in()),
        Some(SignInState::Given) if kind == "wrong" => return Some(another_signed_in(&mailbox.login)),
        _ => {}
    }
    if let Some(text) = of_kind(kind, said) {
        return Some(text);
    }
    let zh = in_chinese(note);
    match mailbox.state {
        State::Asking => Some(Text::new(
            format!(
                "The other server no longer has everything that it had: {note}. What came is kept. Start again when that is right."
            ),
            format!("对方服务器上的邮件比之前少：{zh}。已收到的邮件会保留。如无误，请重新开始。"),
        )),
        State::Refused => Some(Text::new(format!("The other server refuses: {note}"), format!("对方服务器拒绝：{zh}"))),
        State::Waiting if mailbox.tries > 0 => Some(Text::new(
            format!("The other server cannot be reached at the moment; it is tried again by itself. ({note})"),
            format!("暂时无法连接对方服务器，稍后会自动重试。（{zh}）"),
        )),
        _ => None,
    }
}

fn of_kind(kind: &str, said: &str) -> Option<Text> {
    let (_, en, zh) = KINDS.iter().find(|(known, ..)| *known == kind)?;
    Some(Text::new(en.replace("{}", said), zh.replace("{}", &in_chinese(said))))
}

/// Why a look at the other server came to nothing.
pub(crate) fn trouble(trouble: &Trouble) -> Text {
    let of_kind = match trouble {
        Trouble::Login { kind, why } => of_kind(kind, why),
        Trouble::Own(error) if error.class == Class::Limit || !error.class.is_temporary() => Some(error.text.clone()),
        Trouble::Own(_) => of_kind(OWN, ""),
        _ => None,
    };
    let said = || {
        let said = trouble.words();
        Text::new(
            format!("The other server does not tell: {said}"),
            format!("对方服务器未能提供：{}", in_chinese(&said)),
        )
    };
    of_kind.unwrap_or_else(said)
}

/// What is to be done first where a mailbox is opened by signing in at its provider.
pub(crate) fn sign_in() -> Text {
    Text::new(
        "Sign in at the provider's page first, and allow this server to read the mailbox.",
        "请先在服务商页面登录，并允许本服务器读取该邮箱。",
    )
}

/// What is to be done where the provider gives permissions, and not for this login.
pub(crate) fn another_signed_in(login: &str) -> Text {
    Text::new(
        format!("The other server does not open {login} to whoever signed in. Sign in again with that account."),
        format!("对方服务器不允许登录授权的账号打开 {login}。请用该账号重新登录授权。"),
    )
}

/// Why nobody can sign in at a provider's page.
pub(crate) fn no_sign_in() -> Text {
    Text::new(
        "This server is not registered at the provider. Make an app password there and use it here, or ask the administrator.",
        "本服务器尚未在该服务商登记。请在对方生成应用专用密码并在此使用，或联系管理员。",
    )
}

/// Why no code is asked for.
pub(crate) fn too_many_codes() -> Text {
    Text::new("Too many codes in this hour: try again in the next.", "本小时内获取代码次数过多，请稍后再试。")
}

/// Messages of folders that their owner leaves out.
pub(crate) fn left_out() -> Text {
    Text::new("left out by your choice", "按您的选择未搬")
}

/// Why messages did not come.
pub(crate) fn failure(said: &str) -> Text {
    Text::new(
        format!("the other server did not hand it out: {said}"),
        format!("对方服务器未提供该邮件：{}", in_chinese(said)),
    )
}

/// Messages that were here before.
pub(crate) fn adopted() -> Text {
    Text::new("was here already", "此处已有相同邮件")
}
