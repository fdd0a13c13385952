//! Proofs as files that people keep: CSV for tables, HTML and PDF to be read and printed, JSON for programs. [`crate::signature`] signs
//! them.

use crate::paper::{Block, Kind, Paper, Readers, Table};
use crate::verify::{Difference, FolderProof, Proof, Score};

/// One line for each folder; texts in quotes, a quote in them doubled.
pub fn csv(proofs: &[Proof]) -> String {
    let mut out =
        String::from("login,address,score,folder,here,messages,bytes,equal,explained,unexplained,extra,uids_kept\r\n");
    for proof in proofs {
        for folder in &proof.folders {
            let count = |class: &str| folder.classes.get(class).copied().unwrap_or(0);
            let all: u64 = folder.classes.values().sum();
            let (equal, unexplained) = (count("equal"), count("unexplained"));
            let score = proof.score().word().to_owned();
            let texts = [&proof.login, &proof.address, &score, &folder.folder, &folder.here];
            let texts: Vec<String> = texts.iter().map(|text| cell(text)).collect();
            let numbers = [folder.messages, folder.bytes, equal, all - equal - unexplained, unexplained, folder.extra];
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            out.push_str(&format!("{},{},{}\r\n", texts.join(","), numbers.join(","), folder.uids_kept));
        }
    }
    out
}

/// A text as a cell. What a table would calculate is a text to it behind an apostrophe: names come from old servers.
fn cell(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

/// All of it, without the last `}`: behind that stands the signature.
pub fn json(proofs: &[Proof]) -> String {
    let unexplained: u64 = proofs.iter().map(|proof| proof.unexplained).sum();
    let scores = scores(proofs).into_iter().map(|(score, count)| (score.word(), count));
    let scores: serde_json::Map<String, serde_json::Value> =
        scores.map(|(word, count)| (word.to_owned(), count.into())).collect();
    let whole = serde_json::json!({ "unexplained": unexplained, "scores": scores, "proofs": proofs });
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
pub fn paper(proofs: &[Proof]) -> Paper {
    let unexplained: u64 = proofs.iter().map(|proof| proof.unexplained).sum();
    let seal = match unexplained {
        0 => "Unexplained 无法解释: 0".to_owned(),
        _ => format!("Unexplained differences 存在无法解释的差异: {unexplained}"),
    };
    let title = "Verification 迁移核对";
    let mut blocks = vec![Block::plain(Kind::Title, title), Block::plain(Kind::Strong, seal)];
    blocks.extend(
        scores(proofs).into_iter().map(|(score, count)| Block::plain(Kind::Text, format!("{} {count}", score.word()))),
    );
    for proof in proofs {
        let heading = format!("{} → {}: {}", proof.login, proof.address, proof.score().word());
        blocks.push(Block::plain(Kind::Heading, heading));
        blocks.push(Block::Table(table(&FOLDERS, proof.folders.iter().map(folder))));
        if !proof.differences.is_empty() {
            blocks.push(Block::Table(table(&DIFFERENCES, proof.differences.iter().map(difference))));
        }
    }
    Paper { readers: Readers::Both, title: title.to_owned(), blocks }
}

const FOLDERS: [&str; 7] =
    ["Folder 文件夹", "Here 现位置", "Messages 邮件", "Bytes 字节", "Result 结果", "Extra 仅此处", "UIDs"];
const DIFFERENCES: [&str; 4] = ["Folder 文件夹", "UID", "Class 类别", "Why 原因"];

fn folder(one: &FolderProof) -> Vec<String> {
    let classes: Vec<String> = one.classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
    let kept = if one.uids_kept { "kept 保留" } else { "new 更新" };
    let [messages, bytes, extra] = [one.messages, one.bytes, one.extra].map(|number| number.to_string());
    vec![one.folder.clone(), one.here.clone(), messages, bytes, classes.join(", "), extra, kept.to_owned()]
}

fn difference(one: &Difference) -> Vec<String> {
    vec![one.folder.clone(), one.uid.to_string(), one.class.clone(), one.why.clone()]
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
        let difference = Difference { folder: "x".into(), uid: 1, class: "unexplained".into(), why };
        let proof =
            Proof { folders: vec![folder, formula], differences: vec![difference], unexplained: 1, ..Proof::default() };
        let proofs = [proof];
        assert!(csv(&proofs).contains("\"a\"\"<b>,\r\n\","));
        assert!(csv(&proofs).contains("\"'=HYPERLINK(1)\",\"'\t-1+2\","), "no table calculates it");
        let page = html(&paper(&proofs));
        assert!(!page.contains("<script>") && !page.contains("<b>") && page.contains("Unexplained differences"));
    }
}
