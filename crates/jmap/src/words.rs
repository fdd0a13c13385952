//! What is said of errors, in Chinese: `detail` of a problem, `description` of a method's and an object's error. They are written in English
//! where they are said; errors of the house bring both languages themselves. Which language is asked for is known to the task that answers.

use std::borrow::Cow;
use std::cell::Cell;

use anser_base::{Language, Text};

tokio::task_local! {
    static LANGUAGE: Cell<Language>;
}

/// Answers in a language (RFC 9110 §12.5.4).
pub(crate) async fn speaking<F: Future>(language: Language, answer: F) -> F::Output {
    LANGUAGE.scope(Cell::new(language), answer).await
}

/// A text, perhaps with its Chinese one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    en: Cow<'static, str>,
    zh: Option<Cow<'static, str>>,
}

impl Said {
    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }

    /// In the language that is asked for; in English where nobody translated it.
    pub fn text(&self) -> String {
        let language = LANGUAGE.try_with(Cell::get).unwrap_or(Language::English);
        match (language, &self.zh) {
            (Language::Chinese, Some(zh)) => zh.to_string(),
            (Language::Chinese, None) => in_chinese(&self.en).unwrap_or_else(|| self.en.to_string()),
            _ => self.en.to_string(),
        }
    }
}

impl From<&str> for Said {
    fn from(en: &str) -> Self {
        Self { en: en.to_owned().into(), zh: None }
    }
}

impl From<String> for Said {
    fn from(en: String) -> Self {
        Self { en: en.into(), zh: None }
    }
}

impl From<Text> for Said {
    fn from(text: Text) -> Self {
        Self { en: text.en, zh: Some(text.zh) }
    }
}

impl From<&Text> for Said {
    fn from(text: &Text) -> Self {
        text.clone().into()
    }
}

/// The row of the table that says this, with what stands at its `{}`.
fn in_chinese(en: &str) -> Option<String> {
    TABLE.iter().find_map(|(known, zh)| match known.split_once("{}") {
        None => (*known == en).then(|| (*zh).to_owned()),
        Some((before, after)) => {
            let inner = en.strip_prefix(before)?.strip_suffix(after)?;
            Some(zh.replace("{}", inner))
        }
    })
}

