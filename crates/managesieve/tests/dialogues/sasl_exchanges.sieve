S~ OK "ManageSieve ready"
C: AUTHENTICATE "PLAIN"
S: ""
C: "AGFubgB3cm9uZw=="
S: NO …
C: AUTHENTICATE "PLAIN"
S: ""
C: "*"
S: NO "given up"
C: AUTHENTICATE "PLAIN"
S: ""
C: {20+}
C: AGFubgB3aWxkLWdvb3Nl
S: OK "logged in"
C: AUTHENTICATE "PLAIN"
S: NO "logged in already"
C: UNAUTHENTICATE
S: OK "Done"
C: AUTHENTICATE "LOGIN"
S: "VXNlcm5hbWU6"
C: "YW5u"
S: "UGFzc3dvcmQ6"
C: "d2lsZC1nb29zZQ=="
S: OK "logged in"
C: LOGOUT
S: OK "goodbye"
S.
