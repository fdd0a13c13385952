//! Proofs as files that people keep: CSV for tables, HTML and PDF to be read and printed, JSON for programs. [`crate::signature`] signs
//! them.

use crate::imported::AccountProof;
use crate::paper::{Block, Kind, Paper, Readers, Table};
use crate::verify::{Difference, FolderProof, NAMED, Proof, Score, Stand, worst};

/// One line for each folder; texts in quotes, a quote in them doubled. Behind an empty line stands one for each account, where an import
/// brought any.
pub fn csv(proofs: &[Proof], accounts: &[AccountProof]) -> String {
    let mut out = String::from(
        "login,address,score,folder,here,messages,bytes,equal,explained,unexplained,extra,uids_kept,bytes_here,unseen,unseen_here,\
         uidvalidity,uidvalidity_here,uidnext,uidnext_here,role,role_here,subscribed,subscribed_here,ledger\r\n",
    );
    for proof in proofs {
        for folder in &proof.folders {
            let count = |class: &str| folder.classes.get(class).copied().unwrap_or(0);
            let all: u64 = folder.classes.values().sum();
            let (equal, unexplained) = (count("equal") + count("equal-eol"), count("unexplained"));
            let score = proof.score().word().to_owned();
            let texts = [&proof.login, &proof.address, &score, &folder.folder, &folder.here];
            let texts: Vec<String> = texts.iter().map(|text| cell(text)).collect();
            let numbers = [folder.messages, folder.bytes, equal, all - equal - unexplained, unexplained, folder.extra];
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            out.push_str(&format!("{},{},{}", texts.join(","), numbers.join(","), folder.uids_kept));
            let (there, shown) = (&folder.there, &folder.shown);
            let pairs = [(there.uidvalidity, shown.uidvalidity), (there.uidnext, shown.uidnext)];
            let pairs: Vec<String> = pairs.iter().map(|(there, shown)| format!("{there},{shown}")).collect();
            let role = |role: &Option<String>| cell(role.as_deref().unwrap_or_default());
            out.push_str(&format!(",{},{},{},{}", shown.bytes, there.unseen, shown.unseen, pairs.join(",")));
            out.push_str(&format!(",{},{},{}", role(&there.role), role(&shown.role), there.subscribed));
            out.push_str(&format!(",{},{}\r\n", shown.subscribed, cell(&proof.ledger)));
        }
    }
    if !accounts.is_empty() {
        out.push_str("\r\naccount,state,fields,why,why_zh\r\n");
    }
    for one in accounts {
        let texts = [&one.address, &one.state, &one.fields.join(" "), &one.why, &one.zh];
        out.push_str(&texts.map(|text| cell(text)).join(","));
        out.push_str("\r\n");
    }
    out
}

