S~ "SASL" ""
S~ "STARTTLS"
S: OK "ManageSieve ready"
C: AUTHENTICATE "PLAIN" "AGFubgB3aWxkLWdvb3Nl"
S: NO (ENCRYPT-NEEDED) "use TLS to log in"
C: LOGOUT
S: OK "goodbye"
S.
