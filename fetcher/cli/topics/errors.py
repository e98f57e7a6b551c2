"""Each error word of a record."""
from __future__ import annotations

ABOUT = ("The key `error` of a record has one of these words, and `error_message` a sentence. --retry-on says which of "
         "them are tried again; by default these are connect, dns, incomplete, proxy and timeout, and some statuses.")

WORDS = [
    ("invalid_url", "The line has no URL that can be fetched.",
     "Correct the line. --default-scheme https accepts lines such as example.com."),
    ("blocked", "--block-private or --deny-host refuses its host, or all addresses of it.",
     "--allow-host makes an exception."),
    ("robots", "The robots.txt of its site does not allow it, or could not be fetched.",
     "Leave it, or ask the owner; --robots is what made fetcher look."),
    ("dns", "The name did not resolve.",
     "Check its spelling; --dns-server asks another server, and --resolve none."),
    ("connect", "There is no connection to any of its addresses.",
     "Check that the host is up and the port right; --connect-timeout gives it more time."),
    ("tls", "The TLS handshake failed, or the certificate is not trusted.",
     "--cacert names an authority of your own, --tls-min 1.0 permits old servers, -k trusts anybody."),
    ("proxy", "The proxy refused, or could not be reached.",
     "Check -x and the variables http_proxy, https_proxy and no_proxy; `status` 407 means that it wants a password."),
    ("timeout", "A phase, or the attempt as a whole, took too long; the message says which.",
     "See --connect-timeout, --read-timeout and --timeout; with fewer requests at once (--per-host) a server may keep "
     "up."),
    ("protocol", "What came back is not HTTP.",
     "Check the port and the scheme: https where the URL says http, for instance."),
    ("incomplete", "The connection ended before the answer did.",
     "It is tried again by default. If it stays, the server or a proxy cuts answers off."),
    ("decode", "The content coding of the body is broken.", "--no-compressed asks for a body without one."),
    ("too_large", "The body is longer than --max-size.", "Raise it, if you want such bodies."),
    ("too_slow", "The body came more slowly than --min-speed.", "Lower it, or fetch from this host alone."),
    ("too_many_redirects", "The redirects go round in a circle, or there are more than --max-redirects.",
     "Look at --include timings, which shows each; some sites need cookies (--cookie-jar)."),
    ("http", "The answer has a status that is not accepted: by default, 400 and above.",
     "See `status`. --accept says which are good."),
    ("unexpected", "The answer is not what --expect, --expect-not or its row says.",
     "The message says what was expected, and how the body begins."),
    ("save", "The body could not be written to its file.", "See the message: a full disk, no permission."),
    ("breaker", "Its host could not be reached several times in a row, and was left alone.",
     "--breaker 0 tries each line nevertheless; --retry-failed tries again later."),
    ("deadline", "The run had no time left for it.", "--resume fetches what is left."),
    ("interrupted", "The run was stopped while this was in flight.", "--resume fetches it again."),
    ("internal", "A defect of fetcher.", "Run it again with --debug, and report it."),
]
