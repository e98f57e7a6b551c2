"""Who we are: Basic at once, as curl does, and Digest where a server asks for it.

As with curl, a request's `user` comes from --user, from its URL or from .netrc, in this order. It never leaves its
origin, unless the options trust where redirects lead.

    handlers        of an opener: NetrcHandler, DigestHandler
      ├ netrc       the file of names and passwords
      ├ challenge   WWW-Authenticate fields to challenges
      └ digest      answers to a Digest challenge
"""
from fetcher.transport.authentication.handlers import DigestHandler, NetrcHandler

__all__ = ["DigestHandler", "NetrcHandler"]
