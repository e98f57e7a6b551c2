"""A server that asks for Digest, and checks the answers with its own arithmetic."""
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def answer_to(request):
    """Return the parts of an answer to a Digest challenge."""
    match = re.search(rb"^Authorization: Digest (.*)\r$", request, re.MULTILINE)
    if match is None:
        return None
    parts = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', match[1].decode("utf-8"))
    return {name: re.sub(r"\\(.)", r"\1", quoted) if quoted else plain for name, quoted, plain in parts}


class DigestServer(ThreadingHTTPServer):
    """Accepts "me" with the password "secret" by RFC 7616, and each count of a nonce only once.

    With `hidden`, the name must be sent as a hash (userhash).
    """

    daemon_threads = True

    def __init__(self, algorithm, qop, user=("me", "secret"), hidden=False):
        super().__init__(("127.0.0.1", 0), _DigestHandler)
        self.algorithm, self.qop, self.user, self.hidden = algorithm, qop, user, hidden
        self.challenges = self.admissions = 0
        self.counts = set()
        self.lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def url(self, path="/a?b=c"):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def admits(self, method, target, body, parts):
        algorithm, _, session = (self.algorithm or "MD5").partition("-sess")

        def hashed(text):
            return hashlib.new(HASHES[algorithm], text.encode("utf-8")).hexdigest()

        if not parts or parts["uri"] != target:
            return False
        name = hashed(f"{self.user[0]}:{parts['realm']}") if self.hidden else self.user[0]
        if parts["username"] != name or parts.get("userhash", "false") != ("true" if self.hidden else "false"):
            return False
        secret = hashed(f"{self.user[0]}:{parts['realm']}:{self.user[1]}")
        if "-sess" in (self.algorithm or ""):
            secret = hashed(f"{secret}:{parts['nonce']}:{parts['cnonce']}")
        what = f"{method}:{target}" + (f":{hashed(body)}" if self.qop == "auth-int" else "")
        middle = f"{parts['nc']}:{parts['cnonce']}:{parts['qop']}:" if self.qop else ""
        if parts["response"] != hashed(f"{secret}:{parts['nonce']}:{middle}{hashed(what)}"):
            return False
        with self.lock:
            used = (parts["nonce"], parts.get("nc"))
            fresh = not self.qop or used not in self.counts
            self.counts.add(used)
        return fresh


class _DigestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        parts = answer_to(f"Authorization: {self.headers.get('authorization', '')}\r\n".encode("latin-1"))
        if server.admits(self.command, self.path, body, parts):
            server.admissions += 1
            self.send_response(200)
        else:
            server.challenges += 1
            self.send_response(401)
            nonce = f"nonce-{server.challenges}"
            self.send_header("WWW-Authenticate", ", ".join(filter(None, [
                'Digest realm="The, realm"', f'nonce="{nonce}"', 'opaque="x"',
                server.algorithm and f"algorithm={server.algorithm}", server.qop and f'qop="{server.qop}"',
                server.hidden and "userhash=true"])))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass
