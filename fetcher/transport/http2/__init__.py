"""HTTP/2 (RFC 9113) on connections of our own: many requests at once on one of them.

    handler     sends a request over HTTP/2 or HTTP/1.1, and sends it again where nobody acted on it
      └ pool        knows which hosts speak HTTP/2; their connections serve many requests at once
          └ connection  a socket that stays registered with the hub, and its streams
              ├ stream      one request and its answer
              ├ fields      the fields of requests and answers
              └ codec       bytes to events and back: the face of
                  ├ with_ngh2   nghttp2, compiled
                  └ with_h2     h2, in Python
    installed   which of the two is installed

Nothing above `Response` knows about versions. The embedded server uses the same codec.
"""
