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
    LEFT_OUT = "{} left out", "跳过 {} 封";
    PEOPLE = "{} new, {} changed, {} as they were, {} refused", "新增 {}，变更 {}，未变 {}，拒绝 {}";
    PEOPLE_TRIAL = "nothing was done: {} new, {} changed, {} as they are, {} refused", "未作改动：将新增 {}，变更 {}，不变 {}，拒绝 {}";
    SCHEME = "{} passwords stored as {}", "{} 个密码以 {} 存储";
    SCHEME_WEAK = "{} passwords stored as {}: weak, replaced at the first login", "{} 个密码以 {} 存储：强度弱，首次登录后自动替换";
    LINES_REFUSED = "some lines were refused", "有些行被拒绝";
    SLIP = "{}\nAddress: {}\nFirst password: {}", "{}\n邮箱：{}\n初始密码：{}";
    SLIP_WEAK = "{}\nAddress: {}\nFirst password: {}\nOthers may guess it: change it at once.", "{}\n邮箱：{}\n初始密码：{}\n该密码易被猜到，请立即修改。";
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
    WATCHED = "{} of {} messages, {}, {}/s, about {} minutes left", "邮件 {} / {} 封，{}，{}/秒，约剩 {} 分钟";
    VISIT = "  ask how the users do: {}", "  回访用户：{}";
    RETURNED = "{}: {} messages, flags of {}, {} moved, {} new folders, {} removed, {} folders renamed, {} removed", "{}：邮件 {} 封，标志 {} 处，移动 {} 封，新文件夹 {} 个，删除 {} 封，文件夹改名 {} 个、删除 {} 个";
    REPORT_SIGNED = "as this server wrote it; its key is {}", "报告未被改动，由本服务器签名，公钥 {}";
    REPORT_OF_ANOTHER = "signed, but not by this server: {}", "报告的签名不是本服务器的：{}";
    REPORT_CHANGED = "this report is not signed, or it was changed", "该报告没有签名，或已被改动";
    UNEXPLAINED = "{} messages that nobody can explain", "{} 封邮件的差异无法解释";
    SOURCE_PLACE = "IMAP and POP3 want --host or a --profile of one server; the others want --path", "IMAP 与 POP3 需要 --host 或单一服务器的 --profile；其他来源需要 --path";
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

