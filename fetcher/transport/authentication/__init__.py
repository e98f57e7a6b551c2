"""Authenticate: with Basic in the first request, as curl does, and with Digest if a server asks for it.

As with curl, the `user` of a request comes from --user, its URL or .netrc, in this order. It is never sent to another
origin, unless the options trust redirects.

    handlers        for an opener: NetrcHandler, DigestHandler
      ├ netrc       reads the file of names and passwords
      ├ challenge   parses WWW-Authenticate fields into challenges
      └ digest      answers Digest challenges
"""
from fetcher.transport.authentication.handlers import DigestHandler, NetrcHandler

__all__ = ["DigestHandler", "NetrcHandler"]
