S~ OK "ManageSieve ready"
C: AUTHENTICATE "NONESUCH"
S: NO "this mechanism is not offered"
C: AUTHENTICATE "PLAIN" "!"
S: NO "Not base64"
C: AUTHENTICATE "PLAIN" "AGJvYgBubw=="
S: NO …
C: AUTHENTICATE "PLAIN" "AGJvYgBubw=="
S: NO …
C: AUTHENTICATE "PLAIN" "AGJvYgBubw=="
S: BYE …
S.
