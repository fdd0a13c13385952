//! The texts of answers in Chinese, for LANGUAGE (RFC 5255 §3). They are written in English where they are said; errors of the house
//! bring both languages themselves.

use std::borrow::Cow;

use anser_base::Language;

/// A text in a language; as it is when nobody translated it.
pub(crate) fn say(language: Language, en: &str) -> Cow<'_, str> {
    if language != Language::Chinese {
        return Cow::Borrowed(en);
    }
    let found = TABLE.iter().find(|(known, _)| *known == en);
    Cow::Borrowed(found.map_or(en, |(_, zh)| *zh))
}

#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    // NOTIFY.
    ("That is too much to follow", "关注的账号过多"),
    ("There are too many mailboxes", "文件夹过多"),
    ("There is no such event", "没有这种事件"),
    ("NOTIFY wants SET or NONE", "NOTIFY 需要 SET 或 NONE"),
    ("SELECTED may stand only once", "SELECTED 只能出现一次"),
    ("A group of events is wanted", "需要一组事件"),
    ("A group of events does not end", "事件组没有结束"),
    ("Unknown mailbox filter", "未知的文件夹筛选"),
    ("MessageNew and MessageExpunge come together, FlagChange with both", "MessageNew 与 MessageExpunge 须同时出现，FlagChange 须与二者一起"),
    ("The selected mailbox has events of messages only", "所选文件夹只有邮件事件"),
    ("Only of the selected mailbox messages are fetched", "只取所选文件夹的邮件"),
    // Good ends.
    ("Appended", "已追加"),
    ("Begin TLS negotiation now", "请开始 TLS 协商"),
    ("Compression begins", "压缩开始"),
    ("Copied", "已复制"),
    ("Created", "已创建"),
    ("Deleted", "已删除"),
    ("Done", "完成"),
    ("Language changed", "语言已切换"),
    ("Logged in", "已登录"),
    ("Logging out", "再见"),
    ("No messages copied", "没有复制邮件"),
    ("No messages moved", "没有移动邮件"),
    ("Renamed", "已重命名"),
    ("Some messages were changed by others", "部分邮件已被他人修改"),
    ("Still working", "正在处理"),
    ("The mailbox is gone", "文件夹已不存在"),
    ("The previous mailbox is closed", "上一个文件夹已关闭"),
    ("You are nobody now", "已退出登录"),
    // Ends of the session.
    ("Nothing was heard for too long", "长时间没有活动"),
    ("The command is too long", "命令过长"),
    ("The command is too long before the login", "登录前的命令过长"),
    ("The mailbox was deleted", "文件夹已被删除"),
    ("Mail moves into the mailbox: try again later", "邮件正在迁入该文件夹，请稍后再试"),
    ("The mailbox was made anew", "文件夹已重建"),
    ("The server is shutting down", "服务器正在关闭"),
    ("Too many bad commands", "错误命令过多"),
    ("Too many failed logins", "登录失败次数过多"),
    // What cannot be done.
    ("A mailbox stays in its account", "文件夹不能移到其他账号"),
    ("Nobody has this name", "没有此用户"),
    ("Only STORAGE can be limited", "只能限制 STORAGE"),
    ("The annotation is too long", "注释过长"),
    ("The mailbox is no longer shared with you", "该文件夹已不再共享给您"),
    ("The owner keeps every right", "所有者保留全部权限"),
    ("There are too many annotations", "注释过多"),
    ("This is no name of an annotation", "注释名称无效"),
    ("This is no identifier", "标识符无效"),
    ("This name is reserved", "该名称已保留"),
    ("Too many mailboxes are shared with you", "共享给您的文件夹过多"),
    ("Too many messages at once", "一次处理的邮件过多"),
    ("Uppercase rights are not allowed", "权限不能用大写字母"),
    ("You have no right to do that", "您没有此权限"),
    ("A NUL octet needs a literal8", "空字符需要使用 literal8"),
    ("Already logged in", "您已登录"),
    ("Compression is active already", "压缩已启用"),
    ("DONE is wanted", "需要 DONE"),
    ("ENABLE QRESYNC first", "请先 ENABLE QRESYNC"),
    ("Given up", "已取消"),
    ("Log in first", "请先登录"),
    ("Message numbers are not used in this session", "本会话不使用邮件序号"),
    ("One mailbox has one use", "一个文件夹只有一种用途"),
    ("Quotas are set by the administrator", "配额由管理员设置"),
    ("Select a mailbox first", "请先选择文件夹"),
    ("Some of the messages were expunged", "部分邮件已被清除"),
    ("TLS is active already", "TLS 已启用"),
    ("TLS is not available", "不支持 TLS"),
    ("The mailbox is full", "邮箱已满"),
    ("The mailbox is open for reading only", "文件夹以只读方式打开"),
    ("The message is empty, nothing was appended", "邮件为空，未追加"),
    ("The message is too large", "邮件过大"),
    ("There is no JMAP here", "未提供 JMAP"),
    ("There is no message of this number", "没有此序号的邮件"),
    ("There is no such mailbox", "没有此文件夹"),
    ("There is no such quota root", "没有此配额根"),
    ("There is no such system flag", "没有此系统标志"),
    ("This compression is not offered", "不支持该压缩方式"),
    ("This is no name for a mailbox", "文件夹名称无效"),
    ("This language is not spoken here", "不支持该语言"),
    ("This mechanism is not offered", "不支持该认证机制"),
    ("This use is not offered", "不支持该用途"),
    ("Too many items in one FETCH", "一次 FETCH 的项目过多"),
    ("Too many messages in one command", "一条命令中的邮件过多"),
    ("Unknown charset", "未知字符集"),
    ("Unknown threading algorithm", "未知的会话算法"),
    ("A part is in an unknown encoding", "邮件部分的编码未知"),
    ("The message was expunged, nothing was replaced", "邮件已被清除，未作替换"),
    ("The replacement is there", "替换邮件已存入"),
    ("There is no message of this UID", "没有此 UID 的邮件"),
    ("This URL names nothing here", "此 URL 在这里不指向任何内容"),
    ("Too many parts in one message", "一封邮件的部分过多"),
    ("Use TLS to log in", "请使用 TLS 登录"),
    ("VANISHED wants UID FETCH and QRESYNC", "VANISHED 需要 UID FETCH 和 QRESYNC"),
    // What is no command.
    ("CATENATE wants a list", "CATENATE 需要列表"),
    ("REPLACE takes one message", "REPLACE 只接受一封邮件"),
    ("TEXT wants a literal", "TEXT 需要 literal"),
    ("Too many parts of a message", "邮件的部分过多"),
    ("URL or TEXT is wanted", "需要 URL 或 TEXT"),
    ("PREVIEW knows LAZY only", "PREVIEW 只支持 LAZY"),
    ("After UTF8=ACCEPT texts are in UTF-8", "启用 UTF8=ACCEPT 后文字只用 UTF-8"),
    ("UTF8 does not end", "UTF8 未闭合"),
    ("UTF8 wants a literal", "UTF8 需要 literal"),
    ("A command is wanted", "缺少命令"),
    ("A date is wanted", "缺少日期"),
    ("A list does not end", "列表未闭合"),
    ("A list is wanted", "缺少列表"),
    ("A number is wanted", "缺少数字"),
    ("A pattern is wanted", "缺少匹配模式"),
    ("A section is wanted", "缺少章节"),
    ("A sequence set is wanted", "缺少序号集合"),
    ("A space is wanted", "缺少空格"),
    ("A special use is wanted", "缺少特殊用途"),
    ("A string is wanted", "缺少字符串"),
    ("A word is wanted", "缺少单词"),
    ("An argument is wanted", "缺少参数"),
    ("An atom is wanted", "缺少 atom"),
    ("Bad QRESYNC parameter", "QRESYNC 参数无效"),
    ("Bad STORE modifier", "STORE 修饰无效"),
    ("Bad partial range", "部分范围无效"),
    ("QRESYNC wants a list", "QRESYNC 需要列表"),
    ("A list is empty", "列表为空"),
    ("A list is too long", "列表过长"),
    ("Too many patterns", "名称模式过多"),
    ("A list or NIL is wanted", "需要列表或 NIL"),
    ("A mailbox name holds a control character", "文件夹名称含控制字符"),
    ("A mailbox name is too long", "文件夹名称过长"),
    ("A number is too big", "数字过大"),
    ("A number is zero", "数字为零"),
    ("A partial range is empty", "部分范围为空"),
    ("A quoted string does not end", "引号未闭合"),
    ("A section is too deep", "章节过深"),
    ("A string is not UTF-8", "字符串不是 UTF-8"),
    ("A string or NIL is wanted", "需要字符串或 NIL"),
    ("A tag is wanted", "缺少标签"),
    ("A user name holds a control character", "用户名含控制字符"),
    ("APPEND wants a message as a literal", "APPEND 需要以 literal 给出邮件"),
    ("Bad MAXSIZE", "MAXSIZE 无效"),
    ("The mailbox has mailboxes below it", "该文件夹下还有子文件夹"),
    ("The texts of these messages are still being indexed, try again later", "这些邮件的正文仍在建立索引，请稍后再试"),
    ("Bad MODSEQ search", "MODSEQ 搜索无效"),
    ("Bad arguments of APPEND", "APPEND 参数无效"),
    ("Bad date", "日期无效"),
    ("Bad date and time", "日期和时间无效"),
    ("Bad literal", "literal 无效"),
    ("Bad name of a header field", "邮件头字段名无效"),
    ("Bad range of PARTIAL", "PARTIAL 范围无效"),
    ("Bad section", "章节无效"),
    ("Bad sequence set", "序号集合无效"),
    ("Cannot decode base64", "无法解码 base64"),
    ("Line too long", "命令行过长"),
    ("Literal too long", "literal 过长"),
    ("Literal too long for LITERAL-", "literal 超出 LITERAL- 的长度"),
    ("Nested too deeply", "嵌套过深"),
    ("Not base64", "不是 base64"),
    ("PARTIAL and ALL exclude each other", "PARTIAL 与 ALL 不能同时使用"),
    ("PARTIAL may stand only once", "PARTIAL 只能出现一次"),
    ("RECURSIVEMATCH wants another selection option", "RECURSIVEMATCH 需要另一个选择项"),
    ("RETURN is wanted", "需要 RETURN"),
    ("Too many arguments", "参数过多"),
    ("Too many search keys", "搜索条件过多"),
    ("Unknown CREATE parameter", "未知的 CREATE 参数"),
    ("Unknown FETCH item", "未知的 FETCH 项目"),
    ("Unknown FETCH modifier", "未知的 FETCH 修饰"),
    ("Unknown GETMETADATA option", "未知的 GETMETADATA 选项"),
    ("Unknown LIST return option", "未知的 LIST 返回选项"),
    ("Unknown LIST selection option", "未知的 LIST 选择项"),
    ("Unknown RETURN option", "未知的 RETURN 选项"),
    ("Unknown SELECT parameter", "未知的 SELECT 参数"),
    ("Unknown SORT criterion", "未知的 SORT 条件"),
    ("Unknown STATUS item", "未知的 STATUS 项目"),
    ("Unknown STORE item", "未知的 STORE 项目"),
    ("Unknown STORE modifier", "未知的 STORE 修饰"),
    ("Unknown UID command", "未知的 UID 命令"),
    ("Unknown command", "未知命令"),
    ("Unknown search key", "未知的搜索条件"),
    ("VANISHED wants UID FETCH and CHANGEDSINCE", "VANISHED 需要 UID FETCH 和 CHANGEDSINCE"),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// What stands right before a text that a person may read.
    const SAID: [&str; 10] = [
        "Reply::ok(",
        "Reply::bad(",
        "Self::bad(",
        "Reply::no(",
        "Reply::ok_with(",
        "Bye(",
        "Bad(",
        "text: ",
        "Status::Ok, ",
        "session.tell(",
    ];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                // What servers say to us is no text of ours.
                folder if folder.ends_with("client") => {}
                folder if folder.is_dir() => sources(&folder, found),
                file => found.push(file),
            }
        }
    }

    /// The literals of the first statement of a text.
    fn literals(code: &str) -> Vec<&str> {
        let end = code.find([';', '\n']).unwrap_or(code.len());
        let broken = code[..end].trim_end().ends_with(['(', ',']);
        let end = if broken { code.find(';').unwrap_or(code.len()) } else { end };
        code[..end].split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn every_text_is_translated() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in [here.join("src"), here.join("../wire/src/imap")] {
            sources(&folder, &mut files);
        }
        let mut missing = Vec::new();
        for file in files.iter().filter(|file| !file.ends_with("words.rs")) {
            let text = fs::read_to_string(file).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let code = code.join("\n");
            let code = code.split("#[cfg(test)]").next().unwrap();
            let after = SAID.iter().flat_map(|before| code.match_indices(before).map(|(at, _)| at + before.len()));
            let mut said: Vec<&str> = after.flat_map(|at| literals(&code[at..])).collect();
            if file.starts_with(here.join("../wire")) {
                // A codec writes nothing else that looks like a sentence.
                said.extend(code.lines().flat_map(literals).filter(|text| text.contains(' ')));
            }
            let read_by_people = |text: &&str| {
                text.starts_with(char::is_uppercase) && text.contains(char::is_lowercase) && !text.contains('{')
            };
            let unknown =
                said.into_iter().filter(read_by_people).filter(|en| !TABLE.iter().any(|(known, _)| known == en));
            missing.extend(unknown.map(|en| format!("{}: {en}", file.display())));
        }
        missing.sort();
        missing.dedup();
        assert!(missing.is_empty(), "add a Chinese text to words.rs for each of:\n{}", missing.join("\n"));
    }

    #[test]
    fn the_table_has_each_text_once() {
        for (at, (en, zh)) in TABLE.iter().enumerate() {
            assert!(!zh.is_ascii(), "{en}");
            assert!(TABLE[..at].iter().all(|(other, _)| other != en), "{en}");
        }
        assert_eq!(say(Language::Chinese, "Done"), "完成");
        assert_eq!(say(Language::English, "Done"), "Done");
    }
}