#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    // Who asks.
    ("Log in", "请登录"),
    ("The credentials cannot be read", "无法读取登录信息"),
    ("The session is over; log in", "会话已结束，请重新登录"),
    ("This must be asked by a page of this site", "该请求只能由本站页面发出"),
    ("This way of logging in is not known", "不支持这种登录方式"),
    ("log in again", "请重新登录"),
    ("what you came in with changes nothing", "当前登录方式无权更改"),
    ("what you came in with does not open this", "当前登录方式无权使用此功能"),
    // Requests.
    ("a limit of the server", "超出服务器限制"),
    ("a call is a name, arguments and an id", "每个调用由名称、参数和编号组成"),
    ("a request is an object", "请求须为对象"),
    ("createdIds is a map of ids", "createdIds 须为编号的映射"),
    ("methodCalls is missing", "缺少 methodCalls"),
    ("requests are texts", "请求须为文本"),
    ("the content is not of type application/json", "内容类型不是 application/json"),
    ("using is a list of texts", "using 须为文本列表"),
    ("using is missing", "缺少 using"),
    ("its @type is not known", "未知的 @type"),
    ("a WebSocket is opened here (RFC 6455)", "此处用于建立 WebSocket（RFC 6455）"),
    ("the key cannot be read", "无法读取密钥"),
    ("the subprotocol is jmap (RFC 8887)", "子协议须为 jmap（RFC 8887）"),
    ("it takes too long", "耗时过长"),
    ("the upload takes too long", "上传耗时过长"),
    ("the answer is too long", "结果过长"),
    ("the answer to this request is too long", "该请求的结果过长"),
    ("closeafter is state or no", "closeafter 须为 state 或 no"),
    ("ping is a number of seconds", "ping 须为秒数"),
    ("there is no such account", "没有这个账号"),
    ("there is no such blob", "没有这个数据块"),
    ("there is no such picture", "没有这张图片"),
    // Arguments.
    ("{} is no argument of this method", "{} 不是该方法的参数"),
    ("{} is no property of this type", "{} 不是该类型的属性"),
    ("{} is no property of a part", "{} 不是邮件部分的属性"),
    ("{} is no condition", "{} 不是筛选条件"),
    ("{} is nothing to filter by", "不能按 {} 筛选"),
    ("{} is nothing to sort by", "不能按 {} 排序"),
    ("{} is of another type", "{} 的类型不对"),
    ("{} is not known here", "{} 不受支持"),
    ("{} is not understood", "无法理解 {}"),
    ("{} is told to nobody", "{} 不对外提供"),
    ("{} refers to no blobs here", "{} 在此不引用数据块"),
    ("{} is a UTCDate", "{} 须为 UTC 时间"),
    ("{} is a text", "{} 须为文本"),
    ("{} cannot be changed like this", "{} 不能这样更改"),
    ("{} cannot be changed", "{} 不能更改"),
    ("{} cannot be given", "不能给出 {}"),
    ("1 to {} ids are needed", "需要 1 到 {} 个编号"),
    ("a comparator is not understood", "无法理解排序条件"),
    ("a filter is an object", "筛选条件须为对象"),
    ("a filter operator has no other properties", "筛选运算符不能有其他属性"),
    ("a keyword belongs to those sorts that name one", "只有按关键字的排序才能带 keyword"),
    ("accountId is missing", "缺少 accountId"),
    ("an argument is given twice, once as a reference", "参数与其引用重复"),
    ("a reference is incomplete", "引用不完整"),
    ("an object is missing", "缺少对象"),
    ("the path leads nowhere", "引用的路径不存在"),
    ("there is no such result", "没有所引用的结果"),
    ("an operator is AND, OR or NOT", "运算符须为 AND、OR 或 NOT"),
    ("at most {} at once", "一次最多 {} 个"),
    ("blobId is missing", "缺少 blobId"),
    ("blobIds are missing", "缺少 blobIds"),
    ("conditions are missing", "缺少条件"),
    ("conditions are not joined here", "此处不能组合条件"),
    ("emailIds are missing", "缺少 emailIds"),
    ("fromAccountId is missing", "缺少 fromAccountId"),
    ("identityId is missing", "缺少 identityId"),
    ("ids are missing", "缺少 ids"),
    ("ids are needed", "需要给出 ids"),
    ("images are blocked or fetched", "images 须为 blocked 或 fetched"),
    ("maxChanges must be above 0", "maxChanges 须大于 0"),
    ("notes have one order", "便签只有一种顺序"),
    ("one text is looked for", "只能查找一段文本"),
    ("principals are sorted by name or by how well they are met", "人员只能按姓名或相关程度排序"),
    ("sinceQueryState is missing", "缺少 sinceQueryState"),
    ("sinceState is missing", "缺少 sinceState"),
    ("sort is a list", "sort 须为列表"),
    ("the accounts are the same", "两个账号相同"),
    ("there is no such identity", "没有这个发件身份"),
    ("there is no such message", "没有这封邮件"),
    ("there are too many; ask for some of them", "数量过多，请分批获取"),
    ("this charset is not known", "不支持这种字符集"),
    ("this collation is not known", "不支持这种排序规则"),
    ("too many blobs", "数据块过多"),
    ("too many conditions", "条件过多"),
    ("too many ids", "编号过多"),
    ("too many mailboxes; ask for some of them", "文件夹过多，请分批获取"),
    ("too many objects", "对象过多"),
    ("too many parts", "部分过多"),
    ("too many principals", "人员或群组过多"),
    ("too many properties", "属性过多"),
    ("too many sources", "来源过多"),
    ("too many words", "词语过多"),
    ("too much is referred to", "引用过多"),
    ("typeNames are missing", "缺少 typeNames"),
    ("format is vcard, vcard3 or csv", "format 须为 vcard、vcard3 或 csv"),
    ("it is no vCard, and no column of a table is known", "既不是 vCard，也没有可识别的表格列"),
    ("the file does not read in this charset", "无法按该字符集读取文件"),
    ("the file is too long", "文件过大"),
    ("the table has too many fields", "表格字段过多"),
    // Objects.
    ("a UTCDate is expected", "须为 UTC 时间"),
    ("a UTCDate that is to come is expected", "须为将来的 UTC 时间"),
    ("a blob is expected", "须为数据块"),
    ("a card is in an address book", "联系人须属于某个通讯录"),
    ("a field cannot be taken", "无法使用该字段"),
    ("a key is 1 to 100 letters, digits, and . - _ /", "键由 1 到 100 个字母、数字及 . - _ / 组成"),
    ("a list is expected", "须为列表"),
    ("a list of types is expected", "须为类型列表"),
    ("a mailbox has a name", "文件夹须有名称"),
    ("a map of principals is expected", "须为人员编号的映射"),
    ("there is no such principal", "没有这个人员或群组"),
    ("these rights cannot be given", "不能授予这些权限"),
    ("the access list is full", "访问控制列表已满"),
    ("a map is expected", "须为映射"),
    ("a media type is expected", "须为媒体类型"),
    ("a message is in one mailbox at least", "邮件至少须在一个文件夹中"),
    ("a multipart has subParts and nothing else", "multipart 只能有 subParts"),
    ("a part has either a partId or a blobId", "每个部分须有 partId 或 blobId 之一"),
    ("a part is an object", "部分须为对象"),
    ("a part is not whole", "部分不完整"),
    ("a part of bodyValues is a text", "bodyValues 中的部分须为文本"),
    ("a part of {} has no value", "{} 的部分没有内容"),
    ("a set has members that are true", "集合成员的值须为 true"),
    ("a source has one of data:asText, data:asBase64 and blobId", "来源须有 data:asText、data:asBase64、blobId 之一"),
    ("a text is expected", "须为文本"),
    ("a text of at most 16 KiB is expected", "须为不超过 16 KiB 的文本"),
    ("a value is missing", "缺少值"),
    ("an address is expected", "须为邮件地址"),
    ("another mailbox has this role, or this one keeps its own", "该用途已被其他文件夹占用，或此文件夹的用途不可更改"),
    ("ask for a part of these blobs", "数据块过大，请分段获取"),
    ("both are needed", "两者均须给出"),
    ("it is not understood", "无法理解"),
    ("it stays as it is", "不可更改"),
    ("its type is a multipart", "其类型须为 multipart"),
    ("its type is {}", "其类型须为 {}"),
    ("language is a list of tags", "language 须为语言标签列表"),
    ("offset and length are numbers", "offset 与 length 须为数字"),
    ("one of both: a patch, or true", "二者取一：补丁或 true"),
    ("one of them is no keyword", "其中有无效的关键字"),
    ("one of them is set", "只能设置其中一个"),
    ("only its place, its keywords and its time can be other ones", "只能更改位置、关键字和时间"),
    ("people are changed by their administrators", "人员信息由管理员维护"),
    ("size is not given", "不能给出 size"),
    ("the blob does not begin with header fields", "数据块开头不是邮件头"),
    ("the blob is shorter than that", "数据块没有那么长"),
    ("the body is given twice", "正文重复给出"),
    ("the charset of a part of bodyValues is not given", "bodyValues 的部分不能给出字符集"),
    ("the default stays", "默认项不能删除"),
    ("the parent is not created", "上级文件夹未创建"),
    ("there are too many address books", "通讯录过多"),
    ("there are too many documents", "文档过多"),
    ("there is exactly one part in it", "其中须恰有一个部分"),
    ("there is no such address book", "没有这个通讯录"),
    ("there is no such mailbox", "没有这个文件夹"),
    ("there is no such move", "没有这个迁移"),
    ("there is no such property", "没有这个属性"),
    ("there is nothing to answer", "没有可答复的内容"),
    ("these are made by the server", "由服务器生成，不能更改"),
    ("this cannot be changed", "不能更改"),
    ("this cannot be set", "不能设置"),
    ("this field belongs to a part", "该字段属于邮件部分"),
    ("this field is given twice", "该字段重复给出"),
    ("this is no UTCDate", "不是 UTC 时间"),
    ("this is no base64", "不是有效的 base64"),
    ("this is no cid", "不是有效的 cid"),
    ("this is no disposition", "不是有效的 disposition"),
    ("this is no media type", "不是有效的媒体类型"),
    ("this is no text", "不是文本"),
    ("this value cannot be taken", "该值无效"),
    ("too many of these run at once", "同时运行的任务过多"),
    ("what is begun stays as it is, or is ended", "已开始的任务只能结束，不能更改"),
    // Sending, and taking back.
    ("HOLDFOR is a number of seconds within the limit", "HOLDFOR 须为限制内的秒数"),
    ("HOLDUNTIL is a time within the limit", "HOLDUNTIL 须为限制内的时间"),
    ("NOTIFY is not understood", "无法理解 NOTIFY"),
    ("a parameter is a text", "参数须为文本"),
    ("a submission can be canceled, nothing else", "发送任务只能取消，不能作其他更改"),
    ("it is sent already", "邮件已发出"),
    ("it is being handed over; try again", "邮件正在提交，请重试"),
    ("there are too many recalls; destroy some", "撤回记录过多，请先删除一些"),
    ("it was never sent", "该邮件未曾发出"),
    ("it was sent more than 30 days ago", "该邮件发出已超过 30 天"),
    ("mailFrom has no address", "mailFrom 中没有地址"),
    ("mailFrom is missing", "缺少 mailFrom"),
    ("parameters are a map", "parameters 须为映射"),
    ("rcptTo is missing", "缺少 rcptTo"),
    ("the id of a submission is expected", "须为发送任务的编号"),
    ("the message asks for no notification", "该邮件未要求已读回执"),
    ("what was recalled stays so", "撤回结果不能更改"),
    // Moves.
    ("an address is needed", "需要邮件地址"),
    ("minutes, or null", "须为分钟数或 null"),
    ("nothing moves in here", "本服务器不支持迁入"),
    ("paused, or running", "须为 paused 或 running"),
    ("there is no such property, or the server sets it", "没有这个属性，或由服务器设置"),
    ("this is needed", "此项必填"),
    ("this is none of its values", "取值无效"),
    ("this stays as it is: make another move", "此项不能更改，请新建迁移任务"),
    // Push.
    ("an address of the Web over TLS is expected", "须为 HTTPS 地址"),
    ("it is another", "验证码不符"),
    ("it is not known yet", "此时还没有验证码"),
    ("p256dh and auth are expected, in base64url", "须给出 base64url 编码的 p256dh 与 auth"),
    ("this server pushes nothing to others", "本服务器不向外推送"),
    ("too many subscriptions were asked for; try again later", "推送订阅过于频繁，请稍后再试"),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// The calls whose texts are told.
    const CALLS: [&str; 13] = [
        "SetError::new(",
        "SetError::property(",
        "SetError::properties(",
        "SetError::forbidden(",
        "MethodError::new(",
        "MethodError::invalid(",
        "plain_problem(",
        "Problem::new(",
        "not_request(",
        "not_json(",
        "unauthorized(request,",
        "wrong(",
        "bad(",
    ];

    fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => sources(&entry, all),
                false => all.push(entry),
            }
        }
    }

    /// The texts between the parentheses that a call opens, each `{…}` as `{}`.
    fn texts(call: &str) -> Vec<String> {
        let (mut texts, mut depth, mut text, mut chars) = (Vec::new(), 1, None::<String>, call.chars());
        while let Some(c) = chars.next().filter(|_| depth > 0) {
            match (&mut text, c) {
                (Some(_), '"') => texts.extend(text.take()),
                (Some(inner), '\\') => inner.extend(chars.next().filter(|c| *c != '\n')),
                (Some(inner), c) => inner.push(c),
                (None, '"') => text = Some(String::new()),
                (None, '(' | '[' | '{') => depth += 1,
                (None, ')' | ']' | '}') => depth -= 1,
                (None, _) => {}
            }
        }
        let plain = |text: String| match text.split_once('{').and_then(|(a, b)| Some((a, b.split_once('}')?.1))) {
            Some((before, after)) => format!("{before}{{}}{after}"),
            None => text,
        };
        texts.into_iter().filter(|text| text.contains(' ')).map(plain).collect()
    }

    #[test]
    fn everything_that_is_said_is_said_in_chinese_too() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let (mut missing, mut found) = (Vec::new(), 0);
        for path in all.iter().filter(|path| !path.ends_with("words.rs") && !path.ends_with("page.rs")) {
            let source = fs::read_to_string(path).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
            for call in CALLS {
                for (at, _) in source.match_indices(call) {
                    let told = texts(&source[at + call.len()..]);
                    found += told.len();
                    missing.extend(told.into_iter().filter(|text| !TABLE.iter().any(|(en, _)| en == text)));
                }
            }
        }
        assert!(found > 100, "the sources are read");
        missing.sort();
        missing.dedup();
        assert!(missing.is_empty(), "not in the table: {missing:#?}");
    }

    #[test]
    fn what_stands_in_between_stays() {
        assert_eq!(in_chinese("colour is no property of this type").as_deref(), Some("colour 不是该类型的属性"));
        assert_eq!(in_chinese("1 to 50 ids are needed").as_deref(), Some("需要 1 到 50 个编号"));
        assert_eq!(in_chinese("nothing like that"), None);
        assert!(TABLE.iter().all(|(en, zh)| en.matches("{}").count() == zh.matches("{}").count() && !zh.is_ascii()));
    }
}
