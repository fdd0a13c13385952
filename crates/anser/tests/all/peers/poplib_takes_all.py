# Every message of an inbox: poplib_takes_all.py PORT USER PASSWORD OUT
import poplib
import sys

poplib._MAXLINE = 1 << 20
port, user, password, target = sys.argv[1:]
session = poplib.POP3('127.0.0.1', int(port), timeout=120)
session.user(user)
session.pass_(password)
count, _ = session.stat()
with open(target, 'wb') as out:
    for number in range(1, count + 1):
        lines = session.retr(number)[1]
        message = b''.join(line + b'\r\n' for line in lines)
        out.write(b'%d\n%s' % (len(message), message))
session.quit()
