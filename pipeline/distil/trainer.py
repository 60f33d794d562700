"""The training loop: resumable to the bit, stoppable at any step."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

import torch

from pipeline.distil.batches import Batch, Packer, Position, Stream, heldout_batches
from pipeline.distil.checkpoint import load_checkpoint, save_checkpoint
from pipeline.distil.config import DistilConfig
from pipeline.distil.corpus import Corpus
from pipeline.distil.curves import METRICS
from pipeline.distil.encoder import load_masked_lm, load_teacher
from pipeline.distil.optim import MasterAdamW, learning_rate
from pipeline.distil.pieces import WordPieces
from pipeline.distil.processes import Processes
from pipeline.distil.runs import check_same_run, check_sizes, layer_pairs
from pipeline.distil.step import Student, TeacherScale, measure_scale, student_loss, teacher_words
from pipeline.encoders import use_bf16


class Stop:
    """Turns SIGTERM and SIGINT into a flag that the loop looks at between steps."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        self._old = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


class Sums:
    """Running means between two log lines."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._count = 0

    def add(self, values: dict[str, float]) -> None:
        """Add the values of one forward pass."""
        for key, value in values.items():
            self._values[key] = self._values.get(key, 0.0) + value
        self._count += 1

    def take(self) -> dict[str, float]:
        """Means since the last call."""
        means = {key: round(value / max(1, self._count), 5) for key, value in self._values.items()}
        self._values, self._count = {}, 0
        return means


@dataclass(frozen=True)
class Status:
    """How a run is doing, after each step.

    Attributes:
        tokens: student pieces seen; ``goal``: where training ends, ``None`` when it does not.
        loss: of the last forward pass.
        rate: student pieces a second since this session began.
    """

    tokens: int
    goal: int | None
    loss: float
    rate: float


class Trainer:
    """One run in one folder; goes on from its checkpoint when there is one.

    Args:
        student: folder of the encoder to train.
        teacher: folder of the encoder to learn from.
        out: gets checkpoints and ``metrics.jsonl``.
        processes: this one among those that train together; alone when not given.

    Raises:
        QuanheError: the encoders do not fit the settings, or the checkpoint is of another run.
    """

    def __init__(
        self,
        config: DistilConfig,
        corpus: Corpus,
        student: Path,
        teacher: Path,
        out: Path,
        processes: Processes | None = None,
    ) -> None:
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        torch.manual_seed(config.seed)
        self.config = config
        self.out = out
        out.mkdir(parents=True, exist_ok=True)
        state = load_checkpoint(out)
        self.processes = processes or Processes(config.device)
        if state is not None:
            check_same_run(state, config, self.processes.count, out)
        self.device = self.processes.device
        dtype = torch.bfloat16 if use_bf16(config.precision, self.device) else torch.float32
        self.teacher = load_teacher(teacher).to(self.device, dtype).eval().requires_grad_(False)
        model = load_masked_lm(student)
        check_sizes(config, model.encoder, self.teacher)
        self.pairs = layer_pairs(config, model.encoder.depth, self.teacher.depth)
        self.layers = {pair.teacher for pair in self.pairs}
        self.packer = Packer(config.data, WordPieces(student), WordPieces(teacher))
        self.stream = Stream(corpus, self.packer, config.data, config.seed)
        heldout = heldout_batches(corpus, self.packer, config.data, config.run.eval_size)
        self.heldout = [batch.to(self.device) for batch in heldout]
        fp32 = Student(model, len(self.pairs), self.teacher.width).to(self.device)
        # The masters are taken before rounding, so that a start in fp32 loses nothing.
        self.optim = MasterAdamW(fp32, config.optim)
        self.student = fp32.to(dtype)
        self.optim.publish(self.optim.master)
        self.position = Position()
        self.tokens = 0
        self.cooldown: tuple[int, int] | None = None
        if state is None:
            self.scale = measure_scale(self.teacher, self.heldout, self.layers)
        else:
            self._restore(state)
        self.heldout_words = [teacher_words(self.teacher, batch, self.layers) for batch in self.heldout]

    def _restore(self, state: dict[str, Any]) -> None:
        self.optim.load(state["optim"])
        self.position = Position(**state["position"])
        self.tokens = state["tokens"]
        self.cooldown = None if state["cooldown"] is None else tuple(state["cooldown"])
        mean, std = (
            {layer: values.to(self.device) for layer, values in state["scale"][name].items()}
            for name in ("mean", "std")
        )
        self.scale = TeacherScale(mean, std)
        torch.set_rng_state(state["torch_rng"])

    def checkpoint(self) -> None:
        """Write the whole state; the data's randomness is a function of seed and position."""
        if not self.processes.main:
            return
        save_checkpoint(
            self.out,
            {
                "optim": self.optim.state(),
                "position": asdict(self.position),
                "tokens": self.tokens,
                "cooldown": self.cooldown,
                "processes": self.processes.count,
                "scale": {"mean": self.scale.mean, "std": self.scale.std},
                "torch_rng": torch.get_rng_state(),
                "config": self.config.model_dump(mode="json"),
            },
        )

    def begin_cooldown(self, length: int) -> None:
        """Let the rate fall to 0 over the next ``length`` pieces and stop there; once begun, it is not begun again."""
        if self.cooldown is None:
            self.cooldown = (self.tokens, length)

    @property
    def goal(self) -> int | None:
        """Student pieces at which training ends: the token limit or the end of the cool-down."""
        ends = [self.config.run.max_tokens, sum(self.cooldown) if self.cooldown else None]
        return min((end for end in ends if end is not None), default=None)

    @property
    def finished(self) -> bool:
        """Whether the cool-down or the token limit is reached."""
        return self.goal is not None and self.tokens >= self.goal

    def _plan_cooldown(self) -> None:
        """Begin the cool-down that the settings put at the end of the run."""
        run = self.config.run
        if run.max_tokens and run.cooldown_tokens and self.tokens >= run.max_tokens - run.cooldown_tokens:
            self.begin_cooldown(max(1, run.max_tokens - self.tokens))

    def _log(self, line: dict[str, Any]) -> None:
        if not self.processes.main:
            return
        with (self.out / METRICS).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")

    def _pass(self, batch: Batch) -> dict[str, float]:
        """Forward and backward of one batch."""
        words = teacher_words(self.teacher, batch, self.layers)
        parts = student_loss(self.student, words, batch, self.scale, self.pairs, self.config.loss)
        parts.total.backward()  # type: ignore[no-untyped-call]
        self.optim.collect()
        values = {"loss": float(parts.total.detach()), "mlm": float(parts.mlm)}
        values["acc"] = float(parts.hits.float().mean())
        for pair, (angle, square) in zip(self.pairs, parts.pairs, strict=True):
            values[f"cos{pair.student}"] = float(angle)
            values[f"mse{pair.student}"] = float(square)
        return values

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Held-out measures of the live weights (``held_``) and of the averaged ones (``ema_``).

        ``acc`` and ``mlm`` (nats) are of masked words; ``z`` is the squared error of the first layer pair in the
        teacher's standard units, ``cosine`` its plain cosine.
        """
        result: dict[str, float] = {}
        for name, values in (("held", self.optim.master), ("ema", self.optim.average)):
            self.optim.publish(values)
            sums = {"acc": 0.0, "mlm": 0.0, "z": 0.0, "cosine": 0.0}
            labels = units = 0
            for batch, words in zip(self.heldout, self.heldout_words, strict=True):
                parts = student_loss(self.student, words, batch, self.scale, self.pairs, self.config.loss, plain=True)
                labels, units = labels + len(batch.labels), units + batch.units
                sums["acc"] += float(parts.hits.sum())
                sums["mlm"] += float(parts.mlm) * len(batch.labels)
                sums["z"] += float(parts.pairs[0][1]) * batch.units
                sums["cosine"] += 0.0 if parts.plain_cosine is None else float(parts.plain_cosine) * batch.units
            for key, value in sums.items():
                result[f"{name}_{key}"] = round(value / (labels if key in ("acc", "mlm") else units), 5)
        self.optim.publish(self.optim.master)
        return result

    def _log_measures(self, **more: Any) -> None:
        if not self.processes.main:
            return
        line = {"tokens": self.tokens, "step": self.optim.steps, **more, "dropped_words": self.packer.dropped}
        self._log({**line, **self.measure()})

    def train(self, on_step: Callable[[Status], None] = lambda status: None) -> None:
        """Run until stopped or finished; always leaves a checkpoint behind."""
        run, config = self.config.run, self.config
        batches = self.processes.share(self.stream.batches(self.position))
        sums, logged, session = Sums(), self.tokens, self.tokens
        began = wall = saved = time.monotonic()
        if self.tokens == 0:
            self._log_measures()
        with Stop() as stop:
            while not (self.processes.any(stop.asked) or self.finished):
                self._plan_cooldown()
                rate = learning_rate(self.tokens, config.optim, self.cooldown)
                before = self.tokens
                for _ in range(config.optim.accumulate):
                    batch, following, pieces = next(batches)
                    values = self._pass(batch.to(self.device))
                    sums.add(values)
                    self.tokens += pieces
                norm = self.optim.step(rate, self.processes)
                # Only now: a checkpoint must never lie between the passes of one step.
                self.position = following
                now = time.monotonic()
                on_step(Status(self.tokens, self.goal, values["loss"], (self.tokens - session) / (now - began)))
                if self.optim.steps % run.log_steps == 0:
                    line: dict[str, Any] = {"tokens": self.tokens, "step": self.optim.steps, "lr": round(rate, 8)}
                    line |= {"norm": round(norm, 4) if math.isfinite(norm) else None, **sums.take()}
                    line |= {"tok_s": round((self.tokens - logged) / (now - wall)), "epoch": self.position.epoch}
                    self._log({**line, "time": round(time.time())})
                    wall, logged = now, self.tokens
                if before // run.eval_tokens != self.tokens // run.eval_tokens:
                    self._log_measures()
                if time.monotonic() - saved > run.checkpoint_seconds:
                    self.checkpoint()
                    saved = time.monotonic()
        self.checkpoint()
        if self.finished:
            self._log_measures(end=True)


def step_back() -> None:
    """Give way to all other processes.

    With Linux's autogroups niceness only counts among the processes of one session, so a detached trainer would still
    take its share of the machine; its whole group must be nice.
    """
    with contextlib.suppress(OSError):
        os.nice(19)
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")