/// Help of commands, by their path below `anser`.
pub const COMMANDS: &[(&str, Line)] = &[
    ("", Line("A complete mail system in one program", "一个程序，一套完整的邮件系统")),
    (
        "init",
        Line(
            "Write boot file, keys, certificate and administrator of a new server",
            "为新服务器写入启动文件、密钥、证书和管理员",
        ),
    ),
    ("serve", Line("Run the server in the foreground", "在前台运行服务器")),
    ("dev", Line("Run a whole mail system on loopback with throw-away data", "在本机回环地址上运行整套试用系统")),
    ("domain", Line("Domains", "域名")),
    ("domain add", Line("Add a domain", "添加域名")),
    ("domain list", Line("List domains", "列出域名")),
    ("domain set", Line("Change what the options name", "修改选项所列的内容")),
    ("domain show", Line("Show a domain", "显示域名")),
    ("domain remove", Line("Remove a domain that nobody uses", "删除不再使用的域名")),
    (
        "domain dns",
        Line("The DNS records that a domain needs, and whether the world has them", "域名所需的 DNS 记录，并可核对"),
    ),
    (
        "domain front-door",
        Line(
            "Logins that only an old server knows yet: checked there, and learnt",
            "尚只有旧服务器知道的密码：到旧服务器验证并学习",
        ),
    ),
    ("domain front-door open", Line("Check a domain's logins at its old server", "到旧服务器验证某域名的登录")),
    ("domain front-door list", Line("List front doors", "列出设置")),
    ("domain front-door close", Line("Logins are ours alone again", "停止到旧服务器验证")),
    ("domain dkim", Line("Keys that sign a domain's mail", "域名的 DKIM 签名密钥")),
    ("domain dkim add", Line("Make a pair of keys", "创建一对密钥")),
    ("domain dkim list", Line("List keys with their records", "列出密钥及其记录")),
    (
        "domain dkim rotate",
        Line("Make new keys; once they are published, again to use them", "创建新密钥；发布后再次执行即启用"),
    ),
    ("domain dkim remove", Line("Remove a key", "删除密钥")),
    ("account", Line("Accounts", "账号")),
    ("account add", Line("Add accounts", "添加账号")),
    ("account list", Line("List accounts", "列出账号")),
    ("account show", Line("Show an account", "显示账号")),
    ("account password", Line("Set a password", "设置密码")),
    ("account set", Line("Change what the options name", "修改选项所列的内容")),
    ("account import", Line("Bring people in from what an old system exports", "从旧系统导出的文件导入人员")),
    ("account suspend", Line("Suspend an account: nobody logs in", "停用账号：无法登录")),
    ("account restore", Line("Make a suspended or removed account active again", "恢复停用或删除的账号")),
    ("account remove", Line("Remove an account; it can be restored until it is purged", "删除账号；彻底清除前可恢复")),
    ("account purge", Line("Forget a removed account and its mail for good", "彻底清除已删除的账号及其邮件")),
    ("account send-as", Line("Addresses that an account may write as, besides its own", "账号可使用的其他发件地址")),
    ("account send-as add", Line("Let an account write as another address", "允许以其他地址发信")),
    ("account send-as list", Line("List such addresses", "列出这些地址")),
    ("account send-as remove", Line("Take that right back", "收回该权限")),
    ("account app-password", Line("App passwords", "应用专用密码")),
    ("account app-password add", Line("Make an app password", "创建应用专用密码")),
    ("account app-password list", Line("List app passwords", "列出应用专用密码")),
    ("account app-password revoke", Line("Make an app password worthless", "作废应用专用密码")),
    ("account token", Line("Tokens for OAUTHBEARER and XOAUTH2", "用于 OAUTHBEARER 和 XOAUTH2 的令牌")),
    ("account token add", Line("Make a token", "创建令牌")),
    ("account token list", Line("List tokens", "列出令牌")),
    ("account token remove", Line("Make a token worthless", "作废令牌")),
    ("alias", Line("Aliases", "别名")),
    ("alias add", Line("Add an alias", "添加别名")),
    ("alias list", Line("List aliases", "列出别名")),
    ("alias remove", Line("Remove an alias", "删除别名")),
    ("group", Line("Groups", "群组")),
    ("group add", Line("Add a group", "添加群组")),
    ("group list", Line("List groups", "列出群组")),
    ("group show", Line("Show a group with its members", "显示群组及成员")),
    ("group remove", Line("Remove a group", "删除群组")),
    ("group join", Line("Add members", "添加成员")),
    ("group leave", Line("Take members out", "移出成员")),
    ("import", Line("Take mail in from files", "从文件导入邮件")),
    ("export", Line("Write mail to files", "将邮件导出为文件")),
    ("route", Line("Where mail goes whose mailbox is not here", "邮箱不在本机的邮件的去向")),
    ("route add", Line("Set a route", "设置路由")),
    ("route list", Line("List routes", "列出路由")),
    ("route remove", Line("Remove a route", "删除路由")),
    ("route address", Line("Addresses that domains of --accept list have", "--accept list 域名所拥有的地址")),
    (
        "route address add",
        Line("Add addresses; without any they come from standard input", "添加地址；不填则从标准输入读取"),
    ),
    ("route address list", Line("List addresses", "列出地址")),
    (
        "route address remove",
        Line("Remove addresses; without any they come from standard input", "删除地址；不填则从标准输入读取"),
    ),
    (
        "sign-in",
        Line(
            "How people sign in: sessions, second factors, programs with grants",
            "登录方式：会话、两步验证、第三方程序授权",
        ),
    ),
    ("sign-in sessions", Line("List an account's sessions on our pages", "列出账号的网页会话")),
    ("sign-in end", Line("End one session of an account, or all", "结束账号的一个或全部会话")),
    ("sign-in second-factor", Line("Show an account's second factor", "查看账号的两步验证")),
    ("sign-in reset", Line("Take an account's second factor away", "清除账号的两步验证")),
    ("sign-in require", Line("Require a second factor", "要求使用两步验证")),
    ("sign-in free", Line("Do not require a second factor any more", "不再要求两步验证")),
    ("sign-in required", Line("List where a second factor is required", "列出要求两步验证的范围")),
    ("sign-in portal", Line("Portals that vouch for people who are signed in there", "可为已登录用户担保的门户系统")),
    ("sign-in portal add", Line("Register a portal", "登记门户")),
    ("sign-in portal list", Line("List portals", "列出门户")),
    ("sign-in portal remove", Line("Remove a portal", "删除门户")),
    (
        "sign-in rules",
        Line("How long sessions last, what passwords are like, which doors there are", "会话时长、密码要求和可用入口"),
    ),
    (
        "sign-in rules set",
        Line(
            "Set rules of a domain, or * for everybody; what is not named stays",
            "设置域名或 *（所有人）的规则；未写的不变",
        ),
    ),
    ("sign-in rules list", Line("List rules", "列出规则")),
    ("sign-in rules remove", Line("Remove the rules of a domain, or *", "删除域名或 * 的规则")),
    (
        "sign-in provider",
        Line("Providers that tell who somebody is: OpenID Connect, CAS", "统一身份认证提供方：OpenID Connect、CAS"),
    ),
    ("sign-in provider add", Line("Register a provider", "登记提供方")),
    ("sign-in provider list", Line("List providers", "列出提供方")),
    ("sign-in provider remove", Line("Remove a provider and its links", "删除提供方及其关联")),
    ("sign-in provider link", Line("Say whose account somebody is there", "将提供方的人员关联到账号")),
    ("sign-in provider unlink", Line("Take a link back", "取消关联")),
    (
        "sign-in client",
        Line("Programs that may ask owners for grants (OAuth 2.0)", "可向用户请求授权的程序（OAuth 2.0）"),
    ),
    ("sign-in client add", Line("Register a program", "登记程序")),
    ("sign-in client list", Line("List programs", "列出程序")),
    ("sign-in client remove", Line("Remove a program and all its grants", "删除程序及其全部授权")),
    ("sending", Line("How much accounts may send, and accounts in wrong hands", "外发限额与疑似被盗账号")),
    ("sending limit", Line("Set limits; what is not named stays", "设置限额；未写的不变")),
    ("sending limits", Line("List limits", "列出限额")),
    ("sending forget", Line("Remove limits", "删除限额")),
    ("sending held", Line("List accounts whose mail to others is held", "列出外发邮件被暂停的账号")),
    ("sending hold", Line("Hold an account's mail to others", "暂停账号的外发邮件")),
    ("sending release", Line("Let an account send again", "恢复账号的外发")),
    (
        "reports",
        Line(
            "What other servers report: who sends in our name, and how encrypted mail comes to us; ? is what nobody vouches for",
            "其他服务器的报告：谁在以我们的名义发信、来信加密是否正常；? 表示未经验证",
        ),
    ),
    ("queue", Line("Mail under way", "邮件队列")),
    ("queue list", Line("List entries", "列出条目")),
    ("queue show", Line("Show an entry", "显示条目")),
    ("queue retry", Line("Attempt entries now", "立即重试")),
    ("queue hold", Line("Keep entries from being attempted", "暂停投递")),
    ("queue release", Line("Let held entries go on", "解除暂停")),
    ("queue reroute", Line("Send entries another way, now", "让条目改走另一去向，并立即重试")),
    ("queue remove", Line("Remove entries without a report", "删除条目，不发退信")),
    ("move", Line("Organisations that move in from old servers", "从旧服务器迁入")),
    ("move list", Line("List moves", "列出迁移项目")),
    ("move plan", Line("Make a move with an old server, or change that", "建立迁移项目及其旧服务器，或修改")),
    (
        "move accounts",
        Line(
            "List the logins of a move, or add them from standard input: LOGIN, address and password, separated by tabs",
            "列出迁移账号，或从标准输入逐行添加：旧登录名、新地址、密码，以制表符分隔",
        ),
    ),
    (
        "move consent",
        Line(
            "Open mailboxes by OAuth 2.0: owners type a code, or a token comes from standard input",
            "以 OAuth 2.0 打开邮箱：由用户输入代码授权，或从标准输入提供令牌",
        ),
    ),
    ("move check", Line("Try every login once", "逐一验证登录")),
    ("move trial", Line("Bring a few messages of each folder", "试迁：每个文件夹迁移少量邮件")),
    ("move start", Line("Begin to bring everything", "开始迁移全部邮件")),
    ("move pause", Line("Stop at the next batch", "暂停")),
    ("move resume", Line("Go on", "继续")),
    ("move retry", Line("Work again on what failed", "重试失败的账号")),
    ("move delta", Line("Bring what came and what changed since", "增量迁移")),
    ("move survey", Line("Look at the old servers, the mailboxes and the DNS", "调查旧服务器、各邮箱和 DNS")),
    (
        "move cutover",
        Line(
            "Cut over: a last pass, then mailboxes live here; without addresses only when the gates are passed",
            "切换：最后一轮迁移后邮箱在此使用；不指定地址时须通过各关卡",
        ),
    ),
    (
        "move abandon",
        Line("Take mailboxes out of a move; what was brought stays here", "将邮箱移出迁移；已迁入的邮件保留在此处"),
    ),
    ("move rollback", Line("Give the old server what is new here", "回退：将新邮件、标志和文件夹送回旧服务器")),
    ("move verify", Line("Hold the old server against what is here, message by message", "逐封核对新旧两侧")),
    ("move report", Line("The newest proofs as a file", "导出最近一次核对结果")),
    ("move status", Line("How each mailbox stands", "各账号的进度")),
    (
        "sieve",
        Line("Mail rules: Sieve scripts of accounts, domains and the house", "邮件规则：账号、域名和全局的 Sieve 脚本"),
    ),
    ("sieve list", Line("List scripts", "列出脚本")),
    ("sieve show", Line("Show a script, or the active one", "显示脚本；不填名称则显示正在使用的")),
    ("sieve put", Line("Store a script that compiles", "存入可编译的脚本")),
    ("sieve activate", Line("Say where a script runs", "设置脚本的运行位置")),
    ("sieve remove", Line("Remove a script", "删除脚本")),
    ("sieve check", Line("Compile a script and store nothing", "只编译检查，不保存")),
    (
        "sieve form",
        Line("Show the active script as a form in JSON, or put one", "以 JSON 表单显示正在使用的脚本，或写入表单"),
    ),
    (
        "sieve try",
        Line("Show what rules would do to stored mail; nothing is changed", "显示规则对现有邮件的效果，不作改动"),
    ),
    (
        "sieve apply",
        Line(
            "Start a job that does to stored mail what rules say; nothing is sent",
            "启动任务，对现有邮件执行规则；不会发出邮件",
        ),
    ),
    ("sieve job", Line("Show how far the account's job is, or what the last one did", "显示账号任务的进度或上次结果")),
    ("sieve cancel", Line("End the account's job; what it did stays", "取消账号的任务；已做的改动保留")),
    ("trace", Line("The life of a message", "追踪邮件")),
    ("check", Line("Verify everything that is stored", "校验全部存储数据")),
    ("backup", Line("Copy everything into a new folder, while the server runs", "在线备份到新文件夹")),
    (
        "restore",
        Line(
            "Bring a backup back: all of it into an empty server, or one account; with the server stopped",
            "恢复备份：整体恢复到空服务器，或恢复单个账号；须先停止服务器",
        ),
    ),
    ("sweep", Line("Delete bodies that nothing refers to", "删除无引用的正文")),
    ("reload", Line("Read the certificates again", "重新读取证书")),
    ("status", Line("How things stand", "运行状况")),
];

