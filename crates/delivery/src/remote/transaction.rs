//! One mail transaction (RFC 5321 §3.3): MAIL, RCPT for each recipient, DATA or BDAT.

use anser_base::Error;
use anser_queue::Entry;
use anser_wire::smtp::{BodyType, CommandError, DataEncoder, Reply};

use crate::content::Content;

use super::client::{Client, DATA, ENVELOPE, FINAL_DOT, Phase};
use super::fitness;
use super::stop::{CLOSING, Stop};

/// What the server said about one recipient.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// It has the message; its reply to the end of it.
    Taken(Reply),
    /// Not this recipient, or not this message.
    Refused(Stop),
}

type Answers = Vec<(usize, Answer)>;

/// The envelope.
impl Client {
    /// Sends an entry to some of its recipients; `Err` is the outcome of all of them.
    pub async fn transact(&mut self, entry: &Entry, part: &[usize], content: &mut Content) -> Result<Answers, Stop> {
        let mail = fitness::mail_from(self, entry, content).await?;
        let binary = mail.body == Some(BodyType::BinaryMime);
        let mail = mail.to_line().map_err(|error| unwritable(&error))?;
        let (mut answers, indices, mut lines) = self.recipients(entry, part);
        if indices.is_empty() {
            return Ok(answers);
        }
        lines.insert(0, mail);
        // RFC 2920 §3.1: DATA may end the group. BDAT waits until it is known that somebody gets the message.
        let goes_along = self.capabilities().pipelining && !binary;
        lines.extend(goes_along.then(|| "DATA".to_owned()));
        let mut replies = self.exchange(&lines).await?;
        let go_ahead = if goes_along && replies.len() == lines.len() { replies.pop() } else { None };
        let accepted = self.accepted(indices, replies, &mut answers);
        let is_wanted = accepted.as_ref().is_ok_and(|accepted| !accepted.is_empty());
        if !is_wanted && go_ahead.as_ref().is_some_and(|reply| reply.code == GO_AHEAD) {
            self.send_nothing().await?;
        }
        let accepted = accepted?;
        if is_wanted {
            let verdict = self.message(content, binary, go_ahead).await;
            answers.extend(accepted.into_iter().map(|index| (index, answer(&verdict))));
        }
        Ok(answers)
    }

    /// The answers for recipients that cannot be named to this server, the others, and their RCPT lines.
    fn recipients(&self, entry: &Entry, part: &[usize]) -> (Answers, Vec<usize>, Vec<String>) {
        let (mut answers, mut indices, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for &index in part {
            let line = fitness::rcpt_to(self, entry, &entry.envelope.recipients[index])
                .and_then(|rcpt| rcpt.to_line().map_err(|error| unwritable(&error)));
            match line {
                Ok(line) => {
                    indices.push(index);
                    lines.push(line);
                }
                Err(stop) => answers.push((index, Answer::Refused(stop))),
            }
        }
        (answers, indices, lines)
    }

    /// The recipients that the server accepted, by its replies to MAIL and RCPT.
    fn accepted(
        &mut self,
        indices: Vec<usize>,
        replies: Vec<Reply>,
        answers: &mut Answers,
    ) -> Result<Vec<usize>, Stop> {
        let mut replies = replies.into_iter();
        if let Some(reply) = replies.next().filter(|reply| !reply.is_positive()) {
            return Err(self.said(&reply));
        }
        let mut accepted = Vec::new();
        for (index, reply) in indices.into_iter().zip(replies) {
            match reply.is_positive() {
                true => accepted.push(index),
                false => answers.push((index, Answer::Refused(Stop::said_of_recipient(self.host(), &reply)))),
            }
        }
        Ok(accepted)
    }

    /// The replies to the commands, MAIL first, sent at once where the server allows it (RFC 2920); only MAIL's when that is refused.
    async fn exchange(&mut self, lines: &[String]) -> Result<Vec<Reply>, Stop> {
        self.phase = Phase::Envelope;
        let pipelining = self.capabilities().pipelining;
        if pipelining {
            self.expect_silence()?;
            self.write(format!("{}\r\n", lines.join("\r\n")).as_bytes()).await?;
            self.flush().await?;
        }
        let mut replies: Vec<Reply> = Vec::with_capacity(lines.len());
        for line in lines {
            let said = if pipelining { self.reply(ENVELOPE).await } else { self.command(line, ENVELOPE).await };
            let mail_refused = replies.first().is_some_and(|reply| !reply.is_positive());
            match said {
                Ok(reply) if reply.code == CLOSING => return Err(self.said(&reply)),
                Ok(reply) => replies.push(reply),
                // Many servers close behind a refusal, and the refusal counts.
                Err(_) if mail_refused => break,
                Err(stop) => return Err(stop),
            }
            if !pipelining && replies.first().is_some_and(|reply| !reply.is_positive()) {
                break;
            }
        }
        Ok(replies)
    }
}

/// The message itself.
impl Client {
    /// Sends it; the positive reply to it. The end is only sent when all of it was, so an error before leaves nothing behind. A
    /// connection that breaks between the end and the reply leaves it open whether the server has it, and it is sent again: a
    /// duplicate is better than a loss (RFC 5321 §4.5.3.2.6, RFC 1047).
    pub(super) async fn message(
        &mut self,
        content: &mut Content,
        binary: bool,
        go_ahead: Option<Reply>,
    ) -> Result<Reply, Stop> {
        let reply = if binary { self.bdat(content).await? } else { self.data(content, go_ahead).await? };
        self.end_message();
        if reply.is_positive() { Ok(reply) } else { Err(self.said(&reply)) }
    }

