"""``MaskTrainer``: ultralytics' detection trainer, made worth running on a CPU.

Imports torch and ultralytics, so it is itself imported only by ``maskdet.detector.training.train``.
"""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from ultralytics.data.utils import get_split_fraction
from ultralytics.models.yolo.detect import DetectionTrainer

from maskdet.detector.inference.runtime.ultralytics_bridge import stay_safe
from maskdet.detector.training.data import TrainingData, read_training_data
from maskdet.detector.training.face_augment import FaceAugmentation
from maskdet.detector.training.face_dataset import CheckedDataset, FaceDataset
from maskdet.detector.training.seen import note_seen
from maskdet.errors import MaskdetError
from maskdet.files.safe_yaml import YamlError, read_yaml
from maskdet.sessions.processor import has_bf16, usable_cores
from maskdet.terminal.console import say

OPTIONS_FILE = "maskdet.yaml"
DATA_FILE = "data.yaml"


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """The keys that ultralytics does not know.

    Attributes:
        early_imgsz: side of the training input in the first epochs, as a part of ``imgsz`` up to 1, in pixels above;
            rounded up to the stride.
        early_share: share of the epochs, 0 to 1, that run at it.
        cpu_bf16: bfloat16 autocast on the CPU; None for where the processor has it in hardware.
        cpu_threads: threads on the CPU; None for one a core. One each is the best use of a processor that trains
            several networks at once.
        close_up, rare_photo, paste_rare, slip_mask, poor_camera: how often each happens, see ``FaceAugmentation``.
    """

    early_imgsz: float = 1.0
    early_share: float = 0.0
    cpu_bf16: bool | None = None
    cpu_threads: int | None = None
    close_up: float = 0.0
    rare_photo: float = 0.0
    paste_rare: float = 0.0
    slip_mask: float = 0.0
    poor_camera: float = 0.0

    @property
    def faces(self) -> FaceAugmentation:
        """What is done to single photos."""
        return FaceAugmentation(
            close_up=self.close_up,
            rare_photo=self.rare_photo,
            paste_rare=self.paste_rare,
            slip_mask=self.slip_mask,
            poor_camera=self.poor_camera,
        )


