"""An event file as TensorBoard's own writer makes it.

Writes case.json beside this file: events, and the bytes that TensorBoard writes for them, in hexadecimal.
Run: python make.py
"""

import io
import json
import pathlib
import platform

import tensorboard
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1700000000.25
EVENTS = [
    {"wall_time": 1700000001.5, "step": 0, "scalars": [["validation/accuracy", 0.0]]},
    {"wall_time": 1700000002.0, "step": 1, "scalars": [["train/loss", 1.609375], ["train/learning_rate", 2e-6]]},
    {"wall_time": 1700000002.75, "step": 127, "scalars": [["train/loss", -0.1]]},
    {"wall_time": 1700000003.0, "step": 128, "scalars": [["train/loss", float("1e30")]]},
    # A tag of more than 127 bytes, and not only ASCII ones, needs a length of two bytes.
    {"wall_time": 1700000004.125, "step": 3000000000, "scalars": [["recall/" + "Überarbeitung " * 9, 0.25]]},
]


def main():
    file = io.BytesIO()
    writer = RecordWriter(file)
    writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
    for event in EVENTS:
        values = [Summary.Value(tag=tag, simple_value=number) for tag, number in event["scalars"]]
        message = Event(wall_time=event["wall_time"], step=event["step"], summary=Summary(value=values))
        writer.write(message.SerializeToString())
    case = {
        "versions": {"python": platform.python_version(), "tensorboard": tensorboard.__version__},
        "start": START,
        "events": EVENTS,
        "bytes": file.getvalue().hex(),
    }
    text = json.dumps(case, allow_nan=False, indent=1, ensure_ascii=False)
    pathlib.Path(__file__).with_name("case.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