    /// DATA (RFC 5321 §4.1.1.4), unless it was said already.
    async fn data(&mut self, content: &mut Content, go_ahead: Option<Reply>) -> Result<Reply, Stop> {
        let reply = match go_ahead {
            Some(reply) => reply,
            None => self.command("DATA", DATA).await?,
        };
        if reply.code != GO_AHEAD {
            return Err(self.said(&reply));
        }
        // What it says of a message that it has not seen is a lie.
        self.expect_silence()?;
        self.phase = Phase::Message;
        let (mut encoder, mut out, mut offset) = (DataEncoder::new(), Vec::new(), 0);
        while offset < content.size() {
            let piece = self.piece(content, offset).await?;
            offset += piece.len() as u64;
            encoder.push(&piece, &mut out);
            self.write(&out).await?;
            out.clear();
        }
        encoder.finish(&mut out);
        self.write(&out).await?;
        self.flush().await?;
        self.reply(FINAL_DOT).await
    }

    /// Ends a message for nobody, which the server let come all the same (RFC 2920 §3.1); whatever it says.
    async fn send_nothing(&mut self) -> Result<(), Stop> {
        self.write(b".\r\n").await?;
        self.flush().await?;
        self.reply(FINAL_DOT).await.map(drop)
    }

    /// BDAT in chunks of one piece each (RFC 3030 §2). A chunk that is refused ends the message.
    async fn bdat(&mut self, content: &mut Content) -> Result<Reply, Stop> {
        self.phase = Phase::Message;
        let mut offset = 0;
        loop {
            let piece = self.piece(content, offset).await?;
            offset += piece.len() as u64;
            let is_last = offset >= content.size();
            let last = if is_last { " LAST" } else { "" };
            self.expect_silence()?;
            self.write(format!("BDAT {}{last}\r\n", piece.len()).as_bytes()).await?;
            self.write(&piece).await?;
            self.flush().await?;
            let reply = self.reply(FINAL_DOT).await?;
            if is_last || !reply.is_positive() {
                return if is_last { Ok(reply) } else { Err(self.said(&reply)) };
            }
        }
    }

    /// The next piece. A message that cannot be read on is cut off by closing, so that no server takes the half for the whole.
    async fn piece(&mut self, content: &mut Content, offset: u64) -> Result<bytes::Bytes, Stop> {
        let read = match content.read_at(offset).await {
            Ok(piece) if piece.is_empty() && offset < content.size() => Err(Error::damaged("the body ends early")),
            other => other,
        };
        read.map_err(|error| {
            self.give_up();
            Stop::own(&error)
        })
    }
}

/// The reply that lets the message come.
const GO_AHEAD: u16 = 354;

fn answer(verdict: &Result<Reply, Stop>) -> Answer {
    match verdict {
        Ok(reply) => Answer::Taken(reply.clone()),
        Err(stop) => Answer::Refused(stop.clone()),
    }
}

/// An address that no command can carry.
fn unwritable(error: &CommandError) -> Stop {
    Stop::never(format!("5.1.3 {}", error.text))
}
