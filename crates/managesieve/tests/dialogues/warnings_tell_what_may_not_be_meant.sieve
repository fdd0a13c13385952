S~ OK "ManageSieve ready"
C: AUTHENTICATE "PLAIN" "AGFubgB3aWxkLWdvb3Nl"
S: OK "logged in"
C: PUTSCRIPT "a" {66+}
C> require "include";\r\ninclude :personal "b";\r\ninclude :global "c";\r\n\r\n
S: OK (WARNINGS) "included scripts do not exist: \"b\", \"c\""
C: PUTSCRIPT "b" "keep;"
S: OK "Done"
C: CHECKSCRIPT {44+}
C> require "include";\r\ninclude :personal "b";\r\n\r\n
S: OK "Done"
C: LOGOUT
S: OK "goodbye"
S.
