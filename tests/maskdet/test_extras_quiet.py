"""Nothing leaves the machine: looked at in processes without ``CI``, which keeps some libraries quiet by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskdet.extras import SWITCHES

#: Variables that keep libraries quiet, or that name folders which would hide what they write.
_HIDING = {
    *SWITCHES,
    "TORCHINDUCTOR_CACHE_DIR",
    "CI",
    "TF_BUILD",
    "JENKINS_URL",
    "YOLO_CONFIG_DIR",
    "MPLCONFIGDIR",
    "XDG_CACHE_HOME",
}

#: Says of every look at a network who asked for what. What native code asks for is not seen; its id in HOME is.
_WATCH = """
import sys
def watch(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        print("ASKED", event, args[-2:], file=sys.stderr)
sys.addaudithook(watch)
"""


def watched(code: str, home: Path, cwd: Path, **environment: str) -> tuple[list[Path], list[str], str]:
    """Run code; return the files below its home, the lines about addresses asked for, and its standard output."""
    kept = {name: value for name, value in os.environ.items() if name not in _HIDING}
    done = subprocess.run(
        [sys.executable, "-c", _WATCH + code],
        env={**kept, "HOME": str(home), **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    asked = [line for line in done.stderr.splitlines() if line.startswith("ASKED")]
    return [path for path in home.rglob("*") if path.is_file()], asked, done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def command(*words: object) -> str:
    """Return code that runs a command and goes on."""
    return f"from maskdet.cli import cli\ncli.main({[str(word) for word in words]!r}, standalone_mode=False)\n"


PREDICT = "import maskdet\nmaskdet.predict({photo!r})"
IMPORT = "import maskdet, onnxruntime\nonnxruntime.InferenceSession({weights!r})"
OPENVINO = "from maskdet.cli.info import gather\nassert gather()['openvino_devices']"
TRACK = "from maskdet.tracking.face_tracker import FaceTracker\nFaceTracker()"
PLOT = """
from maskdet.extras import require
figure = require("matplotlib.figure", what="a plot", extra="plots").Figure()
figure.text(0, 0, "x")
figure.savefig("x.png")
"""
#: Everything that ultralytics does at the start of a training and at its end that could be seen outside.
TRAIN = """
from maskdet.extras import require
require("ultralytics", what="training", extra="train")
from ultralytics import YOLO
from ultralytics.utils import ONLINE, SETTINGS
from ultralytics.utils.checks import check_font, check_pip_update_available
from ultralytics.utils.events import events
model = YOLO("yolov8n.yaml")
check_pip_update_available()
assert check_font("Arial.ttf").exists() and not events.enabled and not ONLINE
assert not [key for key in ("sync", "comet", "mlflow", "wandb") if SETTINGS[key]]
"""


@pytest.mark.parametrize("code", [PREDICT, IMPORT])
def test_a_prediction_is_quiet(code: str, home: Path, tmp_path: Path, astronaut: Path) -> None:
    from maskdet.weights import default_model

    code = code.format(photo=str(astronaut), weights=str(default_model().path))
    assert watched(code, home, tmp_path)[:2] == ([], [])


def test_a_command_and_the_process_it_starts_are_quiet(home: Path, tmp_path: Path, astronaut: Path) -> None:
    again = "import subprocess\nsubprocess.run([sys.executable, '-c', 'import onnxruntime'], check=True)"
    code = command("detect", astronaut, "--save", "out") + again
    assert watched(code, home, tmp_path)[:2] == ([], [])


@pytest.mark.parametrize(
    ("code", "package"),
    [(OPENVINO, "openvino"), (TRACK, "trackers"), (PLOT, "matplotlib"), (TRAIN, "ultralytics")],
    ids=["openvino", "track", "plot", "train"],
)
def test_optional_packages_are_quiet(code: str, package: str, home: Path, tmp_path: Path) -> None:
    pytest.importorskip(package)
    files, asked, output = watched(code, home, tmp_path)
    assert (files, asked) == ([], [])
    assert "ettings" not in output


def test_no_folder_is_left_behind(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    (tmp_path / "temporary").mkdir()
    code = (
        "from maskdet.extras import require\nrequire('ultralytics', what='it', extra='train')\nimport ultralytics\n"
        "from torch._inductor.runtime.cache_dir_utils import cache_dir\nprint(cache_dir())"
    )
    files, _, shown = watched(code, home, tmp_path, TMPDIR=str(tmp_path / "temporary"))
    assert shown.startswith(str(tmp_path / "temporary" / "maskdet-"))
    assert (files, list((tmp_path / "temporary").iterdir())) == ([], [])


def test_the_users_own_settings_stay(home: Path, tmp_path: Path) -> None:
    code = "import os, maskdet\nprint(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['YOLO_OFFLINE'])"
    assert watched(code, home, tmp_path, ORT_DISABLE_TELEMETRY="0")[2] == "0 true\n"


def test_the_users_ultralytics_settings_are_read_and_left_alone(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    file = home / ".config" / "Ultralytics" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"runs_dir": "/elsewhere", "wandb": true}')
    code = "from maskdet.extras import require\nrequire('ultralytics', what='', extra='')\n"
    code += "from ultralytics.utils import SETTINGS\nprint(SETTINGS['runs_dir'], SETTINGS['wandb'])"
    assert watched(code, home, tmp_path)[2].endswith("/elsewhere True\n")
    assert file.read_text() == '{"runs_dir": "/elsewhere", "wandb": true}'


def test_the_watch_can_fail(home: Path, tmp_path: Path) -> None:
    code = "from pathlib import Path\nimport socket\n(Path.home() / 'id').touch()\nsocket.getaddrinfo('127.0.0.1', 9)"
    files, asked, _ = watched(code, home, tmp_path)
    assert files == [home / "id"]
    assert len(asked) == 1
