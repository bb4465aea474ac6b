"""What somebody meant who typed something else: names of other tools, words of yolo's command line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

import click

from maskdet.errors import MaskdetError

#: What other tools call our commands.
_MEANT: Final = {
    "predict": "detect", "infer": "detect", "inference": "detect", "run": "detect", "image": "detect", "scan": "detect",
    "track": "detect --track", "stream": "detect", "video": "detect", "webcam": "detect 0",
    "validate": "val", "valid": "val", "test": "val", "eval": "val", "evaluate": "val", "score": "val",
    "fit": "train", "finetune": "train", "fine-tune": "train", "bench": "benchmark", "speed": "benchmark",
    "check": "data check", "audit": "data check", "stats": "data stats", "download": "data download",
    "cls": "classify", "diff": "compare", "onnx": "export", "voc2yolo": "convert", "version": "info",
    "models": "info", "checks": "info", "help": "--help",
}  # fmt: skip

_WORD: Final = re.compile(r"([a-z][a-z_]*)=(.*)", re.DOTALL)

#: Words of yolo's that are called otherwise here, and those that mean nothing here.
_OPTIONS: Final = {"model": "weights", "stream": None, "task": None, "verbose": None, "project": None, "name": None}

#: What other tools call our options.
_OTHERS_OPTIONS: Final = {
    "--model": "--weights", "--conf-thres": "--conf", "--confidence": "--conf", "--threshold": "--conf", "-c": "--conf",
    "-t": "--conf", "--thresh": "--conf", "--score": "--conf", "--iou-thres": "--iou", "--nms": "--iou",
    "--img": "--imgsz", "--img-size": "--imgsz", "--size": "--imgsz", "--output": "--save", "--out": "--save",
    "-o": "--save", "--output-dir": "--save", "--save-dir": "--save", "--project": "--save", "--view-img": "--show",
    "--view": "--show", "--nosave": "--no-save", "--save-crop": "--save-crops", "--augmented": "--augment",
    "--batch-size": "--batch", "--gpu": "--device 0", "--cuda": "--device 0", "--cpu": "--device cpu",
    "--classes": "--fail-on", "-q": "--quiet", "--silent": "--quiet",
}  # fmt: skip

#: Options of other tools for what stands alone here.
_NAMES: Final = frozenset({"--source", "--input", "--image", "--images", "--video", "--file", "--path", "-i", "-s"})

#: An option with nothing behind its sign, and a name that is empty.
_EMPTY: Final = re.compile(r"|--[a-z][a-z-]*=|(model|data|source|project|save_dir)=")


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse words that are empty: a name whose variable was not set would mean something else than what was wanted.

    Raises:
        MaskdetError: there is one.
    """
    if any(_EMPTY.fullmatch(word) for word in words):
        raise MaskdetError("the name is empty")


def unknown_command(name: str, commands: Sequence[str]) -> str:
    """Return the line for a command that there is none of.

    >>> unknown_command("predict", ["detect", "val"])
    "no command 'predict': did you mean maskdet detect?"
    >>> unknown_command("clasify", ["detect", "classify"])
    "no command 'clasify': did you mean maskdet classify?"
    """
    import shlex
    from difflib import get_close_matches

    if _WORD.fullmatch(name):
        return f"no command {name!r}: the command comes first, as in maskdet detect photo.jpg"
    close = get_close_matches(name.lower(), [*commands, *_MEANT], n=1)
    meant = name if name in _MEANT else close[0] if close else None
    if meant is not None:
        return f"no command {name!r}: did you mean maskdet {_MEANT.get(meant, meant)}?"
    if os.path.lexists(name) or "://" in name or "." in name:
        return f"no command {name!r}: did you mean maskdet detect {shlex.quote(name)}?"
    return f"no command {name!r}: maskdet --help lists them"


def unknown_option(error: click.NoSuchOption) -> str | None:
    """Return the line for an option of another tool's, None where nobody can tell what was meant."""
    context, name = error.ctx, error.option_name
    if context is None:
        return None
    params = context.command.params
    if any(param.nargs == -1 and param.metavar == "KEY=VALUE…" for param in params):
        return f"no option {name}: arguments are key=value, such as {name.lstrip('-')}=VALUE"
    if name in _NAMES and any(isinstance(param, click.Argument) for param in params):
        return f"no option {name}: names stand alone, as in {context.command_path} photo.jpg"
    meant = _OTHERS_OPTIONS.get(name)
    if meant is None or not any(meant.split()[0] in [*param.opts, *param.secondary_opts] for param in params):
        return None
    return f"no option {name}: did you mean {meant}?"


def refuse_yolo_words(names: Sequence[str], context: click.Context) -> None:
    """Refuse ``source=a.jpg conf=0.3`` with the line that does what it says; files of such a name are files.

    Args:
        names: the sources as given.
        context: of the command.

    Raises:
        MaskdetError: there is such a word.
    """
    options = {option: param for param in context.command.params for option in param.opts}
    #: What switches a flag on, and what switches it off.
    flags = {
        option: (option, *param.secondary_opts)
        for option, param in options.items()
        if isinstance(param, click.Option) and param.is_flag
    }
    sources: list[str] = []
    words: list[str] = []
    found = False
    for at, name in enumerate(names):
        match = _WORD.fullmatch(name)
        if at == 0 and name in _MEANT and len(names) > 1 and not os.path.lexists(name):
            continue  # "detect predict source=a.jpg"
        if match is None or os.path.lexists(name):
            sources.append(name)
            continue
        key, value = match.groups()
        if key == "mode" and value in _MEANT:  # mode=predict
            found = True
            continue
        option = f"--{(_OPTIONS.get(key, key) or '').replace('_', '-')}"
        if key == "source":
            sources.append(value)
        elif key in _OPTIONS or option in options:
            if option in flags:
                on, off = flags[option][:1], flags[option][1:2]
                words += on if value.lower() in {"true", "1", "yes"} else off
            elif option in options and value.lower() not in {"true", "false"}:
                words += [option, value]
        else:
            sources.append(name)
            continue
        found = True
    if found:
        import shlex  # which a command that was typed well does not need

        line = shlex.join(["maskdet", str(context.info_name), *sources, *words])
        raise MaskdetError(f"names and options stand apart here: {line}")
