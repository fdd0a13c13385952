# RFC 5804 §1.7, §2.1, §2.4 to §2.13, with the names of this house.
S: "IMPLEMENTATION" "Anser"
S: "VERSION" "1.0"
S: "SASL" "…PLAIN…"
S: "SIEVE" "fileinto …"
S: "NOTIFY" "mailto"
S: "MAXREDIRECTS" "10"
S: "UNAUTHENTICATE"
S: "STARTTLS"
S: OK "ManageSieve ready"
C: Authenticate "PLAIN" "AGFubgB3aWxkLWdvb3Nl"
S: OK "logged in"
C: Capability
S~ "LANGUAGE" "en"
S: "OWNER" "ann@anser.test"
S: OK "Done"
C: HAVESPACE "myscript" 999999
S: OK "Done"
C: HAVESPACE "foobar" 99999999
S: NO (QUOTA/MAXSIZE) …
C: Putscript "foo" {31+}
C> #comment\r\nInvalidSieveCommand\r\n\r\n
S: NO "line 2, column 20: …
C: Putscript "mysievescript" {111+}
C> require ["fileinto", "envelope"];\r\n\r\nif envelope :contains "to" "tmartin+sent" {\r\n  fileinto "INBOX.sent";\r\n}\r\n\r\n
S: OK "Done"
C: Putscript "foo" {27+}
C> redirect "a@example.org";\r\n\r\n
S: OK "Done"
C: Listscripts
S: "foo"
S: "mysievescript"
S: OK "Done"
C: Setactive "mysievescript"
S: OK "Done"
C: Setactive "baz"
S: NO (NONEXISTENT) "there is no such script"
C: Listscripts
S: "foo"
S: "mysievescript" ACTIVE
S: OK "Done"
C: Getscript "foo"
S: {27}
S: redirect "a@example.org";
S:
S: OK "Done"
C: Deletescript "foo"
S: OK "Done"
C: Deletescript "mysievescript"
S: NO (ACTIVE) "the script is active"
C: Renamescript "mysievescript" "bar"
S: OK "Done"
C: Listscripts
S: "bar" ACTIVE
S: OK "Done"
C: Renamescript "foo" "bar"
S: NO (NONEXISTENT) …
C: CheckScript {31+}
C> #comment\r\nInvalidSieveCommand\r\n\r\n
S: NO "line 2, column 20: …
C: CheckScript {7+}
C> keep;\r\n\r\n
S: OK "Done"
C: NOOP
S: OK "Done"
C: NOOP "STARTTLS-SYNC-42"
S: OK (TAG "STARTTLS-SYNC-42") "Done"
C: Setactive ""
S: OK "Done"
C: Listscripts
S: "bar"
S: OK "Done"
C: Unauthenticate
S: OK "Done"
C: Listscripts
S: NO "log in first"
C: Logout
S: OK "goodbye"
S.
