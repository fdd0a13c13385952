# A mirror of an account, kept by IMAPClient: imapclient_keeps_a_mirror.py PORT USER PASSWORD FRESH MIRROR
#
# It answers each line of its input with one line when it is done: `edit N` makes N random edits and one of a mailbox, with messages
# from the files of FRESH; `sync` brings MIRROR up to date. MIRROR has a Maildir for each mailbox; a file's name is UID:2,FLAGS.
# What is new it learns from CHANGEDSINCE (RFC 7162), from UID SEARCH and from UIDNEXT, and renamed mailboxes by MAILBOXID (RFC 8474).
# Meanwhile a second session is in IDLE on the inbox: what it was told must lead to the same messages and flags.
import os
import random
import shutil
import sys

from imapclient import IMAPClient, imap_utf7

port, user, password, fresh, mirror = sys.argv[1:]
FLAGS = {b'\\Draft': 'D', b'\\Flagged': 'F', b'\\Answered': 'R', b'\\Seen': 'S'}
FOLDERS = ['INBOX', '项目', '公文']
chance = random.Random(20)
waiting = sorted(os.path.join(fresh, name) for name in os.listdir(fresh))


def login():
    session = IMAPClient('127.0.0.1', int(port), ssl=False, timeout=120)
    session.login(user, password)
    session.enable('CONDSTORE')
    return session


def next_message():
    with open(waiting.pop(), 'rb') as file:
        return file.read()


def edit(session):
    folder = chance.choice(FOLDERS)
    session.select_folder(folder)
    uids = session.search('ALL')
    flag = chance.choice(list(FLAGS))
    if not uids or chance.randrange(4) == 0:
        return session.append(folder, next_message(), [flag])
    uid, other = chance.choice(uids), chance.choice(FOLDERS)
    what = chance.randrange(5)
    if what == 0:
        session.add_flags(uid, [flag])
    elif what == 1:
        session.remove_flags(uid, [flag])
    elif what == 2:
        session.move(uid, other)
    elif what == 3:
        session.copy(uid, other)
    else:
        session.delete_messages(uid)
        session.expunge(uid)


own = []


def edit_mailboxes(session, made):
    if len(own) < 2:
        own.append('客户 & %d' % made)
        session.create_folder(own[-1])
        session.append(own[-1], next_message(), [b'\\Seen'])
    elif chance.randrange(2) == 0:
        old = own.pop(0)
        own.append('新名 %d' % made)
        session.rename_folder(old, own[-1])
    else:
        session.delete_folder(own.pop(0))


class Mailbox:
    def __init__(self, name):
        self.name, self.validity, self.modseq, self.next, self.held = name, None, 0, 1, {}

    def folder(self):
        return os.path.join(mirror, imap_utf7.encode(self.name).decode())

    def path(self, uid):
        return os.path.join(self.folder(), 'cur', '%d:2,%s' % (uid, self.held[uid]))

    def forget(self, uid):
        os.remove(self.path(uid))
        del self.held[uid]


def letters(flags):
    return ''.join(letter for flag, letter in FLAGS.items() if flag in flags)


mailboxes = {}


def sync(session):
    now = {}
    for _, _, name in session.list_folders():
        status = session.folder_status(name, ['MAILBOXID', 'UIDVALIDITY', 'HIGHESTMODSEQ', 'UIDNEXT'])
        now[status[b'MAILBOXID']] = (name, status)
    for gone in [mailbox for mailbox in mailboxes if mailbox not in now]:
        shutil.rmtree(mailboxes.pop(gone).folder())
    renamed = [(mailboxes[id], name) for id, (name, _) in now.items() if id in mailboxes and mailboxes[id].name != name]
    for mailbox, name in renamed:
        before = mailbox.folder()
        mailbox.name = name
        os.rename(before, mailbox.folder())
    for id, (name, status) in now.items():
        if id not in mailboxes:
            mailboxes[id] = Mailbox(name)
            os.makedirs(os.path.join(mailboxes[id].folder(), 'cur'))
        catch_up(session, mailboxes[id], status)


def catch_up(session, mailbox, status):
    assert mailbox.validity in (None, status[b'UIDVALIDITY']), 'a mailbox with the same MAILBOXID has another UIDVALIDITY'
    if mailbox.modseq == status[b'HIGHESTMODSEQ']:
        return
    session.select_folder(mailbox.name, readonly=True)
    changed = session.fetch('1:*', ['FLAGS'], ['CHANGEDSINCE %d' % mailbox.modseq] if mailbox.modseq else None)
    there = set(session.search('ALL'))
    for uid in [uid for uid in mailbox.held if uid not in there]:
        mailbox.forget(uid)
    for uid, fields in changed.items():
        if uid in mailbox.held:
            before = mailbox.path(uid)
            mailbox.held[uid] = letters(fields[b'FLAGS'])
            os.rename(before, mailbox.path(uid))
    new = sorted(uid for uid in there if uid >= mailbox.next)
    assert all(uid in changed for uid in new), 'a new message is not among those that changed'
    for uid, fields in session.fetch(new, ['FLAGS', 'BODY.PEEK[]']).items():
        mailbox.held[uid] = letters(fields[b'FLAGS'])
        with open(mailbox.path(uid), 'wb') as file:
            file.write(fields[b'BODY[]'])
    mailbox.validity, mailbox.modseq, mailbox.next = (status[key] for key in (b'UIDVALIDITY', b'HIGHESTMODSEQ', b'UIDNEXT'))
    session.unselect_folder()


class Watch:
    """The inbox as IDLE tells of it: for each sequence number the UID and the flags, None where nothing was said of a new one."""

    def __init__(self):
        self.session = login()
        self.session.select_folder('INBOX', readonly=True)
        self.seen = self.whole()
        self.session.idle()

    def whole(self):
        # IMAPClient adds the responses that IDLE was told, under their message numbers; those have no size.
        fetched = self.session.fetch('1:*', ['FLAGS', 'RFC822.SIZE'])
        answers = sorted((uid, fields) for uid, fields in fetched.items() if b'RFC822.SIZE' in fields)
        return [[uid, letters(fields[b'FLAGS'])] for uid, fields in answers]

    def check(self):
        told = self.session.idle_done()[1] + self.session.noop()[1]
        for number, what, *rest in (event for event in told if isinstance(event[0], int)):
            if what == b'EXISTS':
                assert number >= len(self.seen), 'EXISTS takes messages away'
                self.seen += [[None, None] for _ in range(number - len(self.seen))]
            elif what == b'EXPUNGE':
                del self.seen[number - 1]
            elif what == b'FETCH':
                fields = dict(zip(rest[0][::2], rest[0][1::2]))
                self.seen[number - 1][1] = letters(fields[b'FLAGS'])
        whole = self.whole()
        assert len(self.seen) == len(whole), ('IDLE told of %d messages' % len(self.seen), len(whole))
        for guess, real in zip(self.seen, whole):
            assert guess[0] in (None, real[0]) and guess[1] in (None, real[1]), (guess, real)
        assert told, 'IDLE told nothing'
        self.seen = whole
        self.session.idle()


session = login()
watch = Watch()
for made, line in enumerate(sys.stdin):
    verb, *count = line.split()
    if verb == 'edit':
        session.append('INBOX', next_message())  # So that IDLE has something to tell each time.
        for _ in range(int(count[0])):
            edit(session)
        session.unselect_folder()
        edit_mailboxes(session, made)
    else:
        watch.check() if made else None
        sync(session)
    print('done', flush=True)
