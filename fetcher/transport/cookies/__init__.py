"""Cookies as RFC 6265bis has them, in place of http.cookiejar: that walks the whole jar for every request.

    CookieHandler       takes cookies from answers, and gives them to the requests that they are for
      ├ parse           a Set-Cookie field to a Cookie, or to none; its dates: date; its domain: domains
      ├ jar             the cookies there are, found by the labels of a host's name
      └ file            the format of Netscape, as curl reads and writes it
"""
from fetcher.transport.cookies.handler import CookieHandler

__all__ = ["CookieHandler"]
