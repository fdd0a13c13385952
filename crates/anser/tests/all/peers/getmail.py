# getmail's own program. It forks for each message and may miss the end of a child that is faster than itself; then it waits a
# minute and gives up. Here it waits for that child.
import os
import sys
sys.path.insert(0, '/usr/lib/python3/dist-packages')
from getmailcore.baseclasses import ForkingBase

ForkingBase._prepare_child = lambda self: None
ForkingBase._wait_for_child = lambda self, child: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.argv[0] = '/usr/bin/getmail'
with open(sys.argv[0]) as program:
    exec(compile(program.read(), sys.argv[0], 'exec'))
