//! What can be wrong with an account.

use anser_base::{BlobId, MailboxId, MessageId, Text};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The account's own row is missing although it has mailboxes or messages.
    AccountRow,
    /// A number of the account or of a mailbox does not fit what is there.
    Counter {
        /// The mailbox; `None` for the account itself.
        mailbox: Option<MailboxId>,
        /// The column.
        name: &'static str,
        /// What is stored.
        stored: u64,
        /// What it should be, at least.
        expected: u64,
    },
    /// Messages are in a mailbox whose row is missing.
    MailboxLost(MailboxId),
    /// A mailbox hangs below one that does not exist, below itself, or too deep.
    Parent(MailboxId),
    /// A mailbox has a name that is not allowed or that another has.
    Name(MailboxId),
    /// A mailbox has a role that is unknown or that another has.
    Role(MailboxId),
    /// No mailbox is the inbox.
    NoInbox,
    /// A place in a mailbox names a message that does not exist.
    EntryWithoutMessage {
        /// Where.
        mailbox: MailboxId,
        /// Its UID there.
        uid: u32,
        /// The message that is lost.
        message: MessageId,
    },
    /// The list of a mailbox that it is opened by is not what its messages are.
    List(MailboxId),
    /// A place in a mailbox has a wrong size or unknown flags.
    Entry {
        /// Where.
        mailbox: MailboxId,
        /// Its UID there.
        uid: u32,
    },
    /// A message does not know where it is.
    Places(MessageId),
    /// A message is in no mailbox.
    Homeless(MessageId),
    /// A message is missing in its conversation.
    Thread(MessageId),
    /// A conversation names a message that is not in it.
    ThreadStray(MessageId),
    /// A message's conversation is not found by its Message-IDs.
    Reference(MessageId),
    /// Summary, structure or keys are not those of the body.
    Derived(MessageId),
    /// The body has another size than the row says.
    BodySize(MessageId),
    /// The body is missing. Only a backup brings it back.
    BodyLost(MessageId, Option<BlobId>),
    /// The body does not verify. Only a backup brings it back.
    BodyDamaged(MessageId, BlobId),
}

impl Finding {
    /// Whether a repair mends it.
    pub fn is_mendable(&self) -> bool {
        !matches!(self, Self::BodyLost(..) | Self::BodyDamaged(..))
    }

    /// For the operator.
    pub fn text(&self) -> Text {
        match self {
            Self::AccountRow => Text::new("the account's own row is missing", "账户自身的记录缺失"),
            Self::Counter { mailbox, name, stored, expected } => counter(*mailbox, name, *stored, *expected),
            Self::MailboxLost(id) => {
                about("mailbox", "文件夹", id.0, "is missing, but has messages", "缺失，但其中有邮件")
            }
            Self::Parent(id) => {
                about("mailbox", "文件夹", id.0, "hangs at a wrong place in the tree", "在目录树中的位置有误")
            }
            Self::Name(id) => {
                about("mailbox", "文件夹", id.0, "has a name that is not allowed or taken", "名称无效或重复")
            }
            Self::Role(id) => about("mailbox", "文件夹", id.0, "has a use that is unknown or taken", "用途未知或重复"),
            Self::NoInbox => Text::new("there is no inbox", "没有收件箱"),
            Self::EntryWithoutMessage { mailbox, uid, message } => Text::new(
                format!("UID {uid} of mailbox {mailbox} names message {message}, which is lost"),
                format!("文件夹 {mailbox} 的 UID {uid} 指向的邮件 {message} 已丢失"),
            ),
            Self::Entry { mailbox, uid } => Text::new(
                format!("UID {uid} of mailbox {mailbox} has a wrong size or unknown flags"),
                format!("文件夹 {mailbox} 的 UID {uid} 大小或标记有误"),
            ),
            Self::List(id) => about("mailbox", "文件夹", id.0, "is listed otherwise than it is", "的列表与其邮件不符"),
            Self::Places(id) => about("message", "邮件", id.0, "does not know where it is", "的位置记录有误"),
            Self::Homeless(id) => about("message", "邮件", id.0, "is in no mailbox", "不在任何文件夹中"),
            Self::Thread(id) => about("message", "邮件", id.0, "is missing in its conversation", "未列入其会话"),
            Self::ThreadStray(id) => {
                about("message", "邮件", id.0, "is named by a conversation it is not in", "被误列入会话")
            }
            Self::Reference(id) => {
                about("message", "邮件", id.0, "is not found by its Message-IDs", "无法由其 Message-ID 找到")
            }
            Self::Derived(id) => {
                about("message", "邮件", id.0, "has an index that is not that of its body", "的索引与正文不符")
            }
            Self::BodySize(id) => {
                about("message", "邮件", id.0, "has another size than its body", "记录的大小与正文不符")
            }
            Self::BodyLost(id, blob) => body(*id, *blob, "is missing", "缺失"),
            Self::BodyDamaged(id, blob) => body(*id, Some(*blob), "is damaged", "已损坏"),
        }
    }
}

fn about(what: &str, what_zh: &str, id: u64, en: &str, zh: &str) -> Text {
    Text::new(format!("{what} {id} {en}"), format!("{what_zh} {id} {zh}"))
}

fn body(id: MessageId, blob: Option<BlobId>, en: &str, zh: &str) -> Text {
    let blob = blob.map(|blob| blob.to_string()).unwrap_or_default();
    Text::new(
        format!("the body {blob} of message {id} {en}; restore it from a backup"),
        format!("邮件 {id} 的正文 {blob} {zh}，请从备份恢复"),
    )
}

fn counter(mailbox: Option<MailboxId>, name: &str, stored: u64, expected: u64) -> Text {
    let (en, zh) = match mailbox {
        Some(id) => (format!("mailbox {id}"), format!("文件夹 {id}")),
        None => ("the account".to_owned(), "账户".to_owned()),
    };
    Text::new(
        format!("{en}: {name} is {stored}, but should be {expected}"),
        format!("{zh}：{name} 为 {stored}，应为 {expected}"),
    )
}
