"""What huggingface_hub sends when it makes a repository and commits files: requests.json.

    python make.py

A server on loopback answers as the hub does, without its newer storage (HF_HUB_DISABLE_XET). Two large files are asked
for whole and in parts. requests.json holds every request to the hub and to its storage: its line, its content type and
its body, lines of JSON as a list.
"""

import base64
import hashlib
import http.server
import importlib.metadata
import json
import os
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {
    "README.md": b"---\nlibrary_name: peft\n---\n# Card\n",
    "adapter_config.json": b'{"r": 4}\n',
    "adapter_model.safetensors": bytes(range(256)) * 3,
    "head.safetensors": b"0123456789",
}
PART = 300
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REQUESTS = []


class Hub(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.answer()

    def do_PUT(self):
        self.answer()

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while length := int(self.rfile.readline(), 16):
                data += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self):
        body = self.body()
        kind = self.headers.get("Content-Type")
        if kind and "ndjson" in kind:
            sent = [json.loads(line) for line in body.splitlines()]
        elif kind and "json" in kind:
            sent = json.loads(body)
        else:
            sent = base64.b64encode(body).decode()
        if self.path != "/api/validate-yaml":
            told = {"line": f"{self.command} {self.path}", "type": kind, "body": sent}
            told["token"] = "Authorization" in self.headers
            REQUESTS.append(told)
        port = self.server.server_port
        answers = {
            "/api/repos/create": {"url": "https://huggingface.co/someone/mine"},
            "/api/validate-yaml": {"errors": [], "warnings": []},
            "/api/models/someone/mine/preupload/main": {
                "files": [
                    {
                        "path": name,
                        "uploadMode": "lfs" if name.endswith(".safetensors") else "regular",
                        "shouldIgnore": False,
                    }
                    for name in FILES
                ]
            },
            "/api/models/someone/mine/commit/main": {
                "commitUrl": f"https://huggingface.co/someone/mine/commit/{COMMIT}",
                "commitOid": COMMIT,
            },
        }
        answer = answers.get(self.path, {})
        if self.path.endswith("/batch"):
            objects = []
            for wanted in sent["objects"]:
                storage = f"http://localhost:{port}"
                upload = {"href": f"{storage}/stored/{wanted['oid']}"}
                if wanted["size"] > PART:
                    parts = range(1, -(-wanted["size"] // PART) + 1)
                    header = {f"{part:05}": f"{storage}/part/{part}" for part in parts}
                    upload = {"href": f"{storage}/whole", "header": {"chunk_size": str(PART), **header}}
                verify = {"href": f"http://127.0.0.1:{port}/api/models/someone/mine/verify"}
                objects.append({**wanted, "actions": {"upload": upload, "verify": verify}})
            answer = {"objects": objects}
        text = json.dumps(answer).encode()
        self.send_response(200)
        if self.path.startswith("/part/"):
            self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(token="hf_secret")
    api.create_repo("someone/mine", private=True)
    # One thread, for a fixed order.
    operations = [CommitOperationAdd(name, content) for name, content in FILES.items()]
    api.create_commit("someone/mine", operations, commit_message="A model", num_threads=1)
    golden = {
        "huggingface_hub": importlib.metadata.version("huggingface_hub"),
        "part_bytes": PART,
        "files": {name: base64.b64encode(content).decode() for name, content in FILES.items()},
        "requests": REQUESTS,
    }
    (HERE / "requests.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
