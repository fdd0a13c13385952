S~ OK "ManageSieve ready"
C: AUTHENTICATE "PLAIN" "AGNoZW4Ad2lsZC1nb29zZQ=="
S: OK "已登录"
C: CAPABILITY
S~ "LANGUAGE" "zh"
S~ OK "完成"
C: CHECKSCRIPT {38+}
C> keep\r\nif true { fileinto "工作"; }\r\n\r\n
S: NO "第 2 行第 1 列：此处应为“;”，…"
C: PUTSCRIPT "假期 " "keep;"
S: OK "完成"
C: LISTSCRIPTS
S: "假期 "
S: OK "完成"
C: LOGOUT
S: OK "再见"
S.
