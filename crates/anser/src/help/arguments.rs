//! Help of arguments.

use crate::text::Line;

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
    (
        "tokens",
        Line(
            "URL of a provider that lets localhost's mailboxes be opened, in a test world",
            "测试环境中为 localhost 邮箱授权的服务商 URL",
        ),
    ),
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
    (
        "layout",
        Line(
            "paper: the form beside geese; card: a card on the colour; beside: half of the page in the colour",
            "paper：纸面与雁；card：色底卡片；beside：半页着色",
        ),
    ),
    ("colour", Line("Colour of the house, #rrggbb", "主色，#rrggbb")),
    ("house_name", Line("What the page calls the house", "页面上显示的单位名称")),
    ("house_name_en", Line("The same for readers of English", "英文名称")),
    ("house_line", Line("What stands below, such as whom to call for help", "名称下的一行文字，如服务电话")),
    ("house_line_en", Line("The same for readers of English", "该行文字的英文")),
    (
        "logo",
        Line("PNG, JPEG, WebP, GIF or SVG of at most 16 KiB", "徽标文件：PNG、JPEG、WebP、GIF 或 SVG，最大 16 KiB"),
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
    (
        "old_target",
        Line(
            "LDAP: the name to bind as, with {login} in it; HTTP: the path that is asked",
            "LDAP：绑定名称，其中含 {login}；HTTP：接口路径",
        ),
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
            "Only at these hours, UTC: 22:00-06:00, or 22:00-06:00+08:00; empty for all day",
            "仅在这些时段，UTC：22:00-06:00，或 22:00-06:00+08:00；空为全天",
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
    ("format", Line("html, csv, json or pdf", "html、csv、json 或 pdf")),
    ("admin_token", Line("Name of the token; the journal knows who acts by it", "令牌名称，日志据此记录操作者")),
    ("admin_scope", Line("What it opens: moves:read, moves:write", "权限范围：moves:read、moves:write")),
    (
        "old_addresses",
        Line(
            "Make the old addresses of those that are listed aliases here, and answer as them",
            "将已列出账号的旧地址设为别名，并可用旧地址回复",
        ),
    ),
    ("old_domain", Line("The domain of logins that have none", "没有域名的登录名所属的域名")),
    ("old_dry_run", Line("Only say what would be done", "只显示将要执行的操作")),
    ("admin_move", Line("The only move that it opens", "只能操作这一个迁移项目")),
    ("admin_days", Line("How many days it is good for", "有效天数")),
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
            "Mailboxes that are worked on at once, at most; as the profile says, else 10. How many are is learned, from 2 on",
            "同时迁移的账号数上限；默认按类型设定，否则为 10。实际数量从 2 开始自动调整",
        ),
    ),
    ("oauth_client", Line("The program's id at the provider", "在服务商处登记的应用 ID")),
    ("oauth_tenant", Line("The organisation's id at the provider", "组织在服务商处的 ID")),
    (
        "oauth_endpoint",
        Line(
            "Where tokens are given, when it is not where the profile says",
            "获取令牌的地址，用于与配置模板不同的情况",
        ),
    ),
    (
        "oauth_way",
        Line(
            "code: owners type one; refresh: a refresh token; application: the program's own secret",
            "code：用户输入代码；refresh：刷新令牌；application：应用自身的密钥",
        ),
    ),
    (
        "source_admin",
        Line(
            "Who may log in at the old server for everybody there; empty for nobody any more",
            "可在旧服务器代理登录全部账号的管理员；留空则取消",
        ),
    ),
    (
        "admin_form",
        Line(
            "How that is said: authzid, or a name with login and admin in it, such as login*admin",
            "代理登录的形式：authzid，或含 login 和 admin 的用户名形式，例如 login*admin",
        ),
    ),
    ("admin_password_stdin", Line("Read their password from standard input", "从标准输入读取其密码")),
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
    ("gates_accept", Line("A gate taken for passed: GATE or GATE=WHY", "接受某一关卡：关卡 或 关卡=原因")),
    ("level", Line("2: every body is read; 1: a sample of them", "2：读取所有正文；1：抽样读取")),
    ("undo_all", Line("Everybody, where nobody is named", "未指定邮箱时为全部邮箱")),
    ("undo_yes", Line("Do it", "执行")),
    ("move_wave", Line("Only mailboxes of this wave", "仅该批次的邮箱")),
    ("move_state", Line("Only mailboxes in this state, as status shows it", "仅处于该状态的邮箱，见 status")),
    (
        "move_trouble",
        Line(
            "Only mailboxes with trouble of this class: wrong, locked, question, old-server, this-server, full, hours, budget, failed …",
            "仅出现该类问题的邮箱：wrong、locked、question、old-server、this-server、full、hours、budget、failed 等",
        ),
    ),
    ("accounts_wave", Line("The wave that they belong to", "归入该批次")),
    ("wave_name", Line("Name of the wave", "批次名称")),
    ("wave_stdin", Line("Read addresses from standard input", "从标准输入读取地址")),
    ("wave_out", Line("Take them out of the wave", "移出该批次")),
    ("wave_remove", Line("Forget the wave; its mailboxes stay, in none", "删除该批次；其中邮箱保留，不属于任何批次")),
    (
        "skip_deleted",
        Line(
            "Leave out messages that are marked as deleted there; =false brings them again",
            "不迁移旧服务器上已标记为删除的邮件；=false 恢复迁移",
        ),
    ),
    (
        "shared",
        Line(
            "Mailbox that takes the folders which many share, by its address here or its login there; \"\" for none",
            "接收共享文件夹的邮箱，写此处的地址或旧登录名；\"\" 为不迁入",
        ),
    ),
    (
        "bytes_per_day",
        Line(
            "Bytes that are asked for in one day (UTC), as 2500MB; 0 for any",
            "每天（UTC）最多读取的数据量，如 2500MB；0 为不限",
        ),
    ),
    (
        "keep_secrets",
        Line(
            "Forget passwords of old servers in so many days, 365 at the most; 0: at once those that are known, later ones \
             as with unused; unused: 90 days after they were last used",
            "若干天后删除旧服务器的密码，最多 365 天；0 为立即删除现有密码，之后得到的按 unused 处理；unused 为最后一次使用 90 天后",
        ),
    ),
    ("move_watch", Line("Follow it until nothing is under way", "持续显示进度，直到全部完成")),
    (
        "move_close",
        Line(
            "End the move: no late mail is looked for, passwords are forgotten",
            "结束迁移：不再检查迟到邮件，清除旧密码",
        ),
    ),
    (
        "move_probe",
        Line(
            "Send a letter into each domain by its MX and one out of it, and tell what became of them; addresses name the mailboxes",
            "按 MX 向每个域名发一封测试邮件，再由其向外发一封，并说明结果；可用地址指定测试邮箱",
        ),
    ),
    (
        "export_move",
        Line(
            "Of each mailbox of this move, or of those that are named, into a folder or tar file of its own",
            "导出该迁移的全部邮箱（或所列地址），每个邮箱一个目录或压缩包",
        ),
    ),
    ("ticket_open", Line("Open a ticket about this", "新建工单，填写内容")),
    ("ticket_close", Line("Close the ticket of this number", "结案此编号的工单")),
    ("ticket_answer", Line("What was done about it", "处理结果")),
    (
        "import_move",
        Line(
            "The move whose survey form the totals are held against, and which remembers what the files say",
            "与此迁移的调查表核对总数，并记入该迁移",
        ),
    ),
    ("notify_success", Line("To users whose mailboxes were cut over", "发给已切换的用户：迁移完成")),
    ("notify_reminder", Line("To users who have not logged in here", "发给尚未在此登录的用户")),
    ("notify_dry_run", Line("Only tell who would get it", "只列出将要通知的人")),
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
