// An old server that speaks as much IMAP as a move asks for, and does not hand out one of its letters before it is mended.
import { createServer } from 'node:net';

/** One with these letters in its inbox, the last of them damaged. */
export async function oldServer(letters) {
  const state = { mended: false, login: '' };
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n');
    socket.on('data', (piece) => {
      text += piece;
      for (let end; (end = text.indexOf('\r\n')) >= 0; text = text.slice(end + 2)) socket.write(answer(text.slice(0, end)));
    });
  });
  function answer(line) {
    const [, tag, rest] = /^(\S+) (.*)$/.exec(line);
    const [said, ended] = respond(rest);
    return `${said}${tag} ${ended ?? 'OK done'}\r\n`;
  }
  function respond(rest) {
    if (rest.startsWith('AUTHENTICATE')) state.login = Buffer.from(rest.split(' ').pop(), 'base64').toString();
    if (rest.startsWith('CAPABILITY')) return ['* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n'];
    if (rest.startsWith('LIST')) return ['* LIST () "/" INBOX\r\n'];
    if (rest.startsWith('STATUS')) return [`* STATUS INBOX (MESSAGES ${letters.length})\r\n`];
    if (rest.startsWith('EXAMINE')) return [`* ${letters.length} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT ${letters.length + 1}] x\r\n`];
    const [, set, items] = /^UID FETCH (\S+) (.*)$/.exec(rest) ?? [];
    let [said, ended] = ['', undefined];
    for (const [at, letter] of items ? letters.entries() : []) {
      const uid = at + 1;
      if (!set.includes(':') && !set.split(',').includes(String(uid))) continue;
      const body = items.includes('HEADER') ? letter.slice(0, letter.indexOf('\r\n\r\n') + 4) : letter;
      if (items.includes('FLAGS')) said += `* ${uid} FETCH (UID ${uid} FLAGS () INTERNALDATE "21-Nov-2020 08:00:00 +0000" RFC822.SIZE ${letter.length})\r\n`;
      else if (items.includes('HEADER') || state.mended || uid < letters.length) said += `* ${uid} FETCH (UID ${uid} BODY[] {${body.length}}\r\n${body})\r\n`;
      else ended = 'NO it is damaged';
    }
    return [said, ended];
  }
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(state, { port: server.address().port, end: () => server.close() });
}
