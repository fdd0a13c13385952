//! Every text that the command line says by itself, in both languages. What the crates below say brings its own.

use anser_base::{Error, Text};

/// A language of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Language {
    /// What the environment asks for: Chinese when `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set, begins with `zh`.
    pub fn of_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        if set.is_some_and(|value| value.to_lowercase().starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// The text in this language.
    pub fn of(self, text: &Text) -> &str {
        match self {
            Self::En => &text.en,
            Self::Zh => &text.zh,
        }
    }

    /// A text of the table, its `{}` filled in order.
    pub fn say(self, line: Line, words: &[&str]) -> String {
        let text = match self {
            Self::En => line.0,
            Self::Zh => line.1,
        };
        words.iter().fold(text.to_owned(), |text, word| text.replacen("{}", word, 1))
    }

    /// An error on one line, with what caused it: the administrator may see it.
    pub fn error(self, error: &Error) -> String {
        let mut line = self.of(&error.text).to_owned();
        if let Some(source) = &error.source {
            line = format!("{line}: {source}");
        }
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// One line of the table: English, Chinese.
#[derive(Clone, Copy, Debug)]
pub struct Line(pub &'static str, pub &'static str);

/// The error of a line.
pub fn refused(line: Line, words: &[&str]) -> Error {
    Error::invalid(Language::En.say(line, words), Language::Zh.say(line, words))
}

macro_rules! table {
    ($($name:ident = $en:literal, $zh:literal;)*) => { $(#[allow(missing_docs)] pub const $name: Line = Line($en, $zh);)* };
}

table! {
    ERROR = "error: {}", "错误：{}";
    SKIPPED = "left out: {}: {}", "已跳过：{}：{}";
    NOTHING = "nothing", "无";
    COUNTED = "{} done", "已处理 {} 项";
    MAILS = "{} messages, {}", "{} 封邮件，{}";
    NOT_WHOLE = "not exported as a whole: {}: {}", "未完整导出：{}：{}";
    LEFT_OUT = "{} left out", "跳过 {} 封";
    PEOPLE = "{} new, {} changed, {} as they were, {} refused", "新增 {}，变更 {}，未变 {}，拒绝 {}";
    PEOPLE_TRIAL = "nothing was done: {} new, {} changed, {} as they are, {} refused", "未作改动：将新增 {}，变更 {}，不变 {}，拒绝 {}";
    SCHEME = "{} passwords stored as {}", "{} 个密码以 {} 存储";
    SCHEME_WEAK = "{} passwords stored as {}: weak, replaced at the first login", "{} 个密码以 {} 存储：强度弱，首次登录后自动替换";
    LINES_REFUSED = "some lines were refused", "有些行被拒绝";
    SLIP = "{}\nAddress: {}\nFirst password: {}", "{}\n邮箱：{}\n初始密码：{}";
    SLIP_WEAK = "{}\nAddress: {}\nFirst password: {}\nOthers may guess it: change it at once.", "{}\n邮箱：{}\n初始密码：{}\n该密码易被猜到，请立即修改。";
    TORN = "torn bodies that no message refers to: {} (each was cut off while it was written; no mail is lost, and the sweeper removes them)", "{} 个正文不完整且没有邮件引用：写入时中断所致，没有丢失邮件，将自动清除";
    CHECKED = "checked {} accounts, {} bodies, {} journal events: {} findings, {} mended", "已检查 {} 个账号、{} 个正文、{} 条日志：发现 {} 个问题，已修复 {} 个";
    FINDINGS = "there are findings that were not mended", "存在未修复的问题";
    MENDED = "mended", "已修复";
    BACKED_UP = "{} table files, {} bodies, {}", "{} 个表文件，{} 个正文，{}";
    NOT_BACKED_UP = "{} could not be read", "{} 个无法读取";
    SWEPT = "{} bodies seen, {} deleted ({}), {} may go next time", "共 {} 个正文，删除 {} 个（{}），下次可删 {} 个";
    APP_PASSWORD = "app password {}: {}", "应用专用密码 {}：{}";
    TOKEN = "token {}: {}", "令牌 {}：{}";
    SHOWN_ONCE = "It is shown only this once.", "只显示这一次。";
    PASSWORD = "Password: ", "密码：";
    PASSWORD_AGAIN = "Again: ", "再次输入：";
    PASSWORDS_DIFFER = "the passwords differ", "两次输入的密码不一致";
    PASSWORD_EMPTY = "the password is empty", "密码为空";
    PASSWORD_WANTED = "no password: give it on standard input with --password-stdin", "没有密码：请用 --password-stdin 从标准输入提供";
    QUOTA_BAD = "{} is no size; write 500MB, 5GiB or 0 for no limit", "{} 不是大小；请写 500MB、5GiB，或 0 表示不限";
    SURVEY = "{} logins, {} without a password; {} folders, {} messages, the fullest {}; about {} minutes", "登录名 {} 个，其中 {} 个无密码；文件夹 {} 个，邮件 {} 封，最多的邮箱 {} 封；约需 {} 分钟";
    SURVEY_SIZES = "{} in all, the biggest message {}; of {} that were read: {} with 8-bit headers, {} without a Message-ID, {} with NUL; {}/s", "共 {}，最大的邮件 {}；抽读 {} 封：信头含 8 位字符 {} 封，无 Message-ID {} 封，含 NUL {} 封；{}/秒";
    TOTAL = "{} {}: {} in the files, {} in the survey form, {} here", "{} {}：文件中 {}，调查表 {}，此处 {}";
    RELAYED = "names of {} that nobody has here > {}, as long as it knows them, until {}", "{} 中此处没有的地址 > {}（旧服务器认识时），至 {}";
    WATCHED = "{} of {} messages, {}, {} messages/s, {}/s, about {} minutes left", "邮件 {} / {} 封，{}，每秒 {} 封、{}，约剩 {} 分钟";
    UNTIL = "waits until {}", "等待至 {}";
    SECRETS = "passwords of the old server are kept until {}", "旧服务器的密码保存至 {}";
    NO_DAYS = "{} is no number of days, and not the word unused", "{} 不是天数，也不是 unused";
    SPARED = "  (answers late: spared)", "  （响应变慢，已放慢）";
    SKIPS_DELETED = "messages that are marked as deleted are left out", "不迁移已标记为删除的邮件";
    SHARED = "shared folders come into {} alone", "共享文件夹只迁入 {}";
    TRIES = "asked {} times", "已请求 {} 次";
    TO_UNDO = "{}: messages that would go: {} ({}){}; --yes does it", "{}：将删除 {} 封（{}）{}；加 --yes 执行";
    UNDONE = "{}: messages that went: {} ({}){}", "{}：已删除 {} 封（{}）{}";
    TOUCHED = "; that stay, since their owner has touched them: {}", "，保留用户已改动的 {} 封";
    A_DAY = "{} a day", "每天 {}";
    VISIT = "  ask how the users do: {}", "  回访用户：{}";
    RETURNED = "{}: {} messages, flags of {}, {} moved, {} new folders, {} removed, {} folders renamed, {} removed", "{}：邮件 {} 封，标志 {} 处，移动 {} 封，新文件夹 {} 个，删除 {} 封，文件夹改名 {} 个、删除 {} 个";
    REPORT_SIGNED = "as this server wrote it; its key is {}", "报告未被改动，由本服务器签名，公钥 {}";
    REPORT_OF_ANOTHER = "signed, but not by this server: {}", "报告的签名不是本服务器的：{}";
    REPORT_CHANGED = "this report is not signed, or it was changed", "该报告没有签名，或已被改动";
    UNCOMPARED = "{} mailboxes could not be compared", "{} 个邮箱未能核对";
    UNEXPLAINED = "{} messages that nobody can explain", "{} 封邮件的差异无法解释";
    SOURCE_PLACE = "IMAP and POP3 want --host or a --profile of one server, JMAP wants --host; the others want --path", "IMAP 与 POP3 需要 --host 或单一服务器的 --profile，JMAP 需要 --host；其他来源需要 --path";
    NO_SECRET = "nothing came from standard input: it is to hold the token or secret, a line each", "标准输入为空：应逐行提供令牌或密钥";
    NO_PROFILE = "there is no profile {}; these are known: {}", "没有类型 {}，已知类型：{}";
    LOGIN_LINE =  "line {} is not LOGIN, address and password, separated by tabs", "第 {} 行不是以制表符分隔的登录名、地址和密码";
    ADDRESS_WANTED = "no address: name accounts or use --stdin-list", "没有地址：请给出账号或使用 --stdin-list";
    NO_AGE = "{} is no age: 30m, 4h, 2d", "{} 不是时长：30m、4h、2d";
    ENTRY_WANTED = "name entries by number, or choose with --all, --sender, --recipient or --held", "请给出条目编号，或用 --all、--sender、--recipient、--held 选择";
    NO_BOOT_FILE = "there is no boot file {}; make one with anser init, or name it with --config or --dir", "没有启动文件 {}；请用 anser init 创建，或用 --config、--dir 指定";
    BAD_BOOT_FILE = "{} line {}: {}", "{} 第 {} 行：{}";
    BAD_BOOT_VALUE = "{}: {}", "{}：{}";
    WANTS_TLS = "{}: the service {} needs [tls] with certificate and key", "{}：服务 {} 需要 [tls] 的 certificate 和 key";
    WANTS_URL = "{}: the engine postgres needs url in [store]", "{}：postgres 引擎需要 [store] 的 url";
    NO_ENGINE = "{}: there is no engine {}; write embedded or postgres", "{}：没有引擎 {}；请写 embedded 或 postgres";
    NO_USER = "there is no user {} on this machine", "本机没有用户 {}";
    NOT_ROOT = "only root can become user {}", "只有 root 才能切换为用户 {}";
    EXISTS = "{} exists; it is not overwritten", "{} 已存在，不会覆盖";
    ACME_TERMS = "{}: write agree_to_terms = true once you have read the terms of the certificate authority", "{}：阅读证书颁发机构的条款后，请写入 agree_to_terms = true";
    ACME_PROOF = "{}: proof is http, tls-alpn, or dns with hook = \"PROGRAM\"", "{}：proof 应为 http、tls-alpn，或 dns 并给出 hook = \"程序\"";
    MTA_STS = "{}: mta_sts is enforce, testing or none, not {}", "{}：mta_sts 应为 enforce、testing 或 none，而不是 {}";
    RELAY_TLS = "{}: relay tls is {}; write opportunistic, required or implicit", "{}：relay 的 tls 为 {}；请写 opportunistic、required 或 implicit";
    HOST_PORT = "{} is not HOST:PORT", "{} 不是 HOST:PORT";
    ENGINE_URL = "--engine is embedded, or postgres followed by a URL", "--engine 为 embedded，或 postgres 加 URL";
    OFFSET = "the port offset {} is too large", "端口偏移 {} 过大";
    DEV_TITLE = "Anser on this machine, for trying out (data in {})", "Anser 试用系统（数据位于 {}）";
    DEV_WEBMAIL = "webmail: {}", "网页邮箱：{}";
    DEV_ACCOUNTS = "accounts, each with the password {}:", "账号（密码均为 {}）：";
    SECOND_FACTOR = "authenticator: {}  passkeys: {}  required: {}  recovery codes: {}", "验证器：{}  通行密钥：{}  必须：{}  恢复代码：{}";
    REGISTERED = "{} is registered", "已登记 {}";
    REGISTERED_SECRET = "{} is registered; its secret: {}", "已登记 {}，密钥：{}";
    DEV_NOT_YET = "not there yet: LDAP", "尚未提供：LDAP";
    DEV_DNS = "mail for other domains goes to the servers that {} names", "发往其他域的邮件按 {} 给出的服务器投递";
    DEV_NOWHERE = "mail for other domains waits in the queue; give --smarthost or --dns HOST:PORT to let it out", "发往其他域的邮件留在队列中；用 --smarthost 或 --dns HOST:PORT 放行";
    DEV_SMARTHOST = "mail for other domains goes to {}", "发往其他域的邮件转交 {}";
    ADMINISTRATOR = "administrator", "管理员";
    INIT_WROTE = "written: {}", "已写入：{}";
    INIT_ADMINISTRATOR = "administrator: {}", "管理员：{}";
    INIT_PASSWORD = "password: {} (shown only this once)", "密码：{}（只显示这一次）";
    INIT_DNS = "Set these DNS records:", "请设置以下 DNS 记录：";
    INIT_CHECK_DNS = "Whether the world has them: anser domain dns {} --check", "核对是否生效：anser domain dns {} --check";
    INIT_CERTIFICATE = "The certificate vouches for itself; put one from an authority in its place when you have it, no restart needed.", "证书为自签名；取得正式证书后直接替换文件即可，无需重启。";
    INIT_NEXT = "Start with: anser serve --config {}", "启动命令：anser serve --config {}";
    RUNS = "running since {}, process {}", "自 {} 起运行，进程 {}";
    STOPPED = "not running", "未运行";
    STATUS_ACCOUNTS = "{} accounts", "{} 个账号";
    STATUS_QUEUE = "queue: {} new, {} waiting, {} held", "队列：新 {}，等待 {}，暂停 {}";
    STATUS_SERVICE = "{} sessions, {} since the start, {} refused", "当前会话 {}，累计 {}，拒绝 {}";
    STATUS_CERTIFICATE = "given by {}, until {}, {} days", "签发者 {}，有效期至 {}，剩余 {} 天";
    CERTIFICATE_ENDING = "ends soon: it has to be renewed", "即将到期，请更新";
    CERTIFICATE_BAD = "is not good now: programs and servers refuse it", "当前无效，客户端和服务器会拒绝";
    CERTIFICATE_SELF_SIGNED = "vouches for itself: others do not trust it", "自签名，他人不信任";
    CERTIFICATE_FAILING = "no certificate for {}: {} (tried {} times, again at {})", "{} 未能获得证书：{}（已尝试 {} 次，下次 {}）";
    SWITCHED_OFF = "switched off", "已停用";
    DEFAULT_DOMAIN = "default", "默认";
    MUST_CHANGE = "must choose a new password", "须先修改密码";
    POP3_DAYS = "POP3 shows the last {} days", "POP3 只显示最近 {} 天";
    TRIED = "{} messages looked at, rules touch {}", "查看了 {} 封邮件，规则涉及 {} 封";
    JOB = "{}  {}  {}: {} of {} messages looked at, {} changed, {} skipped",
        "{}  {}  {}：已查看 {} 封（共 {} 封），更改 {} 封，跳过 {} 封";
    TRIED_PARTLY = "not all: the time was over, or some are too large", "未全部查看：已超时，或有邮件过大";
    NO_FORM = "this is no form: {}", "这不是规则表单：{}";
    NOT_UTF8 = "the file is not in UTF-8", "文件不是 UTF-8 编码";
    HELD = "held", "暂停";
    NOW = "being delivered", "正在投递";
    DUE = "due {}", "下次 {}";
}