/// A text as a cell. What a table would calculate is a text to it behind an apostrophe: names come from old servers.
fn cell(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

/// All of it, without the last `}`: behind that stands the signature. `accounts` are those that an import brought; `taken_on` says who
/// takes on what is lost, and why.
pub fn json(proofs: &[Proof], accounts: &[AccountProof], taken_on: Option<&str>) -> String {
    let unexplained: u64 = proofs.iter().map(|proof| proof.unexplained).sum();
    let scores = scores(proofs).into_iter().map(|(score, count)| (score.word(), count));
    let scores: serde_json::Map<String, serde_json::Value> =
        scores.map(|(word, count)| (word.to_owned(), count.into())).collect();
    let score = worst(proofs).map(Score::word);
    let whole = serde_json::json!({
        "score": score, "unexplained": unexplained, "accepted": taken_on, "scores": scores, "proofs": proofs,
        "accounts": accounts,
    });
    let mut text = whole.to_string();
    text.pop();
    text
}

/// How many mailboxes come to each score.
fn scores(proofs: &[Proof]) -> Vec<(Score, u64)> {
    let count = |score: Score| proofs.iter().filter(|proof| proof.score() == score).count() as u64;
    Score::ALL.iter().map(|score| (*score, count(*score))).filter(|(_, count)| *count > 0).collect()
}

/// For readers of both languages: what was compared, and every difference that is named.
pub fn paper(proofs: &[Proof], accounts: &[AccountProof], taken_on: Option<&str>) -> Paper {
    let unexplained: u64 = proofs.iter().map(|proof| proof.unexplained).sum();
    let seal = match unexplained {
        0 => "Unexplained 无法解释: 0".to_owned(),
        _ => format!("Unexplained differences 存在无法解释的差异: {unexplained}"),
    };
    let title = "Verification 迁移核对";
    let mut blocks = vec![Block::plain(Kind::Title, title), Block::plain(Kind::Strong, seal)];
    if let Some(who) = taken_on {
        blocks.push(Block::plain(Kind::Strong, format!("What is lost is taken on by 接受损失: {who}")));
    }
    if let Some(score) = worst(proofs) {
        blocks.push(Block::plain(Kind::Strong, format!("All 总评: {}", in_words(score))));
    }
    blocks.extend(
        scores(proofs)
            .into_iter()
            .map(|(score, count)| Block::plain(Kind::Text, format!("{} {count}", in_words(score)))),
    );
    if !accounts.is_empty() {
        let other: Vec<&AccountProof> = accounts.iter().filter(|one| one.state != "same").collect();
        blocks.push(Block::plain(Kind::Heading, "Accounts and lists 账号与邮件列表"));
        let (all, same) = (accounts.len(), accounts.len() - other.len());
        let words = format!("As the old system's export said 与旧系统导出一致: {same} / {all}");
        blocks.push(Block::plain(Kind::Text, words));
        if !other.is_empty() {
            let count = other.len();
            blocks.push(Block::Table(table(&ACCOUNTS, other.into_iter().take(NAMED).map(account))));
            blocks.extend(left_out(count, "csv, json"));
        }
    }
    for proof in proofs {
        let heading = format!("{} → {}: {}", proof.login, proof.address, in_words(proof.score()));
        blocks.push(Block::plain(Kind::Heading, heading));
        blocks.push(Block::Table(table(&FOLDERS, proof.folders.iter().map(folder))));
        let stands = proof
            .folders
            .iter()
            .flat_map(|one| [stand(one, "there 旧", &one.there), stand(one, "here 新", &one.shown)]);
        blocks.push(Block::Table(table(&STANDS, stands)));
        if let Some(ids) = &proof.ids {
            let order = if ids.in_order { "in order 顺序一致" } else { "in another order 顺序不同" };
            let words = format!("POP3 ids 唯一标识: {} / {} → {}, {order}", ids.same, ids.there, ids.here);
            blocks.push(Block::plain(Kind::Text, words));
        }
        if !proof.only_here.is_empty() {
            let more = if proof.only_here.len() < NAMED { String::new() } else { format!(" (the first 前 {NAMED})") };
            let words = format!("Folders only here 仅此处有的文件夹{more}: {}", proof.only_here.join(", "));
            blocks.push(Block::plain(Kind::Text, words));
        }
        if !proof.ledger.is_empty() {
            blocks.push(Block::plain(Kind::Text, format!("Ledger 迁移记录 BLAKE3 {}", proof.ledger)));
        }
        if !proof.differences.is_empty() {
            blocks.push(Block::Table(table(&DIFFERENCES, proof.differences.iter().map(difference))));
            if proof.differences.len() >= NAMED {
                let (named, all) = (proof.differences.len(), proof.different());
                let words =
                    format!("Named are the first {named} of {all} differences. 共 {all} 处差异，仅列出前 {named} 处。");
                blocks.push(Block::plain(Kind::Text, words));
            }
        }
    }
    Paper { readers: Readers::Both, title: title.to_owned(), blocks }
}

/// What is said below a table that holds the first [`NAMED`] of so many.
fn left_out(count: usize, formats: &str) -> Option<Block> {
    let left = count.checked_sub(NAMED).filter(|left| *left > 0)?;
    let words = format!("{left} more are not listed here: see {formats}. 另有 {left} 项未列出，参见 {formats}。");
    Some(Block::plain(Kind::Text, words))
}

const FOLDERS: [&str; 7] =
    ["Folder 文件夹", "Here 现位置", "Messages 邮件", "Bytes 字节", "Result 结果", "Extra 仅此处", "UIDs"];
const STANDS: [&str; 8] = [
    "Folder 文件夹",
    "Side 侧",
    "Messages 邮件",
    "Bytes 字节",
    "Unseen 未读",
    "UIDVALIDITY, UIDNEXT",
    "Use 用途",
    "Subscribed 订阅",
];
const ACCOUNTS: [&str; 3] = ["Address 地址", "State 状态", "What 内容"];
const DIFFERENCES: [&str; 4] = ["Folder 文件夹", "UID", "Class 类别", "Why 原因"];

fn folder(one: &FolderProof) -> Vec<String> {
    let classes: Vec<String> =
        one.classes.iter().map(|(class, count)| format!("{class} {} {count}", class_zh(class))).collect();
    let kept = if one.uids_kept { "kept 保留" } else { "new 更新" };
    let [messages, bytes, extra] = [one.messages, one.bytes, one.extra].map(|number| number.to_string());
    vec![one.folder.clone(), one.here.clone(), messages, bytes, classes.join(", "), extra, kept.to_owned()]
}

fn difference(one: &Difference) -> Vec<String> {
    let uid = if one.uid == 0 { String::new() } else { one.uid.to_string() };
    let class = format!("{} {}", one.class, class_zh(&one.class));
    vec![one.folder.clone(), uid, class, format!("{} {}", one.why, one.zh).trim().to_owned()]
}

fn account(one: &AccountProof) -> Vec<String> {
    let zh = match &*one.state {
        "missing" => "缺失",
        "refused" => "不能建立",
        _ => "不同",
    };
    let what = match one.fields.is_empty() {
        true => format!("{} {}", one.why, one.zh).trim().to_owned(),
        false => one.fields.join(", "),
    };
    vec![one.address.clone(), format!("{} {zh}", one.state), what]
}

/// How a folder stands on one side.
fn stand(one: &FolderProof, side: &str, stand: &Stand) -> Vec<String> {
    let [messages, bytes, unseen] = [stand.messages, stand.bytes, stand.unseen].map(|number| number.to_string());
    let uids = format!("{}, {}", stand.uidvalidity, stand.uidnext);
    let (role, subscribed) = (stand.role.clone().unwrap_or_default(), if stand.subscribed { "✓" } else { "" });
    vec![one.folder.clone(), side.to_owned(), messages, bytes, unseen, uids, role, subscribed.to_owned()]
}

/// A score in both languages.
fn in_words(score: Score) -> String {
    let zh = match score {
        Score::Perfect => "完全一致",
        Score::Good => "差异均有原因",
        Score::Investigate => "有未能取得的内容",
        Score::Poor => "有无法解释的差异",
    };
    format!("{} {zh}", score.word())
}

/// A class in Chinese.
fn class_zh(class: &str) -> &'static str {
    match class {
        "equal" => "一致",
        "equal-eol" => "换行符规范后一致",
        "changed" => "已变更",
        "elsewhere" => "用户已移动",
        "removed" => "用户已删除",
        "excluded" => "按规则排除",
        "failed" => "未能取得",
        "new" => "新到",
        _ => "无法解释",
    }
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    Table { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::html;

    #[test]
    fn names_cannot_break_out_of_their_cell() {
        let formula = FolderProof { folder: "=HYPERLINK(1)".into(), here: "\t-1+2".into(), ..FolderProof::default() };
        let folder = FolderProof { folder: "a\"<b>,\r\n".into(), ..FolderProof::default() };
        let why = "<script>".to_owned();
        let difference = Difference { folder: "x".into(), uid: 1, class: "unexplained".into(), why, zh: String::new() };
        let proof =
            Proof { folders: vec![folder, formula], differences: vec![difference], unexplained: 1, ..Proof::default() };
        let proofs = [proof];
        let table = csv(&proofs, &[]);
        assert!(table.contains("\"a\"\"<b>,\r\n\","));
        assert!(table.contains("\"'=HYPERLINK(1)\",\"'\t-1+2\","), "no table calculates it");
        let page = html(&paper(&proofs, &[], Some("root: <i>")));
        assert!(page.contains("root: &lt;i&gt;"));
        assert!(!page.contains("<script>") && !page.contains("<b>") && page.contains("Unexplained differences"));
    }

    #[test]
    fn what_a_table_leaves_out_is_counted_below_it() {
        let missing = |number: usize| AccountProof {
            address: format!("a{number}"),
            state: "missing".into(),
            ..AccountProof::default()
        };
        let accounts: Vec<AccountProof> = (0..NAMED + 3).map(missing).collect();
        let difference =
            Difference { folder: String::new(), uid: 1, class: "new".into(), why: String::new(), zh: String::new() };
        let classes = [("equal".to_owned(), 5), ("new".to_owned(), 1007)].into();
        let folders = vec![FolderProof { classes, ..FolderProof::default() }];
        let proof = Proof { folders, differences: vec![difference; NAMED], ..Proof::default() };
        let page = html(&paper(&[proof], &accounts, None));
        assert!(page.contains("3 more are not listed here") && page.contains("另有 3 项未列出"), "{page}");
        assert!(page.contains("the first 1000 of 1007 differences") && page.contains("共 1007 处差异"), "{page}");
        assert_eq!(csv(&[], &accounts).matches("\"missing\"").count(), accounts.len(), "a table for programs has all");
        let all: String = html(&paper(&[], &accounts[..NAMED], None));
        assert!(!all.contains("not listed"), "{all}");
    }
}
