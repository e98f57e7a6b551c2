"""An object store on this machine, from moto. It answers one request at a time, so that creating is atomic."""
from __future__ import annotations

import sys
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

BUCKET = "bucket"
VARIABLES = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-of-store", "AWS_DEFAULT_REGION": "us-east-1"}


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False,
               request_handler=_Silent)
