# Every message of an inbox: imaplib_takes_all.py PORT USER PASSWORD OUT
import imaplib
import sys

port, user, password, target = sys.argv[1:]
session = imaplib.IMAP4('127.0.0.1', int(port), timeout=120)
session.login(user, password)
status, data = session.select('INBOX', readonly=True)
assert status == 'OK', data
count = int(data[0])
with open(target, 'wb') as out:
    for first in range(1, count + 1, 500):
        status, data = session.fetch('%d:%d' % (first, min(first + 499, count)), '(UID BODY.PEEK[])')
        assert status == 'OK', data
        for part in data:
            if isinstance(part, tuple):
                out.write(b'%d\n%s' % (len(part[1]), part[1]))
session.logout()
