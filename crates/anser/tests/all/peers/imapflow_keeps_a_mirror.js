// A mirror of an account, kept by imapflow: imapflow_keeps_a_mirror.js PORT USER PASSWORD FRESH MIRROR
//
// It answers each line of its input with one line when it is done: `edit N` makes N random edits and one of a mailbox, with messages
// from the files of FRESH; `sync` brings MIRROR up to date. MIRROR has a Maildir for each mailbox; a file's name is UID:2,FLAGS.
// What changed it learns from SELECT with QRESYNC (RFC 7162 §3.2.5), and renamed mailboxes by MAILBOXID (RFC 8474).
// Meanwhile a second session is in IDLE on the inbox: what it was told must lead to the same messages and flags.
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const { ImapFlow } = require('imapflow');
const iconv = require('iconv-lite');

const [port, user, password, fresh, mirror] = process.argv.slice(2);
const FLAGS = { '\\Draft': 'D', '\\Flagged': 'F', '\\Answered': 'R', '\\Seen': 'S' };
const FOLDERS = ['INBOX', '项目', '公文'];
const waiting = fs.readdirSync(fresh).sort();

const check = (holds, text) => {
  if (!holds) throw new Error(text);
};
let seed = 20;
const below = bound => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return (seed >>> 8) % bound;
};
const one = items => items[below(items.length)];
const nextMessage = () => fs.readFileSync(path.join(fresh, waiting.pop()));
const letters = flags => Object.keys(FLAGS).filter(flag => flags.has(flag)).map(flag => FLAGS[flag]).join('');

async function login(heard) {
  const session = new ImapFlow({
    host: '127.0.0.1', port: Number(port), secure: false, doSTARTTLS: false, auth: { user, pass: password }, qresync: true, logger: false,
    disableAutoIdle: true,
  });
  session.on('flags', event => heard.push({ uid: event.uid, flags: letters(event.flags) }));
  session.on('expunge', event => heard.push({ uid: event.uid, gone: true }));
  await session.connect();
  check(session.enabled.has('QRESYNC'), 'QRESYNC is not enabled');
  return session;
}

async function edit(session) {
  const folder = one(FOLDERS);
  await session.mailboxOpen(folder);
  const uids = await session.search({ all: true }, { uid: true });
  const flag = one(Object.keys(FLAGS));
  if (!uids.length || below(4) === 0) {
    check(await session.append(folder, nextMessage(), [flag]), 'APPEND');
    return;
  }
  const [uid, other] = [String(one(uids)), one(FOLDERS)];
  const what = below(5);
  if (what === 0) await session.messageFlagsAdd(uid, [flag], { uid: true });
  else if (what === 1) await session.messageFlagsRemove(uid, [flag], { uid: true });
  else if (what === 2) await session.messageMove(uid, other, { uid: true });
  else if (what === 3) await session.messageCopy(uid, other, { uid: true });
  else await session.messageDelete(uid, { uid: true });
}

const own = [];
let made = 0;

async function editMailboxes(session) {
  made += 1;
  if (own.length < 2) {
    own.push(`客户 & ${made}`);
    await session.mailboxCreate(own.at(-1));
    check(await session.append(own.at(-1), nextMessage(), ['\\Seen']), 'APPEND');
  } else if (below(2) === 0) {
    const old = own.shift();
    own.push(`新名 ${made}`);
    await session.mailboxRename(old, own.at(-1));
  } else {
    await session.mailboxDelete(own.shift());
  }
}

const mailboxes = new Map();
const folderOf = name => path.join(mirror, iconv.encode(name, 'utf-7-imap').toString());
const fileOf = (mailbox, uid) => path.join(folderOf(mailbox.name), 'cur', `${uid}:2,${mailbox.held.get(uid)}`);

function flag(mailbox, uid, flags) {
  const before = fileOf(mailbox, uid);
  mailbox.held.set(uid, flags);
  fs.renameSync(before, fileOf(mailbox, uid));
}

