"""Small valid files of every kind that is read, made in code."""

from __future__ import annotations

import functools
import importlib.util
import io
import json
import tempfile
import zlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

NAMES: Final = ("with_mask", "without_mask", "mask_weared_incorrect")
WIDTH, HEIGHT = 96, 64

VOC: Final = f"""<annotation>
  <folder>images</folder><filename>a.png</filename>
  <size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object><name>with_mask</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox><xmin>10</xmin><ymin>12</ymin><xmax>40</xmax><ymax>50</ymax></bndbox></object>
  <object><name>without_mask</name><difficult>1</difficult>
    <bndbox><xmin>50.5</xmin><ymin>2</ymin><xmax>90</xmax><ymax>60.25</ymax></bndbox></object>
</annotation>
"""
LABELS: Final = "0 0.25 0.5 0.3 0.6\n1 0.7 0.5 0.4 0.9\n2 0.5 0.5 0.1 0.1\n"
DATA_YAML: Final = "path: .\ntrain: images/train\nval: images/val\nnc: 3\nnames:\n" + "".join(
    f"  {number}: {name}\n" for number, name in enumerate(NAMES)
)
IMAGE_SET: Final = "a\nb\n"
GROUPS: Final = "name,group\na.png,1\nb.png,1\n"
MANIFEST: Final = (
    "crop,photo,face,x1,y1,x2,y2,class,binary,group\n"
    "with_mask/a_0.png,a.png,0,10,12,40,50,with_mask,0,a\n"
    "without_mask/a_1.png,a.png,1,50.5,2,90,60.25,without_mask,1,a\n"
)


def picture(shade: int = 0) -> npt.NDArray[np.uint8]:
    """Return a picture of gradients, (HEIGHT, WIDTH, 3) uint8 BGR."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([rows * 4, columns * 2, np.full_like(rows, 40 + shade)], axis=-1).astype(np.uint8)


@functools.cache
def pictures() -> dict[str, bytes]:
    """Return a picture file of every kind that this OpenCV writes, by ending, and some that it only reads."""
    image = picture()
    found = {}
    for ending in (
        ".png",
        ".jpg",
        ".bmp",
        ".webp",
        ".tif",
        ".ppm",
        ".pgm",
        ".gif",
        ".avif",
        ".jp2",
        ".pfm",
        ".ras",
        ".hdr",
    ):
        content = image.astype(np.float32) if ending in {".pfm", ".hdr"} else image
        try:
            done, data = cv2.imencode(ending, content[..., 0] if ending == ".pgm" else content)
        except cv2.error:
            continue
        if done:
            found[ending] = data.tobytes()
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 1]
    found[".jpeg"] = cv2.imencode(".jpg", image, progressive)[1].tobytes()
    found[".jpe"] = with_exif(found[".jpg"])
    found[".png16"] = cv2.imencode(".png", image.astype(np.uint16) * 257)[1].tobytes()
    return found


def with_exif(jpeg: bytes) -> bytes:
    """Return a JPEG with an EXIF block that turns it by a quarter."""
    entry = b"\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
    block = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00" + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def png(width: int, height: int, *, body: bytes = b"", depth: int = 8, kind: int = 2) -> bytes:
    """Return a PNG that claims a size, with any data in it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, kind, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")


