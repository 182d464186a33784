"""What huggingface_hub makes of a small repository in its cache: cache.json.

    python make.py

A server on loopback serves the repository of repository.json, as the hub does: large files by SHA-256 (Git LFS), the
others by git's name of them. huggingface_hub downloads its model files at a branch, a tag and a commit. cache.json says
what is then in the cache: every file with its text, every link with its target.
"""

import hashlib
import http.server
import importlib.metadata
import json
import os
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = json.loads((HERE / "repository.json").read_text())
NAME, COMMIT = REPOSITORY["name"], REPOSITORY["commit"]
FILES = {name: (file["text"].encode(), file["large"]) for name, file in REPOSITORY["files"].items()}


def etag(content, large):
    if large:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        _, _, rest = self.path.partition(f"/{NAME}/resolve/")
        revision, _, file = rest.replace("%2F", "/").rpartition("/")
        if file not in FILES or revision not in [COMMIT, *REPOSITORY["revisions"]]:
            self.send_error(404)
            return
        content, large = FILES[file]
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag(content, large)}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    import huggingface_hub

    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        for revision in [*REPOSITORY["revisions"], COMMIT]:
            for file in REPOSITORY["wanted"]:
                huggingface_hub.hf_hub_download(
                    NAME, file, revision=revision, cache_dir=cache, token=False,
                    endpoint=f"http://127.0.0.1:{server.server_port}",
                )
        found = {}
        for path in sorted(cache.rglob("*")):
            name = path.relative_to(cache).as_posix()
            if path.is_symlink():
                found[name] = {"link": os.readlink(path)}
            elif path.is_file():
                found[name] = {"text": path.read_text()}
    # Not the model's: a mark for backup programs, locks, and notes of what the hub was asked.
    unread = ("CACHEDIR.TAG", ".locks/")
    found = {name: entry for name, entry in found.items() if not name.startswith(unread)}
    versions = {"huggingface_hub": importlib.metadata.version("huggingface_hub")}
    text = json.dumps({"versions": versions, "cache": found}, indent=1) + "\n"
    (HERE / "cache.json").write_text(text)


main()
