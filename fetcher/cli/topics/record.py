"""Each key of a record."""
from __future__ import annotations

ABOUT = ("One JSON object a line, in UTF-8, for each line of the list. The keys stand in this order. Times are seconds "
         "and sizes are bytes. The times of a request have curl's meanings: they count from the start of the last "
         "attempt.")

KEYS = [
    ("url", "string", "The URL as it stood in the list, without white space around it; a password in it is ***."),
    ("line", "integer", "Its line in the list, from 1."),
    ("source", "string", "The list that it comes from. Absent if there is only one."),
    ("request", "string", "The method and a digest, where the request is more than a plain GET. Absent otherwise."),
    ("ok", "boolean", "True if the answer has an accepted status, was read whole, and is as expected."),
    ("status", "integer", "The status of the answer. Null if none came."),
    ("error", "string", "One word for what went wrong: see `fetcher help errors`. Null if it is ok."),
    ("error_message", "string", "One sentence about it. Null if it is ok."),
    ("method", "string", "The method of the last request: a redirect may turn POST into GET."),
    ("final_url", "string", "The URL of the last request, after redirects. Null if nothing was sent."),
    ("redirects", "integer", "How many redirects were followed."),
    ("http_version", "string", "The version of HTTP of the answer. Null if none came."),
    ("content_type", "string", "The Content-Type of the answer. Null if it has none, or if none came."),
    ("remote_ip", "string", "The address that the last request went to, or that of the proxy. Null if unknown."),
    ("size", "integer", "Bytes of the decoded body."),
    ("size_download", "integer", "Bytes of the body as they came, in their content coding."),
    ("sha256", "string", "The SHA-256 of the decoded body, in hexadecimal digits, with --hash, --save-dir, --state or "
                         "an expected sha256. Null otherwise, and if the body is not whole."),
    ("saved_to", "string", "The file of the body, with --save-dir. Null otherwise."),
    ("attempts", "integer", "How often it was tried. 0 if it was never sent."),
    ("time_queue", "number", "From reading the line to its first attempt. Null if it was never sent."),
    ("time_namelookup", "number", "Until the name was resolved. 0 on a connection that was open already. Null if that "
                                  "point was not reached."),
    ("time_connect", "number", "Until the connection was open. 0 and null as above."),
    ("time_appconnect", "number", "Until the TLS handshake was done. 0 and null as above; null without TLS."),
    ("time_starttransfer", "number", "Until the first byte of the final answer. Null if none came."),
    ("time_total", "number", "Until the end of the last attempt. Null if it was never sent."),
    ("timestamp", "string", "When the last attempt began, in UTC (RFC 3339), to the millisecond."),
    ("change", "string", "With --state: new, changed, unchanged or gone. Null otherwise, and after a failure."),
    ("input", "object", "The other columns of its row. Absent for a plain list."),
    ("timings", "object", "With --include timings: time_proxy, when the tunnel through a proxy was open, and "
                          "redirects, each with url, status and time_starttransfer."),
    ("tls", "object", "With --include tls, for https: version, cipher, issuer, subject, not_after. Absent otherwise."),
    ("headers", "object", "With --include headers: the fields of the answer, by name in lower case, each with "
                          "its values in an array. Absent if no answer came."),
    ("body", "string", "With --include body: the body as text, or in base64. Absent if no answer came."),
    ("body_encoding", "string", "With --include body: base64 if the body is binary, null if it is text."),
]
