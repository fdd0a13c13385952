# What getmail's own code writes for messages: as_getmail_writes.py lines|string IN OUT
import sys
sys.path.insert(0, '/usr/lib/python3/dist-packages')
from getmailcore.message import Message

how, source, target = sys.argv[1:]
with open(source, 'rb') as infile, open(target, 'wb') as out:
    while length := infile.readline():
        raw = infile.read(int(length))
        if how == 'lines':
            message = Message(fromlines=raw.split(b'\r\n'))
        else:
            message = Message(fromstring=raw)
        made = message.flatten(False, False)
        out.write(b'%d\n%s' % (len(made), made))
