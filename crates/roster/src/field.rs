//! What columns, attributes and header names mean.

use unicode_normalization::UnicodeNormalization;

/// What a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The main address, or a login name.
    Address,
    /// The domain of a name that has none.
    Domain,
    /// The whole name.
    Name,
    /// The family name alone.
    FamilyName,
    /// The given name alone.
    GivenName,
    /// Where somebody belongs.
    Department,
    /// A password: in the clear, or hashed when it looks so.
    Password,
    /// A password's hash.
    Hash,
    /// The number of an identity card.
    IdNumber,
    /// Room; the unit is in the value or in the column's name, else megabytes.
    Quota,
    /// Room in bytes.
    QuotaBytes,
    /// Other addresses.
    Aliases,
    /// Where mail goes on to.
    Forwards,
    /// Whether a copy stays when it does.
    Keep,
    /// A language.
    Language,
    /// What stands below what they write.
    Signature,
    /// What is answered while they are away.
    Away,
    /// Whether it is answered now.
    AwayOn,
    /// A Sieve script.
    Sieve,
    /// Whether the mailbox may be used.
    Active,
    /// The lists that they are on.
    Lists,
    /// Members of a list.
    Members,
}

impl Field {
    /// A word for it, in English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Address => ("address", "邮箱地址"),
            Self::Domain => ("domain", "域名"),
            Self::Name => ("name", "姓名"),
            Self::FamilyName => ("family name", "姓"),
            Self::GivenName => ("given name", "名"),
            Self::Department => ("department", "部门"),
            Self::Password => ("password", "密码"),
            Self::Hash => ("password hash", "密码哈希"),
            Self::IdNumber => ("identity card", "身份证号"),
            Self::Quota => ("room, in MB", "容量（MB）"),
            Self::QuotaBytes => ("room, in bytes", "容量（字节）"),
            Self::Aliases => ("aliases", "别名"),
            Self::Forwards => ("forwards", "转发"),
            Self::Keep => ("keeps a copy", "保留副本"),
            Self::Language => ("language", "语言"),
            Self::Signature => ("signature", "签名"),
            Self::Away => ("away text", "自动回复"),
            Self::AwayOn => ("away now", "自动回复开关"),
            Self::Sieve => ("Sieve script", "Sieve 脚本"),
            Self::Active => ("in use", "状态"),
            Self::Lists => ("lists", "所属群组"),
            Self::Members => ("members", "成员"),
        }
    }
}