/// Help of arguments, by their id, the same in every command.
pub const ARGUMENTS: &[(&str, Line)] = &[
    ("config", Line("Boot file", "启动文件")),
    (
        "dir",
        Line("Folder of the server: its boot file is anser.toml in it", "服务器文件夹，其中的 anser.toml 为启动文件"),
    ),
    ("json", Line("Print JSON", "输出 JSON")),
    ("hostname", Line("Name of this server: mail.example.org", "本服务器名称，如 mail.example.org")),
    ("domain", Line("Domain", "域名")),
    ("user", Line("User to run as", "运行所用的系统用户")),
    ("port_offset", Line("Added to every standard port", "加到每个标准端口上的偏移")),
    ("smarthost", Line("HOST:PORT that takes mail for other domains", "接收外域邮件的 HOST:PORT")),
    ("dns", Line("HOST:PORT of a name server", "域名服务器 HOST:PORT")),
    ("outward_port", Line("port of other mail servers, in a test world", "测试环境中其他邮件服务器的端口")),
    ("engine", Line("embedded, or postgres followed by its URL", "embedded，或 postgres 加 URL")),
    ("session", Line("Number of the session; all without it", "会话编号；省略则为全部")),
    ("portal", Line("Name of the portal", "门户名称")),
    (
        "public_key",
        Line(
            "Its Ed25519 key, base64url; without it a secret is made",
            "门户的 Ed25519 公钥（base64url）；省略则生成密钥",
        ),
    ),
    ("vouches_for", Line("A domain, or * for everybody", "域名，或 * 表示所有人")),
    ("idle", Line("Minutes that a session lasts without a request", "会话无请求时保持的分钟数")),
    ("longest", Line("Hours that a session lasts at most", "会话最长的小时数")),
    ("password_length", Line("Characters of a new password at least", "新密码的最小长度")),
    (
        "password_kinds",
        Line(
            "Kinds of characters in it at least: small, large, digits, others",
            "新密码至少包含的字符种类：小写、大写、数字、其他",
        ),
    ),
    (
        "doors",
        Line(
            "The doors that are there: imap,pop3,submission,managesieve,web",
            "可用的入口：imap,pop3,submission,managesieve,web",
        ),
    ),
    ("provider", Line("Name of the provider", "提供方名称")),
    ("speaks_for", Line("Whose people it tells of: a domain, or * for everybody", "负责的域名，或 * 表示所有人")),
    ("provider_url", Line("Issuer, or what stands before /login of CAS", "Issuer，或 CAS 中 /login 之前的地址")),
    ("provider_kind", Line("What it speaks", "协议")),
    ("provider_name", Line("Its name on the login page", "登录页上显示的名称")),
    ("provider_client", Line("client_id that it gave us", "提供方分配的 client_id")),
    ("secret_stdin", Line("Read the client's secret from standard input", "从标准输入读取 client 密钥")),
    (
        "claim",
        Line(
            "Claim or attribute that names somebody; email, or the user of CAS without it",
            "标识人员的声明或属性；省略则为 email 或 CAS 用户名",
        ),
    ),
    (
        "names",
        Line(
            "What that is here: an address, a user name of the domain, or linked to accounts",
            "其含义：邮箱地址、域内用户名，或关联到账号",
        ),
    ),
    ("no_login_password", Line("The own password does not open the login page any more", "不再允许用本地密码登录网页")),
    ("no_second_factor", Line("The second factor is not asked for after it", "通过后不再要求两步验证")),
    ("person", Line("What the provider calls them", "提供方对该人员的标识")),
    ("client", Line("client_id of the program", "程序的 client_id")),
    ("redirect", Line("Where it is sent back to; may be repeated", "回调地址，可多次给出")),
    ("confidential", Line("It keeps a secret, which is shown once", "程序保管密钥，密钥只显示一次")),
    ("name", Line("Name", "名称")),
    (
        "files",
        Line(
            "Files: CSV, LDIF, passwd and shadow, Dovecot passwd-file, SQL dump",
            "文件：CSV、LDIF、passwd 与 shadow、Dovecot passwd-file、SQL 转储",
        ),
    ),
    ("file_format", Line("How the files are written; guessed without", "文件格式；不填则自动识别")),
    ("dry_run", Line("Only say what would be done with each line", "只显示每行将如何处理，不作改动")),
    ("add_domains", Line("Add the domains that people are in", "自动添加人员所在的域名")),
    (
        "passwords",
        Line(
            "Who lacks a password gets a random one; formula: end of the identity card and name, weak; none: nothing yet",
            "没有密码的人：random 随机生成；formula 身份证号后六位加用户名（弱）；none 暂不设置",
        ),
    ),
    ("keep_passwords", Line("First passwords need not be changed", "初始密码不强制修改")),
    (
        "slips",
        Line(
            "Write slips with first passwords to new files of this name, .txt and .csv",
            "将初始密码条写入该名称的 .txt 和 .csv 新文件",
        ),
    ),
    ("old_host", Line("The old server", "旧服务器")),
    ("old_port", Line("Its port; the standard one without", "端口；不填则用标准端口")),
    ("protocol", Line("What it speaks", "协议")),
    (
        "old_tls",
        Line("How the way to it is protected; -any takes every certificate", "连接的加密方式；-any 接受任何证书"),
    ),
    ("bare_user", Line("Log in as USER there, rather than as USER@DOMAIN", "以用户名登录旧服务器，而非完整地址")),
    (
        "report_kind",
        Line(
            "Only mail in our name (dmarc) or only encryption (tls)",
            "只看以我方名义的邮件（dmarc）或加密情况（tls）",
        ),
    ),
    ("report_days", Line("About the last so many days", "最近多少天")),
    ("each", Line("Report by report, rather than in sum", "逐份列出报告，而非汇总")),
    ("days", Line("For how many days", "有效天数")),
    ("tries", Line("Wrong passwords of one name that go there within a day", "每个用户每天最多转去验证的错误密码次数")),
    (
        "create",
        Line(
            "Make accounts of names like this, such as stu*, when the old server knows them; needs --most",
            "旧服务器认可的此类用户名（如 stu*）自动创建账号；须配合 --most",
        ),
    ),
    ("most", Line("How many accounts may be made so", "最多自动创建的账号数")),
    ("disabled", Line("Whether it is switched off: no mail, no logins", "是否停用：不收信、不能登录")),
    ("catch_all", Line("Gets what nobody in the domain has; none for nobody", "接收无人认领邮件的地址；none 表示没有")),
    (
        "postmaster",
        Line("Reads postmaster@ the domain; none for the administrator", "读取 postmaster@ 的地址；none 表示管理员"),
    ),
    ("default", Line("Login names without a domain are sought in this one", "不带域名的登录名在此域名中查找")),
    ("other", Line("The other address", "另一个地址")),
    ("alias_of", Line("The domain whose addresses it repeats", "作为该域名的别名")),
    ("address", Line("Address", "地址")),
    ("addresses", Line("Addresses", "地址")),
    ("target", Line("Where it leads", "指向的地址")),
    ("members", Line("Members", "成员")),
    ("password_stdin", Line("Read the password from standard input", "从标准输入读取密码")),
    ("no_password", Line("No password: nothing opens the account until one is set", "不设密码：设置前无法登录")),
    (
        "stdin_list",
        Line(
            "Read accounts from standard input, a line each: ADDRESS [NAME]; with --password-stdin the first line is the password",
            "从标准输入逐行读取账号：地址 [姓名]；与 --password-stdin 合用时首行为密码",
        ),
    ),
    ("shared", Line("Nobody's own: its mailboxes show below Shared/", "公共账号：其文件夹显示在 Shared/ 之下")),
    ("quota", Line("Room: 500MB, 5GiB, 0 for no limit", "配额：500MB、5GiB，0 表示不限")),
    ("role", Line("none, system, organisation, audit", "none、system、organisation、audit")),
    ("services", Line("Services that are on, separated by commas", "启用的服务，以逗号分隔")),
    ("expires", Line("Days that it is good for; without it there is no end", "有效天数；不填则永久有效")),
    (
        "pop3_days",
        Line(
            "POP3 shows the inbox of the last so many days; 0 for all of it",
            "POP3 只显示最近若干天的收件箱；0 表示全部",
        ),
    ),
    ("must_change", Line("Whether the owner must choose a new password first", "用户是否须先修改密码")),
    ("locale", Line("Language: zh or en", "语言：zh 或 en")),
    (
        "time_zone",
        Line(
            "Where the owner lives, such as Asia/Shanghai; empty for the zone of the language",
            "用户所在时区，例如 Asia/Shanghai；留空则随语言而定",
        ),
    ),
    ("state", Line("active, suspended, removed", "active、suspended、removed")),
    ("text", Line("Text in address or name", "地址或姓名中的文字")),
    ("path", Line("File or folder", "文件或文件夹")),
    ("account", Line("Account", "账号")),
    ("folder", Line("Mailbox", "邮件文件夹")),
    (
        "pattern",
        Line(
            "ann@example.org, example.org, *.example.org for the domains below it, or *",
            "ann@example.org、example.org、*.example.org（其下级域名）或 *",
        ),
    ),
    (
        "way",
        Line(
            "HOST:PORT, mx for the domain's own servers, mx=DOMAIN for another's, hold, discard",
            "HOST:PORT、mx（该域自己的服务器）、mx=域名（另一域的服务器）、hold 暂停、discard 丢弃",
        ),
    ),
    ("tls", Line("How the connection is protected", "连接的加密方式")),
    ("login", Line("User name at that server", "在该服务器上的用户名")),
    (
        "accept",
        Line(
            "Take the domain's mail from everybody; who knows its addresses: all, list, or callout to ask the server",
            "接收外界发往该域的邮件；地址的核对方式：all 不核对、list 按列表、callout 向服务器查询",
        ),
    ),
    ("accept_when_down", Line("Take unknown addresses while the server cannot be asked", "无法查询服务器时也接收")),
    (
        "hours",
        Line(
            "Only at these hours, UTC: 22:00-06:00, or 22:00-06:00+08:00",
            "仅在这些时段，UTC：22:00-06:00，或 22:00-06:00+08:00",
        ),
    ),
    (
        "scope",
        Line(
            "An account, a group, a domain or * for each account in it; @example.org for a whole domain together",
            "账号、群组、域名或 *（其中每个账号）；@example.org 为整个域名合计",
        ),
    ),
    ("per_hour", Line("Recipients elsewhere in an hour", "每小时外部收件人数")),
    ("per_day", Line("Recipients elsewhere in a day", "每天外部收件人数")),
    ("new_per_day", Line("Of them such that were never written to, in a day", "其中每天首次通信的收件人数")),
    ("sender", Line("Text in the sender", "发件人中的文字")),
    ("recipient", Line("Text in a recipient that waits", "等待中的收件人里的文字")),
    ("why", Line("Text in what the last attempt brought", "最近一次投递结果中的文字")),
    ("older", Line("Accepted longer ago: 30m, 4h, 2d", "接收已超过：30m、4h、2d")),
    ("newer", Line("Accepted since: 30m, 4h, 2d", "接收不超过：30m、4h、2d")),
    (
        "to",
        Line("HOST:PORT, mx, mx=DOMAIN, or usual for what the routes say", "HOST:PORT、mx、mx=域名，或 usual 按路由"),
    ),
    ("held", Line("Only held ones", "仅暂停的")),
    ("all", Line("All", "全部")),
    ("entry", Line("Number of the entry", "条目编号")),
    ("entries", Line("Numbers of entries", "条目编号")),
    ("query", Line("Message-ID, address or entry number", "Message-ID、地址或条目编号")),
    ("limit", Line("Events at most", "最多事件数")),
    ("repair", Line("Mend what can be mended", "修复可修复的问题")),
    ("quick", Line("Look for bodies without reading them", "只检查正文是否存在，不逐一读取")),
    ("whose", Line("An address, a domain, or house", "邮箱地址、域名或 house（全局）")),
    ("script_name", Line("Name of the script", "脚本名称")),
    ("file", Line("File; standard input without it", "文件；不填则读标准输入")),
    (
        "place",
        Line(
            "active for an account; before, after for a domain or the house; off",
            "账号用 active；域名或全局用 before、after；off 停用",
        ),
    ),
    ("put", Line("File with the form, - for standard input", "表单文件，- 为标准输入")),
    ("last", Line("The newest so many messages", "最近多少封邮件")),
    ("newest", Line("The newest so many messages; all without it", "最近多少封邮件；不填则为全部")),
    ("wait_job", Line("Answer when the job has ended", "等任务结束后再返回")),
    (
        "script",
        Line("A script that runs alone, in place of those that are stored", "单独试运行的脚本文件，代替已存的脚本"),
    ),
    ("id", Line("Number", "编号")),
    ("check", Line("Compare with what the world answers", "与外界实际查询结果核对")),
    ("format", Line("html or csv", "html 或 csv")),
    ("project", Line("Name of the move", "迁移项目名称")),
    ("source", Line("Name of the old server within the move", "旧服务器在项目中的名称")),
    ("stdin", Line("Read logins from standard input", "从标准输入读取登录信息")),
    ("host", Line("Host of the old server", "旧服务器主机")),
    ("port", Line("Its port", "旧服务器端口")),
    (
        "tls",
        Line(
            "implicit, starttls; implicit-any, starttls-any with whatever certificate; none: passwords can be read on the way",
            "implicit、starttls；implicit-any、starttls-any 不验证证书；none 不加密，密码可能被窃听",
        ),
    ),
    (
        "source_kind",
        Line("What the old server speaks, or its mail lies in", "旧服务器使用的协议，或邮件所在文件的格式"),
    ),
    (
        "source_path",
        Line(
            "Where the files are: %u is the login, %n and %d its parts",
            "文件所在路径：%u 为登录名，%n 与 %d 为其两部分",
        ),
    ),
    (
        "profile",
        Line(
            "Provider or kind of server; found out by its host where it is well known",
            "服务商或服务器类型；常见服务商可由主机名识别",
        ),
    ),
    (
        "connections",
        Line(
            "Mailboxes that are worked on at once; as the profile says, else 2",
            "同时迁移的账号数；默认按类型设定，否则为 2",
        ),
    ),
    ("oauth_client", Line("The program's id at the provider", "在服务商处登记的应用 ID")),
    ("oauth_tenant", Line("The organisation's id at the provider", "组织在服务商处的 ID")),
    (
        "oauth_way",
        Line(
            "code: owners type one; refresh: a refresh token; application: the program's own secret",
            "code：用户输入代码；refresh：刷新令牌；application：应用自身的密钥",
        ),
    ),
    (
        "pass_through",
        Line(
            "until-cutover, until-ready: sessions of mailboxes that are not here yet go to the old server; off",
            "until-cutover、until-ready：尚未迁入的邮箱，其会话转接到旧服务器；off 关闭",
        ),
    ),
    (
        "old_relay",
        Line(
            "The old server's SMTP: mail for these mailboxes goes there; empty for none",
            "旧服务器的 SMTP，未迁入邮箱的新邮件转到那里；留空则不转",
        ),
    ),
    ("gates_check", Line("Only tell how the gates stand", "只显示各关卡状态")),
    ("noticed", Line("The users know when it will be", "已通知用户")),
    (
        "gates_accept",
        Line(
            "A gate that is taken for passed: accounts, proof, ttl, notice, mx, late",
            "接受某一关卡：accounts、proof、ttl、notice、mx、late",
        ),
    ),
    ("level", Line("2: every body is read; 1: a sample of them", "2：读取所有正文；1：抽样读取")),
    ("move_watch", Line("Follow it until nothing is under way", "持续显示进度，直到全部完成")),
    (
        "move_close",
        Line(
            "End the move: no late mail is looked for, passwords are forgotten",
            "结束迁移：不再检查迟到邮件，清除旧密码",
        ),
    ),
    ("rollback_dry_run", Line("Only tell what the way back would bring", "只显示回退内容，不作改动")),
    ("report_documents", Line("Write the documents of the move into this folder", "将迁移文档写入此目录")),
    ("survey_form", Line("Fill the survey form in from this file", "由此文件填写调查表")),
    ("survey_answer", Line("One answer of the survey form", "填写调查表的一项")),
    ("survey_blank", Line("An empty survey form, to be filled in", "输出空白调查表")),
    ("report_check", Line("Whether this report is as the server wrote it", "检查报告是否被改动")),
    ("wait", Line("Wait until nothing is under way", "等待全部完成")),
    ("abandon_all", Line("Everybody, where nobody is named", "未指定邮箱时为全部邮箱")),
    ("losses_are_meant", Line("What is missing was meant to go", "减少的邮件属正常删除")),
    ("selector", Line("Name of the key", "密钥的选择器")),
];
