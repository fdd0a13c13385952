"""dkimpy and opendkim, asked one question a line in JSON and answering one line each. Octets are base64."""

import base64
import json
import os
import subprocess
import sys
import tempfile

import dkim
import nacl.encoding
import nacl.signing


def lookup(zone):
    def ask(name, timeout=5):
        text = zone.get(name.decode().rstrip("."))
        return text.encode() if text is not None else None
    return ask


def new_key(kind):
    if kind == "ed25519":
        key = nacl.signing.SigningKey.generate()
        secret = key.encode(encoder=nacl.encoding.Base64Encoder).decode()
        public = key.verify_key.encode(encoder=nacl.encoding.Base64Encoder).decode()
        return secret, "v=DKIM1; k=ed25519; p=" + public
    secret = subprocess.run(["openssl", "genrsa", "-traditional", kind], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=secret, check=True, capture_output=True)
    return secret.decode(), "v=DKIM1; p=" + base64.b64encode(der.stdout).decode()


def opendkim(message, zone):
    """What opendkim writes into Authentication-Results; it reads lines that end in LF."""
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        with open(path("dns"), "w") as dns:
            dns.writelines(f"{name} {text}\n" for name, text in zone.items())
        with open(path("conf"), "w") as conf:
            conf.write(f"TestDNSData file:{path('dns')}\nMode v\nSyslog no\nMinimumKeyBits 1024\n")
        with open(path("mail"), "wb") as mail:
            mail.write(message.replace(b"\r\n", b"\n"))
        run = subprocess.run(["opendkim", "-x", path("conf"), "-vvv", "-t", path("mail")], capture_output=True)
        return (run.stdout + run.stderr).decode(errors="replace")


def opendkim_sign(message, ask):
    with tempfile.NamedTemporaryFile() as key:
        key.write(ask["key"].encode())
        key.flush()
        run = ["opendkim-testmsg", "-C", "-d", ask["domain"], "-s", ask["selector"], "-k", key.name]
        return subprocess.run(run, input=message, check=True, capture_output=True).stdout


def answer(ask):
    message = base64.b64decode(ask.get("message", ""))
    zone = ask.get("zone", {})
    domain, selector = ask.get("domain", "").encode(), ask.get("selector", "").encode()
    match ask["do"]:
        case "key":
            secret, record = new_key(ask["kind"])
            return {"key": secret, "record": record}
        case "verify":
            signer = dkim.DKIM(message, minkey=1024)
            count = ask.get("count", 1)
            try:
                return {"ok": all(signer.verify(idx=index, dnsfunc=lookup(zone)) for index in range(count))}
            except dkim.ValidationError as why:
                return {"ok": False, "why": str(why)}
        case "sign":
            algorithm, canon = ask["algorithm"].encode(), tuple(word.encode() for word in ask["canon"])
            field = dkim.sign(message, selector, domain, ask["key"].encode(), canonicalize=canon,
                              signature_algorithm=algorithm, length=ask.get("length", False))
            return {"message": base64.b64encode(field + message).decode()}
        case "arc-verify":
            status, results, reason = dkim.arc_verify(message, dnsfunc=lookup(zone), minkey=1024)
            return {"cv": (status or b"none").decode(), "reason": reason}
        case "arc-sign":
            fields = dkim.arc_sign(message, selector, domain, ask["key"].encode(), ask["authserv"].encode(), standardize=False)
            return {"message": base64.b64encode(b"".join(fields) + message).decode()}
        case "opendkim":
            return {"text": opendkim(message, zone)}
        case "opendkim-sign":
            return {"message": base64.b64encode(opendkim_sign(message, ask)).decode()}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