/// Names of columns, in the form that [`plain`] gives.
const NAMES: &[(Field, &[&str])] = &[
    (
        Field::Address,
        &[
            "邮箱",
            "邮箱地址",
            "邮件地址",
            "电子邮件",
            "电子邮箱",
            "邮箱账号",
            "邮箱帐号",
            "账号",
            "帐号",
            "账户",
            "帐户",
            "用户名",
            "登录名",
            "用户",
            "邮箱名",
            "企业邮箱",
            "邮箱前缀",
            "email",
            "emailaddress",
            "mail",
            "mailbox",
            "address",
            "account",
            "accountname",
            "user",
            "username",
            "userid",
            "login",
            "loginname",
            "uid",
            "primaryemail",
            "localpart",
            "userprincipalname",
            "primarysmtpaddress",
            "别名地址",
            "source",
        ],
    ),
    (Field::Domain, &["域", "域名", "邮箱域名", "domain", "domainname"]),
    (
        Field::Name,
        &[
            "姓名",
            "名称",
            "真实姓名",
            "显示名",
            "显示名称",
            "昵称",
            "中文名",
            "name",
            "fullname",
            "displayname",
            "realname",
            "commonname",
            "cn",
            "gecos",
            "title",
        ],
    ),
    (Field::FamilyName, &["姓", "姓氏", "lastname", "surname", "familyname", "sn"]),
    (Field::GivenName, &["名", "名字", "firstname", "givenname"]),
    (
        Field::Department,
        &[
            "部门",
            "所属部门",
            "所在部门",
            "单位",
            "组织",
            "组织机构",
            "机构",
            "院系",
            "department",
            "dept",
            "organization",
            "organisation",
            "orgunit",
            "orgunitpath",
            "ou",
        ],
    ),
    (
        Field::Password,
        &["密码", "初始密码", "登录密码", "口令", "password", "initialpassword", "passwd", "pass", "pwd"],
    ),
    (Field::Hash, &["密码哈希", "密文", "密文密码", "加密密码", "passwordhash", "hash", "crypt", "userpassword"]),
    (Field::IdNumber, &["身份证", "身份证号", "身份证号码", "证件号", "证件号码", "idnumber", "idcard"]),
    (
        Field::Quota,
        &[
            "容量",
            "邮箱容量",
            "空间",
            "邮箱空间",
            "配额",
            "大小",
            "容量mb",
            "容量m",
            "容量兆",
            "空间mb",
            "配额mb",
            "容量gb",
            "容量g",
            "空间gb",
            "配额gb",
            "邮箱容量mb",
            "邮箱容量gb",
            "quota",
            "quotamb",
            "quotagb",
            "size",
            "sizemb",
            "storage",
            "mailboxsize",
            "capacity",
        ],
    ),
    (Field::QuotaBytes, &["配额字节", "容量字节", "quotabytes", "maxquota"]),
    (
        Field::Aliases,
        &[
            "别名",
            "邮箱别名",
            "别名邮箱",
            "其他邮箱",
            "alias",
            "aliases",
            "emailaliases",
            "proxyaddresses",
            "otheraddresses",
        ],
    ),
    (
        Field::Forwards,
        &[
            "转发",
            "转发地址",
            "自动转发",
            "转发邮箱",
            "forward",
            "forwards",
            "forwardto",
            "forwarding",
            "forwardingaddress",
            "goto",
            "destination",
        ],
    ),
    (Field::Keep, &["保留副本", "转发保留", "本地保留", "keep", "keepcopy", "delivertomailboxandforward"]),
    (Field::Language, &["语言", "language", "lang", "locale", "preferredlanguage"]),
    (Field::Signature, &["签名", "邮件签名", "个性签名", "signature"]),
    (
        Field::Away,
        &[
            "自动回复",
            "自动回复内容",
            "假期回复",
            "外出回复",
            "away",
            "awaytext",
            "vacation",
            "autoreply",
            "outofoffice",
        ],
    ),
    (Field::AwayOn, &["自动回复开关", "启用自动回复", "awayon", "vacationon", "autoreplyenabled"]),
    (Field::Sieve, &["过滤规则", "收信规则", "sieve", "sievescript", "filter", "filters"]),
    (
        Field::Active,
        &["状态", "账号状态", "帐号状态", "启用", "是否启用", "active", "enabled", "status", "accountstatus"],
    ),
    (Field::Lists, &["群组", "所属群组", "邮件组", "邮件列表", "所属邮件组", "groups", "group", "lists", "memberof"]),
    (Field::Members, &["成员", "群组成员", "成员列表", "members", "member"]),
];

/// A name without letter case, blanks, full-width forms and signs.
fn plain(name: &str) -> String {
    name.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a column of this name means.
pub fn of_column(name: &str) -> Option<Field> {
    let name = plain(name);
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
}

/// The unit that a column's name gives its numbers, in bytes: `容量(GB)`.
pub fn unit_of_column(name: &str) -> u64 {
    let name = plain(name);
    match () {
        () if name.ends_with("gb") || name.ends_with("容量g") => 1 << 30,
        () if name.ends_with("kb") => 1 << 10,
        () => 1 << 20,
    }
}

/// Whether a line of names has a Chinese one that is known.
pub fn has_chinese_name(line: &str) -> bool {
    line.split([',', ';', '\t', '"']).any(|name| !name.is_ascii() && of_column(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_every_dress() {
        for (name, field) in [
            ("姓名", Field::Name),
            (" E-Mail ", Field::Address),
            ("邮箱（地址）", Field::Address),
            ("Display Name", Field::Name),
            ("容量(MB)", Field::Quota),
            ("ｐａｓｓｗｏｒｄ", Field::Password),
            ("First Name", Field::GivenName),
        ] {
            assert_eq!(of_column(name), Some(field), "{name}");
        }
        assert_eq!(of_column("工号"), None);
        assert_eq!(unit_of_column("容量（GB）"), 1 << 30);
        assert_eq!(unit_of_column("容量"), 1 << 20);
    }

    #[test]
    fn every_name_is_in_its_plain_form_and_means_one_thing() {
        let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert!(all.iter().all(|name| plain(name) == *name));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