function forget(mailbox, uid) {
  fs.rmSync(fileOf(mailbox, uid));
  mailbox.held.delete(uid);
}

async function sync(session, heard) {
  const there = new Map();
  for (const { path: name } of await session.list()) {
    const known = [...mailboxes.values()].find(mailbox => mailbox.name === name);
    heard.length = 0;
    const open = await session.mailboxOpen(name, known && { changedSince: known.modseq, uidValidity: known.validity });
    // What was vanished and changed comes with SELECT; a mailbox of the same name may be another one.
    there.set(open.mailboxId, { name, open, told: open.qresync ? [...heard] : null, news: await news(session, mailboxes.get(open.mailboxId)) });
  }
  for (const [id, mailbox] of [...mailboxes].filter(([id]) => !there.has(id))) {
    fs.rmSync(folderOf(mailbox.name), { recursive: true });
    mailboxes.delete(id);
  }
  for (const [id, { name }] of there) {
    const mailbox = mailboxes.get(id);
    if (mailbox && mailbox.name !== name) {
      fs.renameSync(folderOf(mailbox.name), folderOf(name));
      mailbox.name = name;
    }
  }
  for (const [id, { name, open, told, news }] of there) {
    if (!mailboxes.has(id)) {
      mailboxes.set(id, { name, validity: open.uidValidity, held: new Map() });
      fs.mkdirSync(path.join(folderOf(name), 'cur'), { recursive: true });
    }
    take(mailboxes.get(id), open, told || [], news);
  }
}

// What is new in the open mailbox; all of it when nothing is known. A renamed one had no QRESYNC, and nothing else changed in it.
async function news(session, known) {
  if (!session.mailbox.exists) return [];
  const first = known ? known.next : 1;
  const all = await session.fetchAll(`${first}:*`, { uid: true, flags: true, source: true }, { uid: true });
  return all.filter(message => message.uid >= first);
}

function take(mailbox, open, told, news) {
  check(mailbox.validity === open.uidValidity, 'a mailbox with the same MAILBOXID has another UIDVALIDITY');
  for (const { uid, gone, flags } of told.filter(event => mailbox.held.has(event.uid))) {
    if (gone) forget(mailbox, uid);
    else flag(mailbox, uid, flags);
  }
  for (const message of news) {
    mailbox.held.set(message.uid, letters(message.flags));
    fs.writeFileSync(fileOf(mailbox, message.uid), message.source);
  }
  mailbox.modseq = open.highestModseq;
  mailbox.next = open.uidNext;
  check(mailbox.held.size === open.exists, `${mailbox.held.size} messages in the mirror of ${mailbox.name}, not ${open.exists}`);
}

async function watch() {
  const heard = [];
  const session = await login(heard);
  await session.mailboxOpen('INBOX', { readOnly: true });
  const whole = async () => new Map((await session.fetchAll('1:*', { uid: true, flags: true })).map(message => [message.uid, letters(message.flags)]));
  let seen = await whole();
  let ever = 0;
  const idle = () => session.idle();
  idle();
  return async () => {
    await session.noop();
    const told = heard.splice(0);
    // A batch may leave the inbox alone, half of all do not.
    ever += told.length;
    check(ever || made < 5, 'IDLE told nothing');
    for (const { uid, gone, flags } of told) {
      if (gone) seen.delete(uid);
      else if (seen.has(uid)) seen.set(uid, flags);
    }
    const now = await whole();
    for (const [uid, flags] of seen) check(now.get(uid) === flags, `IDLE told of ${uid} with ${flags}, not ${now.get(uid)}`);
    seen = now;
    idle();
  };
}

async function main() {
  const heard = [];
  const session = await login(heard);
  const watched = await watch();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [verb, count] = line.split(' ');
    if (verb === 'edit') {
      for (let n = 0; n < Number(count); n += 1) await edit(session);
      await editMailboxes(session);
    } else {
      if (made) await watched();
      await sync(session, heard);
    }
    process.stdout.write('done\n');
  }
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
