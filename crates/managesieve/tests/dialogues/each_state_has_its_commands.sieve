S~ OK "ManageSieve ready"
C: LISTSCRIPTS
S: NO "log in first"
C: HAVESPACE "a" 1
S: NO "log in first"
C: UNAUTHENTICATE
S: NO "log in first"
C: PUTSCRIPT "a" {5+}
C> keep;\r\n
S: NO "log in first"
C: XYZZY
S: NO "Unknown command"
C: AUTHENTICATE "PLAIN" "AGFubgB3aWxkLWdvb3Nl"
S: OK "logged in"
C: STARTTLS
S: NO "STARTTLS comes before the login"
C: LOGOUT now
S: NO "Too many arguments"
C: GETSCRIPT "none"
S: NO (NONEXISTENT) "there is no such script"
C: DELETESCRIPT "none"
S: NO (NONEXISTENT) "there is no such script"
C: PUTSCRIPT "" "keep;"
S: NO "a script's name has 1 to 128 characters, none of them a control character"
C: PUTSCRIPT "a\"b\\c" "keep;"
S: OK "Done"
C: PUTSCRIPT "b" "keep;"
S: OK "Done"
C: RENAMESCRIPT "b" "a\"b\\c"
S: NO (ALREADYEXISTS) "there is a script of that name"
C: LISTSCRIPTS
S: "a\"b\\c"
S: "b"
S: OK "Done"
C: PUTSCRIPT "b" {6}
S: NO "A literal is {octets+} at the end of its line"
C: LOGOUT
S: OK "goodbye"
S.
