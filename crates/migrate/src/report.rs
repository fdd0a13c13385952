//! Proofs as files that people keep: CSV for tables, HTML to be read and printed, JSON for programs. [`crate::signature`] signs them.

use anser_net::http::escaped;

use crate::verify::{Proof, Score};

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

/// A page for each language's reader: what was compared, and every difference that is named.
pub fn html(proofs: &[Proof]) -> String {
    let unexplained: u64 = proofs.iter().map(|proof| proof.unexplained).sum();
    let seal = if unexplained == 0 {
        "Unexplained 无法解释: 0"
    } else {
        "Unexplained differences 存在无法解释的差异"
    };
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Verification 迁移核对</title>\
         <style>body{{font:14px sans-serif;margin:2em}}td,th{{border:1px solid #999;padding:.2em .5em;text-align:left}}\
         table{{border-collapse:collapse;margin-bottom:1.5em}}</style><h1>Verification 迁移核对</h1><p><strong>{seal}</strong></p>"
    );
    for (score, count) in scores(proofs) {
        out.push_str(&format!("<p>{} {count}</p>", score.word()));
    }
    for proof in proofs {
        let (login, address, score) = (escaped(&proof.login), escaped(&proof.address), proof.score().word());
        out.push_str(&format!("<h2>{login} &rarr; {address}: {score}</h2>"));
        out.push_str("<table><tr><th>Folder 文件夹<th>Here 现位置<th>Messages 邮件<th>Bytes 字节<th>Result 结果<th>Extra 仅此处<th>UIDs</tr>");
        for one in &proof.folders {
            let classes = one.classes.iter().map(|(class, count)| format!("{} {count}", escaped(class)));
            let kept = if one.uids_kept { "kept 保留" } else { "new 更新" };
            out.push_str(&format!(
                "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{kept}</tr>",
                escaped(&one.folder),
                escaped(&one.here),
                one.messages,
                one.bytes,
                classes.collect::<Vec<_>>().join(", "),
                one.extra
            ));
        }
        out.push_str("</table>");
        if !proof.differences.is_empty() {
            out.push_str("<table><tr><th>Folder 文件夹<th>UID<th>Class 类别<th>Why 原因</tr>");
            for one in &proof.differences {
                let texts = [escaped(&one.folder), one.uid.to_string(), escaped(&one.class), escaped(&one.why)];
                out.push_str(&format!("<tr><td>{}</tr>", texts.join("<td>")));
            }
            out.push_str("</table>");
        }
    }
    out + "</html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Difference, FolderProof};

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
        let page = html(&proofs);
        assert!(!page.contains("<script>") && !page.contains("<b>") && page.contains("Unexplained differences"));
    }
}