class MaskTrainer(DetectionTrainer):  # type: ignore[misc]
    """Adds a low-resolution start, every core, and bfloat16 where the processor has it."""

    def __init__(
        self,
        cfg: Any = None,
        overrides: dict[str, Any] | None = None,
        _callbacks: Any = None,
        options: TrainOptions | None = None,
        read: TrainingData | None = None,
    ) -> None:
        """Set up as ultralytics does.

        ``options`` None reads them from the run's folder (resume, several GPUs); ``read`` None, what ``data=`` names.
        """
        from ultralytics.utils import DEFAULT_CFG, LOCAL_RANK

        if LOCAL_RANK != -1:
            os.dup2(2, 1)  # a process a GPU, started by ultralytics: none of them answers on standard output
        stay_safe()  # where it is started anew in a process a GPU
        self._read = read
        super().__init__(cfg or DEFAULT_CFG, overrides, _callbacks)
        stored = Path(self.save_dir) / OPTIONS_FILE
        if (self.args.resume or options is None) and stored.is_file():
            options = _read_options(stored)
        self.options = options or TrainOptions()
        stored.write_text(yaml.safe_dump(asdict(self.options)), encoding="utf-8")
        wanted = self.options.cpu_bf16
        self.uses_cpu_bf16 = self.device.type == "cpu" and (has_bf16() if wanted is None else wanted)
        if self.device.type == "cpu":
            self.add_callback("on_train_start", _use_whole_processor)

    def check_resume(self, overrides: dict[str, Any]) -> None:
        """Take over what a checkpoint keeps, but for its folder: a run goes on where its checkpoint lies."""
        super().check_resume(overrides)
        if self.resume:
            self.args.save_dir = str(Path(self.args.resume).absolute().parent.parent)

    def get_dataset(self) -> dict[str, Any]:
        """Return the data set's description; ultralytics' own reader would run what stands under ``download:``."""
        from ultralytics.utils import LOCAL_RANK

        single = bool(self.args.single_cls)
        if self._read is None:
            self._read = read_training_data(str(self.args.data), validated_on=self.args.split, single_class=single)
        self.args.data = str(self._read.description.path)
        described = self._read.as_ultralytics(single_class=single)
        # For the validation after the last epoch, which reads a file.
        (Path(self.save_dir) / DATA_FILE).write_text(
            yaml.safe_dump(described, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        if LOCAL_RANK == -1:  # else the process that started this one has done it
            trained = [photo.picture.path for photo in self._read.photos["train"]]
            note_seen(Path(self.save_dir), trained, self._read.seen_before)
        for remark in self._read.remarks():
            say(remark)
        return described

    def get_validator(self) -> Any:
        """Return ultralytics' validator, which never sees the user's ``data.yaml``."""
        validator = super().get_validator()
        validator.args.data = str(Path(self.save_dir) / DATA_FILE)
        return validator

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        """Build the data set from the photos read, for training with our own augmentation where there is any."""
        assert self._read is not None
        training = mode == "train"
        split = "train" if training else self.args.split
        kind = partial(FaceDataset, faces=self.options.faces) if training and self.options.faces.any else CheckedDataset
        return kind(
            photos=self._read.photos[split],
            img_path=img_path,
            imgsz=self.args.imgsz,
            batch_size=batch,
            augment=training,
            hyp=self.args,
            rect=self.args.rect or not training,
            cache=self.args.cache or None,
            single_cls=self.args.single_cls or False,
            stride=max(int(self.stride), 32),
            pad=0.0 if training else 0.5,
            prefix=f"{mode}: ",
            task=self.args.task,
            classes=self.args.classes,
            data=self.data,
            fraction=get_split_fraction(self.args.fraction, split),
        )

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Bring a batch to the device as ultralytics does, then to the epoch's resolution.

        Boxes are relative to the picture, so they need no change.
        """
        batch = super().preprocess_batch(batch)
        size, full = self.epoch_imgsz(self.epoch), int(self.args.imgsz)
        if size < full:
            # A ratio, not a size: a batch that multi_scale made larger or smaller stays so, relative to the others.
            scale = size / full
            shape = [max(round(side * scale / self.stride), 1) * self.stride for side in batch["img"].shape[2:]]
            batch["img"] = torch.nn.functional.interpolate(
                batch["img"], size=shape, mode="bilinear", align_corners=False, antialias=True
            )
        if self.device.type == "cpu":
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch

    def epoch_imgsz(self, epoch: int) -> int:
        """Return the side of the training input in ``epoch`` (from 0), in pixels."""
        early, full = self.options.early_imgsz, int(self.args.imgsz)
        if epoch >= round(self.options.early_share * self.epochs):
            return full
        side = early * full if early <= 1 else early
        rounded: int = math.ceil(side / self.stride) * int(self.stride)
        return min(rounded, full)


def _read_options(file: Path) -> TrainOptions:
    """Read the options that a run's folder keeps.

    Raises:
        MaskdetError: the file holds something else.
    """
    try:
        return TrainOptions(**read_yaml(file))
    except (OSError, YamlError, TypeError) as error:
        raise MaskdetError(f"{file}: holds no options of a training run") from error


def _use_whole_processor(trainer: MaskTrainer) -> None:
    """Take every core (ultralytics leaves torch one thread), channels-last, and bfloat16 where it is quick."""
    torch.set_num_threads(trainer.options.cpu_threads or usable_cores())
    model = trainer.model
    model.to(memory_format=torch.channels_last)  # a sixth less time an epoch, in float32 too
    if not trainer.uses_cpu_bf16:
        return
    forward = model.forward

    def forward_bf16(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=model.training):
            return forward(*args, **kwargs)

    model.forward = forward_bf16