def bombs() -> dict[str, bytes]:
    """Return small files that claim a huge picture, by ending."""
    w, h = 60_000, 50_000
    le = [(n).to_bytes(4, "little") for n in (w, h)]
    entries = [(256, w), (257, h), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, h), (279, w * h)]
    tiff = b"II*\x00\x08\x00\x00\x00" + len(entries).to_bytes(2, "little")
    for tag, value in entries:
        tiff += tag.to_bytes(2, "little") + b"\x04\x00\x01\x00\x00\x00" + (value & 0xFFFFFFFF).to_bytes(4, "little")
    sof = b"\xff\xd8\xff\xc0\x00\x11\x08" + h.to_bytes(2, "big") + w.to_bytes(2, "big")
    return {
        ".png": png(w, h, body=bytes(1_000_000)),
        ".bmp": b"BM"
        + bytes(8)
        + b"\x36\x00\x00\x00\x28\x00\x00\x00"
        + le[0]
        + le[1]
        + b"\x01\x00\x18\x00"
        + bytes(24),
        ".ppm": f"P6\n{w} {h}\n255\n".encode(),
        ".pgm": f"P5 # {'x' * 100}\n{w}\n#\n{h} 255\n".encode(),
        ".pbm": f"P4 {w} {h}\n".encode(),
        ".gif": b"GIF89a" + w.to_bytes(2, "little") + h.to_bytes(2, "little") + b"\xf0\x00\x00" + bytes(6) + b",",
        ".tif": tiff + bytes(64),
        ".jpg": sof + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01" + bytes(64),
        ".hdr": f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {h} +X {w}\n".encode(),
        ".pfm": f"PF\n{w} {h}\n-1.0\n".encode(),
        ".pam": f"P7\nWIDTH {w}\nHEIGHT {h}\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".encode(),
        ".ras": b"\x59\xa6\x6a\x95" + w.to_bytes(4, "big") + h.to_bytes(4, "big") + b"\x00\x00\x00\x18" + bytes(16),
        ".webp": b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x5f\xea\x00\x4f\xc3\x00",
    }


@functools.cache
def videos() -> dict[str, bytes]:
    """Return a short video of each container that OpenCV writes, by ending."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="maskdet-hostile-") as folder:
        for ending, codec in ((".avi", "MJPG"), (".mp4", "mp4v"), (".mkv", "mp4v")):
            path = Path(folder) / f"clip{ending}"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (WIDTH, HEIGHT))
            for shade in range(5):
                writer.write(picture(shade * 20))
            writer.release()
            if path.is_file() and path.stat().st_size:
                found[ending] = path.read_bytes()
    return found


def results() -> str:
    """Return a file of results, two lines of JSON."""
    box = {"x1": 10.0, "y1": 12.5, "x2": 40.1, "y2": 50.0}
    answer = {"name": "with_mask", "confidence": 0.991, "probabilities": {"with_mask": 0.991}, "agrees": True}
    face = {"name": "with_mask", "class": 0, "confidence": 0.94312, "box": box, "track_id": 3, "classifier": answer}
    line = {
        "schema": "maskdet/1",
        "image": {"path": "a.jpg", "width": 400, "height": 267, "frame": None},
        "model": {"name": "maskdet-n", "imgsz": 640, "conf": 0.25},
        "time_ms": 41.2,
        "detections": [face],
        "counts": dict.fromkeys(NAMES, 0) | {"with_mask": 1},
        "summary": {"faces": 1, "compliant": 1, "compliance": 1.0},
    }
    return (json.dumps(line) + "\n") * 2


def has(module: str) -> bool:
    """Whether an optional package is installed."""
    return importlib.util.find_spec(module) is not None


def detector(**change: str) -> bytes:
    """Return a tiny ONNX detector, one anchor a 32 × 32 px cell; needs onnx. ``change`` is written over its metadata."""
    import onnx

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.zeros((7, 3, 32, 32), np.float32)
    weights[4:] = 1 / 4096
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["images", "w"], ["maps"], strides=[32, 32]),
            helper.make_node("Reshape", ["maps", "flat"], ["output0"]),
        ],
        "g",
        [helper.make_tensor_value_info("images", kind, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info("output0", kind, ["batch", 7, "anchors"])],
        [
            onnx.numpy_helper.from_array(weights, "w"),
            onnx.numpy_helper.from_array(np.array([0, 7, -1], np.int64), "flat"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    known = {"names": repr(dict(enumerate(NAMES))), "imgsz": "[64, 64]", "stride": "32", "task": "detect"}
    helper.set_model_props(model, {**known, **change})
    data: bytes = model.SerializeToString()
    return data


def checkpoint(payload: object = None) -> bytes:
    """Return a file as ``torch.save`` writes it, of a dictionary that is no network; needs torch."""
    import torch

    buffer = io.BytesIO()
    torch.save({"epoch": 1, "model": payload, "weights": torch.zeros(4)}, buffer)
    return buffer.getvalue()
