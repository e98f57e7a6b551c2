"""Cookies, as in RFC 6265bis. http.cookiejar is not used, since it walks the whole jar for every request.

    CookieHandler       stores the cookies of answers, and adds them to requests
      ├ parse           parses a Set-Cookie field into a Cookie; uses date and domains
      ├ jar             stores the cookies, and finds them by the labels of a host name
      └ file            reads and writes Netscape's format, as curl does
"""
from fetcher.transport.cookies.handler import CookieHandler

__all__ = ["CookieHandler"]
