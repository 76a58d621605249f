"""Signs requests for OCP with an access key and its secret key (AK/SK)."""

import base64
import email.utils
import hashlib
import hmac
from urllib.parse import parse_qsl, quote, urlsplit


def joined(pairs):
    """One pair a name, sorted; several values of one name are sorted and joined by commas."""
    values = {}
    for name, value in sorted(pairs):
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def signature(secret_key, method, url, headers, body=b""):
    """Headers are pairs, as they are sent: Date and Host must be among them. The URL is as sent, too."""
    headers = joined((name.lower(), value) for name, value in headers)
    address = urlsplit(url)
    # The comma that joins values is encoded like any other.
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}"
                     for name, value in joined(parse_qsl(address.query, keep_blank_values=True)).items())
    message = "\n".join([
        method.upper(),
        hashlib.md5(body).hexdigest().upper() if body else "",
        headers.get("content-type", ""),
        headers["date"],
        headers["host"],
        "\n".join(f"{name}:{value}" for name, value in headers.items() if name.startswith("x-ocp-")),
        address.path + ("?" + query if query else ""),
    ])
    return base64.b64encode(hmac.digest(secret_key.encode(), message.encode(), "sha1")).decode()


def sign(access_key, secret_key, method, url, headers, body=b""):
    """The headers to add to a request; it must be sent as it is given here, with its Host header."""
    date = email.utils.formatdate(usegmt=True)
    signed = signature(secret_key, method, url, [*headers, ("Date", date)], body)
    return {"Date": date, "Authorization": f"OCP-ACCESS-KEY-HMACSHA1 {access_key}:{signed}"}


def published_example():
    """The signature of the example in OCP's API reference."""
    return signature(
        "2fc0c299cc94c6be266f2ceece765d4d", "POST", "http://ocp.alibaba.net:8080/api/v2/compute/idcs",
        [("Content-Type", "application/json"), ("Date", "Tue, 17 Jan 2023 09:13:57 GMT"),
         ("Host", "ocp.alibaba.net:8080"), ("x-ocp-data", "A,1")],
        b'{"name":"test01","description":"test","regionId":1}')
